//! Opening and freeing frames, opening and closing fan-outs.

use std::sync::Arc;

use crate::event::{EventKind, Span, StepRef};
use crate::graph::ScopeId;
use crate::key::Key;
use crate::step::Path;

use super::fold::FoldState;
use super::frame::{Fan, FanIndex, FanState, Frame, ItemQueue, NewItem, Slot, Task, TaskState, Turn};
use super::gather::{Arrivals, GatherState, ZipState};
use super::keys::KeySet;
use super::plan::{Place, ScopePlan, Target, TaskKind};
use super::recall::{Identity, keys_of};
use super::{Machine, Spent, SpentKind};
use crate::graph::{Gather, NodeKind};

impl Machine {
    pub(super) fn open_root(&mut self) {
        let root = self.new_frame(ScopeId::ROOT, 0, None, Path::root(), Turn::default());
        debug_assert_eq!(root, 0, "the root is the first frame");
        self.frames[0].known = self.recall.is_some().then_some(0);
        self.begin_frame(root);
    }

    /// Opens the frame of one item; there must be room for it.
    pub(super) fn open_item(
        &mut self,
        fan: FanIndex,
        parts: impl IntoIterator<Item = (Key, u32)>,
        values: impl IntoIterator<Item = Slot>,
        identity: Identity,
        record: Span,
    ) -> u32 {
        let Fan { scope, parent, .. } = self.fans[fan as usize];
        let around = &self.frames[parent as usize];
        let (mut path, mut turn) = (around.path.clone(), around.turn.clone());
        for (key, index) in parts {
            path = path.item(key, index, identity.number);
            turn = turn.inside(index);
        }
        if identity.generation > 0 {
            path.renew(identity.generation);
        }
        if !identity.told {
            self.item_yielded(fan, path.clone(), record);
        } else if let Some(before) = self.place_before(&identity, &path) {
            let index = path.index().unwrap_or_default();
            path.move_to(before);
            self.item_moved(fan, &path, index);
        }
        let frame = self.new_frame(ScopeId(scope), parent, Some(fan), path, turn);
        self.frames[frame as usize].known = identity.known;
        for (slot, value) in values.into_iter().enumerate() {
            self.frames[frame as usize].slots[slot] = value;
        }
        self.begin_frame(frame);
        frame
    }

    pub(super) fn item_yielded(&mut self, fan: FanIndex, item: Path, record: Span) {
        let (step, output) = self.fan_step(fan);
        self.event(EventKind::ItemYielded { step, output, item, record });
    }

    /// An item that is known was given at a place in yield order; that is told if it is another one.
    pub(super) fn item_moved(&mut self, fan: FanIndex, item: &Path, index: u32) {
        if item.index() != Some(index) {
            item.move_to(index);
            let (step, output) = self.fan_step(fan);
            self.event(EventKind::ItemMoved { step, output, item: item.clone(), index });
        }
    }

    /// Opens an item that waited.
    pub(super) fn open_waiting(&mut self, fan: FanIndex, item: NewItem) -> u32 {
        let NewItem { parts, values, fresh, identity, .. } = item;
        let identity = match identity {
            Some(identity) => Identity { told: true, ..identity },
            None if fresh => self.new_identity(fan, &parts),
            None => self.identify(fan, &keys_of(&parts), None),
        };
        self.open_item(fan, parts, values, identity, Span::default())
    }

    /// The step that opens a fan-out, and which of its outputs it is.
    pub(super) fn fan_step(&self, fan: FanIndex) -> (StepRef, u16) {
        let Fan { scope, parent, .. } = &self.fans[fan as usize];
        let of = self.plan.graph.scope(ScopeId(*scope)).fan.expect("a fan-out has a node that opens it");
        let output = match of {
            crate::graph::Fan::Emitter { output, .. } => output,
            crate::graph::Fan::Held(_) | crate::graph::Fan::Zip(_) => 0,
        };
        (StepRef { node: of.node(), path: self.frames[*parent as usize].path.clone() }, output)
    }

    fn new_frame(
        &mut self,
        scope: ScopeId,
        parent: u32,
        fan: Option<FanIndex>,
        path: Path,
        turn: Turn,
    ) -> u32 {
        let index = self.spare[scope.index()].pop().unwrap_or_else(|| {
            self.frames.push(Frame::default());
            (self.frames.len() - 1) as u32
        });
        let plan = Arc::clone(&self.plan);
        let template = plan.scope(scope);
        let pinned = plan.pinned[scope.index()] && self.may_be_superseded(parent, fan);
        let frame = &mut self.frames[index as usize];
        frame.alive = true;
        frame.scope = scope.0;
        frame.parent = parent;
        frame.fan = fan;
        frame.path = path;
        frame.turn = turn;
        frame.slots.clear();
        frame.slots.resize_with(template.slots.len(), Slot::default);
        frame.uses.clear();
        frame.uses.extend(template.slots.iter().map(|slot| slot.uses));
        frame.tasks.clear();
        frame
            .tasks
            .extend(template.tasks.iter().map(|task| Task { missing: task.missing, ..Task::default() }));
        frame.is_open = fan.is_some();
        frame.pinned = pinned;
        frame.live = (template.tasks.len() + template.children.len()) as u32;
        if let Some(fan) = fan {
            frame.at = self.fans[fan as usize].frames.len() as u32;
            self.fans[fan as usize].frames.push(index);
            self.fans[fan as usize].unended += 1;
        }
        for child in &template.children {
            let child = self.new_fan(*child, index);
            self.frames[index as usize].fans.push(child);
        }
        self.new_gathers(index, template.gathers + template.zips > 0);
        index
    }

    fn new_gathers(&mut self, frame: u32, any: bool) {
        let frame = &mut self.frames[frame as usize];
        frame.gathers.clear();
        frame.zips.clear();
        if !any {
            return;
        }
        for task in &self.plan.scope(frame.scope()).tasks {
            let node = self.plan.node(task.node);
            match (task.kind, &node.kind) {
                (TaskKind::Gather { gather, .. }, NodeKind::Gather { chain, .. }) => {
                    let fold = matches!(gather, Gather::Fold(_)).then(|| FoldState::new(&self.plan, chain));
                    frame.gathers.push(GatherState {
                        arrivals: Arrivals::new(chain.len()),
                        entries: Vec::new(),
                        fold,
                    });
                }
                (TaskKind::Zip { .. }, NodeKind::Zip { left, right }) => frame.zips.push(ZipState {
                    left: Arrivals::new(left.chain.len()),
                    right: Arrivals::new(right.chain.len()),
                    unmatched: std::collections::HashMap::new(),
                    entries: Vec::new(),
                }),
                _ => {}
            }
        }
    }

    fn new_fan(&mut self, scope: ScopeId, parent: u32) -> FanIndex {
        let index = self.spare_fans.pop().unwrap_or_else(|| {
            self.fans.push(Fan::default());
            (self.fans.len() - 1) as u32
        });
        let fan = &mut self.fans[index as usize];
        fan.scope = scope.0;
        fan.parent = parent;
        index
    }

    /// Counts what a new frame waits for, and finds the tasks that wait for nothing.
    fn begin_frame(&mut self, index: u32) {
        let plan = Arc::clone(&self.plan);
        let scope = self.frames[index as usize].scope();
        let template = plan.scope(scope);
        let late = self.late_parts(index, template);
        let frame = &mut self.frames[index as usize];
        frame.open = frame.live - late.iter().filter(|late| **late).count() as u32;
        frame.late = late;
        let id = self.frame_id(index);
        for (number, task) in (0..).zip(&template.tasks) {
            let outer = task.outer.iter().filter(|place| !self.is_settled(index, **place)).count() as u32;
            let task = &mut self.frames[index as usize].tasks[number as usize];
            task.missing += outer;
            if task.missing == 0 {
                self.due.push_back((id, number));
            }
        }
        self.check_frame(index);
    }

    /// Which tasks and fan-outs of a new frame wait for the closing of a fan-out further out.
    fn late_parts(&self, frame: u32, template: &ScopePlan) -> Vec<bool> {
        let missing = |value: &u32| !self.is_settled(frame, template.late_values[*value as usize]);
        if template.late_values.iter().all(|place| self.is_settled(frame, *place)) {
            return Vec::new();
        }
        let parts = template.tasks.iter().map(|task| &task.late).chain(&template.late_children);
        parts.map(|values| values.iter().any(missing)).collect()
    }

    fn is_settled(&self, frame: u32, place: Place) -> bool {
        let Place::Slot { up, slot } = place else { return true };
        self.frames[self.around(frame, up) as usize].slots[slot as usize].is_settled()
    }

    /// One task or fan-out of a frame has ended.
    pub(super) fn part_ended(&mut self, index: u32, part: usize) {
        let frame = &mut self.frames[index as usize];
        frame.live -= 1;
        let late = frame.late.get(part).is_some_and(|late| *late);
        frame.open -= u32::from(!late);
        self.check_frame(index);
    }

    fn check_frame(&mut self, index: u32) {
        self.check_open(index);
        if self.frames[index as usize].live == 0 {
            self.frame_ended(index);
        }
    }

    /// An item that has nothing left to do but to wait is not open.
    fn check_open(&mut self, index: u32) {
        let frame = &mut self.frames[index as usize];
        if frame.open == 0
            && std::mem::take(&mut frame.is_open)
            && let Some(fan) = frame.fan
        {
            self.give_room(fan, 1);
            self.check_quiet(fan);
        }
    }

    /// A fan-out that has closed and has no open item does not keep the item around it open, if
    /// something in that one is late.
    fn check_quiet(&mut self, fan: FanIndex) {
        let Fan { scope, parent, open, ref state, .. } = self.fans[fan as usize];
        let closed = !matches!(state, FanState::Open);
        if !closed || open > 0 || self.frames[parent as usize].late.is_empty() {
            return;
        }
        let part = self.part_of(parent, ScopeId(scope));
        let frame = &mut self.frames[parent as usize];
        if !std::mem::replace(&mut frame.late[part], true) {
            frame.open -= 1;
            self.check_open(parent);
        }
    }

    /// Which part of its frame a fan-out is: those come after the tasks.
    fn part_of(&self, parent: u32, scope: ScopeId) -> usize {
        let around = self.plan.scope(self.frames[parent as usize].scope());
        let child = around.children.iter().position(|child| *child == scope);
        around.tasks.len() + child.expect("a fan-out is a child")
    }

    /// Everything in a frame has ended: it is freed, unless its emitter may give other items yet.
    fn frame_ended(&mut self, index: u32) {
        let frame = &self.frames[index as usize];
        let Some(fan) = frame.fan else {
            self.end();
            return;
        };
        if !frame.pinned {
            self.drop_frame(index);
        }
        self.fans[fan as usize].unended -= 1;
        self.end_fan_if_done(fan);
    }

    /// Gives a frame's room back.
    pub(super) fn drop_frame(&mut self, index: u32) {
        let frame = &mut self.frames[index as usize];
        frame.alive = false;
        frame.generation = frame.generation.wrapping_add(1);
        let values = frame.slots.drain(..).filter_map(|slot| match slot {
            Slot::Value(value) => Some(Spent(SpentKind::Value(value))),
            _ => None,
        });
        self.spent.extend(values);
        frame.path = Path::root();
        if !frame.gathers.is_empty() {
            self.spent.push(Spent(SpentKind::Gathers(std::mem::take(&mut frame.gathers))));
        }
        if !frame.zips.is_empty() {
            self.spent.push(Spent(SpentKind::Zips(std::mem::take(&mut frame.zips))));
        }
        let (scope, at) = (frame.scope, frame.at as usize);
        let fans = std::mem::take(&mut frame.fans);
        if let Some(fan) = frame.fan {
            let siblings = &mut self.fans[fan as usize].frames;
            siblings.swap_remove(at);
            if let Some(moved) = siblings.get(at).copied() {
                self.frames[moved as usize].at = at as u32;
            }
        }
        for fan in fans {
            let spent = std::mem::take(&mut self.fans[fan as usize]);
            let scope = spent.scope;
            if !spent.known.is_empty() || !spent.queue.is_empty() {
                self.spent.push(Spent(SpentKind::Fan(Box::new(spent))));
            }
            self.hungry.remove(&(scope, fan));
            self.spare_fans.push(fan);
        }
        self.spare[scope as usize].push(index);
    }

    /// A fan-out has all its items, or will have no more.
    pub(super) fn close_fan(&mut self, index: FanIndex, state: FanState) {
        let fan = &mut self.fans[index as usize];
        debug_assert!(matches!(fan.state, FanState::Open), "a fan-out closes once");
        fan.state = state;
        fan.keys = KeySet::default();
        fan.queue = ItemQueue::Empty;
        let (count, parent, scope) = (fan.count, fan.parent, ScopeId(fan.scope));
        let (step, output) = self.fan_step(index);
        self.event(EventKind::FanOutClosed { step, output, items: u64::from(count) });
        let plan = Arc::clone(&self.plan);
        for counted in &plan.scope(scope).counted_by {
            let frame = self.around(parent, counted.up);
            self.count_fan(frame, counted.target, counted.level, index);
        }
        self.unpin(index);
        self.check_quiet(index);
        self.end_fan_if_done(index);
    }

    fn count_fan(&mut self, frame: u32, target: Target, level: u32, fan: FanIndex) {
        let Fan { parent, count, .. } = self.fans[fan as usize];
        let state = &self.fans[fan as usize].state.clone();
        let path = self.frames[parent as usize].path.clone();
        let around = self.frames[frame as usize].path.depth();
        let without = self.without(fan, around);
        let Some(arrivals) = self.arrivals(frame, target) else { return };
        arrivals.closed(level, count);
        arrivals.without.extend(without);
        match state {
            FanState::Failed(failure) => arrivals.failed.push(Arc::clone(failure)),
            FanState::Skipped => arrivals.nothing |= level == 0,
            FanState::Open | FanState::Closed => {}
        }
        if let Target::Gather { index, .. } = target
            && level > 0
            && let Some(fold) = &mut self.frames[frame as usize].gathers[index as usize].fold
        {
            fold.count(path.places_below(around), count);
        }
        if let (Target::Gather { task, .. }, FanState::Failed(failure)) = (target, state) {
            self.answer_late(frame, task, failure);
        }
        self.check_target(frame, target);
    }

    /// The keys, below the `around` outermost fan-outs, of the items around a fan-out under which it
    /// gave nothing at all.
    pub(super) fn without(&self, fan: FanIndex, around: usize) -> Vec<Vec<Key>> {
        let Fan { parent, state, without, .. } = &self.fans[fan as usize];
        let nothing = matches!(state, FanState::Skipped).then_some(&[][..]);
        if nothing.is_none() && without.is_empty() {
            return Vec::new();
        }
        let outer = self.frames[*parent as usize].path.keys().split_off(around);
        let inner = nothing.into_iter().chain(without.iter().map(Vec::as_slice));
        inner.map(|inner| outer.iter().chain(inner).cloned().collect()).collect()
    }

    pub(super) fn arrivals(&mut self, frame: u32, target: Target) -> Option<&mut Arrivals> {
        let frame = &mut self.frames[frame as usize];
        match target {
            Target::Gather { index, .. } => {
                frame.gathers.get_mut(index as usize).map(|gather| &mut gather.arrivals)
            }
            Target::Zip { index, right, .. } => frame
                .zips
                .get_mut(index as usize)
                .map(|zip| if right { &mut zip.right } else { &mut zip.left }),
        }
    }

    /// Looks whether a gather or a zip has all that it waits for.
    pub(super) fn check_target(&mut self, frame: u32, target: Target) {
        match target {
            Target::Gather { task, index } => self.check_gather(frame, task, index),
            Target::Zip { task, index, .. } => self.check_zip(frame, task, index),
        }
    }

    /// Ends a fan-out that has closed and whose items have all ended.
    pub(super) fn end_fan_if_done(&mut self, index: FanIndex) {
        let fan = &mut self.fans[index as usize];
        if matches!(fan.state, FanState::Open) || fan.unended > 0 || fan.ended || fan.scope == 0 {
            return;
        }
        fan.ended = true;
        let (parent, scope) = (fan.parent, ScopeId(fan.scope));
        let plan = Arc::clone(&self.plan);
        for slot in &plan.scope(scope).keeps {
            self.release(parent, *slot);
        }
        self.part_ended(parent, self.part_of(parent, scope));
    }

    /// The fan-outs that a node of a frame opens.
    pub(super) fn fans_of(&self, frame: u32, node: crate::graph::NodeId) -> Vec<FanIndex> {
        let frame = &self.frames[frame as usize];
        let opens = |fan: &&FanIndex| {
            let scope = ScopeId(self.fans[**fan as usize].scope);
            self.plan.graph.scope(scope).fan.is_some_and(|fan| fan.node() == node)
        };
        frame.fans.iter().filter(opens).copied().collect()
    }

    pub(super) fn set_state(&mut self, frame: u32, task: u32, state: TaskState) {
        self.frames[frame as usize].tasks[task as usize].state = state;
    }
}
