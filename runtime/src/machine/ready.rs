//! Steps that could start: in the order in which they should.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use super::frame::{FrameId, Turn};

/// A step that could start.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// How often it was put back: a step that is tried again joins the end of its queue.
    pub(crate) attempt: u32,
    /// Its place in yield order.
    pub(crate) turn: Turn,
    /// Its age.
    pub(crate) number: u64,
    pub(crate) frame: FrameId,
    pub(crate) task: u32,
}

/// Entries by rank, then by yield order, then by age.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    ranks: Vec<BinaryHeap<Reverse<Entry>>>,
    /// The ranks that have entries.
    waiting: BTreeSet<u32>,
    len: usize,
}

impl Queue {
    pub(crate) fn new(ranks: u32) -> Self {
        Self { ranks: (0..ranks).map(|_| BinaryHeap::new()).collect(), waiting: BTreeSet::new(), len: 0 }
    }

    pub(crate) fn push(&mut self, rank: u32, entry: Entry) {
        let heap = &mut self.ranks[rank as usize];
        if heap.is_empty() {
            self.waiting.insert(rank);
        }
        heap.push(Reverse(entry));
        self.len += 1;
    }

    /// The first entry, and its rank.
    pub(crate) fn peek(&self) -> Option<(u32, &Entry)> {
        let rank = *self.waiting.first()?;
        self.ranks[rank as usize].peek().map(|Reverse(entry)| (rank, entry))
    }

    pub(crate) fn pop(&mut self) -> Option<(u32, Entry)> {
        let rank = *self.waiting.first()?;
        let heap = &mut self.ranks[rank as usize];
        let Reverse(entry) = heap.pop()?;
        if heap.is_empty() {
            self.waiting.remove(&rank);
        }
        self.len -= 1;
        Some((rank, entry))
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }
}
