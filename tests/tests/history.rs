//! The commands that read what was recorded, as whole transcripts: ids, times and paths are blanked.

use std::path::Path;
use std::process::Command;

use expect_test::{Expect, expect};

/// A folder of runs, and the programs that record and read them.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FANFOLD_")) {
            command.env_remove(name);
        }
        command.args(words).env("FANFOLD_HOME", self.0.path()).env("FANFOLD_PROGRESS", "none");
        command.env("LC_ALL", "C.UTF-8").env("COLUMNS", "100").env("NO_COLOR", "1").env("TZ", "UTC");
        command
    }

    fn jobs(&self, words: &[&str]) -> Command {
        self.command(env!("CARGO_BIN_EXE_jobs"), words)
    }

    /// Records a run.
    fn run(&self, words: &[&str]) {
        // One step at a time: then they end in one order.
        let words = [&["run"], words, &["--quiet", "--max-concurrent", "1"]].concat();
        let code = self.jobs(&words).output().unwrap().status.code().unwrap();
        assert!(code < 2, "exit {code}");
    }

    fn check(&self, words: &[&str], expected: &Expect) {
        check(self.jobs(words), self.0.path(), expected);
    }
}

fn check(mut command: Command, home: &Path, expected: &Expect) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let redacted = |text: &str, mark: &str| -> String {
        let text = text.replace(&home.display().to_string(), "HOME");
        text.lines().map(|line| format!("{mark}{}\n", redact(line))).collect()
    };
    let (stdout, stderr) = (redacted(&text(&output.stdout), ""), redacted(&text(&output.stderr), "! "));
    let harmful = |c: char| c.is_control() && c != '\n';
    assert!(!stdout.contains(harmful) && !stderr.contains(harmful), "control characters in {stdout}{stderr}");
    let code = output.status.code().map_or("none".to_owned(), |code| code.to_string());
    expected.assert_eq(&format!("{stdout}{stderr}exit {code}\n"));
}

/// A line without ids, times and the spaces that they move.
fn redact(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    if let Some(name @ ("slowest:" | "time:")) = line.split_whitespace().next() {
        return format!("   {name} …");
    }
    // The letters of ids: no word of twelve letters that is printed here has these alone.
    let letters = |c: char| c.is_ascii_digit() || c.is_ascii_lowercase() && !"ilou".contains(c);
    let is_id = |word: &str| word.len() == 12 && word.chars().all(letters);
    let mut kept: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        if is_id(bare) {
            kept.push(word.replace(bare, "RUN"));
        } else if matches!(bare, "ns" | "µs" | "ms" | "s")
            && kept.last().is_some_and(|last| last.parse::<f64>().is_ok())
        {
            *kept.last_mut().unwrap() = word.replace(bare, "TIME");
        } else if bare.len() == 10 && bare.starts_with("20") && bare.matches('-').count() == 2 {
            kept.push(word.replace(bare, "DATE"));
        } else if bare.len() == 8 && bare.matches(':').count() == 2 {
            kept.push(word.replace(bare, "CLOCK"));
        } else {
            kept.push(word.to_owned());
        }
    }
    format!("{}{}", &line[..indent], kept.join(" "))
}

#[test]
fn runs_are_listed_and_found() {
    let home = Home::new();
    home.check(
        &["runs"],
        &expect![[r#"
        ! error: sqlite:HOME/runs.db cannot be used: nothing is recorded there: name the store with `--store`
        exit 4
    "#]],
    );
    home.run(&["letters", "--to", "e"]);
    home.run(&["failing", "--n", "2"]);
    home.check(
        &["runs"],
        &expect![[r#"
        run job state started took steps
        RUN failing failed DATE CLOCK TIME 2 succeeded, 1 failed, 1 upstream failed
        RUN letters succeeded DATE CLOCK TIME 7 succeeded
        exit 0
    "#]],
    );
    home.check(
        &["runs", "--state", "succeeded", "--job", "letters"],
        &expect![[r#"
        run job state started took steps
        RUN letters succeeded DATE CLOCK TIME 7 succeeded
        exit 0
    "#]],
    );
    home.check(
        &["runs", "--since", "2020-01-01", "--until", "2h"],
        &expect![[r#"
        no such runs in sqlite:HOME/runs.db
        exit 0
    "#]],
    );
    home.check(&["runs", "--since", "soon"], &expect![[r#"
        ! error: invalid value 'soon' for '--since <TIME>': `soon` is no time: write how long ago, such as `2h` or `3days`, or a date such as `DATE` or `2026-07-01T10:30`
        ! 
        ! For more information, try '--help'.
        exit 2
    "#]]);
    home.check(
        &["show", "zzzz"],
        &expect![[r#"
        ! error: no run's id begins with `zzzz`; the newest is `RUN`, of job `failing`
        exit 2
    "#]],
    );
}

#[test]
fn a_failed_run_is_shown() {
    let home = Home::new();
    home.run(&["failing", "--n", "2"]);
    home.check(
        &["show"],
        &expect![[r#"
           failing RUN failed
           started DATE CLOCK, took TIME
           with n=2

           op succeeded failed not run retries total p50 p95 max
           count 1 - - - TIME - - -
             odd_fails 1 1 - 1 TIME TIME TIME TIME
           sum - - 1 - - - - -

           errors
                1 × item 1 is odd
                    odd_fails[1]

           slowest: …
           time: …
           2 succeeded, 1 failed, 1 upstream failed
           resume: jobs resume RUN inspect: jobs show RUN --failures
        exit 0
    "#]],
    );
    home.check(
        &["show", "last", "--failures"],
        &expect![[r#"
           failing RUN failed
           started DATE CLOCK, took TIME
           with n=2

           1 × odd_fails
             first odd_fails[1], after 2 attempts, at TIME
               item 1 is odd
             all of them: jobs show RUN --steps --state failed --op odd_fails

        exit 0
    "#]],
    );
    home.check(
        &["show", "last", "--steps", "--state", "succeeded"],
        &expect![[r#"
        ended state took step
        CLOCK succeeded TIME count
        CLOCK succeeded TIME odd_fails[0]
        exit 0
    "#]],
    );
    home.check(
        &["show", "last", "odd_fails[1]"],
        &expect![[r#"
           odd_fails[1] failed
           of run RUN of job failing
           CLOCK attempt 1 failed, took TIME, again in TIME
                     item 1 is odd
           CLOCK attempt 2 failed, took TIME
                     item 1 is odd
        exit 0
    "#]],
    );
    home.check(
        &["show", "last", "odd_fails[0]"],
        &expect![[r#"
           odd_fails[0] succeeded
           of run RUN of job failing
           CLOCK attempt 1 succeeded, took TIME

           result
           0
        exit 0
    "#]],
    );
    home.check(&["show", "last", "odd_fails[33]"], &expect![[r#"
        ! error: run RUN has no step `odd_fails[33]`: `jobs show RUN --steps --op odd_fails` lists those of `odd_fails`
        exit 2
    "#]]);
    home.check(
        &["show", "last", "count"],
        &expect![[r#"
           count succeeded
           of run RUN of job failing
           gave 2 items
           CLOCK attempt 1 succeeded, took TIME
        exit 0
    "#]],
    );
}

#[test]
fn hostile_keys_and_errors_are_inert_when_they_are_read_back() {
    let home = Home::new();
    home.run(&["hostile"]);
    for words in [&["show"][..], &["show", "last", "--failures"], &["show", "last", "--steps"], &["runs"]] {
        let output = home.jobs(words).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let harmful = |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!text.contains(harmful), "{text:?}");
        assert!(output.status.success());
    }
}

#[test]
fn what_steps_logged_is_printed() {
    let home = Home::new();
    let telling = |words: &[&str]| {
        let mut command = home.command(env!("CARGO_BIN_EXE_telling"), words);
        command.env("FANFOLD_ARG_PASSWORD", "hunter2");
        command
    };
    drop(telling(&["run", "secret", "--quiet", "--max-concurrent", "1"]).output().unwrap());
    check(
        telling(&["logs", "last", "--level", "warn"]),
        home.0.path(),
        &expect![[r#"
        CLOCK WARN balance[0] reading with Secret account=0
        CLOCK WARN balance[1] reading with Secret account=1
        CLOCK WARN balance[2] reading with Secret account=2
        CLOCK WARN balance[3] reading with Secret account=3
        CLOCK WARN balance[4] reading with Secret account=4
        CLOCK WARN balance[4] (attempt 2) reading with Secret account=4
        exit 0
    "#]],
    );
    check(
        telling(&["logs", "last", "log_in"]),
        home.0.path(),
        &expect![[r#"
        CLOCK INFO log_in logging in password="Secret" pin="None"
        exit 0
    "#]],
    );
    check(
        telling(&["logs", "last", "balance[4]", "--follow"]),
        home.0.path(),
        &expect![[r#"
        CLOCK WARN balance[4] reading with Secret account=4
        CLOCK WARN balance[4] (attempt 2) reading with Secret account=4
        exit 0
    "#]],
    );
    check(
        telling(&["show", "last", "log_in"]),
        home.0.path(),
        &expect![[r#"
           log_in succeeded
           of run RUN of job secret
           CLOCK attempt 1 succeeded, took TIME

           result
           nothing, or nothing that is recorded

           given = Secret

           last lines of its log
           CLOCK INFO logging in password="Secret" pin="None"
        exit 0
    "#]],
    );
    check(
        telling(&["logs", "last", "balanse"]),
        home.0.path(),
        &expect![[r#"
        ! error: unknown op `balanse`: did you mean `balance`?
        exit 2
    "#]],
    );
}

#[test]
fn runs_that_nobody_needs_are_removed() {
    let home = Home::new();
    home.run(&["letters", "--to", "b"]);
    home.run(&["letters", "--to", "c"]);
    home.check(&["prune"], &expect![[r#"
        ! error: say which runs may go: --older-than 30d, --keep 100 (of each job), --state failed; with --dry-run nothing is removed
        exit 2
    "#]]);
    home.check(
        &["prune", "--keep", "1", "--dry-run"],
        &expect![[r#"
        RUN letters succeeded DATE CLOCK
        would remove 1 run
        exit 0
    "#]],
    );
    home.check(
        &["prune", "--older-than", "1h"],
        &expect![[r#"
        removed 0 runs
        exit 0
    "#]],
    );
    home.check(
        &["prune", "--keep", "1"],
        &expect![[r#"
        RUN letters succeeded DATE CLOCK
        removed 1 run
        exit 0
    "#]],
    );
    home.check(
        &["prune", "--keep", "1"],
        &expect![[r#"
        removed 0 runs
        exit 0
    "#]],
    );
    home.check(
        &["cancel", "last"],
        &expect![[r#"
        ! error: run RUN of job `letters` does not run any more: it succeeded
        exit 2
    "#]],
    );
}

#[test]
fn the_doctor_looks_at_store_and_program() {
    let home = Home::new();
    home.run(&["letters", "--to", "b"]);
    let output = home.jobs(&["doctor"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("a panic in a step is a failure of that step alone"), "{text}");
    assert!(text.contains("1 run, ") || text.contains("1 runs, "), "{text}");
    assert!(output.status.success(), "{text}");
    let mut broken = home.jobs(&["doctor"]);
    broken.env("FANFOLD_HOME", home.0.path().join("nowhere"));
    assert_eq!(broken.output().unwrap().status.code(), Some(4));
}
