//! What a plan comes to: the outcome of each step, and of the run.

use std::collections::{BTreeMap, BTreeSet};

use super::counters::Sightings;
use super::value::Value;

/// A step's name with its keys, `clean.strip[outer][inner]`.
pub type StepName = String;

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// With a value; `None` where there is none: nothing from an optional output, and a zip.
    Succeeded(Option<Value>),
    /// After its last attempt.
    Failed,
    /// An input was skipped (§4.4).
    Skipped,
    /// An input had failed (§4.4).
    UpstreamFailed,
}

/// What is to be found of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub state: State,
    /// Attempts begun; 0 for a step that never started.
    pub attempts: u32,
    /// It may have run before under an item since superseded: then `attempts` is a lower bound,
    /// since attempt numbers never repeat within a run (§4.7, §4.8).
    pub restarted: bool,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Every failure was handled.
    Succeeded,
    /// Some was not.
    Failed,
}

/// What a plan comes to.
#[derive(Clone, Debug)]
pub struct Report {
    /// Every step that exists: all of every frame that opened, none below one that did not.
    pub steps: BTreeMap<StepName, Outcome>,
    /// The steps that must have ended before each op's step starts; those that it reads from
    /// an emitter that streams need its items only (§3.1, §3.2).
    pub needs: BTreeMap<StepName, BTreeSet<StepName>>,
    /// The job's outputs; `None` for one that is skipped or failed.
    pub outputs: Vec<Option<Value>>,
    /// How the run ends.
    pub state: RunState,
    /// Which cases it met.
    pub seen: Sightings,
}
