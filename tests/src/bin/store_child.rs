//! Another process at a store, for tests: does what each line on stdin says, and answers with one line.

use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fanfold::store::{Drive, NewCommit, NewRun, SqliteStore, Store, StoreError};

/// What the process has.
#[derive(Default)]
struct Hands {
    store: Option<SqliteStore>,
    drive: Option<Arc<dyn Drive>>,
}

fn main() {
    let mut hands = Hands::default();
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let words: Vec<_> = line.split(' ').collect();
        let answer = hands.obey(&words).unwrap_or_else(|error| match error {
            StoreError::Held { holder, .. } => format!("held {holder}"),
            StoreError::Fenced { holder, .. } => format!("fenced {holder}"),
            other => format!("error {other}"),
        });
        println!("{answer}");
        std::io::stdout().flush().expect("whoever started this reads it");
    }
}

impl Hands {
    fn obey(&mut self, words: &[&str]) -> Result<String, StoreError> {
        match words {
            ["open", path] => {
                let store = SqliteStore::open(Path::new(path))?;
                self.store = Some(store.with_standstill(Duration::from_millis(50)));
            }
            ["create", run] => self.drive = Some(self.store().create(new_run(run))?),
            ["drive", run] => self.drive = Some(self.store().drive(run, false)?),
            ["take", run] => self.drive = Some(self.store().drive(run, true)?),
            ["append", count] => return self.append(count.parse().expect("a count")),
            ["hand", worker, steps] => {
                self.drive().in_hand(worker.parse().expect("a number"), steps.as_bytes());
            }
            ["count", run] => return Ok(self.store().commits(run, 0, usize::MAX)?.len().to_string()),
            ["cancel", run] => self.store().request_cancel(run, "asked by another process")?,
            ["let", "go"] => self.drive = None,
            ["close"] => *self = Self::default(),
            _ => panic!("{words:?} is no command"),
        }
        Ok("done".to_owned())
    }

    fn append(&self, count: u64) -> Result<String, StoreError> {
        for _ in 0..count {
            let (head, follows) = self.drive().head();
            let block = format!("block {}", head + 1).into_bytes();
            self.drive().append(NewCommit { block: &block, follows, ..NewCommit::default() })?;
        }
        Ok(self.drive().head().0.to_string())
    }

    fn store(&self) -> &SqliteStore {
        self.store.as_ref().expect("it was opened")
    }

    fn drive(&self) -> &dyn Drive {
        &**self.drive.as_ref().expect("it was taken")
    }
}

fn new_run(id: &str) -> NewRun {
    NewRun {
        id: id.to_owned(),
        job: "letters".to_owned(),
        started: SystemTime::now(),
        parent: None,
        facts: "{}".to_owned(),
        tags: Vec::new(),
    }
}
