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
    /// Steps that wait for this limit, with their ranks.
    parked: BinaryHeap<Reverse<(u32, Entry)>>,
    wakes_at: Option<Duration>,
}

/// Why a step cannot start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    limit: usize,
    /// When there is room again, if that is only a matter of time.
    pub(crate) until: Option<Duration>,
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

    /// Whether steps with these options take tokens.
    pub(crate) fn bound(&self, options: &StepOptions) -> bool {
        self.of(options).next().is_some()
    }

    /// Takes all tokens of a step that starts now, or none. `again` for a poll of an emitter that
    /// has begun: it holds tokens while it is polled, and counts once as a start.
    pub(crate) fn take(&mut self, options: &StepOptions, now: Duration, again: bool) -> Result<(), Refusal> {
        let wanted: Vec<_> = self.of(options).collect();
        for limit in &wanted {
            self.limits[*limit].has_room(now, again).map_err(|until| Refusal { limit: *limit, until })?;
        }
        for limit in wanted {
            self.limits[limit].take(now, again);
        }
        Ok(())
    }

    /// Gives the tokens of a step back: the steps that may now start, with their ranks.
    pub(crate) fn give_back(&mut self, options: &StepOptions) -> Vec<(u32, Entry)> {
        let given: Vec<_> = self.of(options).collect();
        for limit in &given {
            self.limits[*limit].taken -= 1;
        }
        given
            .into_iter()
            .filter_map(|limit| self.limits[limit].parked.pop())
            .map(|Reverse(entry)| entry)
            .collect()
    }

    /// Keeps a step that was refused; says when to look again, if a timer is needed.
    pub(crate) fn park(&mut self, refusal: Refusal, rank: u32, entry: Entry) -> Option<(usize, Duration)> {
        let limit = &mut self.limits[refusal.limit];
        limit.parked.push(Reverse((rank, entry)));
        let until = refusal.until?;
        let needed = limit.wakes_at.is_none();
        limit.wakes_at.get_or_insert(until);
        needed.then_some((refusal.limit, until))
    }

    /// After a step with these options was refused: a step for each of its other limits that has
    /// room, since it does not take the token that it may have been woken for.
    pub(crate) fn others(
        &mut self,
        options: &StepOptions,
        refusal: Refusal,
        now: Duration,
    ) -> Vec<(u32, Entry)> {
        let others: Vec<_> = self.of(options).filter(|limit| *limit != refusal.limit).collect();
        others.into_iter().filter_map(|limit| self.limits[limit].may_start(now)).collect()
    }

    /// A step for each limit that has room.
    pub(crate) fn idle(&mut self, now: Duration) -> Vec<(u32, Entry)> {
        self.limits.iter_mut().filter_map(|limit| limit.may_start(now)).collect()
    }

    /// The time of a rate has come: the steps that may now start, with their ranks.
    pub(crate) fn unpark(&mut self, limit: usize) -> Vec<(u32, Entry)> {
        let limit = &mut self.limits[limit];
        limit.wakes_at = None;
        let room = limit.rate.map_or(1, |rate| rate.starts);
        std::iter::from_fn(|| limit.parked.pop()).take(room as usize).map(|Reverse(entry)| entry).collect()
    }

    /// A limit's name, and how many steps may hold its tokens at once.
    pub(super) fn limit(&self, limit: usize) -> (&str, u32) {
        (&self.limits[limit].name, self.limits[limit].max)
    }
}

impl Limit {
    fn new(name: String, max: u32, rate: Option<crate::options::Rate>) -> Self {
        Self { name, max, taken: 0, rate, starts: VecDeque::new(), parked: BinaryHeap::new(), wakes_at: None }
    }

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

    /// The first of those that wait, if there is room for it.
    fn may_start(&mut self, now: Duration) -> Option<(u32, Entry)> {
        if self.parked.is_empty() || self.has_room(now, false).is_err() {
            return None;
        }
        self.parked.pop().map(|Reverse(entry)| entry)
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
