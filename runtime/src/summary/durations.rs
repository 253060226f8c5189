//! How long many things took, in bounded memory.
//!
//! Durations are counted in bins whose width grows with them: each power of two of nanoseconds has 32.
//! All is integers, so two summaries of the same events are equal to the last bit, on any machine.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::stored::nanos;

/// A power of two has `1 << FINE` bins: a quantile is at most a 64th away from the true one.
const FINE: u32 = 5;

/// Durations from here on, three days, share the last bin.
const LONGEST: u64 = 1 << 48;

/// How long many things took: their number, sum, shortest, longest, and quantiles that are right
/// within 2 %.
///
/// At most 12 KiB each, and two can be merged.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Durations {
    /// How many there are in each bin, from the bin `first` on.
    bins: Vec<u64>,
    first: usize,
    count: u64,
    total: Duration,
    min: Duration,
    max: Duration,
}

/// The bin that a duration is counted in.
fn bin(took: Duration) -> usize {
    let nanos = u64::try_from(took.as_nanos()).unwrap_or(LONGEST).min(LONGEST);
    let octave = (u64::BITS - nanos.leading_zeros()).saturating_sub(FINE + 1);
    // The bins of the first octaves are one nanosecond wide; from then on all octaves have equally many.
    ((octave as usize) << FINE) + (nanos >> octave) as usize
}

/// The middle of a bin.
fn middle(bin: usize) -> Duration {
    let octave = (bin >> FINE).saturating_sub(1);
    let lowest = ((bin - (octave << FINE)) as u64) << octave;
    Duration::from_nanos(lowest + ((1 << octave) >> 1))
}

impl Durations {
    pub(super) const NONE: Self = Self {
        bins: Vec::new(),
        first: 0,
        count: 0,
        total: Duration::ZERO,
        min: Duration::ZERO,
        max: Duration::ZERO,
    };

    pub(super) fn add(&mut self, took: Duration) {
        self.total = self.total.saturating_add(took);
        self.min = if self.count == 0 { took } else { self.min.min(took) };
        self.max = self.max.max(took);
        self.count += 1;
        *self.bin_mut(bin(took)) += 1;
    }

    fn bin_mut(&mut self, bin: usize) -> &mut u64 {
        if self.bins.is_empty() {
            self.first = bin;
        } else if bin < self.first {
            self.bins.splice(..0, std::iter::repeat_n(0, self.first - bin));
            self.first = bin;
        }
        let place = bin - self.first;
        if place >= self.bins.len() {
            self.bins.resize(place + 1, 0);
        }
        &mut self.bins[place]
    }

    /// Adds those of another.
    pub fn merge(&mut self, other: &Self) {
        self.total = self.total.saturating_add(other.total);
        self.min = match (self.count, other.count) {
            (0, _) => other.min,
            (_, 0) => self.min,
            _ => self.min.min(other.min),
        };
        self.max = self.max.max(other.max);
        self.count += other.count;
        for (bin, count) in other.counted() {
            *self.bin_mut(bin) += count;
        }
    }

    /// The bins that are not empty.
    fn counted(&self) -> impl Iterator<Item = (usize, u64)> {
        (self.first..).zip(self.bins.iter().copied()).filter(|(_, count)| *count > 0)
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// All of them together.
    pub fn total(&self) -> Duration {
        self.total
    }

    /// The longest.
    pub fn max(&self) -> Duration {
        self.max
    }

    /// The shortest duration that at least a share `q`, from 0 to 1, of them does not exceed;
    /// `None` if there are none.
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        let rank = ((q.clamp(0.0, 1.0) * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
        if rank == self.count {
            return Some(self.max);
        }
        let mut below = 0;
        self.counted().find_map(|(bin, count)| {
            below += count;
            (below >= rank).then(|| middle(bin).clamp(self.min, self.max))
        })
    }
}

/// What is kept of them: sum, shortest and longest in nanoseconds, and the bins, each as its distance
/// from the one before and its count.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stored(u64, u64, u64, Vec<(u16, u64)>);

impl From<&Durations> for Stored {
    fn from(durations: &Durations) -> Self {
        let mut before = 0;
        let bins = durations.counted().map(|(bin, count)| {
            let distance = bin - std::mem::replace(&mut before, bin);
            (distance as u16, count)
        });
        let bins = bins.collect();
        Self(nanos(durations.total), nanos(durations.min), nanos(durations.max), bins)
    }
}

impl Stored {
    /// The durations; `None` if nothing that was stored could be so.
    pub(super) fn read(&self) -> Option<Durations> {
        let Self(total, min, max, bins) = self;
        let [total, min, max] = [total, min, max].map(|nanos| Duration::from_nanos(*nanos));
        let mut durations = Durations { total, min, max, ..Durations::NONE };
        let mut bin = 0;
        for (distance, count) in bins {
            bin += usize::from(*distance);
            if bin > self::bin(Duration::MAX) {
                return None;
            }
            *durations.bin_mut(bin) += count;
            durations.count = durations.count.checked_add(*count)?;
        }
        (min <= max).then_some(durations)
    }
}

impl std::fmt::Debug for Durations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Durations")
            .field("count", &self.count())
            .field("total", &self.total)
            .field("max", &self.max)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_near_and_never_above_the_longest() {
        let mut durations = Durations::default();
        assert_eq!(durations.quantile(0.5), None);
        for millis in 1..=1_000 {
            durations.add(Duration::from_millis(millis));
        }
        let p50 = durations.quantile(0.5).unwrap().as_secs_f64();
        assert!((p50 - 0.5).abs() < 0.02, "{p50}");
        assert_eq!(durations.quantile(1.0), Some(Duration::from_secs(1)));
        assert_eq!((durations.count(), durations.max()), (1_000, Duration::from_secs(1)));
    }

    #[test]
    fn every_bin_is_narrow_and_follows_the_one_before() {
        for nanos in
            (0..300).chain((3..63).flat_map(|power| [(1u64 << power) - 1, 1 << power, 3 << (power - 1)]))
        {
            let took = Duration::from_nanos(nanos);
            let near = middle(bin(took)).as_nanos() as f64;
            let off = (near - nanos.min(LONGEST) as f64).abs();
            assert!(off <= nanos as f64 / 64.0, "{nanos} is counted as {near}");
            assert!(bin(took) <= bin(took + Duration::from_nanos(1)));
        }
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let mut durations = Durations::default();
        for nanos in [0, 7, 7, 90_000_000, u64::MAX] {
            durations.add(Duration::from_nanos(nanos));
        }
        durations.total = Duration::from_secs(9);
        let text = serde_json::to_string(&Stored::from(&durations)).unwrap();
        let stored: Stored = serde_json::from_str(&text).unwrap();
        assert_eq!(stored.read(), Some(durations));
        assert_eq!(Stored(1, 0, 1, vec![(u16::MAX, 1)]).read(), None);
        assert_eq!(Stored(1, 0, 1, vec![(1, u64::MAX), (1, 1)]).read(), None);
    }

    #[test]
    fn of_a_few_the_high_quantiles_are_the_longest() {
        let mut durations = Durations::default();
        durations.add(Duration::from_millis(5));
        assert_eq!(durations.quantile(0.5), Some(Duration::from_millis(5)));
        let mut durations = Durations::default();
        for seconds in [1, 2, 9] {
            durations.add(Duration::from_secs(seconds));
        }
        assert_eq!(durations.quantile(0.95), Some(Duration::from_secs(9)));
        assert_eq!(durations.quantile(0.5).unwrap().as_secs_f64().round(), 2.0);
        assert_eq!(durations.quantile(0.0).unwrap().as_secs_f64().round(), 1.0);
    }

    #[test]
    fn merged_is_as_if_added() {
        let mut left = Durations::default();
        let mut right = Durations::default();
        right.add(Duration::from_secs(3));
        left.merge(&right);
        left.merge(&Durations::default());
        right.add(Duration::ZERO);
        left.merge(&right);
        assert_eq!((left.count(), left.total()), (3, Duration::from_secs(6)));
    }
}
