//! Commands of one program, at one store.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use fanfold::record::Reader;
use fanfold::store::{Hash, SqliteStore, Store};
use fanfold::{ErrorKind, EventKind};
use tempfile::TempDir;

/// The exit codes of runs.
pub(crate) const WELL: Option<i32> = Some(0);
pub(crate) const FAILED: Option<i32> = Some(1);
pub(crate) const STORE: Option<i32> = Some(4);

/// Commands of one program at one store.
pub(crate) struct Desk {
    folder: TempDir,
}

/// How a command ended: its exit code, or none if it died, and what it said.
pub(crate) type Said = (Option<i32>, String);

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crash_job"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FANFOLD_")) {
            command.env_remove(name);
        }
        match words {
            [how @ ("drive" | "hold")] => command.arg(how).arg(self.path("runs.db")).arg(self.path("ledger")),
            words => {
                command.args(words).arg("--store").arg(format!("sqlite:{}", self.path("runs.db").display()))
            }
        };
        command.env("CRASH_JOB_LEDGER", self.path("ledger")).env("FANFOLD_PROGRESS", "none");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn does(&self, words: &[&str]) -> Said {
        let output = self.command(words).output().expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Starts a process, and waits until its session has begun.
    pub(crate) fn starts(&self, words: &[&str]) -> Child {
        let child = self.command(words).spawn().expect("it starts");
        while !self.ledger().contains(&format!("session {}\n", child.id())) {
            std::thread::yield_now();
        }
        child
    }

    pub(crate) fn tells(&self, ending: &str) {
        std::fs::write(self.path("ledger").with_extension(ending), "").expect("it can be told");
    }

    pub(crate) fn ledger(&self) -> String {
        std::fs::read_to_string(self.path("ledger")).unwrap_or_default()
    }

    /// The lines of the ledger since the last session began.
    pub(crate) fn session(&self) -> Vec<String> {
        let mut lines: Vec<_> = self
            .ledger()
            .lines()
            .rev()
            .take_while(|line| !line.starts_with("session"))
            .map(str::to_owned)
            .collect();
        lines.reverse();
        lines
    }

    /// Runs a job until a session does not die: how many did, and how the last ended.
    pub(crate) fn until_it_lives(&self, words: &[&str]) -> (usize, Said) {
        let mut said = self.does(words);
        for deaths in 0..10 {
            if said.0.is_some() {
                return (deaths, said);
            }
            said = self.does(&["resume"]);
        }
        panic!("it dies for ever: {:#?}", self.deaths());
    }

    pub(crate) fn reader(&self) -> Reader {
        let store = SqliteStore::open_read_only(&self.path("runs.db")).expect("it opens");
        let id = store.runs(&Default::default()).expect("it is read")[0].id.clone();
        Reader::open(Arc::new(store), &id).expect("it is read")
    }

    /// How many steps were in hand at each death that is known.
    pub(crate) fn deaths(&self) -> Vec<usize> {
        let mut deaths = Vec::new();
        for batch in self.reader().batches(0) {
            for event in batch.expect("it is whole").1.events {
                if let EventKind::RunResumed { in_hand, .. } = event.kind {
                    deaths.push(in_hand.len());
                }
            }
        }
        deaths
    }

    /// Waits until so many steps of its session have begun, and their items are recorded.
    pub(crate) fn await_steps(&self, child: &mut Child, steps: usize) {
        while self.session().len() < steps || self.items() < steps as u32 {
            assert!(child.try_wait().expect("it can be asked").is_none(), "it ended");
            std::thread::yield_now();
        }
    }

    /// The commits: the epoch and the hash of each.
    pub(crate) fn heads(&self) -> Vec<(u64, Hash)> {
        let reader = self.reader();
        let heads = reader.store().heads(&reader.row().id, 0).expect("it is read");
        heads.iter().map(|head| (head.epoch, head.hash)).collect()
    }

    /// How many items are recorded.
    pub(crate) fn items(&self) -> u32 {
        self.reader()
            .store()
            .heads(&self.reader().row().id, 0)
            .expect("it is read")
            .iter()
            .map(|head| head.index.items)
            .sum()
    }

    /// How each step ended last.
    pub(crate) fn ends(&self) -> HashMap<String, Result<(), ErrorKind>> {
        let reader = self.reader();
        let mut ends = HashMap::new();
        for batch in reader.batches(0) {
            for event in batch.expect("it is whole").1.events {
                match event.kind {
                    EventKind::StepSucceeded { step, .. } => {
                        ends.insert(step.name(reader.shape()).to_string(), Ok(()));
                    }
                    EventKind::StepFailed { step, error, .. } => {
                        ends.insert(step.name(reader.shape()).to_string(), Err(error.kind()));
                    }
                    _ => {}
                }
            }
        }
        ends
    }
}
