//! Handing out work, and taking back what became of it.

use std::time::Duration;

use crate::define::{Item, OpDef, Outputs, Run};
use crate::error::OpError;
use crate::event::{EventKind, Span, StepState};
use crate::graph::{NodeId, NodeKind};
use crate::options::Order;
use crate::step::Path;
use crate::value::AnyValue;

use super::Machine;
use super::frame::{FrameId, Task, TaskState};
use super::plan::{TaskKind, is_emitter, runs_in_batches};
use super::ready::Entry;
use super::recall::RecalledItems;
use super::retry::Timer;

/// One attempt of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepId {
    pub(crate) frame: FrameId,
    pub(crate) task: u32,
    pub(crate) attempt: u32,
}

impl StepId {
    /// Which attempt it is; 1 is the first.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

/// A step that is to be run.
#[derive(Debug)]
pub struct StepWork {
    /// Which attempt of which step.
    pub id: StepId,
    /// Its node.
    pub node: NodeId,
    /// The items around it.
    pub path: Path,
    /// Its op.
    pub op: &'static OpDef,
    /// What its parameters are given.
    pub inputs: Vec<Option<AnyValue>>,
    /// Which inputs were moved out of the machine, one bit a parameter.
    pub(crate) moved: u64,
    /// When it must have ended.
    pub deadline: Option<Duration>,
    /// If the next step of the grant waits for this one: which of its parameters takes the value.
    pub feeds: Option<u32>,
    /// Whether nobody but that step can need the value.
    pub passes_on: bool,
    /// Whether a step before it in the grant must succeed first.
    pub fed: bool,
    /// If its value is read back instead of made: its item's number in the run that is known.
    pub recall: Option<u32>,
}

/// A poll of an emitter.
#[derive(Debug)]
pub struct Poll {
    /// Which attempt of which step.
    pub id: StepId,
    /// Its node.
    pub node: NodeId,
    /// The number of the item around it.
    pub item: u32,
    /// How many items it may give.
    pub room: u32,
    /// If it is not run, but read back: what.
    pub recall: Option<RecalledItems>,
    /// At the first poll of an attempt, what it is run with.
    pub begin: Option<StepWork>,
}

/// Items that a fold combines.
#[derive(Debug)]
pub struct FoldWork {
    /// The step.
    pub step: StepWork,
    /// The value so far.
    pub value: AnyValue,
    /// The items, in order; none if all have come and the value is to be recorded.
    pub items: Vec<AnyValue>,
}

/// Work for one worker, or for one task of the runtime; it takes one place of `max_concurrent`.
#[derive(Debug)]
pub enum Grant {
    /// Steps of sync ops, to be run one after another.
    Steps(Vec<StepWork>),
    /// A step of an async op.
    Async(StepWork),
    /// A poll of an emitter.
    Poll(Poll),
    /// A piece of a fold.
    Fold(FoldWork),
}

/// What became of a step.
#[derive(Debug)]
pub struct StepDone {
    /// Which attempt of which step.
    pub id: StepId,
    /// When it began.
    pub started: Duration,
    /// How long it took.
    pub took: Duration,
    /// What it gave.
    pub result: Result<Outputs, OpError>,
    /// Whether the value was handed to the next step of the grant and nobody else needs it.
    pub passed_on: bool,
    /// What is recorded of it, in what the machine [holds](Machine::hold).
    pub record: Span,
}

/// What became of a poll.
#[derive(Debug)]
pub struct PollDone {
    /// Which attempt of which step.
    pub id: StepId,
    /// How long the poll took.
    pub took: Duration,
    /// The items that it gave.
    pub items: Vec<Item>,
    /// How many items it could have given.
    pub room: u32,
    /// How the emitter stands.
    pub outcome: PollOutcome,
    /// What is recorded of it, if it has ended, in what the machine [holds](Machine::hold).
    pub record: Span,
}

/// How an emitter stands after a poll.
#[derive(Debug)]
pub enum PollOutcome {
    /// It waits for room.
    WantsRoom,
    /// It waits for something else, and will be woken.
    Waits,
    /// It has ended.
    Ended(Result<Outputs, OpError>),
}

/// Which kinds of work are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// The first in order.
    Any,
    /// The first that needs no thread of its own.
    Async,
}

/// Where a step that could start stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Sync,
    Tasks,
    /// It waited for a limit that has room now.
    Parked {
        limit: usize,
        on_runtime: bool,
    },
}

/// How much measured work a worker is given at once: long against the cost of handing it over,
/// short against what anybody would notice.
const BATCH: f32 = 100_000.0;
/// What a step takes at most to share a grant with others.
const SHORT: f32 = 1_000_000.0;
/// How many steps a worker is given at once at most.
const MAX_BATCH: usize = 256;

/// How many steps a batch may have, with those that follow on its first ones: what a worker has in hand
/// must be noted whole, or a step that kills the process is not found (§4.10).
const MAX_STEPS: usize = 400;
/// How many items a fold combines, or an emitter gives, at once at most.
pub(super) const MAX_ITEMS: u32 = 512;

impl Machine {
    /// The next work, if any may start at `now`. The caller gives each grant back by
    /// [`finish`](Self::finish), [`polled`](Self::polled) or [`folded`](Self::folded).
    pub fn next(&mut self, now: Duration, want: Want) -> Option<Grant> {
        self.now = self.now.max(now);
        if self.ended.is_some() || !self.has_place() {
            return None;
        }
        loop {
            let Some((rank, entry)) = self.pop(want) else {
                for (limit, until) in self.tokens.alarms(self.now) {
                    self.timer(until, Timer::Rate { limit });
                }
                return self.rescue(want);
            };
            if !self.is_ready(&entry) {
                continue;
            }
            if self.takes_no_tokens(&entry) {
                if let Some(grant) = self.grant(&entry) {
                    self.in_flight += 1;
                    return Some(grant);
                }
                continue;
            }
            if self.is_suspect(entry.frame.index, entry.task) {
                if self.in_flight > 0 {
                    self.enqueue(rank, entry);
                    return None;
                }
                self.alone = true;
            } else {
                self.alone = false;
            }
            let again = self.is_begun_emitter(&entry);
            let node = self.node_of(entry.frame.index, entry.task);
            match self.tokens.take(&self.plan.node(node).options, self.now, again) {
                Ok(()) => {
                    if let Some(grant) = self.grant(&entry) {
                        self.in_flight += 1;
                        return Some(grant);
                    }
                    self.give_tokens_back(node);
                }
                Err(limit) => self.tokens.park(limit, self.is_for_runtime(node), rank, entry),
            }
        }
    }

    /// The first in order of all that could start.
    fn pop(&mut self, want: Want) -> Option<(u32, Entry)> {
        match self.first(want)? {
            Place::Sync => self.sync.pop(),
            Place::Tasks => self.tasks.pop(),
            Place::Parked { limit, on_runtime } => self.tokens.pop(limit, on_runtime),
        }
    }

    /// Where the first in order stands.
    fn first(&self, want: Want) -> Option<Place> {
        let sync = self.sync.peek().filter(|_| want == Want::Any);
        let queued = match (sync, self.tasks.peek()) {
            (Some(sync), Some(task)) if task < sync => Some((task, Place::Tasks)),
            (Some(sync), _) => Some((sync, Place::Sync)),
            (None, task) => task.map(|task| (task, Place::Tasks)),
        };
        if !self.tokens.any_parked() {
            return queued.map(|(_, place)| place);
        }
        let parked = |on_runtime| {
            let (limit, (rank, entry)) = self.tokens.peek(self.now, on_runtime)?;
            Some(((*rank, entry), Place::Parked { limit, on_runtime }))
        };
        let sync = parked(false).filter(|_| want == Want::Any);
        let all = [queued, sync, parked(true)].into_iter().flatten();
        all.min_by_key(|(first, _)| *first).map(|(_, place)| place)
    }

    fn is_ready(&self, entry: &Entry) -> bool {
        self.frame_of(entry.frame)
            .is_some_and(|frame| frame.tasks[entry.task as usize].state == TaskState::Ready)
    }

    fn takes_no_tokens(&self, entry: &Entry) -> bool {
        self.recall.is_some()
            && (self.is_recalled(entry.frame.index, entry.task)
                || self.reads_back(self.step_id(entry.frame.index, entry.task)))
    }

    /// Whether a step runs while nothing else does.
    fn is_suspect(&self, frame: u32, task: u32) -> bool {
        let alone = &self.config.suspects.alone;
        !alone.is_empty()
            && self.known_item(frame).is_some_and(|item| alone.contains(&(item, self.node_of(frame, task))))
    }

    fn is_begun_emitter(&self, entry: &Entry) -> bool {
        self.begun.contains_key(&self.step_id(entry.frame.index, entry.task))
    }

    pub(super) fn step_id(&self, frame: u32, task: u32) -> StepId {
        let attempt = self.frames[frame as usize].tasks[task as usize].attempt;
        StepId { frame: self.frame_id(frame), task, attempt }
    }

    /// Puts a step that has all its inputs, or is due again, into its queue.
    pub(super) fn make_ready(&mut self, frame: u32, task: u32) {
        self.set_state(frame, task, TaskState::Ready);
        let node = self.node_of(frame, task);
        self.entries += 1;
        let at = &self.frames[frame as usize];
        let entry = Entry {
            attempt: at.tasks[task as usize].attempt,
            turn: at.turn.clone(),
            number: self.entries,
            frame: self.frame_id(frame),
            task,
        };
        self.enqueue(self.plan.rank_of[node.index()], entry);
    }

    fn enqueue(&mut self, rank: u32, entry: Entry) {
        let node = self.node_of(entry.frame.index, entry.task);
        let recalled = self.is_recalled(entry.frame.index, entry.task);
        if self.is_for_runtime(node) && !recalled {
            self.tasks.push(rank, entry);
        } else {
            self.sync.push(rank, entry);
        }
    }

    fn is_for_runtime(&self, node: NodeId) -> bool {
        // A fold is for a thread, whatever its op.
        matches!(self.plan.node(node).kind, NodeKind::Op(op) if matches!(op.run, Run::Async(_)))
    }

    /// The work of an entry; none if an emitter has no room for items.
    fn grant(&mut self, entry: &Entry) -> Option<Grant> {
        let (frame, task) = (entry.frame.index, entry.task);
        match self.task_plan(frame, task).kind {
            TaskKind::Op { op, .. } if is_emitter(op) => self.grant_poll(frame, task, op).map(Grant::Poll),
            TaskKind::Op { .. } | TaskKind::Gather { .. } if self.is_recalled(frame, task) => {
                Some(Grant::Steps(self.grant_recalled(frame, task)))
            }
            TaskKind::Op { op, .. } => match op.run {
                Run::Async(_) => Some(Grant::Async(self.begin_step(frame, task, op, true))),
                Run::Sync(_) | Run::Emitter(_) => Some(Grant::Steps(self.grant_steps(frame, task, op))),
            },
            TaskKind::Gather { index, .. } => self.grant_fold(frame, task, index).map(Grant::Fold),
            TaskKind::Zip { .. } | TaskKind::Deliver { .. } | TaskKind::Open { .. } => None,
        }
    }

    /// A batch of steps whose values are read back.
    fn grant_recalled(&mut self, frame: u32, task: u32) -> Vec<StepWork> {
        let mut steps = Vec::new();
        steps.extend(self.recall_step(frame, task));
        let share = (self.sync.len() / self.config.workers as usize).clamp(1, MAX_BATCH);
        while steps.len() < share && self.first(Want::Any) == Some(Place::Sync) {
            let Some((_, entry)) = self.sync.peek() else { break };
            let (frame, task) = (entry.frame.index, entry.task);
            let ready = self.is_ready(entry);
            let plain = |kind| !matches!(kind, TaskKind::Op { op, .. } if is_emitter(op));
            if ready && !(plain(self.task_plan(frame, task).kind) && self.is_recalled(frame, task)) {
                break;
            }
            self.sync.pop();
            if ready {
                steps.extend(self.recall_step(frame, task));
            }
        }
        steps
    }

    fn recall_step(&mut self, frame: u32, task: u32) -> Option<StepWork> {
        let op = self.plan.node(self.node_of(frame, task)).op()?;
        self.set_state(frame, task, TaskState::Running);
        let recall = self.known_item(frame);
        Some(StepWork { recall, ..self.go_on_with(frame, task, op) })
    }

    /// A batch: this step, those that can follow it in its frame, and more of the like.
    fn grant_steps(&mut self, frame: u32, task: u32, op: &'static OpDef) -> Vec<StepWork> {
        if !self.is_short(self.node_of(frame, task)) {
            return vec![self.begin_step(frame, task, op, true)];
        }
        let share = (self.sync.len() / self.config.workers as usize).clamp(1, MAX_BATCH);
        let mut steps = Vec::with_capacity(share);
        let mut last = self.grant_chain(frame, task, op, &mut steps);
        let mut cost: f32 = steps.iter().map(|step| self.cost[step.node.index()]).sum();
        let mut heads = 1;
        while heads < share && steps.len() < MAX_STEPS && cost < BATCH && !self.leads_on(last.0, last.1) {
            if self.first(Want::Any) != Some(Place::Sync) {
                break;
            }
            let Some((_, entry)) = self.sync.peek() else { break };
            let (frame, task) = (entry.frame.index, entry.task);
            let (ready, node) = (self.is_ready(entry), self.node_of(frame, task));
            if ready && (!self.is_short(node) || self.is_recalled(frame, task)) {
                break;
            }
            self.sync.pop();
            if !ready {
                continue;
            }
            let Some(op) = self.plan.node(node).op() else { break };
            let before = steps.len();
            last = self.grant_chain(frame, task, op, &mut steps);
            cost += steps[before..].iter().map(|step| self.cost[step.node.index()]).sum::<f32>();
            heads += 1;
        }
        steps
    }

    /// Whether steps of a node may share a grant: nothing has to be decided for each, and they are
    /// known to be short. What was never measured, or takes long, goes alone, and is told when it
    /// starts.
    fn is_short(&self, node: NodeId) -> bool {
        let plan = self.plan.node(node);
        let cost = self.cost[node.index()];
        let free = self.config.suspects.alone.is_empty()
            && runs_in_batches(plan)
            && !self.tokens.bound(&plan.options);
        free && !self.plan.hurried[node.index()] && cost > 0.0 && cost < SHORT
    }

    /// Whether a step further along will wait for this one only, and comes before others like this.
    fn leads_on(&self, frame: u32, task: u32) -> bool {
        let tasks = &self.frames[frame as usize].tasks;
        let scope = self.plan.scope(self.frames[frame as usize].scope());
        let plan = &scope.tasks[task as usize];
        let slots = &scope.slots[plan.slot as usize..(plan.slot + plan.slots) as usize];
        let waits = |reader: &u32| {
            let task = &tasks[*reader as usize];
            task.missing == 1
                && task.state == TaskState::Waiting
                && matches!(scope.tasks[*reader as usize].kind, TaskKind::Op { .. })
        };
        self.config.order == Order::DepthFirst && slots.iter().flat_map(|slot| &slot.readers).any(waits)
    }

    /// A step and those that wait for nothing else; the last of them.
    fn grant_chain(
        &mut self,
        frame: u32,
        task: u32,
        op: &'static OpDef,
        steps: &mut Vec<StepWork>,
    ) -> (u32, u32) {
        steps.push(self.begin_step(frame, task, op, false));
        let mut task = task;
        while let Some(next) = self.task_plan(frame, task).next {
            let from = self.task_plan(frame, task).slot;
            let next_plan = self.task_plan(frame, next);
            let (TaskKind::Op { op, .. }, Some(parameter)) = (next_plan.kind, next_plan.parameter_of(from))
            else {
                break;
            };
            let state = &self.frames[frame as usize].tasks[next as usize];
            if state.missing != 1
                || state.state != TaskState::Waiting
                || !self.is_short(next_plan.node)
                || !self.runs_anew(frame, next)
                || !self.can_run(frame, next)
            {
                break;
            }
            let retries = self.plan.node(next_plan.node).options.retry.is_some_and(|retry| retry.max > 0);
            let only = self.frames[frame as usize].uses[from as usize] == 1;
            let mut work = self.begin_step(frame, next, op, false);
            work.fed = true;
            self.set_state(frame, next, TaskState::Chained);
            if let Some(before) = steps.last_mut() {
                before.feeds = Some(parameter);
                before.passes_on = only && !retries && !self.config.keep_values;
                work.moved |= u64::from(before.passes_on) << parameter.min(63);
            }
            steps.push(work);
            task = next;
        }
        (frame, task)
    }

    /// Begins an attempt of a step.
    pub(super) fn begin_step(&mut self, frame: u32, task: u32, op: &'static OpDef, told: bool) -> StepWork {
        self.set_state(frame, task, TaskState::Running);
        self.frames[frame as usize].tasks[task as usize].attempt += 1;
        let id = self.step_id(frame, task);
        let node = self.node_of(frame, task);
        let options = &self.plan.node(node).options;
        let may_move = options.retry.is_none_or(|retry| retry.max == 0);
        let deadline = options.timeout.map(|timeout| self.now + timeout);
        let (inputs, moved) = self.inputs(frame, task, may_move);
        if let Some(deadline) = deadline.filter(|_| !is_emitter(op)) {
            self.timer(deadline, Timer::Timeout { step: id });
        }
        if told {
            let step = self.step_ref(frame, task);
            self.event(EventKind::StepStarted { step, attempt: id.attempt });
        }
        let path = self.frames[frame as usize].path.clone();
        StepWork {
            id,
            node,
            path,
            op,
            inputs,
            moved,
            deadline,
            feeds: None,
            passes_on: false,
            fed: false,
            recall: None,
        }
    }

    /// The work of a fold that has begun and goes on.
    pub(super) fn go_on_with(&mut self, frame: u32, task: u32, op: &'static OpDef) -> StepWork {
        let (id, node) = (self.step_id(frame, task), self.node_of(frame, task));
        let path = self.frames[frame as usize].path.clone();
        let inputs = Vec::new();
        StepWork {
            id,
            node,
            path,
            op,
            inputs,
            moved: 0,
            deadline: None,
            feeds: None,
            passes_on: false,
            fed: false,
            recall: None,
        }
    }

    /// Takes back a grant of steps: what was done, in order, and what was not begun.
    pub fn finish(&mut self, now: Duration, done: Vec<StepDone>, not_begun: Vec<StepWork>) {
        self.now = self.now.max(now);
        let ids = done.iter().map(|done| done.id).chain(not_begun.iter().map(|work| work.id));
        self.place_is_free(ids);
        for done in done {
            self.step_done(done);
        }
        self.take_back(not_begun);
        self.after_change();
    }

    /// Another worker has taken steps out of a grant, to run them beside it: may it?
    pub fn split(&mut self) -> bool {
        let may = self.in_flight < self.config.limits.max_concurrent && self.stopping.is_none();
        self.in_flight += u32::from(may);
        may
    }

    fn take_back(&mut self, steps: Vec<StepWork>) {
        for work in steps {
            let StepId { frame, task, attempt } = work.id;
            let state = self.frame_of(frame).map(|frame| frame.tasks[task as usize].clone());
            let held = |task: &Task| {
                task.attempt == attempt && matches!(task.state, TaskState::Running | TaskState::Chained)
            };
            let Some(state) = state.filter(held) else {
                self.late_return(work.id);
                continue;
            };
            // A step that is read back took no tokens, and is no attempt.
            if work.recall.is_none() {
                self.give_tokens_back(work.node);
                self.frames[frame.index as usize].tasks[task as usize].attempt -= 1;
            }
            self.restore(frame.index, task, work.inputs, work.moved);
            self.set_state(frame.index, task, TaskState::Waiting);
            if state.missing == 0 {
                self.due.push_back((frame, task));
            }
        }
    }

    fn step_done(&mut self, done: StepDone) {
        let StepId { frame, task, attempt } = done.id;
        let running = self.frame_of(frame).is_some_and(|frame| {
            let task = &frame.tasks[task as usize];
            task.attempt == attempt && matches!(task.state, TaskState::Running | TaskState::Chained)
        });
        if !running {
            self.late_return(done.id);
            return;
        }
        let (node, frame) = (self.node_of(frame.index, task), frame.index);
        if self.is_recalled(frame, task) {
            match done.result {
                Ok(outputs) => self.was_recalled(done.id, outputs, done.record),
                Err(error) => self.cannot_recall(frame, task, &error),
            }
            self.settle_due();
            return;
        }
        self.give_tokens_back(node);
        self.measure(node, done.took);
        let StepDone { started, took, record, .. } = done;
        match done.result {
            Ok(outputs) => {
                let step = self.step_ref(frame, task);
                let kept = self.config.keep_values.then(|| outputs.clone());
                self.event(EventKind::StepSucceeded { step, attempt, started, took, outputs: kept, record });
                self.give(frame, task, outputs, done.passed_on);
                self.end_task(frame, task, StepState::Succeeded);
            }
            Err(error) => self.attempt_failed(frame, task, started, took, error, false),
        }
        self.settle_due();
    }

    pub(super) fn measure(&mut self, node: NodeId, took: Duration) {
        let cost = &mut self.cost[node.index()];
        let took = took.as_nanos().max(1) as f32;
        *cost = if *cost == 0.0 { took } else { *cost + (took - *cost) / 8.0 };
    }

    pub(super) fn give_tokens_back(&mut self, node: NodeId) {
        self.tokens.give_back(&self.plan.node(node).options);
    }

    /// After anything has changed: settles what is due, and ends a run that stops.
    pub(super) fn after_change(&mut self) {
        self.settle_due();
        self.end_if_stopped();
    }
}
