//! In which order, and how far in, the ops of a job are shown: made once for a run.

use crate::graph::NodeId;
use crate::shape::{Part, Shape, outline};

/// The ops of a job in the order in which they are shown.
#[derive(Debug)]
pub(crate) struct Layout(Vec<Place>);

/// One op's place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) node: NodeId,
    /// How many fan-outs it lies in.
    pub(crate) depth: usize,
    /// Whether it is the first of its fan-out.
    pub(crate) first: bool,
}

impl Layout {
    pub(crate) fn of(shape: &Shape) -> Self {
        let mut places = Vec::new();
        let (mut depth, mut first) = (0, false);
        for part in outline(shape) {
            match part {
                Part::Open(_) => depth += 1,
                Part::Close => depth -= 1,
                Part::Step(node) => places.push(Place { node, depth, first: first && depth > 0 }),
            }
            first = matches!(part, Part::Open(_));
        }
        Self(places)
    }

    pub(crate) fn places(&self) -> &[Place] {
        &self.0
    }
}
