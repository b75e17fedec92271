//! Thread-locals whose access is one load: const-initialised, without a destructor.
//!
//! Invariants:
//! 1. `needs_drop` is false for every type declared here (checked at compile time). A thread-local
//!    with a destructor pays a state check per access, and is gone while the others' run.
//! 2. Under loom each modelled thread has its own copy, so that a model's threads do not share a
//!    task, a budget or a note.

/// Declares one thread-local of this crate.
macro_rules! local {
    ($(#[$meta:meta])* static $name:ident: $type:ty = $init:expr) => {
        const _: () = assert!(!::core::mem::needs_drop::<$type>());
        #[cfg(not(loom))]
        ::std::thread_local! { $(#[$meta])* static $name: $type = const { $init }; }
        #[cfg(loom)]
        ::goro_shim::thread::thread_local! { $(#[$meta])* static $name: $type = $init; }
    };
}
