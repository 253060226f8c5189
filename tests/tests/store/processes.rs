//! Several processes at one store: who drives, who dies, who wakes up too late.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use fanfold::store::{SqliteStore, Standing, Store, StoreError};

use crate::common::{a_run, append, append_to, folder};

/// Another process.
pub(crate) struct Other {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Other {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_store_child"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the helper starts");
        let stdin = child.stdin.take().expect("it is piped");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, stdin, stdout }
    }

    pub(crate) fn at(path: &Path) -> Self {
        let mut other = Self::start();
        assert_eq!(other.does(&format!("open {}", path.display())), "done");
        other
    }

    pub(crate) fn says(&mut self, command: &str) {
        writeln!(self.stdin, "{command}").expect("it listens");
    }

    pub(crate) fn answer(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("it answers");
        line.trim_end().to_owned()
    }

    pub(crate) fn does(&mut self, command: &str) -> String {
        self.says(command);
        self.answer()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ran");
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.id().to_string()]).status().expect("kill runs");
        assert!(status.success());
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may be dead already, or stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path).expect("it opens").with_standstill(Duration::from_millis(50))
}

#[test]
fn of_two_processes_exactly_one_drives() {
    let folder = folder();
    let path = folder.path().join("runs.db");
    let (mut a, mut b) = (Other::at(&path), Other::at(&path));
    assert_eq!(a.does("create one"), "done");
    assert_eq!(a.does("let go"), "done");
    for round in 0..50 {
        a.says("drive one");
        b.says("drive one");
        let answers = [a.answer(), b.answer()];
        let winner = answers.iter().position(|answer| answer == "done");
        let loser = answers.iter().position(|answer| answer.starts_with("held "));
        let (Some(winner), Some(loser)) = (winner, loser) else { panic!("round {round}: {answers:?}") };
        let (winner, pid) =
            if winner == 0 { (&mut a, answers[loser].clone()) } else { (&mut b, answers[loser].clone()) };
        assert!(pid.contains(&format!("process {}", winner.id())), "round {round}: {pid}");
        assert_eq!(winner.does("append 1"), (round + 1).to_string());
        assert_eq!(winner.does("let go"), "done");
    }
    assert_eq!(open(&path).commits("one", 0, 100).expect("they are whole").len(), 50);
}

#[test]
fn a_holder_that_died_is_recognised_at_once() {
    let folder = folder();
    let path = folder.path().join("runs.db");
    let store = open(&path);
    let mut other = Other::at(&path);
    assert_eq!(other.does("create one"), "done");
    assert_eq!(other.does("append 5"), "5");
    other.does("hand 0 square[3]");
    other.does("hand 2 square[4]");
    let pid = other.id();
    match store.drive("one", false) {
        Err(StoreError::Held { holder, .. }) => assert!(holder.contains(&format!("process {pid} on "))),
        unexpected => panic!("{unexpected:?}"),
    }
    assert_eq!(store.run("one").expect("it is there").standing, Standing::Running);
    other.kill();
    assert_eq!(store.run("one").expect("it is there").standing, Standing::Interrupted);
    let drive = store.drive("one", false).expect("its holder is dead");
    assert_eq!((drive.epoch(), drive.head().0), (2, 5));
    assert_eq!(drive.left_in_hand(), [b"square[3]".to_vec(), Vec::new(), b"square[4]".to_vec()]);
}

#[cfg(unix)]
#[test]
fn a_holder_that_was_stopped_is_fenced_when_it_wakes_up() {
    let folder = folder();
    let path = folder.path().join("runs.db");
    let store = open(&path);
    let mut other = Other::at(&path);
    other.does("create one");
    other.does("append 3");
    other.signal("-STOP");
    assert!(matches!(store.drive("one", false), Err(StoreError::Held { .. })));
    let drive = store.drive("one", true).expect("it stands still");
    append_to(&*drive, 4);
    other.signal("-CONT");
    let answer = other.does("append 1");
    assert!(answer.starts_with(&format!("fenced process {} on ", std::process::id())), "{answer}");
    assert!(other.does("append 1").starts_with("fenced "), "an error is for good");
    other.does("let go");
    assert!(other.does("drive one").starts_with("held "));
    append_to(&*drive, 5);
    assert_eq!(store.commits("one", 0, 9).expect("they are whole").len(), 5);
}

#[test]
fn another_process_can_ask_to_cancel() {
    let folder = folder();
    let path = folder.path().join("runs.db");
    let store = open(&path);
    let drive = store.create(a_run("one")).expect("it is entered");
    let mut other = Other::at(&path);
    assert_eq!(other.does("cancel one"), "done");
    assert_eq!(drive.cancel_requested().expect("one").as_deref(), Some("asked by another process"));
}

#[test]
fn processes_that_write_at_once_all_come_to_their_turn() {
    let folder = folder();
    let path = folder.path().join("runs.db");
    let mut others: Vec<_> = (0..4).map(|_| Other::at(&path)).collect();
    for (other, n) in others.iter_mut().zip(0..) {
        other.says(&format!("create run-{n}"));
        other.says("append 100");
    }
    for other in &mut others {
        assert_eq!((other.answer(), other.answer()), ("done".to_owned(), "100".to_owned()));
    }
}

/// The suffix that was only in SQLite's log goes with it; that it was acknowledged is known beside it.
#[test]
fn a_lost_suffix_is_noticed() {
    let folder = folder();
    let path = folder.path().join("runs.db");
    let mut other = Other::at(&path);
    other.does("create one");
    other.does("append 10");
    other.does("close");
    other.does(&format!("open {}", path.display()));
    other.does("drive one");
    assert_eq!(other.does("append 7"), "17");
    other.kill();
    std::fs::remove_file(folder.path().join("runs.db-wal")).expect("it is there");
    std::fs::remove_file(folder.path().join("runs.db-shm")).expect("it is there");
    let store = open(&path);
    let says = |error: StoreError| {
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("the last 7 of 17 acknowledged commits"), "{error}");
    };
    says(store.drive("one", false).expect_err("a part is lost"));
    says(store.commits("one", 0, 100).expect_err("a part is lost"));
    assert_eq!(store.commits("one", 0, 10).expect("what is there is whole").len(), 10);
    assert!(store.examine().expect("it can be looked at").iter().any(|finding| !finding.good));
    std::fs::remove_file(folder.path().join("live/one")).expect("it is there");
    assert_eq!(store.drive("one", false).expect("whoever wants it so").head().0, 10);
}

#[test]
fn a_lost_run_is_noticed() {
    let folder = folder();
    let path = folder.path().join("runs.db");
    let mut other = Other::at(&path);
    other.does("create one");
    assert_eq!(other.does("append 2"), "2");
    other.kill();
    std::fs::remove_file(folder.path().join("runs.db-wal")).expect("it is there");
    let said = open(&path).drive("one", false).expect_err("it is lost").to_string();
    assert!(said.contains("of which 2 commits were acknowledged"), "{said}");
}

/// Whatever a process that makes a store is doing when it is killed.
#[test]
fn a_process_killed_while_it_makes_a_store_leaves_one_that_can_be_used() {
    let folder = folder();
    for n in 0..30_u64 {
        let path = folder.path().join(format!("{n}/.fanfold/runs.db"));
        let mut other = Other::start();
        other.says(&format!("open {}", path.display()));
        other.says("create one");
        // Not a pause: so the kill meets different instants, from before the folder to after the row.
        for _ in 0..n * 20_000 {
            std::hint::spin_loop();
        }
        other.kill();
        let store = open(&path);
        let drive =
            store.drive("one", false).or_else(|_| store.create(a_run("one"))).expect("it can be used");
        append(&*drive).expect("it can be written");
        assert!(store.examine().expect("it can be looked at").iter().all(|finding| finding.good));
    }
}

/// Closing any handle of a file gives up all locks of its process: so nothing but SQLite may open it.
#[test]
fn a_second_opening_in_one_process_does_not_give_up_the_locks_of_the_first() {
    let folder = folder();
    let path = folder.path().join("runs.db");
    let store = open(&path);
    let drive = store.create(a_run("one")).expect("it is entered");
    append_to(&*drive, 3);
    drop(open(&path));
    drop(SqliteStore::open_read_only(&path).expect("it opens"));
    // Whoever closes last takes SQLite's log away; this one is not the last.
    let mut other = Other::at(&path);
    assert_eq!(other.does("count one"), "3");
    assert_eq!(other.does("close"), "done");
    append_to(&*drive, 6);
    assert_eq!(Other::at(&path).does("count one"), "6");
}

#[test]
fn who_was_at_work_is_not_forgotten_by_one_who_ended_before() {
    let folder = folder();
    let path = folder.path().join("runs.db");
    let store = open(&path);
    drop(store.create(a_run("one")).expect("it is entered"));
    let mut other = Other::at(&path);
    other.does("drive one");
    other.does("hand 0 square[3]");
    other.kill();
    drop(store);
    let drive = open(&path).drive("one", false).expect("its holder is dead");
    assert_eq!(drive.left_in_hand(), [b"square[3]".to_vec()]);
}
