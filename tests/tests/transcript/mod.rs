//! What the transcripts share: a folder of runs, the programs at it, and what is blanked.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use expect_test::Expect;

/// A folder of runs, and the programs that record and read them.
pub(crate) struct Home(tempfile::TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FANFOLD_")) {
            command.env_remove(name);
        }
        command.args(words).env("FANFOLD_HOME", self.0.path()).env("FANFOLD_PROGRESS", "none");
        command.env("LC_ALL", "C.UTF-8").env("COLUMNS", "100").env("NO_COLOR", "1").env("TZ", "UTC");
        command.env("FANFOLD_LOG", "info").current_dir(self.0.path());
        command
    }

    pub(crate) fn jobs(&self, words: &[&str]) -> Command {
        self.command(env!("CARGO_BIN_EXE_jobs"), words)
    }

    /// The job `parts`, whose part `p1` does as it is told.
    pub(crate) fn parts(&self, p1: &str, words: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_parts"), words);
        command.env("PARTS", p1);
        command
    }

    /// The job `parts` as it was changed later.
    pub(crate) fn parts_later(&self, words: &[&str]) -> Command {
        self.command(env!("CARGO_BIN_EXE_parts_later"), words)
    }

    /// Records a run.
    pub(crate) fn run(&self, words: &[&str]) {
        // One step at a time: then they end in one order.
        let words = [&["run"], words, &["--quiet", "--max-concurrent", "1"]].concat();
        let code = self.jobs(&words).output().unwrap().status.code().unwrap();
        assert!(code < 2, "exit {code}");
    }

    /// Records a run of `parts`.
    pub(crate) fn run_parts(&self, p1: &str) {
        drop(self.parts(p1, &["run", "parts", "--quiet"]).output().unwrap());
    }

    /// Begins a run of `parts` that waits in `settle[p0]`; `measure[p0]` has succeeded. Its events follow.
    pub(crate) fn waiting_parts(&self) -> (Child, BufReader<ChildStdout>) {
        let mut run = self.parts("wait", &["run", "parts", "--json"]);
        let mut run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut events = BufReader::new(run.stdout.take().unwrap());
        let mut missing = vec![
            ("step_succeeded", r#""list""#),
            ("fan_out_closed", r#""list""#),
            ("step_succeeded", "measure[p0]"),
            ("step_started", "settle[p0]"),
        ];
        let mut line = String::new();
        while !missing.is_empty() {
            line.clear();
            assert_ne!(events.read_line(&mut line).unwrap(), 0, "{missing:?} did not come");
            missing.retain(|(event, step)| !(line.contains(event) && line.contains(step)));
        }
        (run, events)
    }

    /// Records a run of `parts` whose process is killed in `settle[p0]`.
    pub(crate) fn kill_parts(&self) {
        let (mut run, _) = self.waiting_parts();
        run.kill().unwrap();
        run.wait().unwrap();
    }

    pub(crate) fn check(&self, words: &[&str], expected: &Expect) {
        check(self.jobs(words), self.path(), expected);
    }

    /// As [`check`](Self::check), of the program whose job is `parts`.
    pub(crate) fn check_parts(&self, words: &[&str], expected: &Expect) {
        check(self.parts("", words), self.path(), expected);
    }
}

pub(crate) fn check(mut command: Command, home: &Path, expected: &Expect) {
    let output = command.output().unwrap();
    expected.assert_eq(&transcript(&output, home));
}

/// What a program wrote, and how it ended.
pub(crate) fn transcript(output: &std::process::Output, home: &Path) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let redacted = |text: &str, mark: &str| -> String {
        let text = text.replace(&home.display().to_string(), "HOME");
        text.lines().map(|line| format!("{mark}{}\n", redact(line))).collect()
    };
    let (stdout, stderr) = (redacted(&text(&output.stdout), ""), redacted(&text(&output.stderr), "! "));
    let harmful = |c: char| c.is_control() && c != '\n';
    assert!(!stdout.contains(harmful) && !stderr.contains(harmful), "control characters in {stdout}{stderr}");
    let code = output.status.code().map_or("none".to_owned(), |code| code.to_string());
    format!("{stdout}{stderr}exit {code}\n")
}

/// The commands that name a run.
const COMMANDS: [&str; 5] = ["resume", "rerun", "show", "cancel", "export"];

/// The programs whose commands are told.
const PROGRAMS: [&str; 4] = ["jobs", "parts", "parts_later", "telling"];

/// A line without ids, times, processes and the spaces that they move.
fn redact(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    if line.trim_start().starts_with('|') {
        // Marks stand below what they mark.
        return line.to_owned();
    }
    if let Some(name @ ("slowest:" | "time:")) = line.split_whitespace().next() {
        return format!("   {name} …");
    }
    let mut kept: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let before = |back: usize| {
            let place = kept.len().checked_sub(back)?;
            Some(kept[place].trim_matches(|c: char| !c.is_alphanumeric() && c != '_').to_owned())
        };
        let is_number = bare.parse::<f64>().is_ok();
        let is_command = before(1).is_some_and(|command| COMMANDS.contains(&&*command));
        let after_program = is_command && before(2).is_some_and(|program| PROGRAMS.contains(&&*program));
        let after_rerun = before(2).as_deref() == Some("rerun") && before(1).as_deref() == Some("of");
        if is_id(bare) && (bare.len() == 12 || bare.len() >= 4 && (after_program || after_rerun)) {
            kept.push(word.replace(bare, "RUN"));
        } else if matches!(bare, "ns" | "µs" | "ms" | "s")
            && kept.last().is_some_and(|last| last.parse::<f64>().is_ok())
        {
            *kept.last_mut().unwrap() = word.replace(bare, "TIME");
        } else if bare.len() == 10 && bare.starts_with("20") && bare.matches('-').count() == 2 {
            kept.push(word.replace(bare, "DATE"));
        } else if bare.len() == 20 && bare.starts_with("20") && bare.ends_with('Z') {
            kept.push(word.replace(bare, "TIME"));
        } else if word.ends_with("s]") && kept.last().is_some_and(|last| last == "[") {
            *kept.last_mut().unwrap() = "[TIME]".to_owned();
        } else if bare.len() == 8 && bare.matches(':').count() == 2 {
            kept.push(word.replace(bare, "CLOCK"));
        } else if bare.starts_with("commit") && kept.last().is_some_and(|last| last.parse::<u64>().is_ok()) {
            // How many there are depends on how busy the machine is.
            *kept.last_mut().unwrap() = format!("N {}", word.replace("commits", "commit"));
        } else if is_number && before(1).as_deref() == Some("commit") {
            kept.push(word.replace(bare, "N"));
        } else if is_number && before(1).as_deref() == Some("process") {
            kept.push(word.replace(bare, "PID"));
        } else if before(1).as_deref() == Some("on") && before(3).as_deref() == Some("process") {
            kept.push(word.replace(bare, "HOST"));
        } else if matches!(bare, "MiB" | "KiB") && kept.last().is_some_and(|last| last.parse::<f64>().is_ok())
        {
            *kept.last_mut().unwrap() = format!("SIZE {word}");
        } else {
            kept.push(word.to_owned());
        }
    }
    format!("{}{}", &line[..indent], kept.join(" "))
}

/// Whether it has the letters of ids: no word of twelve letters that is printed here has these alone.
fn is_id(word: &str) -> bool {
    word.chars().all(|c: char| c.is_ascii_digit() || c.is_ascii_lowercase() && !"ilou".contains(c))
}
