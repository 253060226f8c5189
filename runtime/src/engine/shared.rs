//! What the threads and tasks of a run share.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::context::{OpContext, RunContext};
use crate::define::{FirstValues, OpDef};
use crate::graph::NodeId;
use crate::machine::{Command, Grant, Machine, Poll, StepId, StepWork, Want};
use crate::panics::caught;
use crate::run::GRACE;
use crate::step::Path;
use crate::store::{IN_HAND_BYTES, IN_HAND_CUT, StoreError};

use super::emitter::{Emitter, UnderWay};
use super::values::Values;
use super::{attempt, worker};

/// How many events may wait to be read before no work is given: readers that cannot keep up slow
/// the run down, and fill no memory.
const MAX_WAITING_EVENTS: usize = 1 << 17;
/// How many events are worth waking their reader for.
const WORTH_READING: usize = 1 << 12;
/// How many bytes of values may wait to be written before no work is given.
const MAX_WAITING_DATA: usize = 32 << 20;

#[derive(Debug)]
pub(super) struct Shared {
    machine: Mutex<Machine>,
    /// Idle workers wait here.
    work: Condvar,
    /// The recorder waits here.
    pub(super) news: Condvar,
    /// The supervisor waits here.
    pub(super) watch: Condvar,
    pub(super) values: Arc<Values>,
    is_recorded: bool,
    /// After a death: up to which item no step begins before its item is recorded.
    careful_up_to: Option<u32>,
    /// How many items are recorded; nothing yet before the death is.
    recorded: watch::Sender<Option<u32>>,
    /// The time that the run had taken before it went on.
    before: Duration,
    /// Wakes the timekeeper.
    pub(super) timers: Notify,
    pub(super) run: Arc<RunContext>,
    pub(super) runtime: Handle,
    begun: Instant,
    grace: Duration,
    pub(super) cancel: CancellationToken,
    cancelling: AtomicBool,
    /// The steps that can be told or dropped one by one.
    running: Mutex<HashMap<StepId, Running>>,
    pub(super) emitters: Mutex<HashMap<StepId, Emitter>>,
    pub(super) workers: Mutex<Vec<Arc<WorkerState>>>,
    /// The steps of async ops that run, by item and node, if there is a record.
    tasks: Mutex<HashMap<StepId, (u32, NodeId)>>,
    /// Which outputs of each node have given a first value that was read back (§6.4).
    pub(super) firsts: Vec<Arc<FirstValues>>,
    /// The polls of emitters that are under way.
    pub(super) polls: Mutex<HashMap<StepId, UnderWay>>,
    pub(super) names: Vec<Arc<str>>,
    /// Which nodes' steps may have to be told to stop while the run goes on.
    pub(super) may_stop: Vec<bool>,
    /// How many worker threads there may be, besides those that were left behind.
    pub(super) max_workers: usize,
}

/// What others see of a worker.
#[derive(Debug, Default)]
pub(super) struct WorkerState {
    /// Its place among the workers.
    pub(super) number: usize,
    /// Steps that it was given and has not begun.
    pub(super) queue: Mutex<VecDeque<StepWork>>,
    /// How many steps it has ended.
    pub(super) ended: AtomicU64,
    pub(super) idle: AtomicBool,
}

/// How a running step is stopped.
#[derive(Debug)]
struct Running {
    token: CancellationToken,
    task: Option<AbortHandle>,
}

impl Running {
    /// Tells it, and drops it if that can be done.
    fn stop(self) {
        self.token.cancel();
        if let Some(task) = self.task {
            task.abort();
        }
    }
}

impl Shared {
    pub(super) fn new(
        machine: Machine,
        run: RunContext,
        values: Arc<Values>,
        grace: Option<Duration>,
        runtime: Handle,
    ) -> Self {
        let nodes = &machine.graph().nodes;
        let ids = (0..nodes.len() as u32).map(NodeId);
        Self {
            may_stop: ids.map(|node| machine.may_stop(node)).collect(),
            firsts: nodes.iter().map(|node| Arc::new(FirstValues::of(node.op()))).collect(),
            polls: Mutex::default(),
            names: nodes.iter().map(|node| Arc::clone(&node.name)).collect(),
            max_workers: machine.max_concurrent() as usize,
            before: machine.begins_at(),
            machine: Mutex::new(machine),
            work: Condvar::new(),
            news: Condvar::new(),
            watch: Condvar::new(),
            is_recorded: values.are_recorded(),
            careful_up_to: values.careful_up_to(),
            recorded: watch::Sender::new(None),
            values,
            timers: Notify::new(),
            begun: run.begun,
            run: Arc::new(run),
            runtime,
            grace: grace.unwrap_or(GRACE),
            cancel: CancellationToken::new(),
            cancelling: AtomicBool::new(false),
            running: Mutex::default(),
            emitters: Mutex::default(),
            workers: Mutex::default(),
            tasks: Mutex::default(),
        }
    }

    /// The time since the run began.
    pub(super) fn now(&self) -> Duration {
        self.before + self.begun.elapsed()
    }

    pub(super) fn at(&self, time: Duration) -> Instant {
        self.begun + time.saturating_sub(self.before)
    }

    /// The machine. Nothing of the user's runs while it is locked, so a poisoned lock is one of ours.
    pub(super) fn lock(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the first tasks and workers: one at least.
    pub(super) fn begin(self: &Arc<Self>) -> io::Result<()> {
        worker::spawn(self)?;
        self.change(|_, _| ());
        if super::cores() > 1 {
            // The supervisor tries again when it is needed.
            let _ = worker::spawn(self);
        }
        Ok(())
    }

    /// Changes the machine, and sees to everything that follows from it.
    pub(super) fn change(self: &Arc<Self>, change: impl FnOnce(&mut Machine, Duration)) {
        let now = self.now();
        let mut machine = self.lock();
        change(&mut machine, now);
        self.after_change(machine, now);
    }

    /// Hands out what needs no thread of its own, wakes whoever has something to do, and lets the
    /// machine go.
    pub(super) fn after_change(self: &Arc<Self>, mut machine: MutexGuard<'_, Machine>, now: Duration) {
        let tasks = Self::async_work(&mut machine, now);
        self.wake_others(&machine);
        self.let_go(machine, tasks);
    }

    /// All steps of async ops that may start.
    pub(super) fn async_work(machine: &mut Machine, now: Duration) -> Vec<StepWork> {
        let mut tasks = Vec::new();
        while !Self::is_behind(machine)
            && let Some(Grant::Async(step)) = machine.next(now, Want::Async)
        {
            tasks.push(step);
        }
        tasks
    }

    pub(super) fn wake_others(&self, machine: &Machine) {
        let work = machine.waiting_for_threads() > 0 && machine.has_place();
        if work || machine.ended().is_some() {
            self.work.notify_one();
        }
        self.wake_recorder(machine);
    }

    /// Wakes the recorder if there is something that it should not wait for.
    pub(super) fn wake_recorder(&self, machine: &Machine) {
        let events = machine.waiting_events();
        let idle = machine.in_flight() == 0 && events > 0 && !machine.only_starts();
        if machine.ended().is_some() || Self::is_worth_reading(events) || (idle && self.is_recorded) {
            self.news.notify_one();
        }
    }

    /// Unlocks the machine, then does what it asked for.
    pub(super) fn let_go(self: &Arc<Self>, mut machine: MutexGuard<'_, Machine>, tasks: Vec<StepWork>) {
        let (commands, spent) = (machine.take_commands(), machine.take_spent());
        let timer = machine.has_new_timer();
        let ended = machine.ended().is_some();
        drop(machine);
        // Before the timekeeper may look: where time is paused, it goes on as soon as no task runs.
        for step in tasks {
            attempt::spawn(self, step);
        }
        if timer || ended {
            self.timers.notify_one();
        }
        if ended {
            self.work.notify_all();
            self.watch.notify_all();
        }
        for value in spent {
            // A panic in here is nobody's failure: no step runs.
            let _ = caught(|| drop(value));
        }
        for command in commands {
            self.obey(&command);
        }
    }

    fn obey(&self, command: &Command) {
        match command {
            Command::Drop(step) => {
                let emitter = lock(&self.emitters).remove(step);
                // Dropping it runs code of the user's.
                let _ = caught(|| drop(emitter));
            }
            Command::Stop(step) => {
                // A cancelled run gives its steps time; else the step no longer counts.
                if self.cancelling.load(Ordering::Acquire) {
                    if let Some(running) = lock(&self.running).get(step) {
                        running.token.cancel();
                    }
                } else if let Some(running) = lock(&self.running).remove(step) {
                    running.stop();
                }
            }
        }
    }

    /// The context of a step; `own` if it must be possible to tell this step alone.
    pub(super) fn context(&self, step: &StepWork, own: bool) -> OpContext {
        let token = if own { self.cancel.child_token() } else { self.cancel.clone() };
        if own {
            let running = Running { token: token.clone(), task: None };
            lock(&self.running).insert(step.id, running);
        }
        let node = (step.node, Arc::clone(&self.names[step.node.index()]));
        OpContext::new(Arc::clone(&self.run), node, step.path.clone(), step.id.attempt(), token)
    }

    /// The context that a worker uses for one step after the other.
    pub(super) fn worker_context(&self) -> Rc<OpContext> {
        let (run, token) = (Arc::clone(&self.run), self.cancel.clone());
        Rc::new(OpContext::new(run, (NodeId(0), "".into()), Path::root(), 0, token))
    }

    pub(super) fn runs_as(&self, step: StepId, task: AbortHandle) {
        match lock(&self.running).get_mut(&step) {
            Some(running) => running.task = Some(task),
            // It has ended, or was stopped before its task could be named.
            None => task.abort(),
        }
    }

    pub(super) fn runs_no_more(&self, step: StepId) {
        lock(&self.running).remove(&step);
    }

    pub(super) fn cancel(self: &Arc<Self>, reason: &str, grace: Option<Duration>) {
        if self.lock().ended().is_some() {
            return;
        }
        self.cancelling.store(true, Ordering::Release);
        let grace = grace.unwrap_or(self.grace);
        self.change(|machine, now| machine.cancel(now, reason, grace));
        // Only now: an op that stops at once must not end a run that does not know it is cancelled.
        self.cancel.cancel();
    }

    /// The run has ended: what still runs is dropped, or left behind if it cannot be.
    pub(super) fn abandon(&self) {
        for (_, running) in lock(&self.running).drain() {
            running.stop();
        }
        let emitters = std::mem::take(&mut *lock(&self.emitters));
        let _ = caught(|| drop(emitters));
    }

    /// Whether the process before died with something in hand.
    pub(super) fn is_careful(&self) -> bool {
        self.careful_up_to.is_some()
    }

    /// Tells that so many items are recorded.
    pub(super) fn has_recorded(&self, items: u32) {
        if self.is_careful() {
            self.recorded.send_replace(Some(items));
        }
    }

    /// Whether a step in this item has to wait: for the record of the last death, which counts only with
    /// those before it, and for that of the item, as the next death names only what is recorded.
    pub(super) fn must_be_recorded(&self, item: u32) -> bool {
        self.careful_up_to.is_some_and(|last| item <= last) && *self.recorded.borrow() < Some(item)
    }

    /// Waits until an item is recorded, or the run is cancelled.
    pub(super) async fn is_recorded_to(&self, item: u32) {
        let mut recorded = self.recorded.subscribe();
        tokio::select! {
            // The sender lives as long as the run.
            _ = recorded.wait_for(|items| *items >= Some(item)) => {}
            () = self.cancel.cancelled() => {}
        }
    }

    /// The same on a worker's thread, for all the items of a grant.
    pub(super) fn await_recorded(&self, items: impl Iterator<Item = u32>) {
        if self.is_careful()
            && let Some(item) = items.max().filter(|item| self.must_be_recorded(*item))
        {
            self.runtime.block_on(self.is_recorded_to(item));
        }
    }

    /// Says what a worker has in hand from now on, so that it is known if the process dies of it.
    pub(super) fn in_hand(&self, worker: &WorkerState, steps: &[StepWork]) {
        if let Some(drive) = self.values.drive.as_ref().filter(|_| worker.number < TASKS_IN_HAND) {
            let ids = steps.iter().map(|step| (step.path.number(), step.node));
            drive.in_hand(worker.number, &hand(ids));
        }
    }

    /// The same for a poll of an emitter.
    pub(super) fn poll_in_hand(&self, worker: &WorkerState, poll: &Poll) {
        if let Some(drive) = self.values.drive.as_ref().filter(|_| worker.number < TASKS_IN_HAND) {
            drive.in_hand(worker.number, &hand([(poll.item, poll.node)].into_iter()));
        }
    }

    /// The same for a step of an async op, which no worker has: that it begins, or has ended.
    pub(super) fn task_in_hand(&self, id: StepId, begins: Option<&StepWork>) {
        let Some(drive) = &self.values.drive else { return };
        let mut tasks = lock(&self.tasks);
        match begins {
            Some(step) => drop(tasks.insert(id, (step.path.number(), step.node))),
            None => drop(tasks.remove(&id)),
        }
        drive.in_hand(TASKS_IN_HAND, &hand(tasks.values().copied()));
    }

    /// Waits for work; gives the machine back when there may be some.
    pub(super) fn wait_for_work<'a>(&self, machine: MutexGuard<'a, Machine>) -> MutexGuard<'a, Machine> {
        self.work.wait(machine).unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether so many events, or so much data, waited that no work was given.
    pub(super) fn held_work_back(events: usize, data: usize) -> bool {
        events >= MAX_WAITING_EVENTS || data >= MAX_WAITING_DATA
    }

    /// Whether the recorder is too far behind for more work.
    pub(super) fn is_behind(machine: &Machine) -> bool {
        Self::held_work_back(machine.waiting_events(), machine.waiting_data())
    }

    /// Whether so many events wait that their reader is woken.
    pub(super) fn is_worth_reading(events: usize) -> bool {
        events > WORTH_READING
    }

    /// Whether somebody cancelled the run.
    pub(super) fn is_cancelling(&self) -> bool {
        self.cancelling.load(Ordering::Acquire)
    }

    /// The record cannot be written: the run ends at once.
    pub(super) fn stop_unwritten(self: &Arc<Self>, error: &StoreError) {
        self.cancel(&format!("the record cannot be written: {error}"), Some(Duration::ZERO));
    }

    /// The op of a node.
    pub(super) fn op(&self, node: NodeId) -> Option<&'static OpDef> {
        self.firsts[node.index()].op()
    }

    pub(super) fn wake_workers(&self) {
        self.work.notify_all();
    }
}

/// The place in the record of what is in hand that tasks share; workers have those before it.
const TASKS_IN_HAND: usize = 63;

/// Steps, by item and node, as they are kept while they are in hand.
fn hand(steps: impl Iterator<Item = (u32, NodeId)>) -> Vec<u8> {
    steps.flat_map(|(item, node)| [item.to_le_bytes(), node.0.to_le_bytes()]).flatten().collect()
}

/// Steps that were in hand, by item and node.
pub(crate) fn from_hand(bytes: &[u8]) -> Vec<(u32, NodeId)> {
    // The last step of what was cut is no step.
    let whole = if bytes.len() == IN_HAND_BYTES && bytes.ends_with(&[IN_HAND_CUT]) {
        &bytes[..bytes.len() - 8]
    } else {
        bytes
    };
    let number = |bytes: &[u8]| bytes.try_into().map(u32::from_le_bytes).unwrap_or_default();
    whole.chunks_exact(8).map(|step| (number(&step[..4]), NodeId(number(&step[4..])))).collect()
}

/// Locks what no code of the user's runs under.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
