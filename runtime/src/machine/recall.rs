//! What is known from before: from an earlier session of the same run, which goes on (a resume), or
//! from the run that this is a rerun of (§5.2, §5.3).
//!
//! A graph is run as ever, with one difference: a step that is known to have succeeded is not run.
//! It becomes ready when its inputs are there, and a worker reads its value back instead of making
//! it. An item that is known keeps its number, and with it all that is known below it.

use std::sync::Arc;
use std::time::Duration;

use crate::error::{ErrorKind, OpError};
use crate::event::{EventKind, RunState, Span, StepRef, StepState};
use crate::graph::{Fan, Graph, NodeId, NodeKind, ScopeId, Source};
use crate::key::Key;
use crate::record::{Past, StepPast};
use crate::select::{Part, Selection};
use crate::step::{Path, StepName};

use super::frame::{FanIndex, FanState, NewItem, Slot, TaskState};
use super::plan::{TaskKind, is_emitter};
use super::retry::Timer;
use super::told::below_known;
use super::{Machine, StepId};

/// What is known, and what of it is used.
#[derive(Debug, Clone)]
pub struct Recall {
    /// What is known.
    pub past: Arc<Past>,
    /// For a rerun: what is run again, and what is taken from the run before. A resume runs all that
    /// has not succeeded.
    pub selection: Option<Arc<Selection>>,
}

/// Which item of the run a new frame is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Identity {
    /// Its number in the run.
    pub(super) number: u32,
    /// Its number in the run that is known, if it is known.
    pub(super) known: Option<u32>,
    /// How often another attempt gave it with another value.
    pub(super) generation: u32,
    /// Whether the record has it already.
    pub(super) told: bool,
}

/// Stands for a value that was never recorded, where nobody who has to run reads it.
#[derive(Debug, Clone, Copy)]
pub struct Unrecorded;

/// What must be read back of an emitter.
#[derive(Debug)]
pub struct RecalledItems {
    /// The items: which output gave each, and its number in the run that is known.
    pub items: Vec<(u16, u32)>,
    /// Whether the emitter ends with them.
    pub last: bool,
    /// The emitter itself, if what it gave besides items is to be read back: the item around it.
    pub step: Option<u32>,
}

impl Recall {
    /// Whether the record goes on: else it is a new one, into which what is known is copied.
    pub(crate) fn goes_on(&self) -> bool {
        self.selection.is_none()
    }
}

impl Machine {
    /// What becomes of a step of a frame.
    pub(super) fn part(&self, frame: u32, node: NodeId) -> Part {
        let Some(recall) = &self.recall else { return Part::Run };
        if let Some(selection) = &recall.selection {
            return selection.step(node, &self.frames[frame as usize].path.keys());
        }
        let Some(item) = self.frames[frame as usize].known else { return Part::Run };
        match recall.past.step(item, node) {
            StepPast::Succeeded { .. } if cfg!(defect = "double") => Part::Run,
            StepPast::Succeeded { .. } if !self.must_be_remade(frame, node) => Part::Reuse,
            _ => Part::Run,
        }
    }

    /// Whether a step that is needed was skipped in the run before: it gives nothing this time, too.
    pub(super) fn was_skipped(&self, frame: u32, task: u32) -> bool {
        let known = self.recall.as_ref().zip(self.known_item(frame));
        known.is_some_and(|(recall, item)| {
            !matches!(recall.past.step(item, self.node_of(frame, task)), StepPast::Succeeded { .. })
        })
    }

    /// Whether anybody can need the value of a step that has succeeded before: in a run that goes on, not
    /// where all that read it have succeeded, too.
    pub(super) fn is_needed(&self, frame: u32, task: u32) -> bool {
        let scope = self.plan.scope(self.frames[frame as usize].scope());
        let plan = &scope.tasks[task as usize];
        let one = matches!(plan.kind, TaskKind::Op { op, single: true } if !is_emitter(op));
        if !self.goes_on() || !one {
            return true;
        }
        let slot = &scope.slots[plan.slot as usize];
        let read = |reader: &u32| {
            let reader = &scope.tasks[*reader as usize];
            !matches!(reader.kind, TaskKind::Op { .. }) || self.part(frame, reader.node) != Part::Reuse
        };
        slot.uses as usize > slot.readers.len() || slot.readers.iter().any(read)
    }

    /// Whether a step, of an op, of a frame is not run but read back.
    pub(super) fn is_recalled(&self, frame: u32, task: u32) -> bool {
        self.recall.is_some() && self.part(frame, self.node_of(frame, task)) == Part::Reuse
    }

    /// Whether a step of a frame runs, and nothing is known of an earlier attempt of it.
    pub(super) fn runs_anew(&self, frame: u32, task: u32) -> bool {
        let Some(recall) = &self.recall else { return true };
        let node = self.node_of(frame, task);
        let is_known = |item| recall.past.step(item, node) != StepPast::Never;
        self.part(frame, node) == Part::Run
            && !(recall.goes_on() && self.known_item(frame).is_some_and(is_known))
    }

    /// The number of the step's item in the run that is known.
    pub(super) fn known_item(&self, frame: u32) -> Option<u32> {
        self.frames[frame as usize].known
    }

    /// Whether what a step gave was never recorded, and somebody who has not succeeded reads it (§6.1).
    fn must_be_remade(&self, frame: u32, node: NodeId) -> bool {
        self.transient.as_ref().is_some_and(|transient| {
            transient.any[node.index()]
                && (transient.read_further_out[node.index()] || self.is_read_here(frame, node))
        })
    }

    /// Whether a step of the same frame reads a node's output, and has to run.
    fn is_read_here(&self, frame: u32, node: NodeId) -> bool {
        let graph = &self.plan.graph;
        let scope = self.plan.node(node).scope;
        let reads = |reader: &NodeId| {
            let node_of = |source: Source| matches!(source, Source::Output(read, _) if read == node);
            let reader = graph.node(*reader);
            reader.is_step() && reader.inputs.iter().flat_map(|input| input.sources()).any(|s| node_of(*s))
        };
        let readers = graph.scope(scope).nodes.iter().copied().filter(reads);
        readers.into_iter().any(|reader| self.part(frame, reader) == Part::Run)
    }

    /// A step that has to run has its inputs: it begins when it may.
    pub(super) fn begin_again(&mut self, frame: u32, task: u32) {
        match self.take_up(frame, task) {
            None => {}
            Some(due) if due > self.now => {
                self.set_state(frame, task, TaskState::Retrying);
                let attempt = self.frames[frame as usize].tasks[task as usize].attempt;
                let frame = self.frame_id(frame);
                self.timer(due, Timer::Retry { frame, task, attempt });
            }
            Some(_) => self.make_ready(frame, task),
        }
    }

    /// A step that has to run goes on where it stood: when it may begin; `None` if it has failed at once.
    pub(super) fn take_up(&mut self, frame: u32, task: u32) -> Option<Duration> {
        let (node, known) = (self.node_of(frame, task), self.known_item(frame));
        if let (Some(recall), Some(item)) = (&self.recall, known)
            && recall.goes_on()
        {
            if self.config.suspects.poison.contains(&(item, node)) {
                self.fail_as_poison(frame, task);
                return None;
            }
            let at = &mut self.frames[frame as usize].tasks[task as usize];
            if at.attempt > 0 {
                // It was taken up before, and given back by a worker.
                return Some(self.now);
            }
            match recall.past.step(item, node) {
                StepPast::Never => {}
                StepPast::Tried { attempt, failed, due } => {
                    (at.attempt, at.failed) = (attempt, failed);
                    return Some(due.unwrap_or(self.now));
                }
                StepPast::Succeeded { attempt } => {
                    at.attempt = attempt;
                    let step = self.step_ref(frame, task);
                    self.event(EventKind::StepRemade { step });
                }
            }
        }
        Some(self.now)
    }

    /// The process died each time that it ran this step: it is not run again.
    fn fail_as_poison(&mut self, frame: u32, task: u32) {
        let (node, item) = (self.node_of(frame, task), self.known_item(frame));
        if let Some((recall, item)) = self.recall.as_ref().zip(item)
            && let StepPast::Tried { attempt, .. } = recall.past.step(item, node)
        {
            self.frames[frame as usize].tasks[task as usize].attempt = attempt;
        }
        let error = OpError::of_kind(
            ErrorKind::Poison,
            "the process died three times with this step in hand, the last time with nothing else; \
             `resume --retry-poison` runs it again",
        );
        self.attempt_failed(frame, task, self.now, Duration::ZERO, error, false);
    }

    /// A step that was not selected: it has no state, and gives nothing that anybody reads.
    pub(super) fn leave_out(&mut self, frame: u32, task: u32) {
        let plan = self.task_plan(frame, task);
        let (slot, slots, node) = (plan.slot, plan.slots, plan.node);
        for slot in slot..slot + slots {
            self.settle(frame, slot, Slot::Gone);
        }
        for fan in self.fans_of(frame, node) {
            self.close_fan(fan, FanState::Closed);
        }
        self.end_task(frame, task, StepState::Succeeded);
    }

    /// Whether the record is the one that is known.
    pub(super) fn goes_on(&self) -> bool {
        self.recall.as_ref().is_none_or(Recall::goes_on)
    }

    /// Whether a step that is cancelled is to be told: not one that has succeeded before, or was not
    /// selected.
    pub(super) fn counts(&self, frame: u32, task: u32) -> bool {
        self.recall.is_none()
            || self.part(frame, self.node_of(frame, task)) == Part::Run && !self.has_success(frame, task)
    }

    /// Whether a step of a run that goes on has succeeded, and has not given that up in order to be made
    /// again.
    pub(super) fn has_success(&self, frame: u32, task: u32) -> bool {
        let Some(recall) = self.recall.as_ref().filter(|recall| recall.goes_on()) else { return false };
        let known = self.known_item(frame).map(|item| recall.past.step(item, self.node_of(frame, task)));
        self.frames[frame as usize].tasks[task as usize].attempt == 0
            && matches!(known, Some(StepPast::Succeeded { .. }))
    }

    /// The items to be read back of an emitter that is known to have succeeded.
    pub(super) fn known_items(&self, frame: u32, fans: &[FanIndex]) -> Vec<(u16, u32)> {
        let (Some(recall), Some(around)) = (&self.recall, self.known_item(frame)) else { return Vec::new() };
        let path = &self.frames[frame as usize].path;
        let mut known = Vec::new();
        for fan in fans {
            let (StepRef { node, .. }, output) = self.fan_step(*fan);
            let scope = ScopeId(self.fans[*fan as usize].scope);
            let items = recall.past.items(around, node, output);
            let opens = |item: &u32| {
                recall.selection.as_ref().is_none_or(|selection| {
                    let keys: Vec<_> =
                        path.keys().into_iter().chain(recall.past.parts(*item).iter().cloned()).collect();
                    selection.opens(scope, &keys)
                })
            };
            known.extend(items.iter().copied().filter(opens).map(|item| (output, item)));
        }
        if cfg!(defect = "lose") {
            known.pop();
        }
        known
    }

    /// Which item of the run a new one is: a known one if it has the key and the value of one. One
    /// that has the key of a known one and another value takes its place (§4.8).
    pub(super) fn identify(&mut self, fan: FanIndex, parts: &[Key], record: Option<Span>) -> Identity {
        let Some(recall) = self.recall.clone() else { return self.new_item() };
        let around = self.known_item(self.fans[fan as usize].parent);
        let Some(around) = around else { return self.new_item() };
        let (StepRef { node, .. }, output) = self.fan_step(fan);
        let past = Arc::clone(&recall.past);
        let Some(item) = self.find_known(&past, fan, (around, node, output), parts) else {
            return self.new_item();
        };
        if !recall.goes_on() {
            return Identity { known: Some(item), ..self.new_item() };
        }
        let equal = record.is_none_or(|record| recall.past.item_record(item) == self.held(record));
        let generation = recall.past.generation(around, node, output, parts);
        if equal && !self.fans[fan as usize].adopted.contains(&item) {
            return self.adopt(fan, item, generation);
        }
        if self.fans[fan as usize].adopted.insert(item) {
            self.supersede_known(item);
        }
        Identity { generation: generation + 1, ..self.new_item() }
    }

    /// The known item of these keys. An emitter mostly gives its items in the order of the time before,
    /// so the next in that order is looked at first.
    fn find_known(
        &mut self,
        past: &Past,
        fan: FanIndex,
        (around, node, output): (u32, NodeId, u16),
        parts: &[Key],
    ) -> Option<u32> {
        let place = &mut self.fans[fan as usize].known_place;
        let next = past.items(around, node, output).get(*place as usize).copied();
        *place += 1;
        match next.filter(|item| past.has_parts(*item, parts)) {
            Some(item) => Some(item),
            None => past.find(around, node, output, parts),
        }
    }

    /// Which item of the run one is that something made in this session went into: what is known under
    /// its key no longer holds.
    pub(super) fn new_identity(&mut self, fan: FanIndex, parts: &[(Key, u32)]) -> Identity {
        let around = self.known_item(self.fans[fan as usize].parent);
        let (StepRef { node, .. }, output) = self.fan_step(fan);
        let known = self
            .recall
            .as_ref()
            .zip(around)
            .and_then(|(recall, around)| recall.past.find(around, node, output, &keys_of(parts)));
        if let Some(item) = known
            && self.fans[fan as usize].adopted.insert(item)
        {
            self.supersede_known(item);
        }
        self.new_item()
    }

    /// A known item goes on as what it was.
    pub(super) fn adopt(&mut self, fan: FanIndex, item: u32, generation: u32) -> Identity {
        self.fans[fan as usize].adopted.insert(item);
        Identity { number: item, known: Some(item), generation, told: true }
    }

    fn new_item(&mut self) -> Identity {
        self.items += 1;
        Identity { number: self.items, ..Identity::default() }
    }

    /// The place in yield order that a known item of a run that goes on had.
    pub(super) fn place_before(&self, identity: &Identity, path: &Path) -> Option<u32> {
        let recall = self.recall.as_ref().filter(|recall| recall.goes_on())?;
        let item = identity.known.filter(|item| *item == path.number())?;
        Some(recall.past.index(item))
    }

    /// The place of an item that is read back, in a run that goes on.
    pub(super) fn known_place(&self, item: u32) -> Option<u32> {
        self.recall.as_ref().filter(|recall| recall.goes_on()).map(|recall| recall.past.index(item))
    }

    /// Which item of the run one is that was read back.
    pub(super) fn recalled_item(&mut self, fan: FanIndex, item: u32) -> Identity {
        let goes_on = self.recall.as_ref().is_some_and(Recall::goes_on);
        if goes_on {
            let around = self.known_item(self.fans[fan as usize].parent);
            let (StepRef { node, .. }, output) = self.fan_step(fan);
            let generation = match (&self.recall, around) {
                (Some(recall), Some(around)) => {
                    recall.past.generation(around, node, output, &recall.past.parts(item))
                }
                _ => 0,
            };
            return self.adopt(fan, item, generation);
        }
        Identity { known: Some(item), ..self.new_item() }
    }

    /// Items that are known, and that the emitter did not give again, no longer count.
    pub(super) fn supersede_unless_adopted(&mut self, fan: FanIndex) {
        for item in self.not_adopted(fan) {
            // It is dealt with: nobody asks for it again.
            self.fans[fan as usize].adopted.insert(item);
            self.supersede_known(item);
        }
    }

    /// The known items of a fan-out that have not been taken up.
    pub(super) fn not_adopted(&self, fan: FanIndex) -> Vec<u32> {
        let around = self.known_item(self.fans[fan as usize].parent);
        let (Some(recall), Some(around)) = (&self.recall, around) else { return Vec::new() };
        if !recall.goes_on() {
            return Vec::new();
        }
        let (StepRef { node, .. }, output) = self.fan_step(fan);
        let adopted = &self.fans[fan as usize].adopted;
        let items = recall.past.items(around, node, output).iter().copied();
        items.filter(|item| !adopted.contains(item)).collect()
    }

    /// Known items that were not opened again before the run was stopped: their steps that have not
    /// succeeded end as those of open items do (§4.6).
    pub(super) fn cancel_unopened(&mut self) {
        let Some(recall) = self.recall.clone().filter(Recall::goes_on) else { return };
        let frames = self.frames.iter().filter(|frame| frame.alive);
        let fans: Vec<_> = frames.flat_map(|frame| frame.fans.iter().copied()).collect();
        let mut items: Vec<_> = fans.iter().flat_map(|fan| self.not_adopted(*fan)).collect();
        let plan = Arc::clone(&self.plan);
        while let Some(item) = items.pop() {
            let scope = recall.past.state().scope_of(item);
            let path = recall.past.path(item);
            for node in &plan.graph.scope(scope).nodes {
                let done = matches!(recall.past.step(item, *node), StepPast::Succeeded { .. });
                if plan.node(*node).is_step() && !done {
                    let step = StepRef { node: *node, path: path.clone() };
                    self.event(EventKind::StepNotRun { step, state: StepState::Cancelled, cause: None });
                }
            }
            for child in &plan.graph.scope(scope).children {
                if let Some(fan) = plan.graph.scope(*child).fan {
                    let output = if let Fan::Emitter { output, .. } = fan { output } else { 0 };
                    items.extend(recall.past.items(item, fan.node(), output));
                }
            }
        }
    }

    /// Whether the record says that a step ended so: not of one that was not selected, nor of one that
    /// was skipped in the run before.
    pub(super) fn was_told(&self, frame: u32, node: NodeId, state: StepState) -> bool {
        self.recall.is_none()
            || match self.part(frame, node) {
                Part::Run => true,
                Part::Reuse => state == StepState::Succeeded,
                Part::Absent => false,
            }
    }

    /// What has succeeded in, and below, the known items of a fan-out that have not been taken up.
    pub(super) fn succeeded_unopened(&self, fan: FanIndex) -> Vec<(NodeId, StepState)> {
        let Some(recall) = &self.recall else { return Vec::new() };
        self.not_adopted(fan).into_iter().flat_map(|item| recall.past.succeeded_below(item)).collect()
    }

    /// A known item, which has no frame, and all below it no longer count.
    fn supersede_known(&mut self, item: u32) {
        let Some(recall) = &self.recall else { return };
        let (past, path) = (Arc::clone(&recall.past), recall.past.path(item));
        let (node, output, around) = past.opener(item);
        let step = StepRef { node, path: past.path(around) };
        let ended = past.succeeded_below(item);
        let below = below_known(&past, item);
        self.event(EventKind::ItemSuperseded { step, output, item: path, ended, below });
    }

    /// An item that waits to be opened as one of another fan-out, under the keys below `around`.
    pub(super) fn waiting_item(&self, path: &Path, around: usize, values: Vec<Slot>) -> NewItem {
        NewItem::of_others(path.parts_below(around), values, self.is_fresh(path))
    }

    /// Whether something of an item was made in this session: what is known of steps that read it
    /// together with other items does not hold.
    pub(super) fn is_fresh(&self, path: &Path) -> bool {
        self.recall.as_ref().is_some_and(|recall| {
            let last = recall.past.last_item();
            recall.goes_on() && path.numbers().any(|number| number > last)
        })
    }

    /// A value cannot be read back: the run stops, and what is known stays as it is (§5.4).
    pub(super) fn cannot_recall(&mut self, frame: u32, task: u32, error: &OpError) {
        let StepRef { node, path } = self.step_ref(frame, task);
        let name = StepName::new(Arc::clone(&self.plan.node(node).name), &path);
        self.stop(
            format!("the recorded value of `{name}` cannot be read back: {error}"),
            RunState::Failed,
            false,
        );
    }

    /// A step's value was read back: its readers can go on.
    pub(super) fn was_recalled(&mut self, id: StepId, outputs: crate::define::Outputs, record: Span) {
        let (frame, task) = (id.frame.index, id.task);
        if !self.goes_on() {
            let step = self.step_ref(frame, task);
            self.event(EventKind::StepReused { step, record });
        }
        self.give(frame, task, outputs, false);
        self.end_task(frame, task, StepState::Succeeded);
        if let TaskKind::Gather { index, .. } = self.task_plan(frame, task).kind
            && self.frame_of(id.frame).is_some()
        {
            // What came meanwhile is let go.
            self.go_on_folding(frame, task, index);
        }
    }
}

/// The nodes with outputs that are never recorded.
#[derive(Debug)]
pub(super) struct Transient {
    /// Whether each node has one.
    any: Vec<bool>,
    /// Whether somebody outside of the node's own frames, who has not succeeded everywhere, reads it.
    read_further_out: Vec<bool>,
}

impl Transient {
    /// `None` if there are none, as in most graphs.
    pub(super) fn of(graph: &Graph, recall: &Recall) -> Option<Self> {
        let transient = |node: &crate::graph::Node| {
            node.op().is_some_and(|op| op.outputs.iter().any(|output| output.info.encode.is_none()))
        };
        let any: Vec<_> = graph.nodes.iter().map(transient).collect();
        if !any.contains(&true) {
            return None;
        }
        let whole = recall.past.whole_nodes();
        // Whether some step of a node, or of what reads it, has to run; readers come after what they read.
        let mut open = vec![false; graph.nodes.len()];
        let mut read_further_out = open.clone();
        for (index, node) in graph.nodes.iter().enumerate().rev() {
            let id = NodeId(index as u32);
            let readers = (0..).map(NodeId).zip(&graph.nodes).skip(id.index() + 1);
            let readers = readers.filter(|(reader, other)| open[reader.index()] && reads(graph, other, id));
            let (mut read, mut further) = (false, is_result(graph, id));
            for (_, reader) in readers {
                read = true;
                further |= reader.scope != node.scope || !matches!(reader.kind, NodeKind::Op(_));
            }
            let done = node.is_step() && whole[id.index()];
            // What a zip gives are the values that it takes: they are not its own.
            let passes_on = any[id.index()] || matches!(node.kind, NodeKind::Zip { .. });
            open[id.index()] = !done && (node.is_step() || read || further) || passes_on && (read || further);
            read_further_out[id.index()] = further;
        }
        Some(Self { any, read_further_out })
    }
}

/// Whether a node waits for another, or for its items.
fn reads(graph: &Graph, reader: &crate::graph::Node, read: NodeId) -> bool {
    let sources = reader.kind.waits_for(&reader.inputs, &reader.after);
    sources.into_iter().any(|source| match source {
        Source::Output(node, _) => node == read,
        Source::Item(scope, _) => graph.scope(scope).fan.is_some_and(|fan| fan.node() == read),
        Source::Constant(_) | Source::Argument(_) => false,
    })
}

/// Whether a node gives what the job gives.
fn is_result(graph: &Graph, node: NodeId) -> bool {
    graph.results.iter().any(|result| matches!(result.source, Some(Source::Output(read, _)) if read == node))
}

/// The keys of an item's parts.
pub(super) fn keys_of(parts: &[(Key, u32)]) -> Vec<Key> {
    parts.iter().map(|(key, _)| key.clone()).collect()
}
