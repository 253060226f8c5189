//! Ops that end their process, change what surrounds it, or meet its limits.

use crate::program::{Home, Said, said};

const OPS: &str = env!("CARGO_BIN_EXE_fault_ops");

/// Runs a job of `fault_ops` with something wrong.
fn faulty(home: &Home, fault: &str, words: &[&str]) -> Said {
    let mut command = home.command(OPS, words);
    command.env("FAULT", fault);
    said(command)
}

/// Checks that the run is as one that was interrupted, and goes on.
fn goes_on(home: &Home, what: &str, value: &str) {
    let listed = home.says(OPS, &["runs"]).ended(0);
    assert!(listed.out.contains("  interrupted  "), "{what}: {}", listed.out);
    home.says(OPS, &["resume"]).ended(0).gave(value);
    let listed = home.says(OPS, &["runs"]).ended(0);
    assert!(
        listed.out.contains("succeeded") && !listed.out.contains("interrupted"),
        "{what}: {}",
        listed.out
    );
    home.says(OPS, &["doctor"]).ended(0);
}

#[test]
fn an_op_that_ends_its_process_leaves_a_run_that_goes_on() {
    for fault in ["abort", "overflow", "twice", "exit"] {
        let home = Home::new();
        let end = faulty(&home, fault, &["run", "deadly"]);
        // Not even the op that says that all is well.
        assert_eq!((end.code, end.out.trim()), (None, ""), "{fault}: {}", end.err);
        goes_on(&home, fault, "15");
    }
}

#[test]
fn a_value_that_no_memory_holds_fails_its_step_or_ends_a_process_whose_run_goes_on() {
    let home = Home::new();
    let end = faulty(&home, "memory", &["run", "deadly"]);
    assert!(matches!(end.code, Some(1) | None), "{:?}", end.code);
    home.says(OPS, &["resume"]).ended(0).gave("15");
}

#[test]
fn a_run_that_meets_its_limit_of_memory_goes_on_with_more() {
    let home = Home::new();
    let words = ["run", "heavy", "--bytes", "100000000"];
    let end = said(home.limited("ulimit -v 450000", OPS, &words));
    assert_ne!(end.code, Some(0), "{}", end.out);
    home.says(OPS, &["resume"]).ended(0).gave("100070000");
}

#[test]
fn an_op_that_changes_what_surrounds_its_process_does_not_move_the_store() {
    let (home, elsewhere) = (Home::new(), tempfile::tempdir().expect("a folder"));
    let store = ["--store", "sqlite:here/runs.db"];
    let mut command = home.command(OPS, &[&["run", "rearranging"], &store[..]].concat());
    command.env("FAULT", "surroundings").env("ELSEWHERE", elsewhere.path());
    // Only the panic fails: what was changed did not.
    said(command).ended(1).told(&["16 succeeded, 1 failed", "panics[2]: it panicked: on purpose"]);
    let left: Vec<_> = std::fs::read_dir(elsewhere.path()).expect("it is there").collect();
    assert!(left.is_empty(), "{left:?}");
    home.says(OPS, &[&["resume"], &store[..]].concat()).ended(0).gave("280006");
}

#[test]
fn a_run_without_a_stdout_is_recorded_and_does_not_write_elsewhere() {
    let home = Home::new();
    let end = faulty(&home, "stdout", &["run", "rearranging"]);
    assert_eq!(end.out, "");
    home.says(OPS, &["runs"]).ended(0);
    home.says(OPS, &["doctor"]).ended(0);
    // From the first, too.
    let other = Home::new();
    let end = said(other.limited("exec >&-", OPS, &["run", "rearranging"]));
    assert!(matches!(end.code, Some(0 | 5)), "{:?} {}", end.code, end.err);
    other.says(OPS, &["doctor"]).ended(0);
}

#[test]
fn running_out_of_files_fails_steps_and_the_run_goes_on_with_more() {
    let home = Home::new();
    let mut command = home.limited("ulimit -n 64", OPS, &["run", "greedy"]);
    command.env("FAULT", "files");
    let end = said(command);
    assert!(matches!(end.code, Some(1 | 4)), "{:?} {}", end.code, end.err);
    assert!(end.err.contains("Too many open files"), "{}", end.err);
    home.says(OPS, &["resume"]).ended(0).gave("124750");
    // Too few for the store itself: refused, or done.
    for files in 4..24 {
        let home = Home::new();
        let end = said(home.limited(&format!("ulimit -n {files}"), OPS, &["run", "greedy"]));
        assert!(matches!(end.code, Some(0 | 4)), "{files}: {:?} {}", end.code, end.err);
        assert!(!end.err.contains("panicked"), "{files}: {}", end.err);
    }
}

#[test]
fn where_there_is_no_room_for_threads_a_run_is_done_with_fewer_or_says_so() {
    // A thread takes the room of its stack: so there is room for fewer and fewer.
    for room in [400, 800, 1200, 1600, 2000, 2400, 3200, 6400] {
        let home = Home::new();
        let first = format!("ulimit -v {}", (room + 200) * 1024);
        let mut command = home.limited(&first, OPS, &["run", "deadly"]);
        command.env("RUST_MIN_STACK", (400_u64 << 20).to_string());
        let end = said(command);
        assert!(matches!(end.code, Some(0 | 4)), "{room}: {:?} {}", end.code, end.err);
        assert!(!end.err.contains("panicked"), "{room}: {}", end.err);
    }
}
