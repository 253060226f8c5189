//! A program of jobs with a home of its own, and what it said.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Where programs record their runs.
pub(crate) struct Home(pub(crate) TempDir);

/// What a program said, and how it ended.
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    /// Nothing if a signal ended it.
    pub(crate) code: Option<i32>,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A program with these words.
    pub(crate) fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(words);
        self.at_home(command)
    }

    /// The same, begun by a shell that runs `first`: limits, as `ulimit` sets them.
    pub(crate) fn limited(&self, first: &str, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{first}; exec \"$0\" \"$@\""), program]).args(words);
        self.at_home(command)
    }

    fn at_home(&self, mut command: Command) -> Command {
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FANFOLD_")) {
            command.env_remove(name);
        }
        command.env_remove("FAULT").env("FANFOLD_HOME", self.path()).env("FANFOLD_PROGRESS", "none");
        command
            .env("NO_COLOR", "1")
            .env("COLUMNS", "200")
            .env("RUST_BACKTRACE", "0")
            .current_dir(self.path());
        command
    }

    pub(crate) fn says(&self, program: &str, words: &[&str]) -> Said {
        said(self.command(program, words))
    }

    /// Whether a text stands in any file that was recorded.
    pub(crate) fn holds(&self, text: &str) -> bool {
        holds(self.path(), text.as_bytes())
    }
}

fn holds(folder: &Path, text: &[u8]) -> bool {
    fs::read_dir(folder).expect("it can be read").any(|found| {
        let path = found.expect("it can be read").path();
        if path.is_dir() {
            return holds(&path, text);
        }
        fs::read(&path).expect("it can be read").windows(text.len()).any(|part| part == text)
    })
}

pub(crate) fn said(mut command: Command) -> Said {
    let Output { status, stdout, stderr } = command.output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("it is text");
    Said { out: text(stdout), err: text(stderr), code: status.code() }
}

impl Said {
    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }

    /// Checks that it said all of `words` on stderr.
    #[track_caller]
    pub(crate) fn told(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "`{word}` is not in\n{}", self.err);
        }
        self
    }

    /// Checks that it gave this on stdout.
    #[track_caller]
    pub(crate) fn gave(self, value: &str) {
        assert_eq!(self.out.trim(), value, "{}", self.err);
    }
}
