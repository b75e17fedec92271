//! Sockets over the reactor, with names resolved on the blocking pool.
