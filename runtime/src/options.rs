//! How a step is run: retries, timeouts, priorities and limits.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How often, and after which waits, a failed attempt is followed by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How many attempts may follow the first.
    pub max: u32,
    /// The unit of waiting.
    pub delay: Duration,
    /// How the wait grows from one retry to the next.
    pub backoff: Backoff,
    /// How the wait is made random.
    pub jitter: Jitter,
    /// The longest wait.
    pub max_delay: Option<Duration>,
}

impl RetryPolicy {
    /// At most `max` retries, each at once.
    pub const fn new(max: u32) -> Self {
        Self { max, delay: Duration::ZERO, backoff: Backoff::None, jitter: Jitter::None, max_delay: None }
    }

    /// The wait before retry `n` (1 is the first); `random` is uniform in `0.0..1.0`.
    ///
    /// Without jitter: `delay`, `n · delay` or `(2ⁿ − 1) · delay`, at most `max_delay`.
    /// Full jitter takes a random part of that; plus-minus adds a random part of one `delay`
    /// or takes it away.
    pub fn wait(&self, n: u32, random: f64) -> Duration {
        let factor = match self.backoff {
            Backoff::None => 1.0,
            Backoff::Linear => f64::from(n),
            Backoff::Exponential => 2f64.powi(n.min(1024).cast_signed()) - 1.0,
        };
        let longest = self.max_delay.unwrap_or(LONGEST_WAIT).as_secs_f64();
        let plain = (self.delay.as_secs_f64() * factor).min(longest);
        let wait = match self.jitter {
            Jitter::None => plain,
            Jitter::Full => plain * random,
            Jitter::PlusMinus => plain + self.delay.as_secs_f64() * (2.0 * random - 1.0),
        };
        Duration::from_secs_f64(wait.clamp(0.0, longest))
    }
}

/// The longest wait of a policy that names none: a wait beyond this is a mistake in the policy.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// How the wait before a retry grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backoff {
    /// Always `delay`.
    None,
    /// `n · delay`.
    Linear,
    /// `(2ⁿ − 1) · delay`.
    Exponential,
}

/// How the wait before a retry is made random, so that many copies do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jitter {
    /// Not at all.
    None,
    /// Anything from nothing to the whole wait.
    Full,
    /// Up to one `delay` more or less.
    PlusMinus,
}

/// In which order ready steps of one priority start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The step furthest along first: an item is finished before the next is opened.
    #[default]
    DepthFirst,
    /// The step least far along first: a level is finished before the next is begun.
    BreadthFirst,
}

/// The limit of a pool of steps, or of a tag's value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PoolLimit {
    /// How many steps may be in flight.
    pub max: Option<u32>,
    /// How many attempts may start.
    pub rate: Option<Rate>,
}

/// Starts per time: `10/s` is ten a second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// How many attempts may start in each `per`.
    pub starts: u32,
    /// The span of time.
    pub per: Duration,
}

/// What an op says about its steps. A value that the call gives beats one given here, which beats
/// the job's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OpOptions {
    /// When to try again.
    pub retry: Option<RetryPolicy>,
    /// The longest time of one attempt.
    pub timeout: Option<Duration>,
    /// Higher starts first; 0 where nothing is said.
    pub priority: Option<i32>,
    /// The pool whose limit its steps count against.
    pub pool: Option<&'static str>,
    /// Names and values that limits, lists and pages can speak of.
    pub tags: &'static [(&'static str, &'static str)],
    /// Whether items start their copies as they are yielded; else when the emitter has succeeded.
    pub streaming: bool,
}

impl OpOptions {
    /// Nothing said.
    pub const DEFAULT: Self =
        Self { retry: None, timeout: None, priority: None, pool: None, tags: &[], streaming: true };
}

/// What a job says about its runs. Flags and the config file beat it.
#[derive(Debug, Clone, Copy)]
pub struct JobOptions {
    /// How many steps may be in flight; [`DEFAULT_MAX_CONCURRENT`] where nothing is said.
    pub max_concurrent: Option<u32>,
    /// In which order ready steps start.
    pub order: Option<Order>,
    /// The limits of its pools.
    pub pools: &'static [(&'static str, PoolLimit)],
    /// The limits of tag values: name, value, how many may be in flight.
    pub tag_limits: &'static [(&'static str, &'static str, u32)],
    /// Whether the first failure keeps further steps from starting.
    pub fail_fast: bool,
    /// The retry policy of ops that have none.
    pub retry: Option<RetryPolicy>,
}

impl JobOptions {
    /// Nothing said.
    pub const DEFAULT: Self = Self {
        max_concurrent: None,
        order: None,
        pools: &[],
        tag_limits: &[],
        fail_fast: false,
        retry: None,
    };
}

/// How many steps may be in flight where nothing is said: enough for ops that wait on others,
/// few enough for a laptop's file handles.
pub const DEFAULT_MAX_CONCURRENT: u32 = 64;

/// How many items of one fan-out may be open: enough to keep every worker busy, few enough that
/// memory follows outstanding items and not all items.
pub const OPEN_ITEMS: u32 = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(backoff: Backoff, jitter: Jitter) -> RetryPolicy {
        RetryPolicy { max: 9, delay: Duration::from_secs(2), backoff, jitter, max_delay: None }
    }

    #[test]
    fn s4_7_waits_follow_the_three_formulas() {
        let waits = |backoff| [1, 2, 3].map(|n| policy(backoff, Jitter::None).wait(n, 0.5).as_secs());
        assert_eq!(waits(Backoff::None), [2, 2, 2]);
        assert_eq!(waits(Backoff::Linear), [2, 4, 6]);
        assert_eq!(waits(Backoff::Exponential), [2, 6, 14]);
    }

    #[test]
    fn s4_7_jitter_stays_in_its_bounds_and_the_longest_wait_holds() {
        let full = policy(Backoff::Linear, Jitter::Full);
        assert_eq!((full.wait(3, 0.0), full.wait(3, 0.5)), (Duration::ZERO, Duration::from_secs(3)));
        let around = policy(Backoff::Linear, Jitter::PlusMinus);
        assert_eq!(
            (around.wait(3, 0.0), around.wait(3, 0.5)),
            (Duration::from_secs(4), Duration::from_secs(6))
        );
        let capped = RetryPolicy {
            max_delay: Some(Duration::from_secs(5)),
            ..policy(Backoff::Exponential, Jitter::None)
        };
        assert_eq!(capped.wait(3, 0.9), Duration::from_secs(5));
        assert_eq!(policy(Backoff::Exponential, Jitter::None).wait(u32::MAX, 0.9), LONGEST_WAIT);
    }
}
