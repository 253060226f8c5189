//! Single steps: where each is, how it stands, and what lies around and below it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Index;
use super::entry::MANY;
use crate::event::{StepRef, StepState};
use crate::graph::{NodeId, ScopeId};
use crate::key::Key;
use crate::step::{Path, StepName};

/// A step, as the index has it.
#[derive(Debug, Clone)]
pub(crate) struct IndexedStep {
    /// The step. Where its items are in yield order is not known.
    pub(crate) step: StepRef,
    pub(crate) state: StepState,
    /// How many attempts were begun; 0 if it was not run.
    pub(crate) attempts: u32,
    /// When the last attempt began: the time since the run began.
    pub(crate) started: Option<Duration>,
    /// How long it took, to the microsecond; `None` while it runs, too.
    pub(crate) took: Option<Duration>,
    /// Whether what it gave was copied from another run.
    pub(crate) reused: bool,
    /// Whether it waits for its next attempt.
    pub(crate) retrying: bool,
}

/// The last attempt of a step, as a timeline shows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bar {
    pub(crate) place: u32,
    pub(crate) node: NodeId,
    /// Its state, as a place in [`StepState::ALL`].
    pub(crate) state: usize,
    /// Whether the step ended with it.
    pub(crate) ended: bool,
    pub(crate) attempts: u32,
    /// When it began, and how long it took or has taken, in microseconds.
    pub(crate) started: u64,
    pub(crate) took: u64,
}

impl Index {
    /// The last commit that it knows of.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// The time of the last event, in microseconds.
    pub(crate) fn elapsed(&self) -> u64 {
        self.elapsed
    }

    /// How many places there are, with those of steps that do not count any more.
    #[cfg(test)]
    pub(crate) fn places(&self) -> u32 {
        self.steps.len() as u32
    }

    /// The node of the step at a place, and the number of its item.
    pub(crate) fn numbers(&self, place: u32) -> (NodeId, u32) {
        let (item, node) = self.state.step_at(place as usize);
        (node, item)
    }

    /// The place of a node's step in an item; `None` if it has no such step.
    pub(crate) fn place_of(&self, node: NodeId, item: u32) -> Option<u32> {
        let slot = if item <= self.state.items() { self.state.slot(item, node) } else { None };
        slot.map(|slot| slot as u32)
    }

    /// How a step stands; `None` if it does not count: its item was superseded, or the run ended
    /// without it. `driven` says whether a process drives the run: else nothing runs.
    pub(crate) fn state_of(&self, place: u32, driven: bool) -> Option<StepState> {
        let (item, _) = self.state.step_at(place as usize);
        if self.state.is_alive(item) { self.standing(place, driven) } else { None }
    }

    /// The same of a step whose item counts.
    #[inline]
    pub(super) fn standing(&self, place: u32, driven: bool) -> Option<StepState> {
        match self.steps[place as usize].state() {
            StepState::Waiting if self.state.is_ended() => None,
            StepState::Running if !driven => Some(StepState::Waiting),
            state => Some(state),
        }
    }

    #[inline]
    pub(super) fn attempts(&self, place: u32) -> u32 {
        match self.steps[place as usize].attempts {
            MANY => self.many.get(&place).copied().unwrap_or(u32::from(MANY)),
            attempts => u32::from(attempts),
        }
    }

    /// When its last attempt began, and how long it took or has taken, in microseconds.
    #[inline]
    pub(crate) fn times(&self, place: u32) -> Option<(u64, u64)> {
        let entry = &self.steps[place as usize];
        let took = match entry.state() {
            StepState::Running => self.elapsed.saturating_sub(entry.started()),
            _ => entry.took(),
        };
        (entry.attempts > 0).then(|| (entry.started(), took))
    }

    /// Tells the last attempts of all steps that count and were run, in the order in which they opened.
    pub(crate) fn each_bar(&self, driven: bool, mut tell: impl FnMut(Bar)) {
        for alike in self.state.alike() {
            let steps = &self.state.layout().scope(alike.scope).steps;
            let mut place = alike.first_slot as u32;
            for item in alike.items {
                let first = place;
                place += steps.len() as u32;
                if !self.state.is_alive(item) {
                    continue;
                }
                for (place, node) in (first..).zip(steps) {
                    let Some((started, took)) = self.times(place) else { continue };
                    let Some(state) = self.standing(place, driven) else { continue };
                    let ended = !matches!(state, StepState::Running | StepState::Waiting);
                    let (state, attempts) = (severity(state), self.attempts(place));
                    tell(Bar { place, node: *node, state, ended, attempts, started, took });
                }
            }
        }
    }

    /// The commit that has the last event about the step at a place; 0 if there is none.
    pub(crate) fn commit_of(&self, place: u32) -> u64 {
        self.steps[place as usize].commit()
    }

    /// The step at a place; `None` if it does not count.
    pub(crate) fn step(&self, place: u32, driven: bool) -> Option<IndexedStep> {
        let state = self.state_of(place, driven)?;
        let (node, item) = self.numbers(place);
        let entry = &self.steps[place as usize];
        let ran = entry.attempts > 0;
        let ended = ran && entry.state() != StepState::Running;
        Some(IndexedStep {
            step: StepRef { node, path: self.path(item) },
            state,
            attempts: self.attempts(place),
            started: ran.then(|| Duration::from_micros(entry.started())),
            took: ended.then(|| Duration::from_micros(entry.took())),
            reused: entry.is_reused(),
            retrying: entry.is_retrying(),
        })
    }

    /// The place of the step of a name, if it counts. Of several, the one that came last.
    pub(crate) fn place(&self, name: &StepName) -> Option<u32> {
        let is_it = |node: &NodeId| *self.shape.node(*node).name == *name.op();
        let node = self.shape.steps().find(is_it)?;
        self.place_of(node, self.item(self.shape.node(node).scope, name.keys())?)
    }

    /// The item of these keys in a scope.
    fn item(&self, scope: ScopeId, keys: &[Key]) -> Option<u32> {
        let around: Vec<_> = self.shape.outwards(scope).collect();
        // The items whose keys are the first of these, and how many they are.
        let mut first = BTreeMap::from([(0, 0)]);
        for alike in self.state.alike().skip(1).filter(|alike| around.contains(&alike.scope)) {
            let Some(known) = first.get(&alike.parent).copied() else { continue };
            self.keys.each(alike.items.start, |item, parts| {
                let end = known + parts.len();
                let named = keys.get(known..end);
                if named.is_some_and(|keys| parts.iter().zip(keys).all(|(part, key)| part.is(key)))
                    && self.state.is_alive(item)
                {
                    first.insert(item, end);
                }
                item + 1 < alike.items.end
            });
        }
        let mut found = first.into_iter().rev().filter(|(_, known)| *known == keys.len());
        found.find(|(item, _)| self.state.scope_of(*item) == scope).map(|(item, _)| item)
    }

    /// Where an item lies. Each call makes a path of its own.
    pub(crate) fn path(&self, item: u32) -> Path {
        let around = std::iter::successors(Some(item), |item| Some(self.state.parent_of(*item)));
        let mut around: Vec<_> = around.take_while(|item| *item > 0).collect();
        around.reverse();
        around.into_iter().fold(Path::root(), |path, item| {
            self.keys.get(item).iter().fold(path, |path, part| path.item(part.key(), 0, item))
        })
    }

    /// The scope that an item is an instance of.
    pub(crate) fn scope_of(&self, item: u32) -> ScopeId {
        self.state.scope_of(item)
    }

    /// The item of a scope that an item lies in, or is: what a step reads of further out is there.
    pub(crate) fn around(&self, item: u32, scope: ScopeId) -> Option<u32> {
        let mut around =
            std::iter::successors(Some(item), |item| (*item > 0).then(|| self.state.parent_of(*item)));
        around.find(|item| self.state.scope_of(*item) == scope)
    }

    /// Whether a fan-out has all its items: what opens it, in the item around it, said so since the run
    /// began or was resumed.
    pub(crate) fn is_closed(&self, around: u32, (node, output): (NodeId, u16)) -> bool {
        self.state.is_closed(around, node, output)
    }

    /// The items of a scope that count and lie in an item, however deep, in the order in which they
    /// opened; the item itself, if it is one.
    pub(crate) fn below(&self, item: u32, scope: ScopeId) -> impl Iterator<Item = u32> {
        let around = self.state.scope_of(item);
        let alike = self.state.alike().filter(move |alike| alike.scope == scope);
        let alike = alike.filter(move |alike| {
            alike.items.contains(&item) || self.around(alike.parent, around) == Some(item)
        });
        alike
            .flat_map(|alike| alike.items)
            .filter(move |below| (scope != around || *below == item) && self.state.is_alive(*below))
    }

    /// How many of the steps of a node that lie in an item, however deep, stand how: in the order of
    /// [`StepState::ALL`].
    pub(crate) fn counts_below(&self, item: u32, node: NodeId, driven: bool) -> [u64; 7] {
        let mut counts = [0; 7];
        for item in self.below(item, self.shape.node(node).scope) {
            let place = self.place_of(node, item);
            let state = place.and_then(|place| self.standing(place, driven));
            if let Some(state) = state {
                counts[severity(state)] += 1;
            }
        }
        counts
    }
}

/// The place of a state in [`StepState::ALL`], and so in what the page is told.
#[inline]
pub(crate) fn severity(state: StepState) -> usize {
    match state {
        StepState::Succeeded => 0,
        StepState::Failed => 1,
        StepState::UpstreamFailed => 2,
        StepState::Skipped => 3,
        StepState::Cancelled => 4,
        StepState::Running => 5,
        StepState::Waiting => 6,
    }
}
