//! Stopping a run before its end.

use std::sync::Arc;
use std::time::Duration;

use crate::event::{EventKind, RunState, StepState};

use super::frame::TaskState;
use super::plan::TaskKind;
use super::retry::Timer;
use super::{Command, Machine};

/// A run that is being stopped.
#[derive(Debug)]
pub(crate) struct Stopping {
    /// How the run will have ended.
    pub(super) state: RunState,
}

impl Machine {
    /// Cancels the run: no new step starts, running ones are told, and after `grace` nobody waits
    /// for them any more. A `grace` of zero ends the run at once.
    pub fn cancel(&mut self, now: Duration, reason: &str, grace: Duration) {
        self.now = self.now.max(now);
        if self.ended.is_some() {
            return;
        }
        self.stop(reason.to_owned(), RunState::Cancelled, true);
        self.timer(self.now + grace, Timer::Grace);
        if grace.is_zero() {
            self.grace_over();
        }
        self.end_if_stopped();
    }

    pub(super) fn stop(&mut self, reason: String, state: RunState, tell: bool) {
        if self.stopping.is_none() {
            self.event(EventKind::RunCancelling { reason });
            self.stopping = Some(Stopping { state });
        }
        if tell {
            for step in self.running() {
                self.commands.push(Command::Stop(step));
            }
        }
    }

    fn running(&self) -> Vec<super::StepId> {
        let mut running = Vec::new();
        for (index, frame) in (0..).zip(&self.frames).filter(|(_, frame)| frame.alive) {
            for (task, state) in (0..).zip(&frame.tasks) {
                if state.state == TaskState::Running {
                    running.push(self.step_id(index, task));
                }
            }
        }
        running
    }

    /// Running steps have had their time: the run ends without them.
    pub(super) fn grace_over(&mut self) {
        if self.stopping.is_some() && self.ended.is_none() {
            self.end_stopped();
        }
    }

    /// A run that is being stopped ends when nothing is in flight.
    pub(super) fn end_if_stopped(&mut self) {
        if self.stopping.is_some() && self.ended.is_none() && self.in_flight == 0 {
            self.end_stopped();
        }
    }

    /// Every step that was called for and has not ended is cancelled (§4.6).
    fn end_stopped(&mut self) {
        let plan = Arc::clone(&self.plan);
        for index in 0..self.frames.len() as u32 {
            if !self.frames[index as usize].alive {
                continue;
            }
            for (task, task_plan) in (0..).zip(&plan.scope(self.frames[index as usize].scope()).tasks) {
                let state = self.frames[index as usize].tasks[task as usize].state;
                let is_step = plan.node(task_plan.node).is_step()
                    && !matches!(task_plan.kind, TaskKind::Deliver { .. } | TaskKind::Open { .. });
                if is_step && !matches!(state, TaskState::Ended(_)) {
                    // What comes back of one that was being read back counts no more, either.
                    let (step, counts) = (self.step_ref(index, task), self.counts(index, task));
                    self.set_state(index, task, TaskState::Ended(StepState::Cancelled));
                    if counts {
                        self.event(EventKind::StepNotRun { step, state: StepState::Cancelled, cause: None });
                    }
                }
            }
        }
        self.cancel_unopened();
        for step in std::mem::take(&mut self.begun).into_keys() {
            self.commands.push(Command::Drop(step));
        }
        self.end();
    }
}
