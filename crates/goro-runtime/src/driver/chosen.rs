//! The driver that a runtime was built on.
//!
//! What a worker asks whenever it sleeps and wakes is a direct call of the system's driver. Behind
//! a `dyn Driver` the compiler neither inlines it nor knows what it leaves alone, and a program that
//! sleeps once a message would pay for that with each one. The rest goes through `dyn Driver`.
//!
//! Left out: a type parameter. Every type of the runtime would have it, and so would its users'.

use core::ops::Deref;
use core::task::Waker;
use goro_reactor::Parker;
use goro_shim::Arc;
use goro_shim::time::Instant;

use super::os::OsDriver;
use super::scripted::Stage;
use super::{Driver, Rest};

/// One of the two; see the module.
#[derive(Clone, Debug)]
pub(crate) enum Chosen {
    Os(Arc<OsDriver>),
    Scripted(Arc<Stage>),
}

/// A call of the script's, out of the way of where the system's is called.
#[cold]
#[inline(never)]
fn scripted<R>(call: impl FnOnce() -> R) -> R {
    call()
}

macro_rules! direct {
    ($self:ident, $method:ident $arguments:tt) => {
        match $self {
            Self::Os(driver) => driver.$method $arguments,
            Self::Scripted(stage) => scripted(move || stage.$method $arguments),
        }
    };
}

/// As the trait's methods of the same names.
impl Chosen {
    #[inline]
    pub(crate) fn now(&self) -> Instant {
        direct!(self, now())
    }

    #[inline]
    pub(crate) fn park(&self, rest: &dyn Rest, wakers: &mut Vec<Waker>) {
        direct!(self, park(rest, wakers));
    }

    #[inline]
    pub(crate) fn unpark(&self, parker: &Parker) {
        direct!(self, unpark(parker));
    }

    #[inline]
    pub(crate) fn turn(&self, wakers: &mut Vec<Waker>) {
        direct!(self, turn(wakers));
    }

    #[inline]
    pub(crate) fn arm(&self) {
        direct!(self, arm());
    }
}

impl Deref for Chosen {
    type Target = dyn Driver;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Os(driver) => &**driver,
            Self::Scripted(stage) => &**stage,
        }
    }
}
