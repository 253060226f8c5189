//! The metrics: what is counted and measured of steps, whether they have a span or not.

use std::collections::HashMap;
use std::time::Duration;

use fanfold::Shape;
use fanfold::graph::NodeId;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter};

#[derive(Debug)]
pub(crate) struct Instruments {
    steps: Counter<u64>,
    duration: Histogram<f64>,
    running: Gauge<u64>,
    left_out: Counter<u64>,
    /// The attributes of each op and state, made once.
    attributes: HashMap<(NodeId, &'static str), [KeyValue; 3]>,
}

impl Instruments {
    pub(crate) fn new(meter: &Meter) -> Self {
        Self {
            steps: meter
                .u64_counter("fanfold.steps")
                .with_unit("{step}")
                .with_description("Steps that ended, by how")
                .build(),
            duration: meter
                .f64_histogram("fanfold.step.duration")
                .with_unit("s")
                .with_description("How long the last attempts of steps took")
                .build(),
            running: meter
                .u64_gauge("fanfold.steps.running")
                .with_unit("{step}")
                .with_description("Steps that run")
                .build(),
            left_out: meter
                .u64_counter("fanfold.spans.left_out")
                .with_unit("{step}")
                .with_description("Steps that have no span, as too many ended in their second")
                .build(),
            attributes: HashMap::new(),
        }
    }

    /// A step ended, having run or not.
    pub(crate) fn ended(&mut self, shape: &Shape, node: NodeId, state: &'static str, took: Option<Duration>) {
        let attributes = self.attributes.entry((node, state)).or_insert_with(|| {
            [
                KeyValue::new("fanfold.job", shape.job.clone()),
                KeyValue::new("fanfold.op", shape.node(node).name.to_string()),
                KeyValue::new("fanfold.state", state),
            ]
        });
        self.steps.add(1, attributes);
        if let Some(took) = took {
            self.duration.record(took.as_secs_f64(), attributes);
        }
    }

    /// So many steps run now.
    pub(crate) fn running(&self, job: &str, steps: usize) {
        self.running.record(steps as u64, &[KeyValue::new("fanfold.job", job.to_owned())]);
    }

    /// So many more steps have no span.
    pub(crate) fn left_out(&self, job: &str, steps: u64) {
        if steps > 0 {
            self.left_out.add(steps, &[KeyValue::new("fanfold.job", job.to_owned())]);
        }
    }
}
