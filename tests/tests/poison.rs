//! Steps that kill the process on every attempt are found, and innocent ones are not condemned (§4.10).
#![cfg(unix)]

use std::collections::HashMap;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use fanfold::record::Reader;
use fanfold::store::{SqliteStore, Standing, Store};
use fanfold::{ErrorKind, EventKind, RunState};
use tempfile::TempDir;

const FAILED: Option<i32> = Some(1);
const WELL: Option<i32> = Some(0);

/// Commands of one program at one store.
struct Desk {
    folder: TempDir,
}

/// How a command ended: its exit code, or none if it died, and what it said.
type Said = (Option<i32>, String);

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crash_job"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FANFOLD_")) {
            command.env_remove(name);
        }
        command.args(words).arg("--store").arg(format!("sqlite:{}", self.path("runs.db").display()));
        command.env("CRASH_JOB_LEDGER", self.path("ledger")).env("FANFOLD_PROGRESS", "none");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn does(&self, words: &[&str]) -> Said {
        let output = self.command(words).output().expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Starts a process, and waits until its session has begun.
    fn starts(&self, words: &[&str]) -> Child {
        let child = self.command(words).spawn().expect("it starts");
        while !self.ledger().contains(&format!("session {}\n", child.id())) {
            std::thread::yield_now();
        }
        child
    }

    fn tells(&self, ending: &str) {
        std::fs::write(self.path("ledger").with_extension(ending), "").expect("it can be told");
    }

    fn ledger(&self) -> String {
        std::fs::read_to_string(self.path("ledger")).unwrap_or_default()
    }

    /// The lines of the ledger since the last session began.
    fn session(&self) -> Vec<String> {
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
    fn until_it_lives(&self, words: &[&str]) -> (usize, Said) {
        let mut said = self.does(words);
        for deaths in 0..10 {
            if said.0.is_some() {
                return (deaths, said);
            }
            said = self.does(&["resume"]);
        }
        panic!("it dies for ever: {:#?}", self.deaths());
    }

    fn reader(&self) -> Reader {
        let store = SqliteStore::open_read_only(&self.path("runs.db")).expect("it opens");
        let id = store.runs(&Default::default()).expect("it is read")[0].id.clone();
        Reader::open(Arc::new(store), &id).expect("it is read")
    }

    /// How many steps were in hand at each death that is known.
    fn deaths(&self) -> Vec<usize> {
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

    /// How many items are recorded.
    fn items(&self) -> u32 {
        self.reader()
            .store()
            .heads(&self.reader().row().id, 0)
            .expect("it is read")
            .iter()
            .map(|head| head.index.items)
            .sum()
    }

    /// How each step ended last.
    fn ends(&self) -> HashMap<String, Result<(), ErrorKind>> {
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

    /// Only this step failed, as poison, and `succeeded` of its op succeeded.
    fn condemned(&self, step: &str, (code, said): &Said, succeeded: usize) {
        assert_eq!(*code, FAILED, "{said}");
        assert!(said.contains(step) && said.contains("the process died three times"), "{said}");
        let ends = self.ends();
        let failed: Vec<_> = ends.iter().filter(|(_, end)| end.is_err()).collect();
        assert_eq!(failed, [(&step.to_owned(), &Err(ErrorKind::Poison))]);
        let op = step.split('[').next().expect("a name");
        let like = ends.iter().filter(|(name, end)| name.starts_with(&format!("{op}[")) && end.is_ok());
        assert_eq!(like.count(), succeeded);
    }
}

#[test]
fn s4_10_a_step_that_kills_the_process_three_times_fails_as_poison() {
    let desk = Desk::new();
    let (deaths, said) = desk.until_it_lives(&["run", "deadly_late"]);
    assert_eq!(deaths, 3);
    desk.condemned("touch[2]", &said, 2);
    let (code, _) = desk.does(&["resume"]);
    assert_eq!(code, FAILED, "it stays so");
    assert!(desk.session().is_empty(), "it was run again: {:?}", desk.session());
    let (code, _) = desk.does(&["resume", "--retry-poison"]);
    assert_eq!(code, None, "it was run again, and killed the process");
    assert!(desk.session().iter().any(|line| line.starts_with("start touch[2] ")));
    desk.tells("spare");
    let (code, said) = desk.does(&["resume", "--retry-poison"]);
    assert_eq!(code, WELL, "{said}");
    assert_eq!(desk.reader().row().standing, Standing::Ended(RunState::Succeeded));
}

/// Its item was recorded by nobody when the process died for the first time: that death names nobody.
#[test]
fn s4_10_one_among_hundreds_of_short_steps_is_found() {
    for (n, at) in [(300, 150), (5_000, 3_217)] {
        let desk = Desk::new();
        let words = ["run", "deadly", "--n", &n.to_string(), "--at", &at.to_string(), "--how", "quiet"];
        let (deaths, said) = desk.until_it_lives(&words);
        desk.condemned(&format!("touch[{at}]"), &said, n - 1);
        assert!(deaths <= 4, "{deaths}");
        let in_hand = desk.deaths();
        assert!(in_hand.iter().any(|steps| *steps > 1), "it was never in hand with others: {in_hand:?}");
        println!("found after {deaths} deaths, with so many in hand: {in_hand:?}");
    }
}

#[test]
fn s4_10_an_async_step_is_found_among_others() {
    let desk = Desk::new();
    let (deaths, said) = desk.until_it_lives(&["run", "deadly_later"]);
    desk.condemned("touch_later[15]", &said, 19);
    assert!(deaths <= 4, "{deaths}");
}

#[test]
fn s4_10_an_emitter_is_found() {
    let desk = Desk::new();
    let (deaths, (code, said)) = desk.until_it_lives(&["run", "deadly_emitter"]);
    assert_eq!(code, FAILED, "{said}");
    assert!(said.contains("deadly_numbers: the process died three times"), "{said}");
    assert_eq!(deaths, 3);
    assert_eq!(desk.ends()["deadly_numbers"], Err(ErrorKind::Poison));
}

#[test]
fn s4_10_whatever_ends_the_process_is_a_death() {
    for how in ["exit", "overflow"] {
        for job in ["deadly", "deadly_later"] {
            let desk = Desk::new();
            let (deaths, said) = desk.until_it_lives(&["run", job, "--n", "4", "--at", "3", "--how", how]);
            assert!((3..=4).contains(&deaths), "{job} {how}: {deaths} deaths, {said:?}");
            let op = if job == "deadly" { "touch" } else { "touch_later" };
            desk.condemned(&format!("{op}[3]"), &said, 3);
        }
    }
}

/// As by somebody who kills whatever takes long.
#[test]
fn s4_10_innocent_steps_that_were_killed_together_run_alone_and_succeed() {
    let desk = Desk::new();
    let mut words: &[&str] = &["run", "innocent"];
    for _ in 0..2 {
        let mut child = desk.starts(words);
        // A death names only what is recorded.
        while desk.session().len() < 3 || desk.items() < 3 {
            assert!(child.try_wait().expect("it can be asked").is_none(), "it ended");
            std::thread::yield_now();
        }
        child.kill().expect("it runs");
        assert_eq!(child.wait().expect("it ran").signal(), Some(9));
        words = &["resume"];
    }
    desk.tells("go");
    let (code, said) = desk.does(&["resume"]);
    assert_eq!(code, WELL, "{said}");
    assert_eq!(desk.deaths(), [3, 3]);
    let (mut alone, mut steps) = (None, 0);
    for line in desk.session() {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["start", step, _] => assert_eq!(alone.replace(step.to_owned()), None, "{step} is not alone"),
            ["end", step] => {
                assert_eq!(alone.take().as_deref(), Some(step));
                steps += 1;
            }
            _ => {}
        }
    }
    assert_eq!(steps, 3);
}
