//! The order in which a graph is told: each fan-out right after what opens it.

use crate::graph::{Fan, Graph, NodeId, ScopeId};

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

/// The steps of a graph in call order, each fan-out after the step that opens it.
pub(crate) fn outline(graph: &Graph) -> Vec<Part> {
    let mut parts = Vec::with_capacity(graph.nodes.len());
    tell(graph, ScopeId::ROOT, &mut parts);
    parts
}

/// Tells the steps of a scope; says whether there are any. A fan-out without steps, whose items are
/// only collected or folded, is not told: there would be nothing in its box.
fn tell(graph: &Graph, scope: ScopeId, parts: &mut Vec<Part>) -> bool {
    let scope = graph.scope(scope);
    let steps = scope.nodes.iter().filter(|node| graph.node(**node).is_step());
    let mut entries: Vec<_> = steps.map(|node| ((node.index(), 0), Part::Step(*node))).collect();
    entries.extend(scope.children.iter().map(|child| (place(graph, *child), Part::Open(*child))));
    entries.sort_by_key(|(place, _)| *place);
    let mut any = false;
    for (_, part) in entries {
        parts.push(part);
        let Part::Open(child) = part else {
            any = true;
            continue;
        };
        if tell(graph, child, parts) {
            parts.push(Part::Close);
            any = true;
        } else {
            parts.pop();
        }
    }
    any
}

/// Where a fan-out is told among the nodes of the scope around it: after the node that opens it.
/// A held node may lie further out; it was made when the fan-out was, so its number serves as well.
fn place(graph: &Graph, scope: ScopeId) -> (usize, usize) {
    let opener = graph.scope(scope).fan.map(Fan::node).map_or(0, NodeId::index);
    (opener, 1 + scope.index())
}
