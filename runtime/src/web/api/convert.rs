//! What is known of a run as the data API has it: the one place where a summary becomes an answer.
//!
//! Nothing runs where nobody drives the run: steps that were running when its process died are waiting.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use super::types::{Error, FailureGroup, OpNow, RunStanding, RunningNow, StepCounts, StepStanding};
use crate::error::{ErrorKind, OpError};
use crate::event::{RunState, StepState};
use crate::graph::NodeId;
use crate::shape::Shape;
use crate::store::{RunRow, Standing};
use crate::summary::{ErrorGroup, RunningStep, Summary};

/// How many running steps an answer names.
pub(crate) const RUNNING: usize = 20;

/// How much of each text of an error an answer has: as much as anybody reads in a list.
pub(crate) const ERROR_BYTES: usize = 1024;

/// A time of day: seconds since 1970.
pub(crate) fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// How a run stands.
pub(crate) fn standing(standing: Standing) -> RunStanding {
    match standing {
        Standing::Running => RunStanding::Running,
        Standing::Interrupted => RunStanding::Interrupted,
        Standing::Ended(RunState::Succeeded) => RunStanding::Succeeded,
        Standing::Ended(RunState::Failed) => RunStanding::Failed,
        Standing::Ended(RunState::Cancelled) => RunStanding::Cancelled,
    }
}

/// How a step stands.
pub(crate) fn step_standing(state: StepState) -> StepStanding {
    match state {
        StepState::Succeeded => StepStanding::Succeeded,
        StepState::Failed => StepStanding::Failed,
        StepState::UpstreamFailed => StepStanding::UpstreamFailed,
        StepState::Skipped => StepStanding::Skipped,
        StepState::Cancelled => StepStanding::Cancelled,
        StepState::Running => StepStanding::Running,
        StepState::Waiting => StepStanding::Waiting,
    }
}

/// How long a run took, or has taken by `now`, in seconds.
pub(crate) fn took(row: &RunRow, now: SystemTime) -> f64 {
    let until = if row.standing == Standing::Running { now } else { row.changed };
    until.duration_since(row.started).unwrap_or_default().as_secs_f64()
}

/// How many steps stand how, of a run that stands so.
pub(crate) fn step_counts(run: Standing, count: impl Fn(StepState) -> u64) -> StepCounts {
    let mut counts = StepCounts {
        succeeded: count(StepState::Succeeded),
        failed: count(StepState::Failed),
        upstream_failed: count(StepState::UpstreamFailed),
        skipped: count(StepState::Skipped),
        cancelled: count(StepState::Cancelled),
        running: count(StepState::Running),
        waiting: count(StepState::Waiting),
    };
    if run == Standing::Interrupted {
        counts.waiting += std::mem::take(&mut counts.running);
    }
    counts
}

/// The steps that run now.
#[derive(Debug, Default)]
pub(crate) struct Running {
    /// Longest first; at most [`RUNNING`].
    pub(crate) longest: Vec<RunningNow>,
    /// The one of each node that has run longest.
    pub(crate) oldest: BTreeMap<NodeId, RunningNow>,
}

/// The steps of a run that run now; none where nobody drives it.
pub(crate) fn running(summary: &Summary, shape: &Shape, run: Standing) -> Running {
    let mut running = Running::default();
    if run != Standing::Running {
        return running;
    }
    for step in summary.running(usize::MAX) {
        if running.longest.len() < RUNNING {
            running.longest.push(running_now(&step, shape));
        }
        running.oldest.entry(step.step.node).or_insert_with(|| running_now(&step, shape));
    }
    running
}

/// A step that runs now.
pub(crate) fn running_now(step: &RunningStep, shape: &Shape) -> RunningNow {
    RunningNow {
        step: step.step.name(shape).to_string(),
        attempt: step.attempt,
        started: step.started.as_secs_f64(),
    }
}

/// How the steps of a node stand, in a run that stands so and of which so many run.
pub(crate) fn op_now(summary: &Summary, node: NodeId, run: Standing, running: &Running) -> OpNow {
    let counted = summary.node(node);
    let durations = counted.durations();
    let quantile = |q| durations.quantile(q).map(|took| took.as_secs_f64());
    OpNow {
        counts: step_counts(run, |state| summary.count(node, state)),
        known: summary.known(node),
        growing: summary.is_growing(node),
        items: summary.gives_items(node).then(|| summary.items(node)),
        retrying: counted.retrying(),
        retries: counted.retries(),
        reused: counted.reused(),
        left_behind: counted.left_behind(),
        p50: quantile(0.5),
        p95: quantile(0.95),
        max: quantile(1.0),
        total: durations.total().as_secs_f64(),
        oldest: running.oldest.get(&node).cloned(),
    }
}

/// Failures with one cause; of each text of the error at most so many bytes.
pub(crate) fn failure_group(group: &ErrorGroup, shape: &Shape, bytes: usize) -> FailureGroup {
    FailureGroup {
        op: shape.node(group.node).name.to_string(),
        node: group.node.0,
        pattern: first_line(&group.pattern),
        error: error(&group.first_error, bytes),
        count: group.count,
        attempts: group.first_attempts,
        first_at: group.first_at.as_secs_f64(),
        last_at: group.last_at.as_secs_f64(),
        examples: group.examples.iter().map(|step| step.name(shape).to_string()).collect(),
    }
}

/// An error, of each of its texts at most so many bytes.
pub(crate) fn error(error: &OpError, bytes: usize) -> Error {
    let cut = error.cut(bytes);
    Error {
        message: cut.message().to_owned(),
        causes: cut.causes().to_vec(),
        kind: error_kind(error.kind()).to_owned(),
    }
}

/// The name of a kind of error.
pub(crate) fn error_kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Op => "error",
        ErrorKind::Permanent => "permanent",
        ErrorKind::RetryAfter(_) => "retry_after",
        ErrorKind::Panic => "panic",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Key => "key",
        ErrorKind::Codec => "codec",
        ErrorKind::Poison => "poison",
    }
}

pub(crate) fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::half_way;

    fn half() -> (std::sync::Arc<Shape>, Summary) {
        let (shape, events) = half_way();
        let mut summary = Summary::new(&shape);
        summary.apply(&shape, &events);
        (shape, summary)
    }

    #[test]
    fn what_runs_is_told_longest_first_and_by_op() {
        let (shape, summary) = half();
        let running = running(&summary, &shape, Standing::Running);
        let names: Vec<_> = running.longest.iter().map(|step| step.step.as_str()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(running.longest.is_sorted_by(|a, b| a.started <= b.started));
        for (node, oldest) in &running.oldest {
            assert!(oldest.step.starts_with(&*shape.node(*node).name), "{oldest:?}");
        }
    }

    #[test]
    fn nothing_runs_in_a_run_that_nobody_drives() {
        let (shape, summary) = half();
        let total = |run| step_counts(run, |state| summary.total(&shape, state));
        let (driven, dead) = (total(Standing::Running), total(Standing::Interrupted));
        assert_eq!((driven.running, driven.waiting), (2, 2));
        assert_eq!((dead.running, dead.waiting), (0, 4));
        assert!(running(&summary, &shape, Standing::Interrupted).longest.is_empty());
        let none = running(&summary, &shape, Standing::Interrupted);
        for node in shape.steps() {
            let now = op_now(&summary, node, Standing::Interrupted, &none);
            assert_eq!((now.counts.running, now.oldest), (0, None));
        }
    }

    #[test]
    fn an_op_has_its_counts_and_its_quantiles() {
        let (shape, summary) = half();
        let running = running(&summary, &shape, Standing::Running);
        let ops: Vec<_> =
            shape.steps().map(|node| op_now(&summary, node, Standing::Running, &running)).collect();
        let succeeded: u64 = ops.iter().map(|op| op.counts.succeeded).sum();
        assert_eq!(succeeded, 4);
        assert!(ops.iter().any(|op| op.items.is_some()) && ops.iter().any(|op| op.p95.is_some()));
        assert!(ops.iter().all(|op| op.p50 <= op.p95 && op.p95 <= op.max));
    }

    #[test]
    fn texts_of_errors_are_cut() {
        let long = error(&OpError::new("é".repeat(4000)), 100);
        assert!(long.message.len() <= 103 && long.message.ends_with('…'), "{long:?}");
    }

    #[test]
    fn a_time_of_day_is_seconds_since_1970() {
        assert_eq!(seconds(UNIX_EPOCH + std::time::Duration::from_millis(1500)), 1.5);
    }
}
