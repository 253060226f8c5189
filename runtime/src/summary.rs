//! The fold over events that every face reads.

use crate::event::Event;
use crate::graph::Graph;

/// What happened in a run so far, counted.
#[derive(Debug, Clone, Default)]
pub struct Summary {}

impl Summary {
    /// Nothing has happened yet.
    pub fn new(_graph: &Graph) -> Self {
        Self {}
    }

    /// Takes the next events of the run.
    pub fn apply(&mut self, _graph: &Graph, _events: &[Event]) {}
}
