//! What flows from which node to which, with lists taken as ways, not as places.

use std::collections::{BTreeSet, HashSet};

use super::DrawnWay;
use super::units::Units;
use crate::graph::NodeId;
use crate::shape::{Shape, ShapeSource};

/// One edge, from unit to unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) to: usize,
    pub(super) from: usize,
    pub(super) way: DrawnWay,
}

/// All edges, by where they end.
pub(super) fn edges(shape: &Shape, units: &Units) -> Vec<Edge> {
    let mut edges = BTreeSet::new();
    for reader in shape.steps() {
        let node = shape.node(reader);
        let taken: HashSet<NodeId> =
            node.takes.iter().flat_map(|take| &take.items).filter_map(|item| giver(shape, *item)).collect();
        let openers: HashSet<NodeId> = node
            .takes
            .iter()
            .flat_map(|take| &take.over)
            .filter_map(|scope| shape.scope(*scope).fan)
            .map(|(opener, _)| opener)
            .collect();
        let around: HashSet<NodeId> =
            shape.outwards(node.scope).filter_map(|scope| shape.scope(scope).fan).map(|fan| fan.0).collect();
        let read = node.reads.iter().filter(|read| !taken.contains(read) && !openers.contains(read));
        let ways = read.map(|read| {
            let way = match () {
                () if node.after.contains(read) => DrawnWay::After,
                () if around.contains(read) => DrawnWay::Item,
                () => DrawnWay::Value,
            };
            (*read, way)
        });
        let ways = ways.chain(taken.iter().map(|taken| (*taken, DrawnWay::Collect)));
        for (read, way) in ways {
            for (giver, way) in behind(shape, read, way) {
                if let (Some(from), Some(to)) = (units.of(giver), units.of(reader))
                    && from != to
                {
                    edges.insert(Edge { to, from, way });
                }
            }
        }
    }
    // That a step comes after another is no news where it reads what the other gives.
    let read: HashSet<_> =
        edges.iter().filter(|edge| edge.way != DrawnWay::After).map(|edge| (edge.from, edge.to)).collect();
    edges.retain(|edge| edge.way != DrawnWay::After || !read.contains(&(edge.from, edge.to)));
    edges.into_iter().collect()
}

/// The steps that give what a node has: itself, or, of a list, those whose items it holds.
pub(super) fn behind(shape: &Shape, node: NodeId, way: DrawnWay) -> BTreeSet<(NodeId, DrawnWay)> {
    let mut found = BTreeSet::new();
    let mut seen = HashSet::new();
    let mut next = vec![(node, way)];
    while let Some((node, way)) = next.pop() {
        if !seen.insert((node, way)) {
            continue;
        }
        if shape.node(node).is_step() {
            found.insert((node, way));
            continue;
        }
        let way = if way == DrawnWay::Value { DrawnWay::Collect } else { way };
        let items = shape.node(node).takes.iter().flat_map(|take| &take.items);
        next.extend(items.filter_map(|item| giver(shape, *item)).map(|giver| (giver, way)));
    }
    found
}

/// The node that gives an item.
fn giver(shape: &Shape, item: ShapeSource) -> Option<NodeId> {
    match item {
        ShapeSource::Node(node) => Some(node),
        ShapeSource::Item(scope) => shape.scope(scope).fan.map(|(opener, _)| opener),
    }
}
