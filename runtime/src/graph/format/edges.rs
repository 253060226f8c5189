//! What flows from which step to which, with collects and lists taken as ways, not as places.

use std::collections::BTreeSet;

use crate::graph::{Fan, Gather, Graph, NodeId, NodeKind, Source, ZipSide};

/// One arrow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) from: From,
    pub(super) to: NodeId,
    pub(super) way: Way,
    /// Which output, where the step has several.
    pub(super) label: Option<&'static str>,
}

/// Where an arrow begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum From {
    /// At a step.
    Step(NodeId),
    /// At an argument of the job.
    Argument(u32),
}

/// How a value gets from one step to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// As it is: one to one, or one to every copy inside a fan-out.
    Value,
    /// Item by item, into a fan-out.
    Item,
    /// All items at once.
    Collect(&'static str),
    /// Not at all: only the order is kept.
    After,
}

impl Way {
    /// What is written at the arrow, if it is not plain.
    pub(super) fn word(self) -> Option<&'static str> {
        match self {
            Self::Value | Self::Item => None,
            Self::Collect(word) => Some(word),
            Self::After => Some("after"),
        }
    }
}

/// All arrows, by where they end.
pub(super) fn edges(graph: &Graph) -> Vec<Edge> {
    let mut edges = Vec::new();
    for (to, node) in (0..).map(NodeId).zip(&graph.nodes).filter(|(_, node)| node.is_step()) {
        let mut here = BTreeSet::new();
        for source in node.inputs.iter().flat_map(|input| input.sources()) {
            follow(graph, *source, to, Way::Value, &mut here);
        }
        for source in &node.after {
            follow(graph, *source, to, Way::After, &mut here);
        }
        match &node.kind {
            NodeKind::Op(_) => {}
            NodeKind::Gather { items, gather, .. } => {
                for item in items {
                    follow(graph, *item, to, Way::Collect(word(gather)), &mut here);
                }
            }
            NodeKind::Zip { left, right } => {
                for ZipSide { item, .. } in [left, right] {
                    follow(graph, *item, to, Way::Collect("zip"), &mut here);
                }
            }
        }
        edges.extend(here);
    }
    edges
}

/// Adds the arrows of one source: back through collects to the steps that give the values.
fn follow(graph: &Graph, source: Source, to: NodeId, way: Way, edges: &mut BTreeSet<Edge>) {
    match source {
        Source::Constant(_) => {}
        Source::Argument(index) => {
            edges.insert(Edge { from: From::Argument(index), to, way, label: None });
        }
        Source::Output(node, output) => match &graph.node(node).kind {
            NodeKind::Gather { items, gather, .. } if !graph.node(node).is_step() => {
                let way = if way == Way::After { way } else { Way::Collect(word(gather)) };
                for item in items {
                    follow(graph, *item, to, way, edges);
                }
            }
            _ => {
                let label = graph.output_name(node, output);
                edges.insert(Edge { from: From::Step(node), to, way, label });
            }
        },
        Source::Item(scope, part) => match graph.scope(scope).fan {
            Some(Fan::Emitter { node, output }) => {
                let label = graph.output_name(node, output);
                let way = if way == Way::Value { Way::Item } else { way };
                edges.insert(Edge { from: From::Step(node), to, way, label });
            }
            Some(Fan::Zip(node)) => {
                let way = if way == Way::Value { Way::Item } else { way };
                edges.insert(Edge { from: From::Step(node), to, way, label: None });
            }
            Some(Fan::Held(node)) => {
                if let NodeKind::Gather { items, .. } = &graph.node(node).kind
                    && let Some(item) = items.get(usize::from(part))
                {
                    let way = if way == Way::Value { Way::Item } else { way };
                    follow(graph, *item, to, way, edges);
                }
            }
            None => {}
        },
    }
}

/// How a gather is written in a job.
pub(super) fn word(gather: &Gather) -> &'static str {
    match gather {
        Gather::List => "collect",
        Gather::Keyed(_) => "collect_keyed",
        Gather::Results(_) => "collect_results",
        Gather::Fold(_) => "fold",
        Gather::Held => "each",
        Gather::Ended => "after",
    }
}

/// Every source that a node waits for.
pub(super) fn reads(graph: &Graph, node: NodeId) -> Vec<Source> {
    let node = graph.node(node);
    node.kind.waits_for(&node.inputs, &node.after)
}
