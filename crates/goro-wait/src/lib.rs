//! Where sleepers wait: timer wheel and waiter lists, as data.
