//! The order in which a job is told: each fan-out right after what opens it.

#[cfg(feature = "cli")]
use std::collections::BTreeSet;

use super::Shape;
use crate::graph::{NodeId, ScopeId};

/// One line of an outline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// A step.
    Step(NodeId),
    /// The begin of a fan-out.
    Open(ScopeId),
    /// The end of the fan-out that was opened last.
    Close,
}

/// What lies in each scope, each with the place where it is told.
type Entries = Vec<Vec<((usize, usize), Part)>>;

/// The steps of a job in call order, each fan-out after the step that opens it.
pub(crate) fn outline(shape: &Shape) -> Vec<Part> {
    let mut entries: Entries = vec![Vec::new(); shape.scopes.len()];
    for step in shape.steps() {
        entries[shape.node(step).scope.index()].push(((step.index(), 0), Part::Step(step)));
    }
    for (child, scope) in (0..).map(ScopeId).zip(&shape.scopes) {
        if let Some(parent) = scope.parent {
            // A held node may lie further out; it was made when the fan-out was, so its number
            // serves as well.
            let opener = scope.fan.map_or(0, |(node, _)| node.index());
            entries[parent.index()].push(((opener, 1 + child.index()), Part::Open(child)));
        }
    }
    for entries in &mut entries {
        entries.sort_by_key(|(place, _)| *place);
    }
    let mut parts = Vec::with_capacity(shape.nodes.len());
    tell(&entries, ScopeId::ROOT, &mut parts);
    parts
}

/// Tells the steps of a scope; says whether there are any. A fan-out without steps, whose items are
/// only collected or folded, is not told: there would be nothing in its box.
fn tell(entries: &Entries, scope: ScopeId, parts: &mut Vec<Part>) -> bool {
    let mut any = false;
    for (_, part) in &entries[scope.index()] {
        parts.push(*part);
        let Part::Open(child) = *part else {
            any = true;
            continue;
        };
        if tell(entries, child, parts) {
            parts.push(Part::Close);
            any = true;
        } else {
            parts.pop();
        }
    }
    any
}

#[cfg(feature = "cli")]
/// The steps that a step waits for, in call order: back through lists to what gives their items.
pub(crate) fn needed_steps(shape: &Shape, node: NodeId) -> BTreeSet<NodeId> {
    let mut needed = BTreeSet::new();
    let mut next = shape.node(node).reads.clone();
    let mut seen = vec![false; shape.nodes.len()];
    while let Some(node) = next.pop() {
        if std::mem::replace(&mut seen[node.index()], true) {
            continue;
        }
        if shape.node(node).is_step() {
            needed.insert(node);
        } else {
            next.extend(&shape.node(node).reads);
        }
    }
    needed
}
