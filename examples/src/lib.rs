//! Runnable examples; see the `[[example]]` tables of the manifest.
