//! The crate against models: each item exactly once, and in the order that the crate's page
//! promises.

#[cfg(test)]
mod order;
pub(crate) mod ring;
pub(crate) mod workers;
