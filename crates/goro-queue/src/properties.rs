//! The crate against models: each item exactly once, and in the order that the crate's page
//! promises.

mod order;
mod ring;
mod workers;
