//! Limits: tokens that a step takes when it starts, all of them or none.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::graph::StepOptions;
use crate::options::PoolLimit;

use super::ready::Entry;

/// What bounds the steps in flight.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// How many steps may be in flight.
    pub max_concurrent: u32,
    /// The limits of pools, by name.
    pub pools: BTreeMap<String, PoolLimit>,
    /// The limits of tag values, by name and value.
    pub tags: BTreeMap<(String, String), u32>,
}

/// The tokens of pools and tag values.
#[derive(Debug)]
pub(crate) struct Tokens {
    limits: Vec<Limit>,
    pools: HashMap<Arc<str>, usize>,
    tags: HashMap<(Arc<str>, Arc<str>), usize>,
}

#[derive(Debug)]
struct Limit {
    name: String,
    max: u32,
    taken: u32,
    rate: Option<crate::options::Rate>,
    /// When the latest attempts started, oldest first: as many as may start in one span.
    starts: VecDeque<Duration>,
    /// Steps that wait for this limit, with their ranks: those for threads, those for the runtime.
    parked: [BinaryHeap<Reverse<(u32, Entry)>>; 2],
    /// When a step that waits for the rate is looked at again.
    wakes_at: Option<Duration>,
}

impl Tokens {
    pub(crate) fn new(limits: &Limits) -> Self {
        let mut this = Self { limits: Vec::new(), pools: HashMap::new(), tags: HashMap::new() };
        for (name, limit) in &limits.pools {
            this.pools.insert(name.as_str().into(), this.limits.len());
            this.limits.push(Limit::new(name.clone(), limit.max.unwrap_or(u32::MAX), limit.rate));
        }
        for ((name, value), max) in &limits.tags {
            this.tags.insert((name.as_str().into(), value.as_str().into()), this.limits.len());
            this.limits.push(Limit::new(format!("{name}={value}"), *max, None));
        }
        this
    }

    pub(super) fn of<'a>(&'a self, options: &'a StepOptions) -> impl Iterator<Item = usize> + 'a {
        let pool = options.pool.as_ref().and_then(|pool| self.pools.get(pool));
        let tags = options.tags.iter().filter_map(|tag| self.tags.get(tag));
        pool.into_iter().chain(tags).copied()
    }

    /// A limit's name, and how many steps may hold its tokens at once.
    pub(super) fn limit(&self, limit: usize) -> (&str, u32) {
        (&self.limits[limit].name, self.limits[limit].max)
    }

    /// Whether steps with these options take tokens.
    pub(crate) fn bound(&self, options: &StepOptions) -> bool {
        !self.limits.is_empty() && self.of(options).next().is_some()
    }

    /// Takes all tokens of a step that starts now, or none. `again` for a poll of an emitter that
    /// has begun: it holds tokens while it is polled, and counts once as a start.
    ///
    /// # Errors
    /// The limit that has none left.
    pub(crate) fn take(&mut self, options: &StepOptions, now: Duration, again: bool) -> Result<(), usize> {
        if self.limits.is_empty() {
            return Ok(());
        }
        let wanted: Vec<_> = self.of(options).collect();
        for limit in &wanted {
            self.limits[*limit].has_room(now, again).map_err(|_| *limit)?;
        }
        for limit in wanted {
            self.limits[limit].take(now, again);
        }
        Ok(())
    }

    /// Gives the tokens of a step back.
    pub(crate) fn give_back(&mut self, options: &StepOptions) {
        if self.limits.is_empty() {
            return;
        }
        let given: Vec<_> = self.of(options).collect();
        for limit in given {
            self.limits[limit].taken -= 1;
        }
    }

    /// Keeps a step that was refused until the limit has room.
    pub(crate) fn park(&mut self, limit: usize, on_runtime: bool, rank: u32, entry: Entry) {
        self.limits[limit].parked[usize::from(on_runtime)].push(Reverse((rank, entry)));
    }

    /// Whether a step waits for a limit.
    pub(crate) fn any_parked(&self) -> bool {
        self.limits.iter().any(|limit| limit.parked.iter().any(|parked| !parked.is_empty()))
    }

    /// The first of the steps that were refused and may start now.
    pub(crate) fn peek(&self, now: Duration, on_runtime: bool) -> Option<(usize, &(u32, Entry))> {
        let first = |limit: usize| {
            let first = self.limits[limit].parked[usize::from(on_runtime)].peek();
            first.map(|Reverse(first)| (limit, first))
        };
        let has_room = |limit: &usize| self.limits[*limit].has_room(now, false).is_ok();
        (0..self.limits.len()).filter(has_room).filter_map(first).min_by_key(|(_, first)| *first)
    }

    /// Takes the step that `peek` found at `limit`.
    pub(crate) fn pop(&mut self, limit: usize, on_runtime: bool) -> Option<(u32, Entry)> {
        self.limits[limit].parked[usize::from(on_runtime)].pop().map(|Reverse(first)| first)
    }

    /// How many refused steps for threads may start now.
    pub(crate) fn waiting(&self, now: Duration) -> usize {
        let room = |limit: &Limit| limit.has_room(now, false).map_or(0, |()| limit.max - limit.taken);
        self.limits.iter().map(|limit| limit.parked[0].len().min(room(limit) as usize)).sum()
    }

    /// The limits for which a step waits until a time has come, that nobody was told of yet.
    pub(crate) fn alarms(&mut self, now: Duration) -> Vec<(usize, Duration)> {
        let mut alarms = Vec::new();
        for (index, limit) in self.limits.iter_mut().enumerate() {
            let waits = limit.parked.iter().any(|parked| !parked.is_empty());
            if waits
                && limit.wakes_at.is_none()
                && let Err(Some(until)) = limit.has_room(now, false)
            {
                limit.wakes_at = Some(until);
                alarms.push((index, until));
            }
        }
        alarms
    }

    /// The time of a rate has come.
    pub(crate) fn wake(&mut self, limit: usize) {
        self.limits[limit].wakes_at = None;
    }
}

impl Limit {
    fn new(name: String, max: u32, rate: Option<crate::options::Rate>) -> Self {
        Self {
            name,
            max,
            taken: 0,
            rate,
            starts: VecDeque::new(),
            parked: Default::default(),
            wakes_at: None,
        }
    }

    /// Whether a step may start; if not, when, if that is only a matter of time.
    fn has_room(&self, now: Duration, again: bool) -> Result<(), Option<Duration>> {
        if self.taken >= self.max {
            return Err(None);
        }
        let Some(rate) = self.rate.filter(|_| !again) else { return Ok(()) };
        match self.starts.front() {
            Some(first) if self.starts.len() >= rate.starts as usize && *first + rate.per > now => {
                Err(Some(*first + rate.per))
            }
            _ => Ok(()),
        }
    }

    fn take(&mut self, now: Duration, again: bool) {
        self.taken += 1;
        if let Some(rate) = self.rate.filter(|_| !again) {
            if self.starts.len() >= rate.starts as usize {
                self.starts.pop_front();
            }
            self.starts.push_back(now);
        }
    }
}
