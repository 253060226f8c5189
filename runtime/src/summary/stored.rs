//! A summary as it is cached in a store, so that a reader need not fold a whole run.
//!
//! It is a cache: what cannot be read is folded again from the commits. Numbers are JSON in rows without
//! names, a few hundred bytes for an op; a step is its node and its items, each as key, place and
//! number.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::failures::{ErrorGroup, Failures};
use super::node::{NodeSummary, ScopeSummary};
use super::open::Attempts;
use super::{SlowStep, Summary, durations};
use crate::error::OpError;
use crate::event::{RunState, StepRef, StepState};
use crate::graph::NodeId;
use crate::key::Key;
use crate::shape::Shape;
use crate::step::Path;

/// The version of the stored form. It rises with every change: a summary of another version is folded
/// again from the commits.
const VERSION: u32 = 1;

/// How much of an error's text is stored: as much as anybody reads in a list.
const ERROR_BYTES: usize = 1_024;

/// More than any count can come to: a sum of some of them must not overflow.
const MOST: u64 = 1 << 48;

/// Why a stored summary was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoredError {
    /// Another version of fanfold wrote it.
    #[error("the cached summary has version {found}, not {VERSION}: the run is counted again")]
    Version {
        /// Its version.
        found: u32,
    },
    /// It is not what was written, or stands for a run of another job.
    #[error("the cached summary is not of this run: it is counted again")]
    Wrong,
}

/// Nanoseconds.
pub(super) type Nanos = u64;

/// The items around a step, outermost first: key, place in yield order, number in the run.
pub(super) type StoredPath = Vec<(Key, u32, u32)>;

/// A node, and the items around it.
pub(super) type StoredStep = (u32, StoredPath);

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    run: Option<String>,
    started: Option<Nanos>,
    sessions: u32,
    resumed: Option<Nanos>,
    args: Vec<(String, String)>,
    elapsed: Nanos,
    cancelling: Option<String>,
    state: Option<RunState>,
    nodes: Vec<StoredNode>,
    /// Opened, closed.
    scopes: Vec<(u64, u64)>,
    attempts: Vec<StoredAttempt>,
    errors: Vec<StoredGroup>,
    ungrouped: u64,
    slowest: Vec<(StoredStep, Nanos)>,
}

/// Ended by state; reused, retries, steps of more than one attempt, left behind; waited; durations.
/// What runs and waits is counted by the attempts.
#[derive(Serialize, Deserialize)]
struct StoredNode([u64; StepState::ALL.len()], [u64; 4], Nanos, durations::Stored);

/// A step that runs: which attempt, and since when; or one that waits for its next.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredAttempt(pub(super) StoredStep, pub(super) Option<(u32, Nanos)>);

#[derive(Serialize, Deserialize)]
struct StoredGroup {
    node: u32,
    pattern: String,
    error: OpError,
    attempts: u32,
    took: Nanos,
    count: u64,
    at: (Nanos, Nanos),
    examples: Vec<StoredPath>,
}

impl Summary {
    /// The summary as it is cached.
    pub fn to_bytes(&self) -> Vec<u8> {
        let stored = Stored {
            version: VERSION,
            run: self.run_id.as_deref().map(str::to_owned),
            started: self.started.map(since_1970),
            sessions: self.sessions,
            resumed: self.resumed.map(since_1970),
            args: self.args.clone(),
            elapsed: nanos(self.elapsed),
            cancelling: self.cancelling.clone(),
            state: self.state,
            nodes: self.nodes.iter().map(StoredNode::of).collect(),
            scopes: self.scopes.iter().map(|scope| (scope.opened, scope.closed)).collect(),
            attempts: self.attempts.stored(),
            errors: self.failures.groups().iter().map(StoredGroup::of).collect(),
            ungrouped: self.failures.ungrouped(),
            slowest: self.slowest.iter().map(|slow| (stored_step(&slow.step), nanos(slow.took))).collect(),
        };
        serde_json::to_vec(&stored).expect("numbers and texts can always be written")
    }

    /// The summary of a run of a job of that shape, as [`to_bytes`](Self::to_bytes) gave it.
    ///
    /// # Errors
    /// It is of another version, of a run of another shape, or no summary at all: fold the run's
    /// events instead.
    pub fn from_bytes(shape: &Shape, bytes: &[u8]) -> Result<Self, StoredError> {
        let stored: Stored = serde_json::from_slice(bytes).map_err(|_| wrong_version(bytes))?;
        if stored.version != VERSION {
            return Err(StoredError::Version { found: stored.version });
        }
        stored.read(shape).ok_or(StoredError::Wrong)
    }
}

/// What was stored by a version whose form cannot be read here.
fn wrong_version(bytes: &[u8]) -> StoredError {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    match serde_json::from_slice(bytes) {
        Ok(Version { version }) if version != VERSION => StoredError::Version { found: version },
        _ => StoredError::Wrong,
    }
}

impl Stored {
    fn read(self, shape: &Shape) -> Option<Summary> {
        let mut summary = Summary::new(shape);
        if self.nodes.len() != summary.nodes.len() || self.scopes.len() != summary.scopes.len() {
            return None;
        }
        let counts = self.nodes.iter().flat_map(|StoredNode(ended, others, ..)| ended.iter().chain(others));
        let scopes = self.scopes.iter().flat_map(|(opened, closed)| [opened, closed]);
        let groups = self.errors.iter().map(|group| &group.count);
        if counts.chain(scopes).chain(groups).chain([&self.ungrouped]).any(|count| *count > MOST) {
            return None;
        }
        summary.run_id = self.run.map(Into::into);
        summary.started = self.started.map(time);
        (summary.sessions, summary.resumed) = (self.sessions, self.resumed.map(time));
        (summary.args, summary.elapsed) = (self.args, Duration::from_nanos(self.elapsed));
        (summary.cancelling, summary.state) = (self.cancelling, self.state);
        for (node, stored) in summary.nodes.iter_mut().zip(&self.nodes) {
            stored.read(node)?;
        }
        for (scope, (opened, closed)) in summary.scopes.iter_mut().zip(self.scopes) {
            *scope = ScopeSummary { parent: scope.parent, opened, closed };
        }
        let step = |stored: &StoredStep| read_step(shape, stored);
        summary.attempts = Attempts::read(self.attempts, &mut summary.nodes, step)?;
        let groups = self.errors.into_iter().map(|group| group.read(shape)).collect::<Option<_>>()?;
        summary.failures = Failures::of(groups, self.ungrouped);
        summary.slowest = self
            .slowest
            .iter()
            .map(|(slow, took)| Some(SlowStep { step: step(slow)?, took: Duration::from_nanos(*took) }))
            .collect::<Option<_>>()?;
        Some(summary)
    }
}

impl StoredNode {
    fn of(node: &NodeSummary) -> Self {
        Self(
            node.ended,
            [node.reused, node.retries, node.more_attempts, node.left_behind],
            nanos(node.retry_wait),
            (&node.durations).into(),
        )
    }

    fn read(&self, node: &mut NodeSummary) -> Option<()> {
        let Self(ended, [reused, retries, more_attempts, left_behind], retry_wait, durations) = self;
        node.ended = *ended;
        (node.reused, node.retries) = (*reused, *retries);
        (node.more_attempts, node.left_behind) = (*more_attempts, *left_behind);
        node.retry_wait = Duration::from_nanos(*retry_wait);
        node.durations = durations.read()?;
        Some(())
    }
}

impl StoredGroup {
    fn of(group: &ErrorGroup) -> Self {
        Self {
            node: group.node.0,
            pattern: group.pattern.clone(),
            error: group.first_error.cut(ERROR_BYTES),
            attempts: group.first_attempts,
            took: nanos(group.first_took),
            count: group.count,
            at: (nanos(group.first_at), nanos(group.last_at)),
            examples: group.examples.iter().map(|step| stored_path(&step.path)).collect(),
        }
    }

    fn read(self, shape: &Shape) -> Option<ErrorGroup> {
        let node = read_node(shape, self.node)?;
        // Whoever shows a group names its first step.
        if self.examples.is_empty() || self.count < self.examples.len() as u64 {
            return None;
        }
        Some(ErrorGroup {
            node,
            pattern: self.pattern,
            first_error: Arc::new(self.error),
            first_attempts: self.attempts,
            first_took: Duration::from_nanos(self.took),
            count: self.count,
            first_at: Duration::from_nanos(self.at.0),
            last_at: Duration::from_nanos(self.at.1),
            examples: self.examples.iter().map(|path| StepRef { node, path: read_path(path) }).collect(),
        })
    }
}

pub(super) fn stored_step(step: &StepRef) -> StoredStep {
    (step.node.0, stored_path(&step.path))
}

fn stored_path(path: &Path) -> StoredPath {
    let items = std::iter::successors(Some(path), |path| path.outer());
    let mut items: Vec<_> =
        items.filter_map(|item| Some((item.key()?.clone(), item.index()?, item.number()))).collect();
    items.reverse();
    items
}

fn read_step(shape: &Shape, (node, path): &StoredStep) -> Option<StepRef> {
    Some(StepRef { node: read_node(shape, *node)?, path: read_path(path) })
}

fn read_path(items: &StoredPath) -> Path {
    items.iter().fold(Path::root(), |path, (key, index, number)| path.item(key.clone(), *index, *number))
}

fn read_node(shape: &Shape, node: u32) -> Option<NodeId> {
    ((node as usize) < shape.nodes.len()).then_some(NodeId(node))
}

pub(super) fn nanos(duration: Duration) -> Nanos {
    Nanos::try_from(duration.as_nanos()).unwrap_or(Nanos::MAX)
}

fn since_1970(time: SystemTime) -> Nanos {
    nanos(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn time(since_1970: Nanos) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(since_1970)
}
