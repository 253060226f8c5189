//! Running a job from inside a program: limits, a handle to cancel it, a report of how it ended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::event::{Batch, RunState};
use crate::graph::Graph;
use crate::options::{Order, PoolLimit};
use crate::shape::Shape;
use crate::store::StoreError;
use crate::summary::Summary;
use crate::value::AnyValue;

/// How one run is run: what is said here beats what the job says.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// How many steps may be in flight.
    pub max_concurrent: Option<u32>,
    /// In which order ready steps start.
    pub order: Option<Order>,
    /// The limits of pools, by name.
    pub pools: BTreeMap<String, PoolLimit>,
    /// The limits of tag values, by name and value.
    pub tag_limits: BTreeMap<(String, String), u32>,
    /// Whether the first failure keeps further steps from starting.
    pub fail_fast: Option<bool>,
    /// How long running steps may go on after the run was cancelled; [`GRACE`] if `None`.
    pub grace: Option<Duration>,
    /// The seed of all randomness (jitter); random if `None`.
    pub seed: Option<u64>,
    /// Whether each event that a step succeeded carries its value.
    pub keep_values: bool,
}

/// How long running steps may go on after the run was cancelled: time to finish a request or write
/// a file, short enough to wait for at a terminal.
pub const GRACE: Duration = Duration::from_secs(10);

/// Something that is told what happens in a run, a batch at a time, in order.
pub trait Sink: Send {
    /// A run of `graph` begins, or goes on after what `so_far` counts: for a sink that needs more than
    /// it is told from then on.
    fn begins(&mut self, graph: &Arc<Graph>, so_far: &Summary) {
        let _ = (graph, so_far);
    }

    /// Takes the next events of a run of a job of that shape.
    fn events(&mut self, shape: &Shape, batch: &Batch);
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// The run's id.
    pub run_id: String,
    /// The job's name.
    pub job: &'static str,
    /// How it ended.
    pub state: RunState,
    /// How long it took.
    pub elapsed: Duration,
    /// What happened, counted.
    pub summary: Summary,
    /// What the job gave, in order; `None` for what has no value.
    pub outputs: Vec<Option<AnyValue>>,
    /// The graph that was run.
    pub graph: Arc<Graph>,
    /// What is recorded of the graph: with it, steps are named and the summary is read.
    pub shape: Arc<Shape>,
    /// Why the run stopped, if its record could not be written: what was told before is recorded.
    pub unwritten: Option<StoreError>,
}
