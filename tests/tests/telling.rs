//! What the binary shows of what steps tell: logs name their step, and a secret stays one.

use std::process::{Command, Output};

fn telling(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_telling"));
    command.args(args).args(["--progress", "none"]).env_remove("FANFOLD_LOG").env("NO_COLOR", "1");
    command.env("FANFOLD_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/telling"));
    command
}

fn text(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

/// The lines of logs, without their times.
fn logs(output: &Output) -> Vec<String> {
    let (_, stderr) = text(output);
    let levels = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];
    let is_log = |line: &&str| levels.iter().any(|level| line.trim_start().starts_with(level));
    let without_time = |line: &str| Some(line.split_once("] ")?.1.to_owned());
    let mut logs: Vec<_> = stderr.lines().filter(is_log).filter_map(without_time).collect();
    logs.sort();
    logs
}

#[test]
fn a_line_names_the_step_that_logged_it_in_every_kind_of_op() {
    let output = telling(&["run", "chatty"]).env("FANFOLD_LOG", "debug").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        logs(&output),
        [
            "count: folds  b=0",
            "lines: begins  n=1",
            "lines: yields  line=0",
            "say[0]: \\u{1b}]0;owned\\u{7} <script>alert(1)</script>  line=0",
            "say[0]: from a thread",
            "say_later[0]: after it",
            "say_later[0]: from a task",
        ]
    );
}

#[test]
fn only_what_the_filter_lets_through_is_shown() {
    let output = telling(&["run", "chatty"]).env("FANFOLD_LOG", "off").output().unwrap();
    assert_eq!(logs(&output), [""; 0]);
    let output = telling(&["run", "chatty"]).output().unwrap();
    assert_eq!(logs(&output).len(), 6, "those at `info`");
}

#[test]
fn s6_3_a_secret_is_in_no_output() {
    for json in [&["--json"][..], &["-vvv"][..]] {
        let mut command = telling(&[&["run", "secret"], json].concat());
        command
            .env("FANFOLD_ARG_PASSWORD", "hunter2")
            .env("FANFOLD_ARG_PIN", "271828")
            .env("FANFOLD_LOG", "trace");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let (stdout, stderr) = text(&output);
        assert!(stdout.contains("60") && stderr.contains("does not open with Secret"), "{stdout}\n{stderr}");
        for clear in ["hunter2", "271828", "token of"] {
            assert!(!stdout.contains(clear) && !stderr.contains(clear), "{clear} in\n{stdout}\n{stderr}");
        }
    }
}

#[test]
fn s6_3_a_wrong_secret_is_not_quoted() {
    let mut command = telling(&["run", "secret"]);
    let output = command.env("FANFOLD_ARG_PASSWORD", "x").env("FANFOLD_ARG_PIN", "hunter2").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!format!("{output:?}").contains("hunter2"), "{output:?}");
}
