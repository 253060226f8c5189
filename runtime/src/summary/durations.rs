//! How long many things took, in bounded memory.

use std::time::Duration;

use sketches_ddsketch::{Config, DDSketch};

/// How far a quantile may be from the true one: 2 %.
const ACCURACY: f64 = 0.02;

/// From a nanosecond on, 1 024 bins of that accuracy span eighteen orders of magnitude.
const MAX_BINS: u32 = 1_024;

/// The shortest duration that is told from zero, in seconds.
const SHORTEST: f64 = 1e-9;

/// How long many things took: their number, sum, longest, and quantiles that are right within 2 %.
///
/// At most 8 KiB each, and two can be merged.
#[derive(Clone, Default)]
pub struct Durations {
    sketch: Option<Box<DDSketch>>,
    total: Duration,
    min: Duration,
    max: Duration,
}

impl Durations {
    pub(super) const NONE: Self =
        Self { sketch: None, total: Duration::ZERO, min: Duration::ZERO, max: Duration::ZERO };

    pub(super) fn add(&mut self, took: Duration) {
        self.total += took;
        self.min = if self.sketch.is_none() { took } else { self.min.min(took) };
        self.max = self.max.max(took);
        let sketch = self
            .sketch
            .get_or_insert_with(|| Box::new(DDSketch::new(Config::new(ACCURACY, MAX_BINS, SHORTEST))));
        sketch.add(took.as_secs_f64());
    }

    /// Adds those of another.
    pub fn merge(&mut self, other: &Self) {
        self.total += other.total;
        self.min = match (&self.sketch, &other.sketch) {
            (Some(_), Some(_)) => self.min.min(other.min),
            (Some(_), None) => self.min,
            (None, _) => other.min,
        };
        self.max = self.max.max(other.max);
        match (&mut self.sketch, &other.sketch) {
            (Some(here), Some(there)) => here.merge(there).expect("all sketches have one accuracy"),
            (here @ None, there) => here.clone_from(there),
            (Some(_), None) => {}
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.sketch.as_ref().map_or(0, |sketch| sketch.count() as u64)
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
        let sketch = self.sketch.as_ref()?;
        // The sketch takes the rank `q · (n − 1)` rounded down, which of three makes p95 the middle
        // one; half a rank more keeps the wanted rank clear of rounding.
        let count = self.count() as f64;
        let rank = (q.clamp(0.0, 1.0) * count).ceil().max(1.0) - 1.0;
        let share = if rank + 1.0 >= count { 1.0 } else { (rank + 0.5) / (count - 1.0) };
        let near = Duration::try_from_secs_f64(sketch.quantile(share).ok()??).unwrap_or(self.max);
        Some(near.clamp(self.min, self.max))
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
