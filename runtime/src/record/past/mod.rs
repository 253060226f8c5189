//! What a resume needs to know of a run: which steps have succeeded and what they gave, which items there
//! are and where they came from, and how often the other steps were tried.
//!
//! It is built from the blocks of the run, which it keeps: a record is read where it lies. An event that
//! could not have followed those before it is refused. What a value is, is not known here.

mod fans;
mod take;
mod whole;

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use super::state::State;
use super::varint::Cursor;
use crate::changes::corresponding;
use crate::event::{RunState, StepRef, StepState};
use crate::graph::{NodeId, ScopeId};
use crate::key::Key;
use crate::select::PastRun;
use crate::shape::Shape;
use crate::step::Path;
use fans::Fans;

/// A run, as its record tells it.
#[derive(Debug)]
pub struct Past {
    shape: Shape,
    state: State,
    blocks: Vec<Vec<u8>>,
    /// By their numbers; the first stands for what lies outside all fan-outs.
    items: Vec<Item>,
    /// The keys of the items below the steps that gave them, outermost first, and their places in yield
    /// order: of all items, one after the other.
    keys: Vec<Key>,
    places: Vec<u32>,
    /// Where the records of the steps that succeeded lie, by their slots in the state.
    steps: Vec<Place>,
    /// The attempts that succeeded and were not the first.
    later: HashMap<usize, u32>,
    /// The steps that were tried and have not succeeded.
    tried: HashMap<usize, Tried>,
    started: Option<SystemTime>,
    /// When the last session began: the time of day, and the time since the run began.
    session: Option<(SystemTime, Duration)>,
    /// For how long nobody has driven the run since its last event.
    away: Duration,
    ended: Option<RunState>,
    elapsed: Duration,
    /// What was in hand at each death that the run was resumed after, as long as it died each time.
    deaths: Vec<Vec<StepRef>>,
    /// The steps that failed as poison, by their slots.
    poisoned: HashMap<usize, (u32, NodeId)>,
    /// How steps ended that did not succeed, by their slots.
    unsuccessful: HashMap<usize, StepState>,
    /// For a job that has changed since: which node of the run each of today's is.
    as_of: Option<Vec<Option<NodeId>>>,
    /// The items by their fan-outs; made when somebody asks.
    fans: OnceLock<Fans>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Item {
    record: Place,
    /// Where its keys begin.
    keys: u32,
}

/// Where the length of a record stands.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    block: u32,
    /// No record is at the beginning of a block: 0 stands for none.
    at: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tried {
    attempt: u32,
    failed: u32,
    due: Option<Duration>,
}

/// What is known of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepPast {
    /// No attempt was begun.
    Never,
    /// It was tried, and has not succeeded.
    Tried {
        /// The highest number of an attempt, ended or not.
        attempt: u32,
        /// How many attempts failed since the step began, or since it failed for good (§4.7).
        failed: u32,
        /// When its next attempt is due, if it waits for one: the time since the run began.
        due: Option<Duration>,
    },
    /// It succeeded, or was copied from another run.
    Succeeded {
        /// Which attempt did.
        attempt: u32,
    },
}

impl Past {
    /// How the run stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The number of the last item that was opened; 0 if none was.
    pub fn last_item(&self) -> u32 {
        self.state.items()
    }

    /// The time of the last event: the time since the run began.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The time of day at which the run began; 1970 if it has not.
    pub fn started(&self) -> SystemTime {
        self.started.unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Whether the run has begun: else its process died before the first commit.
    pub fn has_begun(&self) -> bool {
        self.started.is_some()
    }

    /// Whether there can be such a step.
    pub(crate) fn has_step(&self, item: u32, node: NodeId) -> bool {
        node.index() < self.shape.nodes.len() && self.slot(item, node).is_some()
    }

    /// How the run ended; `None` if it did not, or was resumed since.
    pub fn ended(&self) -> Option<RunState> {
        self.ended
    }

    /// The keys of an item below the step that gave it, outermost first.
    pub fn parts(&self, item: u32) -> Vec<Key> {
        self.keys_of(item).to_vec()
    }

    fn keys_of(&self, item: u32) -> &[Key] {
        &self.keys[self.own(item)]
    }

    /// What gave an item that was opened: a node, which of its outputs, and the item that its step lies
    /// in.
    pub fn opener(&self, item: u32) -> (NodeId, u16, u32) {
        let fan = self.shape.scopes.get(self.state.scope_of(item).index()).and_then(|scope| scope.fan);
        let (node, output) = fan.unwrap_or((NodeId(0), 0));
        (node, output, self.state.parent_of(item))
    }

    /// The place of an item in the yield order of its fan-out, when it was given first.
    pub fn index(&self, item: u32) -> u32 {
        self.places[self.own(item)].last().copied().unwrap_or_default()
    }

    /// Where the keys of an item are; none for an item that there is not.
    fn own(&self, item: u32) -> std::ops::Range<usize> {
        let Some(Item { keys, .. }) = self.items.get(item as usize) else { return 0..0 };
        let end = self.items.get(item as usize + 1).map_or(self.keys.len(), |next| next.keys as usize);
        *keys as usize..end
    }

    /// What is recorded of an item's value; empty if nothing is.
    pub fn item_record(&self, item: u32) -> &[u8] {
        self.items.get(item as usize).and_then(|item| self.record(item.record)).unwrap_or_default()
    }

    /// What is known of a step.
    pub fn step(&self, item: u32, node: NodeId) -> StepPast {
        let Some(node) = self.then(node) else { return StepPast::Never };
        let Some(slot) = self.slot(item, node) else { return StepPast::Never };
        if self.state.succeeded(item, node) {
            return StepPast::Succeeded { attempt: self.later.get(&slot).copied().unwrap_or(1) };
        }
        match self.tried.get(&slot) {
            Some(&Tried { attempt, failed, due }) => {
                let due = due.map(|due| due.saturating_sub(self.away));
                StepPast::Tried { attempt, failed, due }
            }
            None => StepPast::Never,
        }
    }

    /// What is recorded of a step that succeeded.
    pub fn step_record(&self, item: u32, node: NodeId) -> Option<&[u8]> {
        self.record(*self.steps.get(self.slot(item, self.then(node)?)?)?)
    }

    fn slot(&self, item: u32, node: NodeId) -> Option<usize> {
        if item <= self.last_item() { self.state.slot(item, node) } else { None }
    }

    fn record(&self, place: Place) -> Option<&[u8]> {
        let block = self.blocks.get(place.block as usize).filter(|_| place.at > 0)?;
        Cursor::new(block.get(place.at as usize..)?).bytes("a record").ok()
    }

    /// The steps of an item, and of all that counts below it, that have succeeded.
    pub fn succeeded_below(&self, item: u32) -> Vec<(NodeId, StepState)> {
        let (mut steps, mut items) = (Vec::new(), vec![item]);
        while let Some(item) = items.pop().filter(|item| *item <= self.last_item()) {
            let scope = self.state.layout().scope(self.state.scope_of(item));
            let succeeded = scope.steps.iter().filter(|node| self.state.succeeded(item, **node));
            steps.extend(succeeded.map(|node| (*node, StepState::Succeeded)));
            for inner in &scope.inner {
                items.extend(self.fans().items(item, *inner));
            }
        }
        steps
    }

    /// How many items lie below an item, in each scope in which some do; those that still count.
    pub fn scopes_below(&self, item: u32) -> BTreeMap<ScopeId, usize> {
        let (mut counts, mut items) = (BTreeMap::new(), vec![item]);
        while let Some(item) = items.pop().filter(|item| *item <= self.last_item()) {
            for inner in &self.state.layout().scope(self.state.scope_of(item)).inner {
                let inside = self.fans().items(item, *inner);
                *counts.entry(*inner).or_default() += inside.len();
                items.extend(inside);
            }
        }
        counts
    }

    /// Where an item lies. Each call makes a path of its own.
    pub fn path(&self, item: u32) -> Path {
        let around = std::iter::successors(Some(item.min(self.last_item())), |item| {
            (*item > 0).then(|| self.state.parent_of(*item))
        });
        let mut around: Vec<_> = around.take_while(|item| *item > 0).collect();
        around.reverse();
        around.into_iter().fold(Path::root(), |path, item| {
            let own = self.own(item);
            let parts = self.keys[own.clone()].iter().zip(&self.places[own]);
            parts.fold(path, |path, (key, index)| path.item(key.clone(), *index, item))
        })
    }

    /// The items that an output of a node gave in the item `parent`, and that still count: in the yield
    /// order of the emitter's last attempt, as far as it is known. Items that an attempt gave again keep
    /// their order among each other.
    pub fn items(&self, parent: u32, node: NodeId, output: u16) -> &[u32] {
        self.opened_by(parent, node, output).map_or(&[], |scope| self.fans().items(parent, scope))
    }

    /// What was in hand at each of the last deaths, between which the run never ended by itself; the
    /// latest is the last.
    pub fn deaths(&self) -> &[Vec<StepRef>] {
        &self.deaths
    }

    /// The steps that failed because the process died each time that it ran them (§4.10).
    pub fn poisoned(&self) -> Vec<(u32, NodeId)> {
        self.poisoned.values().copied().collect()
    }

    /// Whether an item has these keys below the step that gave it.
    pub(crate) fn has_parts(&self, item: u32, parts: &[Key]) -> bool {
        self.keys_of(item) == parts
    }

    /// The item of these keys among [`items`](Self::items).
    pub fn find(&self, parent: u32, node: NodeId, output: u16, parts: &[Key]) -> Option<u32> {
        let scope = self.opened_by(parent, node, output)?;
        self.fans().find(self, parent, scope, parts)
    }

    /// How many items of these keys were superseded there.
    pub fn generation(&self, parent: u32, node: NodeId, output: u16, parts: &[Key]) -> u32 {
        let scope = self.opened_by(parent, node, output);
        scope.map_or(0, |scope| self.fans().superseded(parent, scope, parts))
    }

    fn opened_by(&self, parent: u32, node: NodeId, output: u16) -> Option<ScopeId> {
        if parent > self.last_item() {
            return None;
        }
        self.state.layout().opened_by(self.state.scope_of(parent), self.then(node)?, output)
    }

    /// The run goes on at this time of day: waits that ended while nobody drove it are over. A clock that
    /// was put back makes none longer.
    pub fn goes_on_at(&mut self, now: SystemTime) {
        let Some((began, at)) = self.session else { return };
        let last = began + self.elapsed.saturating_sub(at);
        self.away = now.duration_since(last).unwrap_or_default();
    }

    /// From here on it is asked of nodes as a job has them that has changed since.
    pub fn read_as(&mut self, today: &Shape) {
        self.as_of = Some(corresponding(&self.shape, today));
    }

    /// Which node of the run one is.
    fn then(&self, node: NodeId) -> Option<NodeId> {
        self.as_of.as_ref().map_or(Some(node), |nodes| *nodes.get(node.index())?)
    }

    fn fans(&self) -> &Fans {
        self.fans.get_or_init(|| Fans::new(self))
    }
}

impl PastRun for Past {
    fn items(&self, parent: u32, node: NodeId, output: u16) -> Vec<u32> {
        self.items(parent, node, output).to_vec()
    }

    fn parts(&self, item: u32) -> Vec<Key> {
        self.parts(item)
    }

    fn state(&self, item: u32, node: NodeId) -> Option<StepState> {
        if let StepPast::Succeeded { .. } = self.step(item, node) {
            return Some(StepState::Succeeded);
        }
        self.unsuccessful.get(&self.slot(item, self.then(node)?)?).copied()
    }
}
