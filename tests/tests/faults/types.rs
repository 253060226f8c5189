//! Types that have changed since a run was recorded (§5.4).

use crate::program::{Home, said};

const OPS: &str = env!("CARGO_BIN_EXE_fault_ops");
const OLD: &str = env!("CARGO_BIN_EXE_fault_type_old");
const NEW: &str = env!("CARGO_BIN_EXE_fault_type_new");

#[test]
fn a_value_of_a_type_that_has_changed_is_an_error_and_never_another_value() {
    for (job, step, value) in [("changing", "square", "9"), ("changing_items", "squares", "5")] {
        let home = Home::new();
        let old = |words: &[&str]| {
            let mut command = home.command(OPS, words);
            command.env("FAULT", "old");
            said(command).ended(1)
        };
        old(&["run", job]);
        let end = home.says(OPS, &["resume"]);
        assert!(matches!(end.code, Some(1..=4)), "{job}: {:?} {}", end.code, end.err);
        let end = end.told(&[step, "Square", "missing field `width`", "give the type the form", "rerun"]);
        assert_eq!(end.out, "", "{job}");
        // Nothing of what was recorded has changed: the old program goes on where it was.
        let again = old(&["resume"]);
        assert!(again.err.contains("not in this version"), "{job}: {}", again.err);
        home.says(OPS, &["rerun"]).ended(0).gave(value);
    }
}

#[test]
fn a_type_of_another_name_is_a_change_of_the_job() {
    let home = Home::new();
    home.says(OLD, &["run", "types"]).ended(1);
    let end = home.says(NEW, &["resume"]);
    assert!(end.code != Some(0) && end.code.is_some(), "{:?}", end.code);
    end.told(&["number", "u32", "i64", "rerun"]);
    home.says(NEW, &["rerun"]).ended(0).gave("14");
}
