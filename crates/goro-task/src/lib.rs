//! One task: header, state word, memory, runnable, waker, join, abort.
