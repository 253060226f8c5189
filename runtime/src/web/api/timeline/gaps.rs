//! Spans in which nothing ran.

use crate::shape::Shape;
use crate::summary::{Durations, Summary};

/// The run's time is looked at in so many cells.
const CELLS: u64 = 4_096;

/// A gap is longer than so many times the median of all attempts.
const MEDIANS: u64 = 20;

/// A gap is longer than this part of the run's time: a shorter one is not worth to be folded, and there
/// are never more of them than this.
const PART: u64 = 50;

/// What ran in each cell of a run's time.
pub(super) struct Gaps {
    end: u64,
    width: u64,
    cells: Vec<Cell>,
}

#[derive(Clone, Default)]
struct Cell {
    /// How many begin in it, less how many end.
    change: i64,
    first_start: Option<u64>,
    last_end: Option<u64>,
}

impl Gaps {
    /// Nothing ran yet in a run that has its last event then.
    pub(super) fn new(end: u64) -> Self {
        let width = end / CELLS + 1;
        Self { end, width, cells: vec![Cell::default(); (end / width) as usize + 1] }
    }

    #[inline]
    pub(super) fn add(&mut self, started: u64, took: u64) {
        let started = started.min(self.end);
        let ended = started.saturating_add(took).min(self.end);
        let first = &mut self.cells[(started / self.width) as usize];
        first.change += 1;
        first.first_start = Some(first.first_start.map_or(started, |before| before.min(started)));
        let last = &mut self.cells[(ended / self.width) as usize];
        last.change -= 1;
        last.last_end = Some(last.last_end.map_or(ended, |before| before.max(ended)));
    }

    /// Those that are worth to be folded.
    pub(super) fn told(&self, summary: &Summary, shape: &Shape) -> Vec<(u64, u64)> {
        let mut all = Durations::default();
        shape.steps().for_each(|node| all.merge(summary.node(node).durations()));
        let median = all.quantile(0.5).map_or(0, |median| median.as_micros() as u64);
        self.longer_than(median.saturating_mul(MEDIANS).max(self.end / PART))
    }

    fn longer_than(&self, least: u64) -> Vec<(u64, u64)> {
        let mut gaps = Vec::new();
        let (mut active, mut since) = (0, 0);
        for cell in &self.cells {
            if active == 0
                && let Some(start) = cell.first_start
                && start.saturating_sub(since) > least
            {
                gaps.push((since, start));
            }
            active += cell.change;
            since = cell.last_end.map_or(since, |end| end.max(since));
        }
        if active == 0 && self.end.saturating_sub(since) > least {
            gaps.push((since, self.end));
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::samples::seed;

    #[test]
    fn gaps_are_where_nothing_ran() {
        let seed = seed();
        for number in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed + number);
            let digits = random.u32(1..40);
            let end = random.u64(1..1 << digits);
            let mut bars: Vec<_> =
                (0..random.usize(..30)).map(|_| (random.u64(..end), random.u64(..=end / 10))).collect();
            let mut gaps = Gaps::new(end);
            bars.iter().for_each(|(started, took)| gaps.add(*started, *took));
            bars.sort_unstable();
            let (mut wanted, mut since, least) = (Vec::new(), 0, end / PART);
            for (started, took) in bars.into_iter().chain([(end, 0)]) {
                if started > since + least {
                    wanted.push((since, started));
                }
                since = since.max((started + took).min(end));
            }
            assert_eq!(gaps.longer_than(least), wanted, "FANFOLD_SEED={seed}, {number}");
        }
    }
}
