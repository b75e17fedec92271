//! What the compiler refuses: at the arm that is wrong, naming what to write instead.

/// Each file beside its `.stderr`. `TRYBUILD=overwrite` writes them anew.
#[test]
fn refusals_point_at_the_arm_and_name_the_fix() {
    trybuild::TestCases::new().compile_fail("tests/refused/*.rs");
}
