//! Workers, idle protocol, monitor, timers, blocking pool, shutdown.
