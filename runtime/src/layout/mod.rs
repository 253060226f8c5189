//! Where a job's graph is drawn: nodes, boxes around fan-outs, edges with their points.
//!
//! It works from a [`Shape`] alone, so that runs of jobs that are gone are drawn as well. One node stands
//! for an op, however many steps it has. What stands in a node, and its colours, are no matter of a layout:
//! a page paints states over it without asking again.
//!
//! From top to bottom: names are written from left to right, so a chain of ten ops is 700 pixels high
//! and one name wide, which fits a phone as it fits a screen 1 280 wide; from left to right it would be
//! 2 000 wide. A page scrolls downwards anyway.
//!
//! Each scope is laid out by itself, innermost first, and is a node of its size in the scope
//! around it. An edge that crosses the border of a box does so at a **port**, so nothing runs through a
//! box that it has no business with.

mod edges;
mod level;
mod lines;
mod order;
mod place;
mod ports;
mod ranks;
mod routes;
#[cfg(test)]
mod tests;
mod text;
mod units;

use crate::graph::{NodeId, ScopeId};
use crate::shape::Shape;

pub(crate) use text::{Size, cut};
pub(crate) use units::{TAG, tag_width, words};

/// More nodes than these are not drawn at first: sub-graphs are folded then, each into one node.
pub const MAX_NODES: usize = 300;

/// A job's graph as a drawing, in pixels; its corner is at 0, 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// How wide it is.
    pub width: f64,
    /// How high it is.
    pub height: f64,
    /// The nodes, in call order.
    pub nodes: Vec<DrawnNode>,
    /// The fan-outs, each after the one around it.
    pub boxes: Vec<DrawnBox>,
    /// The edges, by where they end.
    pub edges: Vec<DrawnEdge>,
}

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Its left side.
    pub x: f64,
    /// Its upper side.
    pub y: f64,
    /// Its width.
    pub w: f64,
    /// Its height.
    pub h: f64,
}

/// A node: an op, or a sub-graph that is folded.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnNode {
    /// The node of the shape; of a sub-graph, its first.
    pub node: NodeId,
    /// Its whole name, whatever room there is for it.
    pub name: String,
    /// What it is.
    pub kind: DrawnKind,
    /// Small words: `retry 3`, `pool api`.
    pub tags: Vec<String>,
    /// Where it is.
    pub place: Place,
}

/// What a node of a drawing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrawnKind {
    /// An op that gives values.
    Op,
    /// An op that gives items.
    Emitter,
    /// A fold of items.
    Fold,
    /// Pairs of items.
    Zip,
    /// A sub-graph that is folded.
    Group,
}

impl DrawnKind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Op => "op",
            Self::Emitter => "emitter",
            Self::Fold => "fold",
            Self::Zip => "zip",
            Self::Group => "group",
        }
    }
}

/// The box around a fan-out.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnBox {
    /// The scope.
    pub scope: ScopeId,
    /// The node that opens it, or gives the items that do.
    pub opened_by: NodeId,
    /// `for each item of load_pieces`.
    pub label: String,
    /// How many boxes are around it.
    pub depth: u32,
    /// Where it is.
    pub place: Place,
}

/// An edge.
///
/// Two points after each other that are not above each other are joined by a curve whose ends are upright:
/// it stays between them, so it touches nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnEdge {
    /// Where it begins.
    pub from: NodeId,
    /// Where it ends.
    pub to: NodeId,
    /// How a value gets along it.
    pub way: DrawnWay,
    /// Its points, from the first node to the second.
    pub points: Vec<(f64, f64)>,
}

/// How a value gets along an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DrawnWay {
    /// As it is.
    Value,
    /// Item by item, into a fan-out.
    Item,
    /// All items at once.
    Collect,
    /// Not at all: only the order is kept.
    After,
}

impl DrawnWay {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Item => "item",
            Self::Collect => "collect",
            Self::After => "after",
        }
    }
}

impl Shape {
    /// Where its graph is drawn; the same for the same shape.
    pub fn drawing(&self) -> Drawing {
        let units = units::Units::new(self, MAX_NODES);
        let edges = edges::edges(self, &units);
        let routes = routes::Routes::new(self, &units, &edges);
        lines::draw(self, &units, &edges, routes)
    }
}
