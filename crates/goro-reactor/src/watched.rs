//! A source and its registration, so that they come and go together.
//!
//! Invariant: when a `Watched` goes, its source leaves the kernel's set, then the directory, then
//! is closed. The order matters where the descriptor has duplicates: closing alone would leave
//! those reporting under a number that means nothing any more.

use core::fmt;
use core::ops::Deref;
use std::io;

use mio::event::Source;

use crate::reactor::Reactor;
use crate::registration::Registration;

/// A source registered with a [`Reactor`] for as long as this lives; derefs to the source.
pub struct Watched<S: Source> {
    /// Both are there until `into_inner` or `drop` takes them.
    parts: Option<(S, Registration)>,
}

impl<S: Source> Watched<S> {
    /// Registers `source`, which must be non-blocking.
    ///
    /// # Errors
    /// As [`Reactor::register`]; the source is closed then.
    pub fn new(reactor: &Reactor, mut source: S) -> io::Result<Self> {
        let registration = reactor.register(&mut source)?;
        Ok(Self { parts: Some((source, registration)) })
    }

    /// The source's place in its reactor.
    #[inline]
    pub fn registration(&self) -> &Registration {
        &self.parts().1
    }

    /// Takes the source back, out of its reactor.
    ///
    /// # Errors
    /// What the kernel said when asked to let go of the source, which is closed then.
    pub fn into_inner(mut self) -> io::Result<S> {
        let (mut source, registration) = self.parts.take().expect(WHOLE);
        registration.deregister(&mut source)?;
        Ok(source)
    }

    #[inline]
    fn parts(&self) -> &(S, Registration) {
        self.parts.as_ref().expect(WHOLE)
    }
}

const WHOLE: &str = "only `into_inner` and `drop` take the parts, and nothing comes after them";

impl<S: Source> Deref for Watched<S> {
    type Target = S;
    #[inline]
    fn deref(&self) -> &S {
        &self.parts().0
    }
}

impl<S: Source> Drop for Watched<S> {
    fn drop(&mut self) {
        if let Some((mut source, registration)) = self.parts.take() {
            // The kernel refuses only what is not in its set: someone closed the descriptor behind
            // our back, and there is nobody to tell.
            let _ = registration.withdraw(&mut source);
            drop(registration);
            drop(source);
        }
    }
}

impl<S: Source + fmt::Debug> fmt::Debug for Watched<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (source, registration) = self.parts();
        f.debug_struct("Watched")
            .field("source", source)
            .field("id", &registration.id())
            .finish_non_exhaustive()
    }
}
