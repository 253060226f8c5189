//! The budget of open items, and what waits for room in it (§3.3).

use std::sync::Arc;

use crate::define::OpDef;

use super::frame::{Fan, FanIndex, FanState, FrameId, ItemQueue, TaskState};
use super::plan::TaskKind;
use super::{Grant, Machine, StepId, Want};

impl Machine {
    /// How many more items may be opened in a fan-out.
    pub(super) fn room(&self, fan: FanIndex) -> u32 {
        let fan = &self.fans[fan as usize];
        let room = self.config.open_items.saturating_sub(self.open[fan.scope as usize]);
        // An instance may always have one, else an outer item could wait for ever.
        room.max(u32::from(fan.open == 0))
    }

    pub(super) fn take_room(&mut self, fan: FanIndex, items: u32) {
        let fan = &mut self.fans[fan as usize];
        fan.open += items;
        self.open[fan.scope as usize] += items;
    }

    pub(super) fn give_room(&mut self, index: FanIndex, items: u32) {
        let fan = &mut self.fans[index as usize];
        fan.open -= items;
        self.open[fan.scope as usize] -= items;
        if !self.hungry.is_empty() {
            self.roomy.push(index);
        }
        if !self.starved.is_empty() {
            self.feed(index);
        }
    }

    /// A fan-out has items that wait to be opened.
    pub(super) fn is_hungry(&mut self, fan: FanIndex) {
        self.hungry.insert((self.fans[fan as usize].scope, fan));
        self.roomy.push(fan);
    }

    /// Opens waiting items while there is room: of this fan-out, which has given some back, and
    /// then of any of its scope.
    pub(super) fn open_hungry(&mut self, fan: FanIndex) {
        let scope = self.fans[fan as usize].scope;
        while self.room(fan) > 0 && self.stopping.is_none() && self.hungry.contains(&(scope, fan)) {
            self.open_next(fan);
        }
        while self.open[scope as usize] < self.config.open_items
            && self.stopping.is_none()
            && let Some((_, fan)) = self.hungry.range((scope, 0)..(scope + 1, 0)).next().copied()
        {
            self.open_next(fan);
        }
    }

    /// Opens a waiting item, and closes the fan-out after the last.
    fn open_next(&mut self, index: FanIndex) {
        let fan = &mut self.fans[index as usize];
        let item = fan.queue.next();
        fan.count += u32::from(item.is_some());
        let (all, scope) = (fan.queue.is_empty(), fan.scope);
        let closes_as = fan.closes_as.take_if(|_| all);
        if all {
            fan.queue = ItemQueue::Empty;
            self.hungry.remove(&(scope, index));
        }
        if let Some(item) = item {
            self.take_room(index, 1);
            self.open_waiting(index, item);
        }
        if let Some(state) = closes_as {
            self.close_fan(index, state);
        }
    }

    /// No more items will come: the fan-out closes when those that wait have been opened.
    pub(super) fn finish_queue(&mut self, fan: FanIndex, state: FanState) {
        if self.fans[fan as usize].queue.is_empty() {
            self.close_fan(fan, state);
        } else {
            self.fans[fan as usize].closes_as = Some(state);
            self.is_hungry(fan);
        }
    }

    /// Keeps an emitter until there is room for its items.
    pub(super) fn starve(&mut self, frame: u32, task: u32, fans: &[FanIndex]) {
        self.set_state(frame, task, TaskState::Idle);
        let full = fans.iter().find(|fan| self.room(**fan) == 0);
        let scope = full.map_or(0, |fan| self.fans[*fan as usize].scope);
        self.starved.insert((scope, self.frame_id(frame), task));
    }

    /// There is room for items of a fan-out again: the emitters of its scope are polled, once a
    /// quarter of the budget is free, so that a poll is worth its while; its own when it has none.
    fn feed(&mut self, fan: FanIndex) {
        let Fan { scope, parent, open, .. } = self.fans[fan as usize];
        let free = self.config.open_items.saturating_sub(self.open[scope as usize]);
        let any = free >= (self.config.open_items / 4).max(1);
        if !any && open > 0 {
            return;
        }
        let from = (scope, FrameId { index: 0, generation: 0 }, 0);
        let to = (scope + 1, FrameId { index: 0, generation: 0 }, 0);
        let starved = self.starved.range(from..to).copied();
        let fed: Vec<_> = starved.filter(|(_, frame, _)| any || frame.index == parent).collect();
        for entry @ (_, frame, task) in fed {
            self.starved.remove(&entry);
            if self.frame_of(frame).is_some() {
                self.make_ready(frame.index, task);
            }
        }
    }

    /// Nothing else can go on: polls an emitter, or opens a waiting item, although the budget is
    /// used up, so that no graph can lock up.
    pub(super) fn rescue(&mut self, want: Want) -> Option<Grant> {
        let stuck =
            want == Want::Any && self.in_flight == 0 && !self.any_waits_for_time() && !self.any_waits();
        if !stuck {
            return None;
        }
        let Some(entry @ (_, frame, task)) = self.starved.first().copied() else {
            let (_, fan) = *self.hungry.first()?;
            self.open_next(fan);
            self.after_change();
            return self.next(self.now, want);
        };
        self.starved.remove(&entry);
        self.frame_of(frame)?;
        let op = self.emitter_of(frame.index, task)?;
        let node = self.node_of(frame.index, task);
        let plan = Arc::clone(&self.plan);
        if self.tokens.take(&plan.node(node).options, self.now, true).is_err() {
            return None;
        }
        let fans = self.fans_of(frame.index, node);
        self.in_flight += 1;
        Some(Grant::Poll(self.poll_with(frame.index, task, op, &fans, 1)))
    }

    fn emitter_of(&self, frame: u32, task: u32) -> Option<&'static OpDef> {
        match self.plan.scope(self.frames[frame as usize].scope()).tasks[task as usize].kind {
            TaskKind::Op { op, .. } => Some(op),
            _ => None,
        }
    }

    /// Whether an emitter waits to be woken from outside.
    fn any_waits(&self) -> bool {
        self.begun.keys().any(|id| {
            let state = self.frame_of(id.frame).map(|frame| frame.tasks[id.task as usize].state);
            state == Some(TaskState::Idle) && !self.is_starved(*id)
        })
    }

    pub(super) fn is_starved(&self, id: StepId) -> bool {
        self.starved.iter().any(|(_, frame, task)| (*frame, *task) == (id.frame, id.task))
    }

    /// Sets room aside for the items that a poll may give. Held items are opened later.
    pub(super) fn take_poll_room(&mut self, fan: FanIndex, items: u32) {
        if self.opens_as_they_come(fan) {
            self.take_room(fan, items);
        }
    }

    /// Gives back the room that a poll had for items that it did not give.
    pub(super) fn give_poll_room(&mut self, fan: FanIndex, room: u32, given: u32) {
        if self.opens_as_they_come(fan) {
            self.give_room(fan, room - given);
        }
    }

    /// Whether the items of an emitter are opened as they are given, or read back.
    pub(super) fn opens_as_they_come(&self, fan: FanIndex) -> bool {
        let (step, _) = self.fan_step(fan);
        self.plan.node(step.node).options.streaming || self.fans[fan as usize].opens_rest
    }
}
