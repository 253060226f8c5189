//! How values, skips and failures travel: a slot is settled once, and its readers count down.

use std::sync::Arc;

use crate::define::{OpDef, Outputs};
use crate::event::{EventKind, StepRef, StepState};
use crate::graph::NodeId;
use crate::select::Part;
use crate::value::{AnyValue, Gathered};

use super::frame::{FanState, HeldList, ItemQueue, Slot, TaskState};
use super::handled::Failure;
use super::plan::{Below, Param, Place, TaskKind, TaskPlan, is_emitter};
use super::{Machine, Spent, SpentKind};

/// What the inputs of a task come to.
enum Verdict {
    /// It can run.
    Runs,
    Skipped,
    Failed(Vec<Arc<Failure>>),
}

impl Machine {
    /// Deals with every task that has all its inputs.
    pub(super) fn settle_due(&mut self) {
        loop {
            while let Some((frame, task)) = self.due.pop_front() {
                if self.frame_of(frame).is_some() && self.stopping.is_none() {
                    self.all_inputs_there(frame.index, task);
                }
            }
            let Some(fan) = self.roomy.pop() else { break };
            self.open_hungry(fan);
        }
    }

    fn all_inputs_there(&mut self, frame: u32, task: u32) {
        match self.task_plan(frame, task).kind {
            TaskKind::Op { op, .. } => match self.part(frame, self.node_of(frame, task)) {
                Part::Absent => self.leave_out(frame, task),
                Part::Reuse if self.was_skipped(frame, task) => {
                    self.give_nothing(frame, task, op, &Slot::Skipped);
                    self.end_task(frame, task, StepState::Skipped);
                }
                Part::Reuse if !self.is_needed(frame, task) => {
                    self.give(frame, task, Outputs::None, true);
                    self.end_task(frame, task, StepState::Succeeded);
                }
                Part::Reuse => self.make_ready(frame, task),
                Part::Run => match self.verdict(frame, task) {
                    Verdict::Runs => self.begin_again(frame, task),
                    Verdict::Skipped => self.not_run(frame, task, op, Vec::new()),
                    Verdict::Failed(failures) => self.not_run(frame, task, op, failures),
                },
            },
            TaskKind::Deliver { up, target } => self.deliver(frame, task, up, target),
            TaskKind::Gather { .. } => self.begin_gather(frame, task),
            TaskKind::Zip { .. } => self.begin_zip(frame, task),
            TaskKind::Open { child } => self.open_held(frame, task, child),
        }
    }

    /// Whether nothing that has come keeps a step from running.
    pub(super) fn can_run(&self, frame: u32, task: u32) -> bool {
        let plan = &self.plan.scope(self.frames[frame as usize].scope()).tasks[task as usize];
        plan.own.len() + plan.outer.len() == 1 || matches!(self.verdict(frame, task), Verdict::Runs)
    }

    /// Any skipped input, and it is skipped; else any failed one, and it is upstream failed (§4.4).
    fn verdict(&self, frame: u32, task: u32) -> Verdict {
        let plan = self.task_plan(frame, task);
        let mut failed = Vec::new();
        let mut skipped = false;
        for param in &plan.params {
            match param {
                Param::Nothing => {}
                Param::One { place, optional } => match self.outcome(frame, *place) {
                    Some(Slot::Skipped) => skipped |= !optional,
                    Some(Slot::Failed(failure)) => failed.push(Arc::clone(failure)),
                    _ => {}
                },
                Param::List(places) => {
                    let is_skipped =
                        |place: &Place| matches!(self.outcome(frame, *place), Some(Slot::Skipped));
                    skipped |= !places.is_empty() && places.iter().all(is_skipped);
                    let failures = places.iter().filter_map(|place| self.outcome(frame, *place).cloned());
                    failed.extend(failures.filter_map(Slot::failure));
                }
            }
        }
        for place in &plan.after {
            match self.outcome(frame, *place) {
                Some(Slot::Skipped) => skipped = true,
                Some(Slot::Failed(failure)) => failed.push(Arc::clone(failure)),
                _ => {}
            }
        }
        match failed {
            _ if skipped => Verdict::Skipped,
            failed if failed.is_empty() => Verdict::Runs,
            failed => Verdict::Failed(failed),
        }
    }

    /// What a step gave, if `place` is that of a step's output or of an item.
    fn outcome(&self, frame: u32, place: Place) -> Option<&Slot> {
        let Place::Slot { up, slot } = place else { return None };
        Some(&self.frames[self.around(frame, up) as usize].slots[slot as usize])
    }

    /// A step ends without having run: because of failures, or else skipped.
    fn not_run(&mut self, frame: u32, task: u32, op: &'static OpDef, failures: Vec<Arc<Failure>>) {
        let why = self.unmet(frame, task, failures);
        self.give_nothing(frame, task, op, &why);
        self.end_task(frame, task, why.unmet_state());
    }

    /// Says that a step of a frame cannot run, and gives the outcome that its outputs share.
    pub(super) fn unmet(&mut self, frame: u32, task: u32, failures: Vec<Arc<Failure>>) -> Slot {
        let why = failures.first().map_or(Slot::Skipped, |first| {
            let cause = Arc::clone(&first.cause);
            Slot::Failed(self.new_failure(frame, cause))
        });
        for failure in &failures {
            self.answer(frame, failure);
        }
        if self.has_success(frame, task) {
            // It was to be made again, and what it needs could not.
            self.take_up(frame, task);
        }
        let cause = failures.first().map(|failure| failure.cause.step.clone());
        let (step, state) = (self.step_ref(frame, task), why.unmet_state());
        self.event(EventKind::StepNotRun { step, state, cause });
        why
    }

    /// All outputs of a step are what kept it from giving them.
    pub(super) fn give_nothing(&mut self, frame: u32, task: u32, op: &'static OpDef, why: &Slot) {
        let plan = &self.plan.scope(self.frames[frame as usize].scope()).tasks[task as usize];
        let (slot, slots, node) = (plan.slot, plan.slots, plan.node);
        for slot in slot..slot + slots {
            self.settle(frame, slot, why.clone());
        }
        if is_emitter(op) {
            let state = match why {
                Slot::Failed(failure) => FanState::Failed(Arc::clone(failure)),
                _ => FanState::Skipped,
            };
            for fan in self.fans_of(frame, node) {
                self.close_fan(fan, state.clone());
            }
        }
    }

    /// The outputs of a step that succeeded.
    pub(super) fn give(&mut self, frame: u32, task: u32, outputs: Outputs, passed_on: bool) {
        let plan = &self.plan.scope(self.frames[frame as usize].scope()).tasks[task as usize];
        let first = plan.slot;
        let settled = |value: Option<AnyValue>| value.map_or(Slot::Skipped, Slot::Value);
        match outputs {
            _ if passed_on => self.settle(frame, first, Slot::Gone),
            // The end of an op without a value is a value that nobody reads.
            Outputs::None => self.settle(frame, first, Slot::Value(Arc::new(()))),
            Outputs::One(value) => self.settle(frame, first, settled(value)),
            Outputs::Many(values) => {
                for (slot, value) in (first..).zip(values) {
                    self.settle(frame, slot, settled(value));
                }
            }
        }
    }

    /// Settles a slot: its readers have one input less to wait for.
    pub(super) fn settle(&mut self, index: u32, slot: u32, value: Slot) {
        let id = self.frame_id(index);
        let frame = &mut self.frames[index as usize];
        let slot_plan = &self.plan.scope(frame.scope()).slots[slot as usize];
        let unread = frame.uses[slot as usize] == 0;
        // A failure or a skip is small, and may be looked at after its last reader was told.
        let keep = !unread || !matches!(value, Slot::Value(_));
        let (kept, spent) = if keep { (value, Slot::Gone) } else { (Slot::Gone, value) };
        frame.slots[slot as usize] = kept;
        for reader in &slot_plan.readers {
            if frame.one_input_less(*reader) {
                self.due.push_back((id, *reader));
            }
        }
        let read_below = !slot_plan.below.is_empty();
        self.is_spent(spent);
        if read_below {
            self.settle_below(index, slot);
        }
    }

    /// Tells the tasks in all frames below that wait for a slot of this one.
    fn settle_below(&mut self, index: u32, slot: u32) {
        let plan = Arc::clone(&self.plan);
        let slot_plan = &plan.scope(self.frames[index as usize].scope()).slots[slot as usize];
        for Below { way, task } in &slot_plan.below {
            let mut frames = vec![index];
            for child in way {
                frames = frames
                    .iter()
                    .filter_map(|frame| self.frames[*frame as usize].fans.get(*child as usize))
                    .flat_map(|fan| self.fans[*fan as usize].frames.iter().copied())
                    .collect();
            }
            for frame in frames {
                if self.frames[frame as usize].one_input_less(*task) {
                    let id = self.frame_id(frame);
                    self.due.push_back((id, *task));
                }
            }
        }
    }

    /// A reader needs a value no more.
    pub(super) fn release(&mut self, frame: u32, slot: u32) {
        let spent = self.frames[frame as usize].release(slot);
        self.is_spent(spent);
    }

    /// A task has ended: it reads nothing any more.
    pub(super) fn end_task(&mut self, frame: u32, task: u32, state: StepState) {
        let at = &mut self.frames[frame as usize];
        at.tasks[task as usize].state = TaskState::Ended(state);
        for slot in &self.plan.scope(at.scope()).tasks[task as usize].own {
            if let Slot::Value(value) = at.release(*slot) {
                self.spent.push(Spent(SpentKind::Value(value)));
            }
        }
        self.part_ended(frame, task as usize);
    }

    /// The values for the parameters of a step that runs. Those that nobody else can need are
    /// moved out of the frame: bit `n` of the second is set for parameter `n`.
    pub(super) fn inputs(&mut self, frame: u32, task: u32, may_move: bool) -> (Vec<Option<AnyValue>>, u64) {
        let mut moved = 0;
        let params = self.task_plan(frame, task).params.len();
        let mut inputs = Vec::with_capacity(params);
        for number in 0..params {
            let place = match &self.task_plan(frame, task).params[number] {
                Param::One { place, .. } => *place,
                Param::Nothing => {
                    inputs.push(None);
                    continue;
                }
                Param::List(places) => {
                    let values =
                        places.iter().filter_map(|place| value_of(self.slot(frame, *place))).collect();
                    inputs.push(Some(Arc::new(Gathered(values)) as AnyValue));
                    continue;
                }
            };
            inputs.push(match place {
                Place::Slot { up: 0, slot } if may_move && number < 64 && self.is_last(frame, slot) => {
                    moved |= 1 << number;
                    let slot = &mut self.frames[frame as usize].slots[slot as usize];
                    value_of(std::mem::replace(slot, Slot::Gone))
                }
                place => value_of(self.slot(frame, place)),
            });
        }
        (inputs, moved)
    }

    /// Whether a value is there and one reader is left.
    fn is_last(&self, frame: u32, slot: u32) -> bool {
        let frame = &self.frames[frame as usize];
        frame.uses[slot as usize] == 1
            && matches!(frame.slots[slot as usize], Slot::Value(_))
            && !frame.pinned
    }

    /// What a task of a frame is.
    pub(super) fn task_plan(&self, frame: u32, task: u32) -> &TaskPlan {
        &self.plan.scope(self.frames[frame as usize].scope()).tasks[task as usize]
    }

    /// Puts back what was moved out for a step that did not run after all.
    pub(super) fn restore(&mut self, frame: u32, task: u32, inputs: Vec<Option<AnyValue>>, moved: u64) {
        let plan = Arc::clone(&self.plan);
        let task_plan = &plan.scope(self.frames[frame as usize].scope()).tasks[task as usize];
        for (number, (param, input)) in task_plan.params.iter().zip(inputs).enumerate() {
            if let (Param::One { place: Place::Slot { up: 0, slot }, .. }, Some(value)) = (param, input)
                && number < 64
                && moved & (1 << number) != 0
            {
                self.frames[frame as usize].slots[*slot as usize] = Slot::Value(value);
            }
        }
    }

    /// A held list has come, or why it has not: its items are opened as a fan-out of this frame.
    fn open_held(&mut self, frame: u32, task: u32, child: u32) {
        let plan = Arc::clone(&self.plan);
        let task_plan = &plan.scope(self.frames[frame as usize].scope()).tasks[task as usize];
        let held = task_plan.places().next().map_or(Slot::Skipped, |place| self.slot(frame, place));
        let fan = self.frames[frame as usize].fans[child as usize];
        match held {
            Slot::Value(value) => {
                if let Ok(list) = value.downcast::<HeldList>() {
                    self.fans[fan as usize].without.clone_from(&list.without);
                    self.fans[fan as usize].queue = ItemQueue::Held { list, next: 0 };
                    self.finish_queue(fan, FanState::Closed);
                }
            }
            Slot::Failed(failure) => self.close_fan(fan, FanState::Failed(failure)),
            Slot::Skipped | Slot::Empty | Slot::Gone => self.close_fan(fan, FanState::Skipped),
        }
        self.end_task(frame, task, StepState::Succeeded);
    }

    pub(super) fn step_ref(&self, frame: u32, task: u32) -> StepRef {
        let frame = &self.frames[frame as usize];
        let node = self.plan.scope(frame.scope()).tasks[task as usize].node;
        StepRef { node, path: frame.path.clone() }
    }

    pub(super) fn node_of(&self, frame: u32, task: u32) -> NodeId {
        self.plan.scope(self.frames[frame as usize].scope()).tasks[task as usize].node
    }
}

fn value_of(slot: Slot) -> Option<AnyValue> {
    match slot {
        Slot::Value(value) => Some(value),
        Slot::Empty | Slot::Skipped | Slot::Failed(_) | Slot::Gone => None,
    }
}
