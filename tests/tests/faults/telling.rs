//! Steps that tell too much, or what nobody may see (§6.3), and values that are large.

use std::fs;

use crate::program::{Home, said};

const TELLING: &str = env!("CARGO_BIN_EXE_telling");
const OPS: &str = env!("CARGO_BIN_EXE_fault_ops");

/// How much is recorded.
fn recorded(home: &Home) -> u64 {
    let files = fs::read_dir(home.path()).expect("it is there").map(|file| file.expect("it can be read"));
    files.map(|file| file.metadata().expect("it can be read").len()).sum()
}

#[test]
fn a_million_lines_and_a_line_of_64_mb_are_cut_with_a_mark() {
    let home = Home::new();
    home.says(TELLING, &["run", "flood"]).ended(0).gave("1000000");
    let logs = home.says(TELLING, &["logs"]).ended(0).out;
    assert!(logs.contains("lines dropped"), "{}", &logs[logs.len().saturating_sub(1000)..]);
    let lines = logs.lines().count();
    assert!(lines > 1000 && lines <= 10_100, "{lines}");
    home.says(TELLING, &["run", "flood", "--lines", "2", "--bytes", "67108864"]).ended(0).gave("2");
    let logs = home.says(TELLING, &["logs"]).ended(0).out;
    assert_eq!(logs.matches("(cut)").count(), 2, "{}", &logs[..logs.len().min(1000)]);
    assert!(recorded(&home) < 20 << 20, "{}", recorded(&home));
}

#[test]
fn escape_sequences_are_kept_and_never_reach_a_terminal() {
    let home = Home::new();
    home.says(TELLING, &["run", "chatty"]).ended(0);
    for words in [&["logs"][..], &["show"], &["show", "--json"], &["runs"]] {
        let shown = home.says(TELLING, words).ended(0).out;
        let harmful = |c: char| c.is_control() && c != '\n';
        assert!(!shown.contains(harmful), "{words:?}: {shown:?}");
    }
    assert!(home.holds("\u{1b}]0;owned\u{7}"), "it is kept as it was");
}

#[test]
fn s6_3_a_secret_is_in_no_file_of_the_store() {
    let home = Home::new();
    let secrets = |words: &[&str]| {
        let mut command = home.command(TELLING, words);
        command
            .env("FANFOLD_ARG_PASSWORD", "hunter2")
            .env("FANFOLD_ARG_PIN", "271828")
            .env("FANFOLD_LOG", "trace");
        said(command).ended(0)
    };
    secrets(&["run", "secret"]);
    secrets(&["rerun"]);
    for clear in ["hunter2", "271828", "token of"] {
        assert!(!home.holds(clear), "{clear}");
    }
    assert!(home.holds("does not open with Secret"), "what is no secret is there");
    for words in [&["show", "--json"][..], &["logs"], &["export", "--format", "jsonl"]] {
        let shown = home.says(TELLING, words);
        assert!(!shown.out.contains("hunter2") && !shown.out.contains("271828"), "{words:?}");
    }
}

#[test]
fn a_value_of_20_mb_comes_back_and_takes_the_memory_of_a_few() {
    comes_back(20);
}

#[test]
#[ignore = "takes a minute where nothing is optimised"]
fn a_value_of_100_mb_comes_back_and_takes_the_memory_of_a_few() {
    comes_back(100);
}

fn comes_back(mb: u64) {
    const MB: u64 = 1_000_000;
    let home = Home::new();
    let run = |fault: &str, words: &[&str]| {
        let mut command = home.command(OPS, words);
        command.env("FAULT", fault).env("SHOW_MEMORY", "1");
        said(command)
    };
    let first = run("fail", &["run", "heavy", "--bytes", &(mb * MB).to_string()]).ended(1);
    assert!(recorded(&home) < MB, "it stands beside the log");
    let second = run("", &["resume"]).ended(0);
    assert_eq!(second.out.trim(), (mb * MB + 70_000).to_string());
    for (said, most) in [(first, 5 * mb + 20), (second, 3 * mb + 20)] {
        let line = said.err.lines().find(|line| line.starts_with("VmHWM")).expect("it is told");
        let kb: u64 = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
        println!("{} MB at most", kb / 1000);
        assert!(kb * 1000 < most * MB, "{line}");
    }
}
