//! Which items wait for the closing of a fan-out that lies outside of them.
//!
//! In `d.map(|x| f(x, d.collect()))` no copy of `f` can run before `d` has closed. If such items
//! counted as open, the emitter would wait for them and they for the emitter. So an item that has
//! nothing left but such steps is not open.

use std::collections::HashSet;

use super::{Place, Plan, Target, TaskKind};
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
    let tasks = plan.scope(scope).tasks.len();
    let mut late = vec![false; tasks];
    let mut values = Vec::new();
    let mut there: Option<HashSet<NodeId>> = None;
    for task in 0..tasks {
        for place in plan.scope(scope).tasks[task].outer.clone() {
            let Some(node) = node_at(plan, scope, place).filter(|node| gathered[node.index()]) else {
                continue;
            };
            if !there.get_or_insert_with(|| all_behind_fans(plan, scope)).contains(&node) {
                late[task] = true;
                values.push(place);
            }
        }
    }
    let children = late_children(plan, scope, &mut values);
    spread(plan, scope, &mut late, children, values);
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

/// Which fan-outs of an instance wait for values from outside of the instance; adds these.
fn late_children(plan: &Plan, scope: ScopeId, values: &mut Vec<Place>) -> Vec<bool> {
    let mut late = Vec::new();
    for child in &plan.scope(scope).children {
        let before = values.len();
        for place in &plan.scope(*child).late_values {
            if let Place::Slot { up: up @ 2.., slot } = place {
                values.push(Place::Slot { up: up - 1, slot: *slot });
            }
        }
        late.push(values.len() > before);
    }
    late
}

/// What reads something late is late.
fn spread(
    plan: &mut Plan,
    scope: ScopeId,
    late: &mut [bool],
    mut children: Vec<bool>,
    mut values: Vec<Place>,
) {
    loop {
        let before = late.iter().chain(&children).filter(|late| **late).count();
        let scope_plan = plan.scope(scope);
        for task in 0..late.len() {
            if late[task] {
                let task = &scope_plan.tasks[task];
                for slot in task.slot..task.slot + task.slots {
                    for reader in &scope_plan.slots[slot as usize].readers {
                        late[*reader as usize] = true;
                    }
                }
            }
        }
        for (index, child) in scope_plan.children.iter().enumerate() {
            let fan = plan.graph.scope(*child).fan.expect("a child scope is a fan-out");
            let opener = scope_plan
                .tasks
                .iter()
                .position(|task| task.node == fan.node() && !matches!(task.kind, TaskKind::Deliver { .. }));
            children[index] |= opener.is_some_and(|opener| late[opener]);
        }
        for (index, child) in scope_plan.children.iter().enumerate() {
            if children[index] {
                for counted in plan.scope(*child).counted_by.iter().filter(|counted| counted.up == 0) {
                    let (Target::Gather { task, .. } | Target::Zip { task, .. }) = counted.target;
                    late[task as usize] = true;
                }
            }
        }
        if late.iter().chain(&children).filter(|late| **late).count() == before {
            break;
        }
    }
    values.sort_unstable_by_key(|place| match place {
        Place::Slot { up, slot } => (*up, *slot),
        Place::Constant(index) | Place::Argument(index) => (0, *index),
    });
    values.dedup();
    let scope = &mut plan.scopes[scope.index()];
    scope.prompt = late.iter().chain(&children).filter(|late| !**late).count() as u32;
    for (task, late) in scope.tasks.iter_mut().zip(late) {
        task.late = *late;
    }
    scope.late_children = children;
    scope.late_values = values;
}
