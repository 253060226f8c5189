//! A run that is read as it goes on: each commit once.

use std::sync::Arc;
use std::time::Instant;

use super::state::State;
use super::watcher::PULSE;
use crate::record::{Decoder, ReadError, Reader};
use crate::store::Store;
use crate::summary::Summary;

/// How many commits are read at once: some megabytes at most.
const CHUNK: usize = 32;

/// A run that is read as it goes on.
#[derive(Debug)]
pub(super) struct Follow {
    reader: Reader,
    decoder: Decoder,
    summary: Summary,
    /// The last commit that was read.
    seq: u64,
    version: Option<u64>,
    /// When the row was last looked at.
    looked: Instant,
    state: Option<Arc<State>>,
}

impl Follow {
    /// Opens a run.
    ///
    /// # Errors
    /// There is no such run, or it cannot be read.
    pub(super) fn open(store: Arc<dyn Store>, run: &str) -> Result<Self, ReadError> {
        let reader = Reader::open(store, run)?;
        let shape = reader.shape();
        let (decoder, summary) = (Decoder::new(shape), Summary::new(shape));
        let looked = Instant::now();
        Ok(Self { reader, decoder, summary, seq: 0, version: None, looked, state: None })
    }

    /// The run's state, if it is another one than when it was looked at last.
    ///
    /// # Errors
    /// It is gone, or cannot be read.
    pub(super) fn look(&mut self) -> Result<Option<Arc<State>>, ReadError> {
        // In this order: what is changed after the version was asked for is seen the next time.
        let version = Some(self.reader.store().version()?);
        let is_changed = version != self.version;
        if !is_changed && self.looked.elapsed() < PULSE {
            return Ok(None);
        }
        self.reader.refresh()?;
        self.looked = Instant::now();
        if is_changed {
            self.read()?;
            self.version = version;
        }
        let (row, before) = (self.reader.row(), self.state.as_deref());
        if before.is_some_and(|before| before.is_of(row, self.seq)) {
            return Ok(None);
        }
        let state = Arc::new(State::new(row, self.seq, &self.summary, self.reader.shape(), before));
        self.state = Some(Arc::clone(&state));
        Ok(Some(state))
    }

    /// Reads the commits that came since.
    fn read(&mut self) -> Result<(), ReadError> {
        let Self { reader, decoder, summary, seq, .. } = self;
        let run = &reader.row().id;
        loop {
            let commits = reader.store().commits(run, *seq, CHUNK)?;
            if commits.is_empty() {
                return Ok(());
            }
            for commit in commits {
                let at = commit.head.seq;
                let batch = decoder.decode(&commit.block);
                let batch = batch.map_err(|error| ReadError::Commit { run: run.clone(), seq: at, error })?;
                summary.apply(reader.shape(), &batch.events);
                *seq = at;
            }
        }
    }
}
