//! What tasks say to each other, on any executor.
