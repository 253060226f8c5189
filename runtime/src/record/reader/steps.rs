//! Steps that ended, in the order in which they did: a page at a time.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::blocks::At;
use super::{ReadError, Reader};
use crate::error::OpError;
use crate::event::{StepRef, StepState};
use crate::graph::NodeId;
use crate::key::Key;
use crate::record::raw::{Raw, RawStep};
use crate::store::{CommitHead, CommitIndex};

/// Which steps are asked for.
#[derive(Debug, Clone, Default)]
pub struct StepFilter {
    /// Of one of these nodes; empty for any.
    pub nodes: Vec<NodeId>,
    /// That ended so.
    pub state: Option<StepState>,
    /// With a key that begins so.
    pub key: Option<String>,
}

/// Some of the steps that were asked for.
#[derive(Debug, Clone, Default)]
pub struct StepPage {
    /// The steps.
    pub steps: Vec<StepRow>,
    /// Whether there are more after them.
    pub more: bool,
}

/// A step that ended.
#[derive(Debug, Clone)]
pub struct StepRow {
    /// The step.
    pub step: StepRef,
    /// How it ended.
    pub state: StepState,
    /// When: the time since the run began.
    pub at: Duration,
    /// Its last attempt: which, when it began, how long it took; `None` if it was not run.
    pub attempt: Option<(u32, Duration, Duration)>,
    /// Whether what it gave was copied from another run.
    pub reused: bool,
    /// Why its last attempt failed.
    pub error: Option<Arc<OpError>>,
    /// The step that failed and that it needed.
    pub cause: Option<StepRef>,
}

/// As a step's end stands in a block.
struct End {
    step: RawStep,
    state: StepState,
    at: Duration,
    attempt: Option<(u32, Duration, Duration)>,
    reused: bool,
    error: Option<Arc<OpError>>,
    cause: Option<RawStep>,
}

impl StepFilter {
    /// Whether a commit can hold what is asked for; `counts` says whether success does, too.
    fn may_hold(&self, index: &CommitIndex) -> bool {
        let nodes = self.nodes.iter().fold(0, |mask, node| mask | 1 << (node.0 % 64));
        let state = match self.state {
            None | Some(StepState::Succeeded) => u8::MAX,
            Some(state) => 1 << state as u8,
        };
        index.steps > 0
            && (nodes == 0 || index.nodes & nodes != 0)
            && (state == u8::MAX || index.states & state != 0)
    }

    fn admits(&self, end: &End) -> bool {
        (self.nodes.is_empty() || self.nodes.contains(&end.step.node))
            && self.state.is_none_or(|state| state == end.state)
    }
}

impl Reader {
    /// The steps that ended and are counted, in the order of their ends: at most `limit`, after the
    /// first `skip`.
    ///
    /// # Errors
    /// The run cannot be read.
    pub fn steps(&self, filter: &StepFilter, skip: u64, limit: usize) -> Result<StepPage, ReadError> {
        let heads = self.heads()?;
        let undone = heads.iter().any(|head| head.index.states & CommitIndex::UNDONE != 0);
        let mut ends = if undone {
            let counted = self.counted(&heads, filter)?;
            self.ends_at(&heads, &counted, skip, limit + 1)?
        } else {
            self.ends(&heads, filter, skip, limit + 1)?
        };
        let more = ends.len() > limit;
        ends.truncate(limit);
        Ok(StepPage { steps: self.rows(&heads, ends)?, more })
    }

    /// Where nothing was ever undone, every end counts.
    fn ends(
        &self,
        heads: &[CommitHead],
        filter: &StepFilter,
        mut skip: u64,
        limit: usize,
    ) -> Result<Vec<End>, ReadError> {
        let mut left = heads;
        if filter.nodes.is_empty() && filter.state.is_none() && filter.key.is_none() {
            let first = heads.partition_point(|head| head.index.steps_before <= skip).saturating_sub(1);
            left = &heads[first..];
            skip -= left.first().map_or(0, |head| head.index.steps_before.min(skip));
        }
        let mut keys = filter.key.as_deref().map(KeyFilter::new);
        let wanted = |head: &CommitHead| match filter.key {
            Some(_) if head.index.items > 0 => true,
            _ => filter.may_hold(&head.index),
        };
        let mut ends = Vec::new();
        self.scan(left, wanted, |_, at| {
            if let Some(keys) = &mut keys {
                keys.look_at(&at);
            }
            let Some(end) = End::of(&at) else { return true };
            if filter.admits(&end) && keys.as_ref().is_none_or(|keys| keys.holds(end.step.item)) {
                match skip.checked_sub(1) {
                    Some(fewer) => skip = fewer,
                    None => ends.push(end),
                }
            }
            ends.len() < limit
        })?;
        Ok(ends)
    }

    /// Where something was undone: the places of the ends that count, by commit and number in it.
    fn counted(&self, heads: &[CommitHead], filter: &StepFilter) -> Result<Vec<(u64, u32)>, ReadError> {
        let mut keys = filter.key.as_deref().map(KeyFilter::new);
        let mut ends: Vec<(RawStep, StepState, u64, u32)> = Vec::new();
        // Everything before these places that they say something of counts no more.
        let (mut resumed, mut remade) = (0, HashMap::new());
        let mut gone = Below::default();
        let (mut commit, mut place) = (0, 0);
        self.scan(
            heads,
            |_| true,
            |head, at| {
                if std::mem::replace(&mut commit, head.seq) != head.seq {
                    place = 0;
                }
                gone.look_at(&at);
                if let Some(keys) = &mut keys {
                    keys.look_at(&at);
                }
                match &at.raw {
                    Raw::RunResumed { .. } => resumed = ends.len(),
                    Raw::StepRemade { step } => drop(remade.insert((step.item, step.node), ends.len())),
                    Raw::ItemSuperseded { step, .. } => gone.mark(step.item),
                    _ => {}
                }
                if let Some((step, state)) = ended(&at.raw) {
                    ends.push((step, state, head.seq, place));
                    place += 1;
                }
                true
            },
        )?;
        let counts = |(at, (step, state, ..)): &(usize, (RawStep, StepState, u64, u32))| {
            let kept = *state == StepState::Succeeded || *at >= resumed;
            let remade = remade.get(&(step.item, step.node)).is_some_and(|remade| at < remade);
            kept && !remade && !gone.holds(step.item)
        };
        let asked = |step: &RawStep, state: StepState| {
            (filter.nodes.is_empty() || filter.nodes.contains(&step.node))
                && filter.state.is_none_or(|asked| asked == state)
                && keys.as_ref().is_none_or(|keys| keys.holds(step.item))
        };
        let ends = ends.into_iter().enumerate().filter(counts).map(|(_, end)| end);
        Ok(ends
            .filter(|(step, state, ..)| asked(step, *state))
            .map(|(.., seq, place)| (seq, place))
            .collect())
    }

    /// The ends at a page of places.
    fn ends_at(
        &self,
        heads: &[CommitHead],
        places: &[(u64, u32)],
        skip: u64,
        limit: usize,
    ) -> Result<Vec<End>, ReadError> {
        let skip = usize::try_from(skip).unwrap_or(usize::MAX).min(places.len());
        let page: BTreeSet<_> = places[skip..].iter().take(limit).copied().collect();
        let commits: BTreeSet<_> = page.iter().map(|(seq, _)| *seq).collect();
        let (mut commit, mut place) = (0, 0);
        let mut ends = Vec::new();
        self.scan(
            heads,
            |head| commits.contains(&head.seq),
            |head, at| {
                if std::mem::replace(&mut commit, head.seq) != head.seq {
                    place = 0;
                }
                if ended(&at.raw).is_some() {
                    if page.contains(&(head.seq, place)) {
                        ends.extend(End::of(&at));
                    }
                    place += 1;
                }
                true
            },
        )?;
        Ok(ends)
    }

    /// The steps with their names.
    fn rows(&self, heads: &[CommitHead], ends: Vec<End>) -> Result<Vec<StepRow>, ReadError> {
        let steps = ends.iter().flat_map(|end| std::iter::once(end.step).chain(end.cause));
        let paths = self.paths(heads, steps.map(|step| step.item).collect())?;
        let step = |raw: RawStep| StepRef { node: raw.node, path: paths.get(raw.item) };
        let rows = ends.into_iter().map(|end| StepRow {
            step: step(end.step),
            state: end.state,
            at: end.at,
            attempt: end.attempt,
            reused: end.reused,
            error: end.error,
            cause: end.cause.map(step),
        });
        Ok(rows.collect())
    }
}

/// The step that an event ends, and how.
fn ended(raw: &Raw<'_>) -> Option<(RawStep, StepState)> {
    match raw {
        Raw::StepSucceeded { step, .. } | Raw::StepReused { step, .. } => Some((*step, StepState::Succeeded)),
        Raw::StepFailed { step, .. } => Some((*step, StepState::Failed)),
        Raw::StepNotRun { step, state, .. } => Some((*step, *state)),
        _ => None,
    }
}

impl End {
    fn of(at: &At<'_, '_>) -> Option<Self> {
        let (step, state) = ended(&at.raw)?;
        let mut end =
            Self { step, state, at: at.block.at(), attempt: None, reused: false, error: None, cause: None };
        match &at.raw {
            Raw::StepSucceeded { attempt, times, .. } => {
                end.attempt = Some((*attempt, times.started, times.took));
            }
            Raw::StepFailed { attempt, times, error, .. } => {
                end.attempt = Some((*attempt, times.started, times.took));
                end.error = Some(Arc::clone(error));
            }
            Raw::StepNotRun { cause, .. } => end.cause = *cause,
            _ => end.reused = true,
        }
        Some(end)
    }
}

/// Which items have a key that begins as asked, or lie below one that has.
struct KeyFilter {
    prefix: String,
    items: Vec<bool>,
}

impl KeyFilter {
    fn new(prefix: &str) -> Self {
        // The first stands for what lies outside all fan-outs, and has no key.
        Self { prefix: prefix.to_owned(), items: vec![false] }
    }

    fn look_at(&mut self, at: &At<'_, '_>) {
        let Raw::ItemYielded { step, key, outer, .. } = &at.raw else { return };
        let around = if *outer { at.block.outer() } else { &[] };
        let begins =
            self.holds(step.item) || self.begins(key) || around.iter().any(|(key, _)| self.begins(key));
        self.items.push(begins);
    }

    fn begins(&self, key: &Key) -> bool {
        match key.as_text() {
            Some(text) => text.starts_with(&self.prefix),
            None => key.to_string().starts_with(&self.prefix),
        }
    }

    fn holds(&self, item: u32) -> bool {
        self.items.get(item as usize).copied().unwrap_or(false)
    }
}

/// Which items are superseded, or lie below one that is.
#[derive(Default)]
struct Below {
    /// The item around each item.
    around: Vec<u32>,
    marked: BTreeSet<u32>,
}

impl Below {
    fn look_at(&mut self, at: &At<'_, '_>) {
        if let Raw::ItemYielded { step, .. } = &at.raw {
            self.around.push(step.item);
        }
    }

    fn mark(&mut self, item: u32) {
        self.marked.insert(item);
    }

    fn holds(&self, item: u32) -> bool {
        let around = |item: &u32| self.around.get(item.checked_sub(1)? as usize).copied();
        std::iter::successors(Some(item), around).any(|item| self.marked.contains(&item))
    }
}
