//! What tasks say to each other, on any executor.
#![forbid(unsafe_code)]
