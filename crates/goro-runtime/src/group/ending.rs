//! A group as something that ends by itself: what [`ShutdownHandle::of_group`] conducts.

use goro_context::Cause;
use goro_shim::global::{Arc, Weak};
use goro_shim::time::Duration;
use goro_sync::CancellationToken;

use super::Group;
use super::shared::Roll;
use crate::current;
use crate::shutdown::{Census, Held, Holdup, ShutdownHandle, Subject, Unit};

/// The children of a group. They are counted also when the group itself has gone: whoever has a guard of it may
/// leave after that.
struct Children {
    token: CancellationToken,
    roll: Arc<Roll>,
}

impl Subject for Children {
    // Whoever starts a child asks the unit first.
    fn drain(&self) {}

    // The token is cancelled with it, and keeps everybody out.
    fn terminate(&self) {}

    fn ask(&self, cause: &Cause) {
        self.token.cancel_with(cause.clone());
    }

    fn abort(&self, cause: &Cause) {
        self.ask(cause);
        self.roll.abort_all(&self.token);
    }

    fn census(&self) -> Census {
        self.roll.census()
    }

    fn some(&self, most: usize, waited: Duration) -> Vec<Holdup> {
        let some = self.roll.members.some(most, |handle| (handle.id(), handle.kind()));
        let held = |(id, kind)| Holdup::task(Held::Task, id, kind, waited);
        some.into_iter().map(held).collect()
    }
}

impl ShutdownHandle {
    /// Ends a group of tasks by itself: while it drains only guarded work may start tasks in it; then its token
    /// is cancelled, for the reason given, and after the group's [grace](crate::task::TaskGroup::grace) its
    /// tasks are dropped. It has stopped when no task is left; then `run` has nothing to wait for but its body.
    ///
    /// What is spawned through a guard's [`spawn`](crate::Guard::spawn) runs on the runtime, and is no task of
    /// the group. All handles to one group are one.
    ///
    /// ```
    /// use goro_runtime::{ShutdownHandle, task::{Cause, TaskGroup}};
    /// # goro_runtime::Runtime::new().unwrap().block_on(async {
    /// TaskGroup::<(), Cause>::new()
    ///     .run(async |group| {
    ///         group.spawn(async { Ok(()) }).await?;
    ///         let shutdown = ShutdownHandle::of_group(&group);
    ///         shutdown.initiate("a part is done");
    ///         assert!(group.spawn(async { Ok(()) }).await.is_err());
    ///         Ok(())
    ///     })
    ///     .await
    ///     .ok();
    /// # });
    /// ```
    #[must_use = "this ends nothing yet: `initiate` does"]
    pub fn of_group<T: Send + 'static, E: Send + 'static>(group: &Group<T, E>) -> Self {
        let shared = &group.shared;
        let make = || {
            let ground = current::entered().and_then(|foreign| foreign.hub.ground());
            let ground = ground.as_ref().map_or_else(Weak::new, Arc::downgrade);
            let (token, roll) = (shared.token.clone(), Arc::clone(&shared.roll));
            let unit = Unit::new(Box::new(Children { token, roll }), ground);
            unit.set_grace(shared.plan.grace);
            unit
        };
        Self::new(shared.ending.get_or_init(make))
    }
}
