//! The items of a run and how their steps stand: a few bits each.

#[cfg(feature = "ui")]
use std::ops::Range;

use super::layout::Layout;
use crate::graph::{NodeId, ScopeId};

/// How a step stands in this session, that is since the run began or was resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Nothing = 0,
    Running = 1,
    Ended = 2,
    Succeeded = 3,
}

impl Standing {
    const ALL: [Self; 4] = [Self::Nothing, Self::Running, Self::Ended, Self::Succeeded];
}

/// The items by their numbers; 0 is what lies outside all fan-outs.
#[derive(Debug, Clone)]
pub(super) struct Items {
    /// The number of the last item.
    last: u32,
    series: Vec<Series>,
    /// Which series was looked at last.
    near: usize,
    /// Two bits a step.
    steps: Vec<u64>,
    slots: usize,
    /// A bit for each fan-out: whether it is closed.
    closed: Vec<u64>,
    fans: usize,
    /// A bit for each item that was superseded, as far as the last of them.
    superseded: Vec<u64>,
}

/// Items that one fan-out opened in a row: they are alike, so one entry stands for all.
#[derive(Debug, Clone, Copy)]
struct Series {
    first: u32,
    parent: u32,
    scope: ScopeId,
    /// Where the steps of the first item are, and its fan-outs.
    steps: usize,
    fans: usize,
}

/// Items that one fan-out opened in a row.
#[cfg(feature = "ui")]
#[derive(Debug, Clone)]
pub(crate) struct Alike {
    /// Their numbers.
    pub(crate) items: Range<u32>,
    /// The item around them.
    pub(crate) parent: u32,
    /// The scope that they are instances of.
    pub(crate) scope: ScopeId,
    /// The slot of the first step of the first: each item has one for each step of its scope.
    pub(crate) first_slot: usize,
}

/// What is in the low bit of each pair.
const LOW: u64 = 0x5555_5555_5555_5555;

impl Items {
    pub(super) fn new(layout: &Layout) -> Self {
        let mut items = Self {
            last: 0,
            series: vec![Series { first: 0, parent: 0, scope: ScopeId::ROOT, steps: 0, fans: 0 }],
            near: 0,
            steps: Vec::new(),
            slots: 0,
            closed: Vec::new(),
            fans: 0,
            superseded: Vec::new(),
        };
        items.make_room(layout, ScopeId::ROOT);
        items
    }

    pub(super) fn last(&self) -> u32 {
        self.last
    }

    /// Adds the next item.
    pub(super) fn open(&mut self, layout: &Layout, parent: u32, scope: ScopeId) {
        self.last += 1;
        let before = &self.series[self.series.len() - 1];
        if (before.parent, before.scope) != (parent, scope) {
            let (steps, fans) = (self.slots, self.fans);
            self.series.push(Series { first: self.last, parent, scope, steps, fans });
        }
        self.make_room(layout, scope);
    }

    fn make_room(&mut self, layout: &Layout, scope: ScopeId) {
        let scope = layout.scope(scope);
        self.slots += scope.steps.len();
        self.fans += scope.inner.len();
        self.steps.resize(self.slots.div_ceil(32), 0);
        self.closed.resize(self.fans.div_ceil(64), 0);
    }

    /// Which series an item lies in. It must not be after the last.
    #[inline]
    fn find(&self, item: u32) -> usize {
        let is_in = |at: usize| {
            self.series[at].first <= item && self.series.get(at + 1).is_none_or(|next| item < next.first)
        };
        if is_in(self.near) {
            self.near
        } else {
            self.series.partition_point(|series| series.first <= item) - 1
        }
    }

    fn series(&self, item: u32) -> Series {
        self.series[self.find(item)]
    }

    /// Says which item is asked for next.
    #[inline]
    pub(super) fn look_at(&mut self, item: u32) {
        self.near = self.find(item);
    }

    pub(super) fn parent(&self, item: u32) -> u32 {
        self.series(item).parent
    }

    pub(super) fn scope(&self, item: u32) -> ScopeId {
        self.series(item).scope
    }

    /// Where a step stands among all steps of all items; `None` if the item has no such step.
    #[inline]
    pub(super) fn slot(&self, layout: &Layout, item: u32, node: NodeId) -> Option<usize> {
        let series = self.series(item);
        let step = layout.step(series.scope, node)?;
        let steps = layout.scope(series.scope).steps.len();
        Some(series.steps + (item - series.first) as usize * steps + step as usize)
    }

    /// Which step of which item stands at a slot.
    #[cfg(feature = "ui")]
    pub(super) fn step_at(&self, layout: &Layout, slot: usize) -> (u32, NodeId) {
        // Of series without steps, the ones after them begin at the same slot.
        let series = &self.series[self.series.partition_point(|series| series.steps <= slot) - 1];
        let steps = &layout.scope(series.scope).steps;
        let within = slot - series.steps;
        (series.first + (within / steps.len()) as u32, steps[within % steps.len()])
    }

    /// All items, as far as they are alike.
    #[cfg(feature = "ui")]
    pub(super) fn alike(&self) -> impl Iterator<Item = Alike> {
        let after = self.series.iter().skip(1).map(|next| next.first).chain([self.last + 1]);
        self.series.iter().zip(after).map(|(series, after)| Alike {
            items: series.first..after,
            parent: series.parent,
            scope: series.scope,
            first_slot: series.steps,
        })
    }

    /// How many bytes they take.
    #[cfg(feature = "ui")]
    pub(super) fn room(&self) -> usize {
        let words = self.steps.capacity() + self.closed.capacity() + self.superseded.capacity();
        words * size_of::<u64>() + self.series.capacity() * size_of::<Series>()
    }

    /// How many slots there are.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    #[inline]
    pub(super) fn standing(&self, slot: usize) -> Standing {
        Standing::ALL[(self.steps[slot / 32] >> (slot % 32 * 2)) as usize & 3]
    }

    #[inline]
    pub(super) fn set(&mut self, slot: usize, standing: Standing) {
        let (word, shift) = (&mut self.steps[slot / 32], slot % 32 * 2);
        *word = *word & !(3 << shift) | (standing as u64) << shift;
    }

    /// Where the fan-out that opens instances of `scope` in an item stands among all fan-outs.
    fn fan(&self, layout: &Layout, item: u32, scope: ScopeId) -> usize {
        let series = self.series(item);
        let fans = layout.scope(series.scope).inner.len();
        series.fans + (item - series.first) as usize * fans + layout.scope(scope).place as usize
    }

    pub(super) fn is_closed(&self, layout: &Layout, item: u32, scope: ScopeId) -> bool {
        let fan = self.fan(layout, item, scope);
        self.closed[fan / 64] >> (fan % 64) & 1 == 1
    }

    pub(super) fn close(&mut self, layout: &Layout, item: u32, scope: ScopeId) {
        let fan = self.fan(layout, item, scope);
        self.closed[fan / 64] |= 1 << (fan % 64);
    }

    pub(super) fn supersede(&mut self, item: u32) {
        let (word, bit) = (item as usize / 64, item % 64);
        if self.superseded.len() <= word {
            self.superseded.resize(word + 1, 0);
        }
        self.superseded[word] |= 1 << bit;
    }

    /// Whether the item itself was superseded.
    pub(super) fn is_superseded(&self, item: u32) -> bool {
        self.superseded.get(item as usize / 64).is_some_and(|word| word >> (item % 64) & 1 == 1)
    }

    /// Whether neither the item nor one around it was superseded.
    #[inline]
    pub(super) fn is_alive(&self, item: u32) -> bool {
        self.superseded.is_empty()
            || std::iter::successors(Some(item), |item| (*item > 0).then(|| self.parent(*item)))
                .all(|item| !self.is_superseded(item))
    }

    /// A new session: only successes count, and every fan-out is open.
    pub(super) fn begin_session(&mut self) {
        for word in &mut self.steps {
            let succeeded = *word & *word >> 1 & LOW;
            *word = succeeded | succeeded << 1;
        }
        self.closed.fill(0);
    }
}
