//! goro's attributes: #[main] and #[test].
