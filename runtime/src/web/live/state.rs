//! A run at one instant, as its streams tell of it.

use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;

use crate::graph::NodeId;
use crate::shape::Shape;
use crate::store::{RunRow, Standing};
use crate::summary::{ErrorGroup, Summary};
use crate::web::api::convert::{self, Running};
use crate::web::api::rows::size;
use crate::web::api::types::{FailureGroup, OpNow, RunningNow, StepCounts};

/// How much of each text of an error a message has.
const ERROR_BYTES: usize = 300;

/// A run at one instant. What has not changed since the instant before is the same piece.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) seq: u64,
    pub(crate) standing: Standing,
    /// Seconds at work: the time of the last event.
    pub(crate) elapsed: f64,
    pub(crate) started: SystemTime,
    pub(crate) changed: SystemTime,
    pub(crate) cancelling: Option<String>,
    pub(crate) steps: StepCounts,
    /// Each with its node, in the order of the graph.
    pub(crate) ops: Vec<Arc<Piece<(u32, OpNow)>>>,
    pub(crate) running: Vec<Piece<RunningNow>>,
    /// In the order in which the first of each came.
    pub(crate) failures: Vec<Arc<Piece<FailureGroup>>>,
}

/// A part of a message, and how many bytes it takes there.
#[derive(Debug, PartialEq)]
pub(crate) struct Piece<T> {
    pub(crate) value: T,
    pub(crate) bytes: usize,
}

impl<T: Serialize> Piece<T> {
    fn new(value: T) -> Self {
        let bytes = size(&value);
        Self { value, bytes }
    }
}

impl Piece<(u32, OpNow)> {
    /// The same without what may be long.
    pub(super) fn shorter(&self) -> Self {
        let (node, op) = &self.value;
        Self::new((*node, OpNow { oldest: None, ..op.clone() }))
    }
}

impl Piece<FailureGroup> {
    /// The same without what may be long.
    pub(super) fn shorter(&self) -> Self {
        let mut group = FailureGroup { examples: Vec::new(), ..self.value.clone() };
        group.error.causes.clear();
        Self::new(group)
    }
}

impl State {
    /// A run as its row and its summary have it, after the state `before`.
    pub(crate) fn new(
        row: &RunRow,
        seq: u64,
        summary: &Summary,
        shape: &Shape,
        before: Option<&Self>,
    ) -> Self {
        let running = convert::running(summary, shape, row.standing);
        let ops = ops(row.standing, summary, shape, &running, before);
        Self {
            seq,
            standing: row.standing,
            elapsed: summary.elapsed().as_secs_f64(),
            started: row.started,
            changed: row.changed,
            cancelling: summary.cancelling().map(str::to_owned),
            steps: convert::step_counts(row.standing, |state| summary.total(shape, state)),
            ops,
            running: running.longest.into_iter().map(Piece::new).collect(),
            failures: failures(summary, shape, before),
        }
    }

    /// Whether it is that of a row and a commit.
    pub(super) fn is_of(&self, row: &RunRow, seq: u64) -> bool {
        (self.seq, self.standing, self.changed) == (seq, row.standing, row.changed)
    }
}

fn ops(
    standing: Standing,
    summary: &Summary,
    shape: &Shape,
    running: &Running,
    before: Option<&State>,
) -> Vec<Arc<Piece<(u32, OpNow)>>> {
    let op = |(node, place): (NodeId, usize)| {
        let now = (node.0, convert::op_now(summary, node, standing, running));
        let same = before.and_then(|before| before.ops.get(place)).filter(|before| before.value == now);
        same.cloned().unwrap_or_else(|| Arc::new(Piece::new(now)))
    };
    shape.steps().zip(0..).map(op).collect()
}

fn failures(summary: &Summary, shape: &Shape, before: Option<&State>) -> Vec<Arc<Piece<FailureGroup>>> {
    let group = |(group, place): (&ErrorGroup, usize)| {
        // Groups keep their places but for a resume, which begins anew.
        let same = before.and_then(|before| before.failures.get(place)).filter(|before| {
            let FailureGroup { count, first_at, last_at, .. } = before.value;
            (count, first_at, last_at)
                == (group.count, group.first_at.as_secs_f64(), group.last_at.as_secs_f64())
                && before.value.node == group.node.0
        });
        let new = || Arc::new(Piece::new(convert::failure_group(group, shape, ERROR_BYTES)));
        same.cloned().unwrap_or_else(new)
    };
    summary.errors().iter().zip(0..).map(group).collect()
}
