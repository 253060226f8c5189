//! Which failures are handled: those that a `collect_results` takes on every way on from them.

use super::{Plan, SlotPlan, TaskKind, is_emitter};
use crate::graph::{Fan, Gather, NodeKind, ScopeId};

pub(super) fn find(plan: &Plan) -> Vec<bool> {
    let nodes = plan.graph.nodes.len();
    let mut absorbed = vec![false; nodes];
    // What reads a node mostly stands after it, so one round from the back settles nearly all.
    loop {
        let mut changed = false;
        for node in (0..nodes).rev() {
            if !absorbed[node] && is_absorbed(plan, node, &absorbed) {
                absorbed[node] = true;
                changed = true;
            }
        }
        if !changed {
            return absorbed;
        }
    }
}

fn is_absorbed(plan: &Plan, node: usize, absorbed: &[bool]) -> bool {
    let graph = &plan.graph;
    let scope = graph.nodes[node].scope;
    match &graph.nodes[node].kind {
        // An emitter's failure is one of every gather over it, tolerant ones too.
        NodeKind::Op(op) if is_emitter(op) => false,
        NodeKind::Gather { gather: Gather::Results(_), .. } => false,
        NodeKind::Gather { gather: Gather::Held, .. } | NodeKind::Zip { .. } => {
            let opened = (0..graph.scopes.len()).filter(|scope| {
                graph.scopes[*scope].fan.is_some_and(|fan| match fan {
                    Fan::Held(by) | Fan::Zip(by) => by.index() == node,
                    Fan::Emitter { .. } => false,
                })
            });
            let mut opened = opened.peekable();
            opened.peek().is_some()
                && opened.all(|scope| {
                    let plan_of = &plan.scopes[scope];
                    let items = &plan_of.slots[..plan_of.items as usize];
                    items.iter().all(|slot| slot_absorbed(plan, ScopeId(scope as u32), slot, absorbed))
                })
        }
        NodeKind::Op(_) | NodeKind::Gather { .. } => {
            let task = &plan.scope(scope).tasks[plan.task_of[node] as usize];
            let slots = &plan.scope(scope).slots[task.slot as usize..(task.slot + task.slots) as usize];
            let result = graph.results.iter().any(|result| {
                matches!(result.source, Some(crate::graph::Source::Output(by, _)) if by.index() == node)
            });
            !result && slots.iter().all(|slot| slot_absorbed(plan, scope, slot, absorbed))
        }
    }
}

fn slot_absorbed(plan: &Plan, scope: ScopeId, slot: &SlotPlan, absorbed: &[bool]) -> bool {
    let near = slot.readers.iter().map(|reader| (scope, *reader));
    let far = slot.below.iter().map(|below| (plan.way_down(scope, &below.way), below.task));
    let mut readers = near.chain(far).peekable();
    readers.peek().is_some()
        && readers.all(|(scope, task)| {
            let task = &plan.scope(scope).tasks[task as usize];
            let tolerant =
                matches!(plan.node(task.node).kind, NodeKind::Gather { gather: Gather::Results(_), .. });
            tolerant && matches!(task.kind, TaskKind::Deliver { .. }) || absorbed[task.node.index()]
        })
}
