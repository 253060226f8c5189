//! What the ops of a process that was killed did, and what was told of them, in order.

use std::collections::{HashMap, HashSet};
use std::path::Path;

/// A ledger, read anew after each session.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The steps that were told as done, with the attempt that did it.
    pub acks: HashMap<String, u32>,
    started: HashSet<String>,
    /// Steps begun again, in the session that was read last.
    pub again: u64,
    read: usize,
}

impl Ledger {
    /// Reads what is new.
    ///
    /// # Errors
    /// A step ran that had been told as done.
    ///
    /// # Panics
    /// It cannot be read.
    pub fn read(&mut self, path: &Path) -> Result<(), String> {
        // A process may have been killed before it made one.
        let text = std::fs::read_to_string(path).unwrap_or_default();
        self.again = 0;
        // What was begun in this session: tries are no repetition.
        let mut here = HashSet::new();
        for line in text[self.read..].lines() {
            let words: Vec<_> = line.split(' ').collect();
            match words[..] {
                ["start", step, _] => {
                    if self.acks.contains_key(step) && !is_transient(step) {
                        return Err(format!("doubled: `{step}` ran after it was told as done"));
                    }
                    if here.insert(step) && !self.started.insert(step.to_owned()) {
                        self.again += 1;
                    }
                }
                ["ack", step, attempt] => {
                    let attempt = attempt.parse().expect("a number");
                    if self.acks.insert(step.to_owned(), attempt).is_some() && !is_transient(step) {
                        return Err(format!("doubled: `{step}` was told as done twice"));
                    }
                }
                _ => {}
            }
        }
        self.read = text.len();
        Ok(())
    }
}

/// Whether a step's value is never recorded, so that it may have to be made again.
pub(crate) fn is_transient(step: &str) -> bool {
    step == "seed"
}
