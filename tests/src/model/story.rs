//! A recorded run over several processes: what survived of each, and whether it hangs together.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use fanfold::define::{OutputKind, Outputs};
use fanfold::graph::{Fan, Graph, NodeId, NodeKind};
use fanfold::record::{Decoder, Past, StepPast};
use fanfold::{
    AnyValue, Batch, Event, EventKind, Key, OpError, RunState, Shape, Span, StepRef, StepState, Summary,
};

use super::counters::{Counts, Feat};
use super::drive::{Driven, step_name};
use super::session::{Session, Step, is_transient, outputs_of, value_of};

/// What is recorded of a run, and everything that is known of how it came about.
pub struct Story {
    graph: Arc<Graph>,
    shape: Shape,
    blocks: Vec<Vec<u8>>,
    decoder: Decoder,
    /// As decoded.
    events: Vec<Event>,
    /// Folded from what was told, and from what was decoded.
    live: Summary,
    read: Summary,
    /// The last attempt of each step, and whether it has ended.
    attempts: HashMap<Step, (u32, bool)>,
    /// The steps that were skipped in the session before.
    skipped: HashSet<Step>,
    /// What transient steps gave, by name: the record does not have it.
    gave: HashMap<String, Option<AnyValue>>,
    items: HashMap<String, Vec<(Key, AnyValue)>>,
    /// What was done to it.
    pub feats: Counts<Feat>,
}

impl Story {
    /// Nothing has happened yet.
    pub fn new(graph: &Arc<Graph>) -> Self {
        let shape = graph.shape();
        Self {
            graph: Arc::clone(graph),
            blocks: Vec::new(),
            decoder: Decoder::new(&shape),
            events: Vec::new(),
            live: Summary::new(&shape),
            read: Summary::new(&shape),
            attempts: HashMap::new(),
            skipped: HashSet::new(),
            gave: HashMap::new(),
            items: HashMap::new(),
            feats: Counts::default(),
            shape,
        }
    }

    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// What is known of the run.
    ///
    /// # Errors
    /// The record is not one of such a run.
    pub fn past(&self) -> Result<Past, String> {
        let mut past = Past::new(&self.shape);
        for block in &self.blocks {
            past.take(block.clone()).map_err(|error| error.to_string())?;
        }
        Ok(past)
    }

    /// Takes what survived of a session: its first `commits`.
    ///
    /// # Errors
    /// It does not hang together with what was there.
    pub fn take(&mut self, session: Session, driven: &Driven, commits: usize) -> Result<(), String> {
        self.feats.add(&session.feats);
        self.feats.note_if(commits < session.commits.len(), Feat::CommitsLost);
        let mut skipped = HashSet::new();
        for (batch, block) in session.commits.into_iter().take(commits) {
            self.take_commit(&batch, block, &mut skipped)?;
        }
        self.feats.note_if(skipped.iter().any(|step| self.skipped.contains(step)), Feat::SkippedAgain);
        self.skipped = skipped;
        self.gave.extend(driven.gave.iter().map(|(name, gave)| (name.clone(), gave.clone())));
        self.items.extend(driven.items.iter().map(|(name, items)| (name.clone(), items.clone())));
        let [told, read] = [&self.live, &self.read].map(|summary| figures(&self.shape, summary));
        if told != read {
            return Err(format!("the summary of what was told is {told}, and of what was read {read}"));
        }
        Ok(())
    }

    fn take_commit(
        &mut self,
        told: &Batch,
        block: Vec<u8>,
        skipped: &mut HashSet<Step>,
    ) -> Result<(), String> {
        let read = self.decoder.decode(&block).map_err(|error| error.to_string())?;
        same_events(&self.graph, told, &read)?;
        self.live.apply(&self.shape, &told.events);
        self.read.apply(&self.shape, &read.events);
        for event in &read.events {
            self.check_attempt(&event.kind)?;
            if let EventKind::StepNotRun { step, state: StepState::Skipped, .. } = &event.kind {
                skipped.insert((step.path.number(), step.node));
            }
        }
        self.events.extend(read.events);
        self.blocks.push(block);
        Ok(())
    }

    /// §4.7: attempt numbers rise, and none is given twice.
    fn check_attempt(&mut self, kind: &EventKind) -> Result<(), String> {
        let (step, attempt, ends) = match kind {
            EventKind::StepStarted { step, attempt } => (step, *attempt, false),
            EventKind::StepSucceeded { step, attempt, .. }
            | EventKind::AttemptFailed { step, attempt, .. }
            | EventKind::StepFailed { step, attempt, .. } => (step, *attempt, true),
            _ => return Ok(()),
        };
        let before = self.attempts.insert((step.path.number(), step.node), (attempt, ends));
        let rises = before.is_none_or(|(last, ended)| attempt > last || attempt == last && ends && !ended);
        rises.then_some(()).ok_or_else(|| {
            let name = step_name(&self.graph, step);
            format!("`{name}`: attempt {attempt} comes after {before:?}")
        })
    }

    /// The run as one: all its events, and what is recorded of its values.
    ///
    /// # Errors
    /// The record is not one of such a run.
    pub fn whole(&mut self, last: Driven) -> Result<Driven, String> {
        let past = self.past()?;
        let (mut gave, mut items) = (HashMap::new(), HashMap::new());
        for (item, node) in self.steps(&past) {
            let step = StepRef { node, path: past.path(item) };
            let name = step_name(&self.graph, &step);
            let Some(op) = self.graph.node(node).op() else { continue };
            let emits = op.outputs[0].kind == OutputKind::Dynamic;
            if is_transient(&self.graph, node) {
                gave.extend(self.gave.remove(&name).map(|gave| (name.clone(), gave)));
                items.extend(self.items.remove(&name).map(|items| (name.clone(), items)));
                continue;
            }
            let record = past.step_record(item, node).unwrap_or_default();
            let outputs = outputs_of(op, record).map_err(|error| format!("`{name}`: {error}"))?;
            let Outputs::One(value) = outputs else { unreachable!("ops of plans have one output") };
            if emits && value.is_some() {
                let item = |item: &u32| -> Result<_, OpError> {
                    let key = past.parts(*item).pop().ok_or_else(|| OpError::new("no key"))?;
                    Ok((key, value_of(&op.outputs[0].info, past.item_record(*item))?))
                };
                let given: Result<Vec<_>, _> = past.items(item_of(&step), node, 0).iter().map(item).collect();
                items.insert(name.clone(), given.map_err(|error| format!("`{name}`: {error}"))?);
            }
            gave.insert(name, value);
        }
        let events = std::mem::take(&mut self.events);
        Ok(Driven { events, gave, items, ..last })
    }

    /// The steps that have succeeded and count.
    fn steps(&self, past: &Past) -> Vec<Step> {
        let alive = (0..=past.last_item()).filter(|item| past.state().is_alive(*item));
        let nodes = |item: u32| {
            let scope = past.state().scope_of(item);
            let succeeded = move |node: &NodeId| past.state().succeeded(item, *node);
            self.graph.scope(scope).nodes.iter().copied().filter(succeeded).map(move |node| (item, node))
        };
        alive.flat_map(nodes).collect()
    }

    /// Counts what it means that the process died, or the run ended, as it did.
    ///
    /// # Errors
    /// The record is not one of such a run.
    pub fn note_end(&mut self, died: bool, died_before: bool) -> Result<(), String> {
        let past = self.past()?;
        self.feats.note_if(died && self.is_empty(), Feat::CutAtNothing);
        self.feats.note_if(died && died_before, Feat::CutAgain);
        self.feats.note_if(past.ended() == Some(RunState::Failed), Feat::ResumedAfterFailure);
        self.feats.note_if(past.ended() == Some(RunState::Cancelled), Feat::ResumedAfterCancel);
        let mut resumed = HashSet::new();
        for (scope, node) in self.emitters() {
            let streams = self.graph.node(node).options.streaming;
            for item in (0..=past.last_item()).filter(|item| past.state().is_alive(*item)) {
                if past.state().scope_of(item) != scope {
                    continue;
                }
                let given = past.items(item, node, 0);
                match past.step(item, node) {
                    StepPast::Tried { due, .. } => {
                        resumed.insert(node);
                        self.feats.note_if(died && !given.is_empty(), Feat::CutInEmitter);
                        self.feats.note_if(died && !streams, Feat::CutInHeldEmitter);
                        self.feats.note_if(due.is_some_and(|due| due > past.elapsed()), Feat::RetryWaitsOn);
                    }
                    StepPast::Succeeded { .. } => {
                        let waits = |item: &&u32| {
                            let scope = past.state().scope_of(**item);
                            let done = |node: &NodeId| past.state().succeeded(**item, *node);
                            let steps = self.graph.scope(scope).nodes.iter();
                            !steps.clone().any(done) && steps.count() > 0
                        };
                        self.feats.note_if(died && given.iter().any(|i| waits(&i)), Feat::CutBeforeCopies);
                    }
                    StepPast::Never => {}
                }
            }
        }
        self.note_readers(&resumed);
        Ok(())
    }

    fn emitters(&self) -> Vec<(fanfold::graph::ScopeId, NodeId)> {
        let emits = |scope: &fanfold::graph::Scope| match scope.fan {
            Some(Fan::Emitter { node, .. }) => Some((self.graph.node(node).scope, node)),
            _ => None,
        };
        self.graph.scopes.iter().filter_map(emits).collect()
    }

    /// Counts who reads emitters that will be resumed.
    fn note_readers(&mut self, resumed: &HashSet<NodeId>) {
        let opens = |scope: &fanfold::graph::ScopeId| {
            self.graph.scope(*scope).fan.is_some_and(|fan| resumed.contains(&fan.node()))
        };
        for node in &self.graph.nodes {
            match &node.kind {
                NodeKind::Zip { left, right } => {
                    let over = left.chain.iter().chain(&right.chain).any(opens);
                    self.feats.note_if(over, Feat::ZipOverResumed);
                }
                NodeKind::Gather { gather: fanfold::graph::Gather::Held, chain, .. } => {
                    self.feats.note_if(chain.iter().any(opens), Feat::ProductOverResumed);
                }
                NodeKind::Gather { .. } | NodeKind::Op(_) => {}
            }
        }
    }
}

/// What a summary says, but for the places of items in yield order, which change.
fn figures(shape: &Shape, summary: &Summary) -> String {
    let node = |node: u32| {
        let node = NodeId(node);
        let counts = StepState::ALL.map(|state| summary.count(node, state));
        (counts, summary.known(node), summary.items(node), summary.is_done(node))
    };
    let nodes: Vec<_> = (0..shape.nodes.len() as u32).map(node).collect();
    let slowest: Vec<_> = summary.slowest().iter().map(|slow| (slow.step.node, slow.took)).collect();
    let errors: Vec<_> = summary.errors().iter().map(|group| (group.node, group.count)).collect();
    let of_run = (summary.sessions(), summary.state(), summary.cancelling(), summary.elapsed());
    let running = summary.running(usize::MAX).len();
    format!("{of_run:?} {nodes:?} {slowest:?} {errors:?} {running}")
}

fn item_of(step: &StepRef) -> u32 {
    step.path.number()
}

/// Whether what was read is what was told; starts of attempts that end in the same batch are left out.
fn same_events(graph: &Graph, told: &Batch, read: &Batch) -> Result<(), String> {
    let ends: HashSet<_> = told
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::StepSucceeded { step, attempt, .. }
            | EventKind::AttemptFailed { step, attempt, .. }
            | EventKind::StepFailed { step, attempt, .. } => Some((step.path.number(), step.node, *attempt)),
            _ => None,
        })
        .collect();
    let is_left_out = |event: &&Event| match &event.kind {
        EventKind::StepStarted { step, attempt } => ends.contains(&(step.path.number(), step.node, *attempt)),
        _ => false,
    };
    let mut left = told.events.iter().filter(|event| !is_left_out(event));
    for event in &read.events {
        let told_event = left.next().ok_or_else(|| format!("was not told: {event:?}"))?;
        if told_event.at != event.at || !same_kind(graph, (told, &told_event.kind), (read, &event.kind)) {
            return Err(format!("told was {told_event:?}, and read {event:?}"));
        }
    }
    left.next().map_or(Ok(()), |event| Err(format!("was not read: {event:?}")))
}

fn same_kind(graph: &Graph, told: (&Batch, &EventKind), read: (&Batch, &EventKind)) -> bool {
    use EventKind::{
        AttemptFailed, FanOutClosed, ItemMoved, ItemSuperseded, ItemYielded, RunCancelling, RunEnded,
        RunResumed, RunStarted, StepFailed, StepNotRun, StepRemade, StepReused, StepStarted, StepSucceeded,
    };
    let same = |a: &StepRef, b: &StepRef| a.node == b.node && a.path.number() == b.path.number();
    let data = |a: &Span, b: &Span| told.0.data(*a) == read.0.data(*b);
    let time = |a: &Duration, b: &Duration| a == b;
    match (told.1, read.1) {
        (RunStarted { run: a, .. }, RunStarted { run: b, .. }) => a == b,
        (RunResumed { .. }, RunResumed { .. }) => true,
        (StepStarted { step: a, attempt: m }, StepStarted { step: b, attempt: n }) => same(a, b) && m == n,
        (
            StepSucceeded { step: a, attempt: m, started: s, took: t, record: x, .. },
            StepSucceeded { step: b, attempt: n, started: u, took: v, record: y, .. },
        ) => same(a, b) && m == n && time(s, u) && time(t, v) && data(x, y),
        (StepReused { step: a, record: x }, StepReused { step: b, record: y }) => same(a, b) && data(x, y),
        (StepRemade { step: a }, StepRemade { step: b }) => same(a, b),
        (
            AttemptFailed { step: a, attempt: m, started: s, took: t, error: e, due: d },
            AttemptFailed { step: b, attempt: n, started: u, took: v, error: f, due: g },
        ) => same(a, b) && m == n && time(s, u) && time(t, v) && e == f && time(d, g),
        (
            StepFailed { step: a, attempt: m, started: s, took: t, error: e, left_behind: l },
            StepFailed { step: b, attempt: n, started: u, took: v, error: f, left_behind: k },
        ) => same(a, b) && m == n && time(s, u) && time(t, v) && e == f && l == k,
        (StepNotRun { step: a, state: s, cause: c }, StepNotRun { step: b, state: t, cause: d }) => {
            let causes = match (c, d) {
                (Some(c), Some(d)) => same(c, d),
                (c, d) => c.is_none() && d.is_none(),
            };
            same(a, b) && s == t && causes
        }
        (
            ItemYielded { step: a, output: o, item: i, record: x },
            ItemYielded { step: b, output: p, item: j, record: y },
        ) => {
            let named = step_name(graph, a) == step_name(graph, b) && i.keys() == j.keys();
            same(a, b) && o == p && i.number() == j.number() && named && data(x, y)
        }
        (FanOutClosed { step: a, output: o, items: i }, FanOutClosed { step: b, output: p, items: j }) => {
            same(a, b) && o == p && i == j
        }
        (
            ItemSuperseded { step: a, output: o, item: i, ended: e, below: r },
            ItemSuperseded { step: b, output: p, item: j, ended: f, below: s },
        ) => same(a, b) && o == p && i.number() == j.number() && e == f && r == s,
        (
            ItemMoved { step: a, output: o, item: i, index: x },
            ItemMoved { step: b, output: p, item: j, index: y },
        ) => same(a, b) && o == p && i.number() == j.number() && x == y,
        (RunCancelling { reason: a }, RunCancelling { reason: b }) => a == b,
        (RunEnded { state: a }, RunEnded { state: b }) => a == b,
        _ => false,
    }
}
