//! The crate against models: exactly once, and in the order that the crate's page promises.
