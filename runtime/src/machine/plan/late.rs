//! Which items wait for the closing of a fan-out that lies outside of them.
//!
//! In `d.map(|x| f(x, d.collect()))` no copy of `f` can run before `d` has closed. If such items
//! counted as open, the emitter would wait for them and they for the emitter. So an item that has
//! nothing left but such steps is not open.

use std::collections::{BTreeSet, HashSet};

use super::{Place, Plan, Target, TaskKind, TaskPlan};
use crate::graph::{Input, NodeId, NodeKind, ScopeId, Source};

pub(super) fn find(plan: &mut Plan) {
    let gathered = gathered(plan);
    for scope in (0..plan.scopes.len()).rev() {
        find_in(plan, ScopeId(scope as u32), &gathered);
    }
}

/// Whether each node's value comes only when some fan-out has closed.
fn gathered(plan: &Plan) -> Vec<bool> {
    let graph = &plan.graph;
    let mut gathered: Vec<_> =
        graph.nodes.iter().map(|node| matches!(node.kind, NodeKind::Gather { .. })).collect();
    // Calls are made after what they read, but for `after`: so this settles in a few rounds.
    loop {
        let mut changed = false;
        for index in 0..graph.nodes.len() {
            if !gathered[index] && behind(plan, NodeId(index as u32)).any(|node| gathered[node.index()]) {
                gathered[index] = true;
                changed = true;
            }
        }
        if !changed {
            return gathered;
        }
    }
}

/// The nodes right behind a node: what it reads, and what opens the fan-out that it lies in.
fn behind(plan: &Plan, node: NodeId) -> impl Iterator<Item = NodeId> {
    let graph = &plan.graph;
    let node = graph.node(node);
    let held = match &node.kind {
        NodeKind::Gather { items, .. } => items.clone(),
        NodeKind::Zip { left, right } => vec![left.item, right.item],
        NodeKind::Op(_) => Vec::new(),
    };
    let fan = graph.scope(node.scope).fan.map(|fan| fan.node());
    let inputs = node.inputs.iter().flat_map(Input::sources).chain(&node.after).copied().chain(held);
    inputs
        .filter_map(move |source| match source {
            Source::Output(node, _) => Some(node),
            Source::Item(scope, _) => graph.scope(scope).fan.map(|fan| fan.node()),
            Source::Constant(_) | Source::Argument(_) => None,
        })
        .chain(fan)
}

fn find_in(plan: &mut Plan, scope: ScopeId, gathered: &[bool]) {
    let mut found = Late {
        values: Vec::new(),
        tasks: vec![BTreeSet::new(); plan.scope(scope).tasks.len()],
        children: vec![BTreeSet::new(); plan.scope(scope).children.len()],
        inside: vec![BTreeSet::new(); plan.scope(scope).children.len()],
    };
    let mut there: Option<HashSet<NodeId>> = None;
    for task in 0..found.tasks.len() {
        for place in &plan.scope(scope).tasks[task].outer {
            let Some(node) = node_at(plan, scope, *place).filter(|node| gathered[node.index()]) else {
                continue;
            };
            let there = there.get_or_insert_with(|| all_behind_fans(plan, scope));
            for gather in last_gathers(plan, node).difference(there) {
                let value = found.value(plan.place(scope, Source::Output(*gather, 0)));
                found.tasks[task].insert(value);
            }
        }
    }
    for (index, child) in plan.scope(scope).children.iter().enumerate() {
        for place in &plan.scope(*child).late_values {
            if let Place::Slot { up: up @ 2.., slot } = place {
                let value = found.value(Place::Slot { up: up - 1, slot: *slot });
                found.inside[index].insert(value);
            }
        }
    }
    if !found.values.is_empty() {
        while spread(plan, scope, &mut found) {}
    }
    let scope = &mut plan.scopes[scope.index()];
    for (task, late) in scope.tasks.iter_mut().zip(found.tasks) {
        task.late = late.into_iter().collect();
    }
    scope.late_children = found.children.into_iter().map(|late| late.into_iter().collect()).collect();
    scope.late_values = found.values;
}

/// What is late in a scope: the values, and which of them each task waits for, each child before it
/// opens its first item, and something inside each child.
struct Late {
    values: Vec<Place>,
    tasks: Vec<BTreeSet<u32>>,
    children: Vec<BTreeSet<u32>>,
    inside: Vec<BTreeSet<u32>>,
}

impl Late {
    fn value(&mut self, place: Place) -> u32 {
        let known = self.values.iter().position(|known| *known == place);
        known.unwrap_or_else(|| {
            self.values.push(place);
            self.values.len() - 1
        }) as u32
    }
}

/// The node whose output is at `place`, seen from `scope`.
fn node_at(plan: &Plan, scope: ScopeId, place: Place) -> Option<NodeId> {
    let Place::Slot { up, slot } = place else { return None };
    let at = plan.graph.outwards(scope).nth(up as usize)?;
    plan.scope(at)
        .tasks
        .iter()
        .find(|task| (task.slot..task.slot + task.slots).contains(&slot))
        .map(|task| task.node)
}

/// The gathers that come last on the ways to a node: when they have fired, no fan-out has to close.
fn last_gathers(plan: &Plan, node: NodeId) -> HashSet<NodeId> {
    let (mut todo, mut seen, mut gathers) = (vec![node], HashSet::new(), HashSet::new());
    while let Some(node) = todo.pop() {
        if matches!(plan.graph.node(node).kind, NodeKind::Gather { .. }) {
            gathers.insert(node);
        } else if seen.insert(node) {
            todo.extend(behind(plan, node));
        }
    }
    gathers
}

/// Everything that has ended, or has begun to give items, before an instance of `scope` exists.
fn all_behind_fans(plan: &Plan, scope: ScopeId) -> HashSet<NodeId> {
    let mut todo: Vec<_> = plan
        .graph
        .outwards(scope)
        .filter_map(|scope| plan.graph.scope(scope).fan.map(|fan| fan.node()))
        .collect();
    let mut found = HashSet::new();
    while let Some(node) = todo.pop() {
        if found.insert(node) {
            todo.extend(behind(plan, node));
        }
    }
    found
}

/// What reads something late is late; `false` if nothing new was found.
fn spread(plan: &Plan, scope: ScopeId, found: &mut Late) -> bool {
    let count = |found: &Late| found.tasks.iter().chain(&found.children).map(BTreeSet::len).sum::<usize>();
    let before = count(found);
    let scope = plan.scope(scope);
    for (index, task) in scope.tasks.iter().enumerate() {
        let late = found.tasks[index].clone();
        for slot in &scope.slots[task.slot as usize..(task.slot + task.slots) as usize] {
            for reader in &slot.readers {
                found.tasks[*reader as usize].extend(&late);
            }
        }
    }
    for (index, child) in scope.children.iter().enumerate() {
        let fan = plan.graph.scope(*child).fan.expect("a child scope is a fan-out");
        let opens =
            |task: &TaskPlan| task.node == fan.node() && !matches!(task.kind, TaskKind::Deliver { .. });
        if let Some(opener) = scope.tasks.iter().position(opens) {
            found.children[index].extend(found.tasks[opener].clone());
        }
        let late: Vec<_> = found.children[index].union(&found.inside[index]).copied().collect();
        for counted in plan.scope(*child).counted_by.iter().filter(|counted| counted.up == 0) {
            let (Target::Gather { task, .. } | Target::Zip { task, .. }) = counted.target;
            found.tasks[task as usize].extend(&late);
        }
    }
    count(found) > before
}
