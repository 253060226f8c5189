//! Steps that could start: in the order in which they should.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};

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
    ranks: Vec<Rank>,
    /// The ranks that have entries.
    waiting: BTreeSet<u32>,
    len: usize,
}

/// The entries of one rank. Most come in order: these need no heap.
#[derive(Debug, Default)]
struct Rank {
    in_order: VecDeque<Entry>,
    others: BinaryHeap<Reverse<Entry>>,
}

impl Rank {
    fn push(&mut self, entry: Entry) {
        if self.in_order.back().is_none_or(|last| *last < entry) {
            self.in_order.push_back(entry);
        } else {
            self.others.push(Reverse(entry));
        }
    }

    fn peek(&self) -> Option<&Entry> {
        match (self.in_order.front(), self.others.peek()) {
            (Some(first), Some(Reverse(other))) => Some(first.min(other)),
            (first, other) => first.or(other.map(|Reverse(other)| other)),
        }
    }

    fn pop(&mut self) -> Option<Entry> {
        let from_others = match (self.in_order.front(), self.others.peek()) {
            (Some(first), Some(Reverse(other))) => other < first,
            (first, _) => first.is_none(),
        };
        if from_others { self.others.pop().map(|Reverse(entry)| entry) } else { self.in_order.pop_front() }
    }

    fn is_empty(&self) -> bool {
        self.in_order.is_empty() && self.others.is_empty()
    }
}

impl Queue {
    pub(crate) fn new(ranks: u32) -> Self {
        Self { ranks: (0..ranks).map(|_| Rank::default()).collect(), waiting: BTreeSet::new(), len: 0 }
    }

    pub(crate) fn push(&mut self, rank: u32, entry: Entry) {
        let entries = &mut self.ranks[rank as usize];
        if entries.is_empty() {
            self.waiting.insert(rank);
        }
        entries.push(entry);
        self.len += 1;
    }

    /// The first entry, and its rank.
    pub(crate) fn peek(&self) -> Option<(u32, &Entry)> {
        let rank = *self.waiting.first()?;
        self.ranks[rank as usize].peek().map(|entry| (rank, entry))
    }

    pub(crate) fn pop(&mut self) -> Option<(u32, Entry)> {
        let rank = *self.waiting.first()?;
        let entries = &mut self.ranks[rank as usize];
        let entry = entries.pop()?;
        if entries.is_empty() {
            self.waiting.remove(&rank);
        }
        self.len -= 1;
        Some((rank, entry))
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }
}
