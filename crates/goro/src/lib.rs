//! goro: an async executor with the working comfort of goroutines.
