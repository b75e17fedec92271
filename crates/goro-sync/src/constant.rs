//! Functions that can be called in a `static`, except in a model: loom's atomics are made at run time.

/// Declares a function that is `const` outside of models.
macro_rules! constant {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),*) -> $out:ty $body:block) => {
        $(#[$meta])*
        #[cfg(not(loom))]
        $vis const fn $name($($arg: $type),*) -> $out $body

        $(#[$meta])*
        #[cfg(loom)]
        $vis fn $name($($arg: $type),*) -> $out $body
    };
}
