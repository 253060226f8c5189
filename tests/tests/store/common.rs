//! What the tests of stores begin with.

use std::time::{Duration, SystemTime};

use fanfold::store::{CommitIndex, Drive, Hash, LogRow, NewCommit, NewRun};
use tempfile::TempDir;

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder for a store")
}

/// A run of job `letters`.
pub(crate) fn a_run(id: &str) -> NewRun {
    NewRun {
        id: id.to_owned(),
        job: "letters".to_owned(),
        started: at(0),
        parent: None,
        facts: format!("{{\"id\":{id:?}}}"),
        tags: Vec::new(),
    }
}

/// A point in time, some seconds after a fixed one.
pub(crate) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
}

/// The block of commit `n`.
pub(crate) fn block(n: u64) -> Vec<u8> {
    format!("block {n} {}", "x".repeat(n as usize % 50)).into_bytes()
}

/// An index that has no zero in it.
pub(crate) fn index(n: u64) -> CommitIndex {
    CommitIndex {
        steps_before: n * 10,
        steps: 10,
        items_before: 3 * n as u32,
        items: 3,
        from: n * 1000,
        to: n * 1000 + 999,
        nodes: u64::MAX - n,
        states: 5,
    }
}

/// Appends the commits up to number `last`.
pub(crate) fn append_to(drive: &dyn Drive, last: u64) {
    while drive.head().0 < last {
        let (head, follows) = drive.head();
        let block = block(head + 1);
        let commit = NewCommit { block: &block, index: index(head + 1), follows, ..NewCommit::default() };
        drive.append(commit).expect("a commit that follows the last is taken");
    }
}

/// Tries one more commit.
pub(crate) fn append(drive: &dyn Drive) -> Result<Hash, fanfold::store::StoreError> {
    let (head, follows) = drive.head();
    let block = block(head + 1);
    drive.append(NewCommit { block: &block, index: index(head + 1), follows, ..NewCommit::default() })?;
    Ok(drive.head().1)
}

/// A line of a log.
pub(crate) fn line(item: u32, node: u32, level: u8, text: &str) -> LogRow {
    LogRow {
        number: 0,
        item,
        node,
        attempt: 1,
        at: 5,
        level,
        target: "letters".to_owned(),
        text: text.to_owned(),
        fields: String::new(),
    }
}
