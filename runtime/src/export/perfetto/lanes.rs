//! Lanes: rows of slices that do not overlap.

use std::collections::BTreeSet;

/// When each lane is free, and its number; 1 is the first. As many as slices overlap, at most.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    free: BTreeSet<(u64, u32)>,
}

impl Lanes {
    /// A lane for a slice, and whether it is a new one. Slices come about in the order of their ends:
    /// the lane that was freed last before the start leaves the others to slices that began earlier.
    pub(super) fn take(&mut self, start: u64, end: u64) -> (u32, bool) {
        let last = self.free.range(..=(start, u32::MAX)).next_back().copied();
        let lane = match last {
            Some(last) => {
                self.free.remove(&last);
                last.1
            }
            None => self.free.len() as u32 + 1,
        };
        self.free.insert((end, lane));
        (lane, last.is_none())
    }
}
