//! Readiness from the kernel: mio's poll, a slab of sources, and who waits for them.
