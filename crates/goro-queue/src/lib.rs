//! Where runnable work waits: ring, next slot, injector.
