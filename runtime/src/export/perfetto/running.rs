//! How many attempts ran at each time.

use std::collections::BTreeMap;

/// How finely the counters are drawn, in microseconds: ten thousand points for ten seconds.
pub(super) const BUCKET: u64 = 1_000;
/// How much later than it happened something may come to be known, in microseconds: short steps are
/// told of when their batch has ended. What comes later still counts from then on.
const LATE: u64 = 1_000_000;

/// Beginnings and ends of the last second, and how many attempts ran before it.
#[derive(Debug, Default)]
pub(super) struct Running {
    changes: BTreeMap<u64, i64>,
    level: i64,
    /// Up to where it was told.
    told: u64,
    shown: Option<i64>,
}

impl Running {
    pub(super) fn begins(&mut self, at: u64) {
        *self.changes.entry(at.max(self.told)).or_default() += 1;
    }

    pub(super) fn ends(&mut self, at: u64) {
        // After the beginning, if both come too late.
        *self.changes.entry(at.max(self.told)).or_default() -= 1;
    }

    /// The counter's new values, at their times: of all that cannot change any more, or of `all`.
    pub(super) fn told(&mut self, now: u64, all: bool) -> Vec<(u64, i64)> {
        let until = if all { u64::MAX } else { now.saturating_sub(LATE) / BUCKET * BUCKET };
        let mut points = Vec::new();
        while let Some(first) = self.changes.keys().next().copied().filter(|at| *at < until) {
            let bucket = first / BUCKET * BUCKET;
            let mut peak = self.level;
            while let Some(entry) = self.changes.first_entry().filter(|it| *it.key() - bucket < BUCKET) {
                self.level += entry.remove();
                peak = peak.max(self.level);
            }
            self.show(bucket, peak, &mut points);
            let next = self.changes.keys().next();
            if next.is_none_or(|next| *next - bucket >= 2 * BUCKET) {
                self.show(bucket.saturating_add(BUCKET), self.level, &mut points);
            }
        }
        if !all {
            self.told = self.told.max(until);
        }
        points
    }

    fn show(&mut self, at: u64, steps: i64, points: &mut Vec<(u64, i64)>) {
        if self.shown != Some(steps) {
            self.shown = Some(steps);
            points.push((at, steps));
        }
    }
}
