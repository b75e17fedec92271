//! hyper's runtime traits over goro.
