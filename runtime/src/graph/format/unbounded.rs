//! Which fan-outs hold their items without bound: those whose items cannot be finished before
//! another fan-out, outside the item's own frame, has closed.

use super::edges::reads;
use crate::graph::{Fan, Graph, NodeId, NodeKind, ScopeId, Source};

/// Why the items of a fan-out are held without bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    /// The step inside the fan-out that waits.
    pub(super) waiting: NodeId,
    /// What it waits for: a gather outside.
    pub(super) gather: NodeId,
}

/// Why the items of a fan-out are held without bound, if they are.
///
/// A gather that an opener of the fan-out, or of one around it, waits for has ended before the first item comes, and
/// holds nothing.
pub(super) fn held(graph: &Graph, scope: ScopeId) -> Option<Held> {
    graph.scope(scope).fan?;
    let openers = graph.outwards(scope).filter_map(|scope| graph.scope(scope).fan.map(Fan::node));
    let before = upstream(graph, openers);
    let inside: Vec<bool> =
        graph.nodes.iter().map(|node| graph.outwards(node.scope).any(|around| around == scope)).collect();
    for (waiting, node) in (0..).map(NodeId).zip(&graph.nodes) {
        if !inside[waiting.index()] || !node.is_step() {
            continue;
        }
        for source in reads(graph, waiting) {
            // The items of a product are opened lazily, with its outer side under backpressure, so
            // only values count here.
            if let Source::Output(node, _) = source
                && !inside[node.index()]
                && let Some(gather) = first_gather(graph, node, &before)
            {
                return Some(Held { waiting, gather });
            }
        }
    }
    None
}

/// The node that gives a source.
fn behind(graph: &Graph, source: Source) -> Option<NodeId> {
    match source {
        Source::Output(node, _) => Some(node),
        Source::Item(scope, _) => graph.scope(scope).fan.map(Fan::node),
        Source::Constant(_) | Source::Argument(_) => None,
    }
}

/// Everything that some nodes wait for, themselves included.
fn upstream(graph: &Graph, nodes: impl IntoIterator<Item = NodeId>) -> Vec<bool> {
    let mut seen = vec![false; graph.nodes.len()];
    let mut next: Vec<_> = nodes.into_iter().collect();
    while let Some(node) = next.pop() {
        if !std::mem::replace(&mut seen[node.index()], true) {
            next.extend(reads(graph, node).into_iter().filter_map(|source| behind(graph, source)));
        }
    }
    seen
}

/// The first gather over fan-outs at or behind `node` that is not among `before`.
fn first_gather(graph: &Graph, node: NodeId, before: &[bool]) -> Option<NodeId> {
    let behind = upstream(graph, [node]);
    (0..)
        .map(NodeId)
        .zip(&graph.nodes)
        .find(|(id, node)| {
            let gathers = matches!(&node.kind, NodeKind::Gather { chain, .. } if !chain.is_empty());
            gathers && behind[id.index()] && !before[id.index()]
        })
        .map(|(id, _)| id)
}
