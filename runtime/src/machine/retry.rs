//! Failed attempts, the waits between them, and everything else that happens at a time.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use crate::define::Run;
use crate::error::{ErrorKind, OpError};
use crate::event::{EventKind, RunState, StepState};

use crate::graph::NodeId;
use crate::options::RetryPolicy;

use super::frame::{FrameId, Slot, TaskState};
use super::handled::Cause;
use super::plan::TaskKind;
use super::{Command, Machine, StepId};

/// What happens at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A failed step may be tried again.
    Retry { frame: FrameId, task: u32, attempt: u32 },
    /// The time of a step is over.
    Timeout { step: StepId },
    /// The time of an emitter is over, if it is still in the poll that began after `polled`.
    Poll { step: StepId, polled: Duration },
    /// The rate of a limit lets another step start.
    Rate { limit: usize },
    /// A cancelled run waits no longer for its running steps.
    Grace,
    /// A limit whose tokens were all held by threads that do not return has had its time.
    Held { limit: usize },
}

/// Something that no longer counts, and has not returned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left {
    pub(super) node: NodeId,
    pub(super) by: LeftBy,
}

/// Why it does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeftBy {
    /// Its item was superseded.
    Superseded,
    /// Its time was over: a task, which is dropped, or a thread, which cannot be.
    Timeout { thread: bool },
}

/// How many threads that do not return may be left behind before the run fails: each holds memory
/// and perhaps a lock.
const MAX_LEFT_BEHIND: usize = 32;

impl Machine {
    pub(super) fn timer(&mut self, at: Duration, timer: Timer) {
        self.entries += 1;
        self.timers.push(Reverse((at, self.entries, timer)));
    }

    /// When [`tick`](Self::tick) must be called next, if anything waits for a time.
    pub fn next_timer(&self) -> Option<Duration> {
        self.timers.peek().map(|Reverse((at, ..))| *at)
    }

    /// Does what is due at `now`.
    pub fn tick(&mut self, now: Duration) {
        self.now = self.now.max(now);
        while let Some(Reverse((at, ..))) = self.timers.peek()
            && *at <= self.now
        {
            let Some(Reverse((_, _, timer))) = self.timers.pop() else { break };
            self.fire(timer);
        }
        self.after_change();
    }

    fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Retry { frame, task, attempt } => {
                if self.waits_for_retry(frame, task, attempt) {
                    self.make_ready(frame.index, task);
                }
            }
            Timer::Timeout { step } if self.runs(step) => self.timed_out(step),
            Timer::Poll { step, polled } if self.runs(step) => {
                if self.begun.get(&step).is_some_and(|begun| begun.polled == polled) {
                    self.end_poll_room(step);
                    self.begun.remove(&step);
                    self.commands.push(Command::Drop(step));
                    self.timed_out(step);
                }
            }
            Timer::Timeout { .. } | Timer::Poll { .. } => {}
            Timer::Rate { limit } => self.tokens.wake(limit),
            Timer::Grace => self.grace_over(),
            Timer::Held { limit } => self.held_too_long(limit),
        }
    }

    fn waits_for_retry(&self, frame: FrameId, task: u32, attempt: u32) -> bool {
        self.frame_of(frame).is_some_and(|frame| {
            let task = &frame.tasks[task as usize];
            task.state == TaskState::Retrying && task.attempt == attempt
        })
    }

    /// Whether some step starts when a time has come.
    pub(super) fn any_waits_for_time(&self) -> bool {
        self.timers.iter().any(|Reverse((_, _, timer))| match *timer {
            Timer::Retry { frame, task, attempt } => self.waits_for_retry(frame, task, attempt),
            Timer::Rate { .. } => true,
            Timer::Timeout { .. } | Timer::Poll { .. } | Timer::Grace | Timer::Held { .. } => false,
        })
    }

    pub(super) fn runs(&self, step: StepId) -> bool {
        self.frame_of(step.frame).is_some_and(|frame| {
            let task = &frame.tasks[step.task as usize];
            task.attempt == step.attempt && task.state == TaskState::Running
        })
    }

    /// The step fails at its deadline; what runs is told, and its tokens of pools and tags stay
    /// taken until it returns (§4.9).
    fn timed_out(&mut self, step: StepId) {
        let StepId { frame, task, .. } = step;
        let node = self.node_of(frame.index, task);
        let options = &self.plan.node(node).options;
        let timeout = options.timeout.unwrap_or_default();
        let thread = self.plan.node(node).op().is_none_or(|op| !matches!(op.run, Run::Async(_)));
        self.left_behind.insert(step, Left { node, by: LeftBy::Timeout { thread } });
        // `max_concurrent` gets its token back at once.
        self.in_flight -= 1;
        self.commands.push(Command::Stop(step));
        let error = OpError::of_kind(
            ErrorKind::Timeout,
            format_args!("it took longer than its timeout of {timeout:?}"),
        );
        let started = self.now.saturating_sub(timeout);
        self.attempt_failed(frame.index, task, started, timeout, error, thread);
        if thread {
            self.thread_is_left(node);
        }
    }

    /// A thread was left behind: too many of them, or a limit that they hold wholly, fail the run.
    fn thread_is_left(&mut self, node: NodeId) {
        let names: Vec<_> =
            self.threads_left_behind().map(|node| self.plan.node(node).name.to_string()).collect();
        if names.len() >= MAX_LEFT_BEHIND {
            let (count, names) = (names.len(), names.join(", "));
            let reason =
                format!("{count} steps took longer than their timeouts and have not returned: {names}");
            self.stop(reason, RunState::Failed, false);
        }
        let plan = Arc::clone(&self.plan);
        let limits: Vec<_> = self.tokens.of(&plan.node(node).options).collect();
        for limit in limits {
            if self.held_by(limit).is_some() {
                self.timer(self.now + self.grace, Timer::Held { limit });
            }
        }
    }

    pub(super) fn threads_left_behind(&self) -> impl Iterator<Item = NodeId> {
        let threads = self.left_behind.values().filter(|left| left.by == LeftBy::Timeout { thread: true });
        threads.map(|left| left.node)
    }

    /// The nodes whose threads, left behind, hold all tokens of a limit, if they do.
    fn held_by(&self, limit: usize) -> Option<Vec<NodeId>> {
        let holds = |node: &NodeId| self.tokens.of(&self.plan.node(*node).options).any(|held| held == limit);
        let holders: Vec<_> = self.threads_left_behind().filter(holds).collect();
        (holders.len() >= self.tokens.limit(limit).1 as usize).then_some(holders)
    }

    fn held_too_long(&mut self, limit: usize) {
        let Some(holders) = self.held_by(limit) else { return };
        let names: Vec<_> = holders.iter().map(|node| self.plan.node(*node).name.to_string()).collect();
        let reason = format!(
            "pool or tag `{}` is wholly held by steps that took longer than their timeouts and have not returned: {}",
            self.tokens.limit(limit).0,
            names.join(", ")
        );
        self.stop(reason, RunState::Failed, false);
    }

    /// A grant has come back: its place is free, unless it was when its time was over.
    pub(super) fn place_is_free(&mut self, steps: impl IntoIterator<Item = StepId>) {
        let timed_out =
            |id| matches!(self.left_behind.get(&id), Some(Left { by: LeftBy::Timeout { .. }, .. }));
        if !steps.into_iter().any(timed_out) {
            self.in_flight -= 1;
        }
    }

    /// Something that no longer counts has returned: its tokens are free now.
    pub(super) fn late_return(&mut self, id: StepId) {
        if let Some(left) = self.left_behind.remove(&id) {
            self.give_tokens_back(left.node);
        }
    }

    /// An attempt has failed: it is tried again, or the step has failed.
    pub(super) fn attempt_failed(
        &mut self,
        frame: u32,
        task: u32,
        started: Duration,
        took: Duration,
        error: OpError,
        left_behind: bool,
    ) {
        let step = self.step_ref(frame, task);
        let attempt = self.frames[frame as usize].tasks[task as usize].attempt;
        let error = Arc::new(error);
        self.frames[frame as usize].tasks[task as usize].failed += 1;
        if let Some(wait) = self.retry_wait(frame, task, &error) {
            let due = self.now + wait;
            self.event(EventKind::AttemptFailed { step, attempt, started, took, error, due });
            self.set_state(frame, task, TaskState::Retrying);
            let frame = self.frame_id(frame);
            self.timer(due, Timer::Retry { frame, task, attempt });
            return;
        }
        self.event(EventKind::StepFailed {
            step: step.clone(),
            attempt,
            started,
            took,
            error: Arc::clone(&error),
            left_behind,
        });
        let node = step.node;
        let failure = self.new_failure(frame, Arc::new(Cause { step, error, attempts: attempt }));
        let plan = Arc::clone(&self.plan);
        match plan.scope(self.frames[frame as usize].scope()).tasks[task as usize] {
            super::plan::TaskPlan { kind: TaskKind::Op { op, .. }, .. } => {
                self.give_nothing(frame, task, op, &Slot::Failed(failure));
            }
            ref other => self.settle(frame, other.slot, Slot::Failed(failure)),
        }
        // The end of the last task ends the run.
        self.step_has_failed(node);
        self.end_task(frame, task, StepState::Failed);
    }

    /// The first failure stops the run, if it was asked for, unless all that the failure leads to
    /// will be taken by `collect_results`.
    pub(super) fn step_has_failed(&mut self, node: NodeId) {
        if self.config.fail_fast && !self.plan.absorbed[node.index()] {
            let name = Arc::clone(&self.plan.node(node).name);
            self.stop(
                format!("`{name}` failed, and the run stops at the first failure"),
                RunState::Failed,
                false,
            );
        }
    }

    /// How long to wait before the next attempt, if there is to be one.
    fn retry_wait(&mut self, frame: u32, task: u32, error: &OpError) -> Option<Duration> {
        let failed = self.frames[frame as usize].tasks[task as usize].failed;
        let policy = self.policy_after(frame, task, failed, error)?;
        match error.kind() {
            ErrorKind::RetryAfter(wait) => Some(wait),
            _ => Some(policy.wait(failed, self.random.f64())),
        }
    }

    /// Whether another attempt will follow one that fails now.
    pub(super) fn tries_again_after(&self, frame: u32, task: u32, error: &OpError) -> bool {
        let failed = self.frames[frame as usize].tasks[task as usize].failed + 1;
        self.policy_after(frame, task, failed, error).is_some()
    }

    /// The policy by which another attempt follows the `failed`-th that failed, if one does.
    fn policy_after(&self, frame: u32, task: u32, failed: u32, error: &OpError) -> Option<RetryPolicy> {
        let policy = self.plan.node(self.node_of(frame, task)).options.retry?;
        let final_kind = match error.kind() {
            ErrorKind::Permanent | ErrorKind::Key | ErrorKind::Codec | ErrorKind::Poison => true,
            ErrorKind::RetryAfter(_) | ErrorKind::Op | ErrorKind::Panic | ErrorKind::Timeout => false,
        };
        (failed <= policy.max && self.stopping.is_none() && !final_kind).then_some(policy)
    }
}
