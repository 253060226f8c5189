//! Folds: values combined in yield order as they come, without holding the list.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::define::Outputs;
use crate::error::OpError;
use crate::event::{EventKind, Span, StepState};
use crate::graph::{Fan, Gather, NodeKind, ScopeId};
use crate::step::Path;
use crate::value::AnyValue;

use super::Machine;
use super::frame::{FrameId, Slot, TaskState};
use super::grant::{FoldWork, MAX_ITEMS, StepId};
use super::handled::Failure;
use super::plan::{Param, Plan, TaskKind};

/// A fold's state in one frame.
#[derive(Debug, Default)]
pub(crate) struct FoldState {
    /// Whether it takes items before all have come.
    streams: bool,
    /// The value so far; `None` while a worker has it, or before the first value is there.
    value: Option<AnyValue>,
    /// Items that came before their turn, by their places below the fold's frame.
    pending: BTreeMap<Vec<u32>, Taken>,
    /// The places of the item whose turn it is.
    next: Vec<u32>,
    /// How many items each inner fan-out has, by the places of the items around it.
    counts: BTreeMap<Vec<u32>, u32>,
    /// Items whose turn has come.
    ready: VecDeque<Taken>,
    /// The deliveries that end when a worker has combined their items.
    combining: Vec<From>,
    /// Why it can give no value, in yield order.
    failed: Vec<Arc<Failure>>,
    skipped: bool,
    started: Option<Duration>,
    took: Duration,
    /// Whether a worker encodes the value, as all items are in it.
    is_whole: bool,
    /// What is recorded of the value, once it is whole.
    record: Option<Span>,
}

/// A delivery that waits for the fold to take its item.
type From = (FrameId, u32);

#[derive(Debug)]
struct Taken {
    value: Slot,
    from: Option<From>,
}

/// What became of a piece of a fold.
#[derive(Debug)]
pub struct FoldDone {
    /// The step.
    pub id: StepId,
    /// How long the piece took.
    pub took: Duration,
    /// The value so far.
    pub result: Result<AnyValue, OpError>,
    /// What is recorded of it, if it was whole, in what the machine [holds](Machine::hold).
    pub record: Span,
}

impl FoldState {
    /// A fold over these fan-outs. Where an emitter may be tried again, or where items do not come
    /// one after another, it takes nothing before all have come.
    pub(crate) fn new(plan: &Plan, chain: &[ScopeId]) -> Self {
        let streams = chain.iter().all(|scope| {
            matches!(plan.graph.scope(*scope).fan, Some(Fan::Emitter { .. })) && !plan.pinned[scope.index()]
        });
        Self { streams, next: vec![0; chain.len()], ..Self::default() }
    }

    pub(crate) fn streams(&self) -> bool {
        self.streams
    }

    pub(crate) fn count(&mut self, around: Vec<u32>, items: u32) {
        if self.streams {
            self.counts.insert(around, items);
        }
    }

    /// Moves the items whose turn has come.
    fn advance(&mut self) {
        loop {
            self.skip_ended_fans();
            let next = self.pending.first_entry().filter(|first| *first.key() == self.next);
            let Some(first) = next else { break };
            let item = first.remove();
            self.take(item);
        }
    }

    /// Takes the item whose turn it is.
    fn take(&mut self, item: Taken) {
        if let Some(last) = self.next.last_mut() {
            *last += 1;
        }
        self.ready.push_back(item);
    }

    /// After the last item of an inner fan-out comes the first of the next.
    fn skip_ended_fans(&mut self) {
        let depth = self.next.len();
        let mut level = depth;
        while level > 1 {
            let around = &self.next[..level - 1];
            if self.counts.get(around) == Some(&self.next[level - 1]) {
                self.counts.remove(around);
                self.next.truncate(level - 1);
                if let Some(last) = self.next.last_mut() {
                    *last += 1;
                }
                self.next.resize(depth, 0);
                level = depth;
            } else {
                level -= 1;
            }
        }
    }
}

impl Machine {
    pub(super) fn begin_fold(&mut self, frame: u32, task: u32, index: u32) {
        let plan = Arc::clone(&self.plan);
        let task_plan = &plan.scope(self.frames[frame as usize].scope()).tasks[task as usize];
        let read: Vec<_> = task_plan.places().map(|place| self.slot(frame, place)).collect();
        let value = match task_plan.params.first() {
            Some(Param::List(_)) => self.inputs(frame, task, false).0.into_iter().next().flatten(),
            _ => match read.first() {
                Some(Slot::Value(value)) => Some(Arc::clone(value)),
                _ => None,
            },
        };
        let fold = self.fold(frame, index);
        fold.value = value;
        for slot in read {
            match slot {
                Slot::Failed(failure) => fold.failed.push(failure),
                Slot::Skipped => fold.skipped = true,
                Slot::Empty | Slot::Value(_) | Slot::Gone => {}
            }
        }
    }

    fn fold(&mut self, frame: u32, index: u32) -> &mut FoldState {
        let gather = &mut self.frames[frame as usize].gathers[index as usize];
        gather.fold.as_mut().expect("a fold's gather has a fold")
    }

    /// An item has come to a fold that takes items as they come.
    pub(super) fn fold_item(
        &mut self,
        frame: u32,
        task: u32,
        index: u32,
        path: &Path,
        value: Slot,
        from: From,
    ) {
        self.set_state(from.0.index, from.1, TaskState::Gathering);
        let gather = &mut self.frames[frame as usize].gathers[index as usize];
        gather.arrivals.delivered();
        let fold = self.fold(frame, index);
        let item = Taken { value, from: Some(from) };
        fold.skip_ended_fans();
        if path.ends_at(&fold.next) {
            fold.take(item);
        } else {
            let around = self.frames[frame as usize].path.depth();
            self.fold(frame, index).pending.insert(path.places_below(around), item);
        }
        self.go_on_folding(frame, task, index);
    }

    /// Everything has come to a fold; `entries` are those that it has not seen, in yield order.
    pub(super) fn fold_rest(&mut self, frame: u32, task: u32, index: u32, entries: Vec<(Path, Vec<Slot>)>) {
        let nothing = self.frames[frame as usize].gathers[index as usize].arrivals.nothing;
        let fold = self.fold(frame, index);
        let values = entries.into_iter().map(|(_, values)| Slot::both(values));
        fold.ready.extend(values.map(|value| Taken { value, from: None }));
        fold.skipped |= nothing;
        self.go_on_folding(frame, task, index);
    }

    /// Takes what can be taken: hands it to a worker, or ends the fold after the last.
    pub(super) fn go_on_folding(&mut self, frame: u32, task: u32, index: u32) {
        let state = self.frames[frame as usize].tasks[task as usize].state;
        if !matches!(state, TaskState::Gathering | TaskState::Ended(_)) {
            return;
        }
        let complete = self.frames[frame as usize].gathers[index as usize].arrivals.complete();
        let ended = matches!(state, TaskState::Ended(_));
        let fold = self.fold(frame, index);
        fold.advance();
        let mut taken = Vec::new();
        let useless = ended || !fold.failed.is_empty() || fold.skipped;
        if useless {
            taken.extend(std::mem::take(&mut fold.pending).into_values());
            taken.extend(fold.ready.drain(..));
        }
        while let Some(item) = fold.ready.pop_front_if(|item| !matches!(item.value, Slot::Value(_))) {
            taken.push(item);
        }
        let mut none_left = fold.ready.is_empty() && fold.pending.is_empty();
        for item in &taken {
            if let Slot::Failed(failure) = &item.value {
                match state {
                    TaskState::Ended(_) => self.answer_late(frame, task, failure),
                    _ => self.fold(frame, index).failed.push(Arc::clone(failure)),
                }
                none_left = false;
            }
        }
        // The last of these may end the frame of a fold that has ended.
        for (from, delivery) in taken.into_iter().filter_map(|item| item.from) {
            self.end_task(from.index, delivery, StepState::Succeeded);
        }
        if ended {
            return;
        }
        if !none_left && !useless && !self.fold(frame, index).failed.is_empty() {
            self.go_on_folding(frame, task, index);
        } else if !self.fold(frame, index).ready.is_empty() {
            self.make_ready(frame, task);
        } else if complete && self.fold(frame, index).pending.is_empty() {
            let fold = self.fold(frame, index);
            let gives = fold.value.is_some() && fold.failed.is_empty() && !fold.skipped;
            let unrecorded = gives && fold.record.is_none();
            let arrivals = &self.frames[frame as usize].gathers[index as usize].arrivals;
            if self.config.recording && unrecorded && arrivals.failed.is_empty() {
                // A worker encodes the value.
                self.make_ready(frame, task);
            } else {
                self.end_fold(frame, task, index);
            }
        }
    }

    pub(super) fn grant_fold(&mut self, frame: u32, task: u32, index: u32) -> Option<FoldWork> {
        let node = self.node_of(frame, task);
        let NodeKind::Gather { gather: Gather::Fold(op), .. } = self.plan.node(node).kind else {
            return None;
        };
        let now = self.now;
        let fold = self.fold(frame, index);
        let mut items = Vec::new();
        while items.len() < MAX_ITEMS as usize
            && let Some(item) = fold.ready.pop_front_if(|item| matches!(item.value, Slot::Value(_)))
        {
            fold.combining.extend(item.from);
            if let Slot::Value(value) = item.value {
                items.push(value);
            }
        }
        fold.is_whole = items.is_empty();
        let first = fold.started.is_none();
        fold.started.get_or_insert(now);
        let value = fold.value.take()?;
        let step = if first {
            self.begin_step(frame, task, op, true)
        } else {
            self.set_state(frame, task, TaskState::Running);
            self.go_on_with(frame, task, op)
        };
        Some(FoldWork { step, value, items })
    }

    /// Takes back a piece of a fold.
    pub fn folded(&mut self, now: Duration, done: FoldDone) {
        self.now = self.now.max(now);
        self.in_flight -= 1;
        let StepId { frame, task, attempt } = done.id;
        let runs = self.frame_of(frame).is_some_and(|frame| {
            let task = &frame.tasks[task as usize];
            task.attempt == attempt && task.state == TaskState::Running
        });
        if !runs {
            self.late_return(done.id);
            self.after_change();
            return;
        }
        let (id, frame) = (frame, frame.index);
        let node = self.node_of(frame, task);
        self.give_tokens_back(node);
        let plan = Arc::clone(&self.plan);
        if let TaskKind::Gather { index, .. } =
            plan.scope(self.frames[frame as usize].scope()).tasks[task as usize].kind
        {
            let fold = self.fold(frame, index);
            fold.took += done.took;
            let (started, took) = (fold.started.unwrap_or_default(), fold.took);
            for (from, delivery) in std::mem::take(&mut fold.combining) {
                self.end_task(from.index, delivery, StepState::Succeeded);
            }
            match done.result {
                Ok(value) => {
                    let fold = self.fold(frame, index);
                    fold.value = Some(value);
                    if fold.is_whole {
                        fold.record = Some(done.record);
                    }
                    self.set_state(frame, task, TaskState::Gathering);
                }
                Err(error) => {
                    let arrivals = &mut self.frames[frame as usize].gathers[index as usize].arrivals;
                    for failure in std::mem::take(&mut arrivals.failed) {
                        self.answer(frame, &failure);
                    }
                    self.attempt_failed(frame, task, started, took, error, false);
                }
            }
            if self.stopping.is_none() && self.frame_of(id).is_some() {
                self.go_on_folding(frame, task, index);
            }
        }
        self.after_change();
    }

    /// A fold that failed answers for all that was wrong with its items, also for what comes later.
    pub(super) fn answer_late(&mut self, frame: u32, task: u32, failure: &Arc<Failure>) {
        let state = self.frames[frame as usize].tasks[task as usize].state;
        if let TaskState::Ended(StepState::Failed | StepState::UpstreamFailed) = state {
            self.answer(frame, failure);
        }
    }

    fn end_fold(&mut self, frame: u32, task: u32, index: u32) {
        let of_emitters =
            std::mem::take(&mut self.frames[frame as usize].gathers[index as usize].arrivals.failed);
        let fold = self.fold(frame, index);
        let mut failed = std::mem::take(&mut fold.failed);
        failed.extend(of_emitters);
        let (value, skipped) = (fold.value.take(), fold.skipped);
        let (started, took, record) = (fold.started, fold.took, fold.record.unwrap_or_default());
        let attempt = self.frames[frame as usize].tasks[task as usize].attempt.max(1);
        let slot = self.plan.scope(self.frames[frame as usize].scope()).tasks[task as usize].slot;
        let (state, outcome) = match value {
            Some(value) if !skipped && failed.is_empty() => {
                let step = self.step_ref(frame, task);
                let outputs = self.config.keep_values.then(|| Outputs::One(Some(Arc::clone(&value))));
                let started = started.unwrap_or(self.now);
                self.event(EventKind::StepSucceeded { step, attempt, started, took, outputs, record });
                (StepState::Succeeded, Slot::Value(value))
            }
            _ => {
                failed.retain(|_| !skipped);
                let why = self.unmet(frame, task, failed);
                (why.unmet_state(), why)
            }
        };
        self.settle(frame, slot, outcome);
        self.end_task(frame, task, state);
    }
}
