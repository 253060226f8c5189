//! A run that is open: its index and its summary, kept up with the store.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Index;
use super::find::{Found, Query};
use super::look::IndexedStep;
use crate::record::{ReadError, Reader};
use crate::step::StepName;
use crate::store::{CommitHead, Standing, Store};
use crate::summary::Summary;

/// How many commits are read at once: some megabytes at most.
const CHUNK: usize = 32;

/// How many of the last answers are kept: a table that is scrolled asks for the same again and again.
const KEPT: usize = 4;

/// A run that is open.
#[derive(Debug)]
pub(crate) struct OpenRun {
    reader: Reader,
    index: Index,
    /// Of the commits that the index knows of.
    heads: Vec<CommitHead>,
    summary: Summary,
    /// The last commit that the summary stands for.
    summed: u64,
    /// A commit that could not be read: nothing after it can be.
    spoilt: Option<ReadError>,
    kept: VecDeque<Kept>,
}

/// An answer, and what it stands for.
#[derive(Debug)]
struct Kept {
    query: Query,
    seq: u64,
    driven: bool,
    found: Arc<Found>,
}

impl OpenRun {
    /// Opens a run, by its whole id, and reads all of it.
    ///
    /// # Errors
    /// There is no such run, or it cannot be read.
    pub(crate) fn open(store: Arc<dyn Store>, run: &str) -> Result<Self, ReadError> {
        let reader = Reader::open(store, run)?;
        let cached = reader.store().summary(run)?;
        // A summary of another version, or a spoilt one, is as good as none.
        let cached =
            cached.and_then(|(seq, bytes)| Some((seq, Summary::from_bytes(reader.shape(), &bytes).ok()?)));
        let (summed, summary) = cached.unwrap_or_else(|| (0, Summary::new(reader.shape())));
        let index = Index::new(Arc::clone(reader.shape()));
        let heads = Vec::new();
        let mut this = Self { reader, index, heads, summary, summed, spoilt: None, kept: VecDeque::new() };
        this.extend()?;
        Ok(this)
    }

    /// Looks again how the run stands, and takes the commits since. Says whether anything changed.
    ///
    /// # Errors
    /// The run is gone, or cannot be read.
    pub(crate) fn refresh(&mut self) -> Result<bool, ReadError> {
        if let Some(error) = &self.spoilt {
            return Err(error.clone());
        }
        let before = (self.reader.row().standing, self.reader.row().changed, self.index.seq());
        self.reader.refresh()?;
        if self.reader.row().head < self.index.seq() {
            // The store was put back to what it was before: what is known of the run since did not happen.
            let (store, run) = (Arc::clone(self.reader.store()), self.reader.row().id.clone());
            *self = Self::open(store, &run)?;
            return Ok(true);
        }
        self.extend()?;
        let row = self.reader.row();
        Ok(before != (row.standing, row.changed, self.index.seq()))
    }

    fn extend(&mut self) -> Result<(), ReadError> {
        // The summary may be cached for a commit that came after the row was read.
        let head = self.reader.row().head.max(self.summed);
        while self.index.seq() < head {
            let commits = self.reader.store().commits(&self.reader.row().id, self.index.seq(), CHUNK)?;
            if commits.is_empty() {
                break;
            }
            for commit in commits {
                let seq = commit.head.seq;
                let mut events = Vec::new();
                let told = (seq > self.summed).then_some(&mut events);
                if let Err(error) = self.index.take(seq, &commit.block, told) {
                    let error = self.reader.wrong(seq, error);
                    self.spoilt = Some(error.clone());
                    return Err(error);
                }
                self.heads.push(commit.head);
                self.summary.apply(self.reader.shape(), &events);
                self.summed = self.summed.max(seq);
            }
        }
        Ok(())
    }

    /// Where it is read.
    pub(crate) fn reader(&self) -> &Reader {
        &self.reader
    }

    /// What happened in it so far, counted.
    pub(crate) fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Every step of it.
    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// The heads of the commits that the index knows of: all, from the first on.
    pub(crate) fn heads(&self) -> &[CommitHead] {
        &self.heads
    }

    /// The last commit that index and summary know of.
    pub(crate) fn seq(&self) -> u64 {
        self.index.seq()
    }

    /// Whether what is said to run does: nobody drives a run that was interrupted.
    pub(crate) fn is_driven(&self) -> bool {
        self.reader.row().standing != Standing::Interrupted
    }

    /// Finds steps.
    pub(crate) fn find(&mut self, query: &Query) -> Arc<Found> {
        let (seq, driven) = (self.seq(), self.is_driven());
        self.kept.retain(|kept| (kept.seq, kept.driven) == (seq, driven));
        if let Some(at) = self.kept.iter().position(|kept| kept.query == *query)
            && let Some(kept) = self.kept.remove(at)
        {
            let found = Arc::clone(&kept.found);
            self.kept.push_back(kept);
            return found;
        }
        let found = self.index.find(query, driven);
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Kept { query: query.clone(), seq, driven, found: Arc::clone(&found) });
        found
    }

    /// The step at a place; `None` if it does not count.
    pub(crate) fn step(&self, place: u32) -> Option<IndexedStep> {
        self.index.step(place, self.is_driven())
    }

    /// The place of the step of a name, if it counts.
    pub(crate) fn place(&self, name: &StepName) -> Option<u32> {
        self.index.place(name)
    }

    /// How many bytes it takes in memory, about.
    pub(crate) fn room(&self) -> usize {
        let found: usize = self.kept.iter().map(|kept| kept.found.places.capacity()).sum();
        self.index.room() + self.heads.capacity() * size_of::<CommitHead>() + found * size_of::<u32>()
    }
}
