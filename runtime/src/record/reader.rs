//! Reading a run that was recorded, without the program that made it.
//!
//! A list of steps is read by the heads of commits, and by decoding those that can hold what is asked
//! for; nothing is kept for it, and nothing here grows with the number of steps but the lists of heads
//! and, where keys are asked for, one bit an item. Nothing here writes.

mod blocks;
#[cfg(feature = "ui")]
mod commit;
mod paths;
mod steps;
mod story;
#[cfg(test)]
mod tests;

#[cfg(feature = "ui")]
pub(crate) use commit::{EventFilter, Piece};
pub use steps::{StepFilter, StepPage, StepRow};
pub use story::{Told, Turn};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::facts::{Facts, FactsError};
use super::values::{self, StoredValue};
use super::{Decoder, RecordError};
use crate::event::{Batch, StepRef};
use crate::graph::NodeId;
use crate::shape::Shape;
use crate::store::{CommitHead, RunRow, Store, StoreError};
use crate::summary::Summary;

/// How many commits are read at once: some megabytes at most.
const CHUNK: usize = 32;

/// A recorded run.
#[derive(Debug, Clone)]
pub struct Reader {
    store: Arc<dyn Store>,
    row: RunRow,
    facts: Arc<Facts>,
    shape: Arc<Shape>,
}

/// Why a recorded run could not be read.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is known of the run from the first could not be read.
    #[error(transparent)]
    Facts(#[from] FactsError),
    /// A commit could not be read.
    #[error("commit {seq} of run {run}: {error}")]
    Commit {
        /// The run.
        run: String,
        /// The commit's place in the run.
        seq: u64,
        /// What is wrong.
        error: RecordError,
    },
}

impl Reader {
    /// Opens a run, by its whole id.
    ///
    /// # Errors
    /// There is no such run, or it cannot be read.
    pub fn open(store: Arc<dyn Store>, run: &str) -> Result<Self, ReadError> {
        let row = store.run(run)?;
        let facts = Facts::read(run, &row.facts)?;
        let shape = Arc::new(facts.shape.clone());
        Ok(Self { store, row, facts: Arc::new(facts), shape })
    }

    /// Looks again how the run stands.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn refresh(&mut self) -> Result<(), ReadError> {
        self.row = self.store.run(&self.row.id)?;
        Ok(())
    }

    /// The run's row in the catalogue.
    pub fn row(&self) -> &RunRow {
        &self.row
    }

    /// What is known of the run from the first.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The shape that the run was recorded under.
    pub fn shape(&self) -> &Arc<Shape> {
        &self.shape
    }

    /// Where it is recorded.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The summary of all that is recorded: the cached one, and what came since.
    ///
    /// # Errors
    /// The run cannot be read.
    pub fn summary(&self) -> Result<Summary, ReadError> {
        let cached = self.store.summary(&self.row.id)?;
        // A summary of another version, or a spoilt one, is as good as none.
        let cached =
            cached.and_then(|(seq, bytes)| Some((seq, Summary::from_bytes(&self.shape, &bytes).ok()?)));
        let (seq, mut summary) = cached.unwrap_or_else(|| (0, Summary::new(&self.shape)));
        if seq < self.row.head {
            for batch in self.batches(seq) {
                summary.apply(&self.shape, &batch?.1.events);
            }
        }
        Ok(summary)
    }

    /// The events of the commits after `after` (0 for all), a commit at a time.
    pub fn batches(&self, after: u64) -> Batches<'_> {
        Batches {
            reader: self,
            decoder: Decoder::new(&self.shape),
            after,
            chunk: Vec::new().into_iter(),
            read: 0,
        }
    }

    /// The values of a step's or an item's record, as JSON text; `None` for nothing and for what is never
    /// recorded.
    ///
    /// # Errors
    /// The record is none, or a large value cannot be read.
    pub fn values(&self, record: &[u8]) -> Result<Vec<Option<Vec<u8>>>, ReadError> {
        let parts = values::read(record).map_err(|error| self.wrong(0, error))?;
        parts.values.into_iter().map(|value| self.value(value)).collect()
    }

    /// A value as JSON text; `None` for nothing and for what is never recorded.
    ///
    /// # Errors
    /// A large value cannot be read.
    pub fn value(&self, value: StoredValue<'_>) -> Result<Option<Vec<u8>>, ReadError> {
        match value {
            StoredValue::Json(text) => Ok(Some(text.to_vec())),
            StoredValue::Blob { hash, .. } => Ok(Some(self.store.blob(&self.row.id, &hash)?)),
            StoredValue::Nothing | StoredValue::Transient => Ok(None),
        }
    }

    /// Steps by their item's number and their node, as log lines have them. One whose item is not
    /// recorded yet is named without keys.
    ///
    /// # Errors
    /// The run cannot be read.
    pub fn step_refs(
        &self,
        steps: &BTreeSet<(u32, u32)>,
    ) -> Result<BTreeMap<(u32, u32), StepRef>, ReadError> {
        let steps = steps.iter().filter(|(_, node)| (*node as usize) < self.shape.nodes.len());
        let paths = self.paths(&self.heads()?, steps.clone().map(|(item, _)| *item).collect())?;
        let step = |(item, node): &(u32, u32)| StepRef { node: NodeId(*node), path: paths.get(*item) };
        Ok(steps.map(|numbers| (*numbers, step(numbers))).collect())
    }

    pub(crate) fn wrong(&self, seq: u64, error: RecordError) -> ReadError {
        ReadError::Commit { run: self.row.id.clone(), seq, error }
    }
}

/// The events of a run, a commit at a time.
#[derive(Debug)]
pub struct Batches<'a> {
    reader: &'a Reader,
    decoder: Decoder,
    after: u64,
    chunk: std::vec::IntoIter<crate::store::Commit>,
    read: u64,
}

impl Iterator for Batches<'_> {
    type Item = Result<(CommitHead, Batch), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        // Those before are decoded, too: items are named by them.
        loop {
            let commit = match self.chunk.next() {
                Some(commit) => commit,
                None => {
                    let Reader { store, row, .. } = self.reader;
                    // One by one where one is damaged: those before it are read all the same.
                    let commits = store.commits(&row.id, self.read, CHUNK);
                    match commits.or_else(|_| store.commits(&row.id, self.read, 1)) {
                        Ok(commits) => self.chunk = commits.into_iter(),
                        Err(error) => return Some(Err(error.into())),
                    }
                    self.chunk.next()?
                }
            };
            self.read = commit.head.seq;
            let batch = match self.decoder.decode(&commit.block) {
                Ok(batch) => batch,
                Err(error) => return Some(Err(self.reader.wrong(commit.head.seq, error))),
            };
            if commit.head.seq > self.after {
                return Some(Ok((commit.head, batch)));
            }
        }
    }
}
