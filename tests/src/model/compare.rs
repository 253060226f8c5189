//! Holds what an engine did against what the plan must come to.

use std::collections::BTreeMap;

use super::counters::Sight;
use super::plan::Plan;
use super::report::{Outcome, Report, RunState, State, StepName};
use super::value::Value;

/// What an engine says of a finished run.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Every step with a recorded state; superseded ones have none (§4.8).
    pub steps: BTreeMap<StepName, ObservedStep>,
    /// The job's outputs.
    pub outputs: Vec<Option<Value>>,
    /// How the run ended; `None` for cancelled.
    pub state: Option<RunState>,
}

/// What an engine says of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedStep {
    /// `None` for cancelled.
    pub state: Option<State>,
    /// Attempts begun.
    pub attempts: u32,
}

impl ObservedStep {
    /// Whether it succeeded.
    pub fn is_success(&self) -> bool {
        matches!(self.state, Some(State::Succeeded(Some(_))))
    }
}

/// Compares a run with what was expected of it.
///
/// # Errors
/// Every difference, one a line.
pub fn compare(plan: &Plan, expected: &Report, observed: &Observed) -> Result<(), String> {
    let stopped = expected.stops_at_failure(plan) || observed.stops_at_failure(plan, expected);
    let cut_short = observed.state.is_none() || stopped;
    let mut differences = Vec::new();
    if cut_short {
        differences.extend(differences_of_cut(expected, observed));
    } else {
        differences.extend(differences_of_whole(expected, observed));
    }
    if differences.is_empty() { Ok(()) } else { Err(differences.join("\n")) }
}

impl Report {
    /// Whether `fail_fast` leaves open which steps are cancelled (§4.3).
    fn stops_at_failure(&self, plan: &Plan) -> bool {
        let failed = |outcome: &Outcome| outcome.state == State::Failed;
        plan.options.fail_fast && self.steps.values().any(failed)
    }
}

impl Observed {
    /// Whether the failure of a step that a later attempt of an emitter would have superseded stopped it.
    fn stops_at_failure(&self, plan: &Plan, expected: &Report) -> bool {
        plan.options.fail_fast
            && expected.seen.count(Sight::RetriedEmitter) > 0
            && self.steps.values().any(|step| step.state == Some(State::Failed))
    }
}

fn differences_of_whole(expected: &Report, observed: &Observed) -> Vec<String> {
    let mut differences = Vec::new();
    for (name, outcome) in &expected.steps {
        match observed.steps.get(name) {
            None => differences.push(format!("`{name}` has no state, expected {outcome:?}")),
            Some(step) if agrees(outcome, step) => {}
            Some(step) => differences.push(format!("`{name}` {step:?}, expected {outcome:?}")),
        }
    }
    let unknown = observed.steps.iter().filter(|(name, _)| !expected.steps.contains_key(*name));
    differences.extend(unknown.map(|(name, step)| format!("`{name}` {step:?}, expected no such step")));
    if observed.state != Some(expected.state) {
        differences.push(format!("run {:?}, expected {:?}", observed.state, expected.state));
    }
    if observed.outputs != expected.outputs {
        differences.push(format!("outputs {:?}, expected {:?}", observed.outputs, expected.outputs));
    }
    differences
}

fn agrees(expected: &Outcome, step: &ObservedStep) -> bool {
    let attempts = if expected.restarted && expected.attempts > 0 {
        step.attempts >= expected.attempts
    } else {
        step.attempts == expected.attempts
    };
    attempts && step.state.as_ref() == Some(&expected.state)
}

/// Of a run that was cancelled, or that stopped at a failure: each step as expected, or cancelled,
/// or not there. A step that was stopped while retries were left may stand as failed.
///
/// Where an emitter was retried, steps may stand that a later attempt would have superseded:
/// nothing is then known of single steps.
fn differences_of_cut(expected: &Report, observed: &Observed) -> Vec<String> {
    let mut differences = Vec::new();
    let superseding = expected.seen.count(Sight::RetriedEmitter) > 0;
    for (name, step) in observed.steps.iter().filter(|_| !superseding) {
        let stopped = |outcome: &Outcome| {
            let any_number = outcome.restarted && outcome.attempts > 1;
            step.state == Some(State::Failed) && (any_number || step.attempts < outcome.attempts)
        };
        match expected.steps.get(name) {
            None => differences.push(format!("`{name}` {step:?}, expected no such step")),
            Some(outcome) if step.state.is_none() || agrees(outcome, step) || stopped(outcome) => {}
            Some(outcome) => differences.push(format!("`{name}` {step:?}, expected {outcome:?} or less")),
        }
    }
    if observed.state == Some(RunState::Succeeded) && expected.state == RunState::Failed {
        differences.push("run succeeded, expected it to fail".to_owned());
    }
    let cancelled = observed.steps.iter().find(|(_, step)| step.state.is_none());
    if let (Some(RunState::Succeeded), Some((name, _))) = (observed.state, cancelled) {
        differences.push(format!("run succeeded, though `{name}` was cancelled"));
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::harness::plan_of;
    use crate::model::interpret::interpret;

    fn as_expected(report: &Report) -> Observed {
        let step = |outcome: &Outcome| ObservedStep {
            state: Some(outcome.state.clone()),
            attempts: outcome.attempts,
        };
        let steps = report.steps.iter().map(|(name, outcome)| (name.clone(), step(outcome)));
        Observed { steps: steps.collect(), outputs: report.outputs.clone(), state: Some(report.state) }
    }

    #[test]
    fn every_change_of_a_step_is_a_difference() {
        for seed in 1..200 {
            let mut plan = plan_of(seed);
            plan.options.fail_fast = false;
            let report = interpret(&plan);
            let observed = as_expected(&report);
            assert_eq!(compare(&plan, &report, &observed), Ok(()));
            for name in report.steps.keys() {
                let mut lost = observed.clone();
                lost.steps.remove(name);
                assert!(compare(&plan, &report, &lost).is_err(), "{name} lost");
                let mut changed = observed.clone();
                changed.steps.get_mut(name).expect("there").state = None;
                assert!(compare(&plan, &report, &changed).is_err(), "{name} cancelled");
            }
            let mut doubled = observed.clone();
            let step = ObservedStep { state: Some(State::Skipped), attempts: 0 };
            doubled.steps.insert("nobody".to_owned(), step);
            assert!(compare(&plan, &report, &doubled).is_err());
        }
    }

    #[test]
    fn a_cancelled_run_may_lack_steps_but_not_have_wrong_ones() {
        for seed in 1..200 {
            let plan = plan_of(seed);
            let report = interpret(&plan);
            let mut cut = as_expected(&report);
            cut.state = None;
            cut.steps.values_mut().step_by(2).for_each(|step| step.state = None);
            assert_eq!(compare(&plan, &report, &cut), Ok(()));
            let one = report.steps.iter().find(|(_, outcome)| matches!(outcome.state, State::Succeeded(_)));
            if let (Some((name, _)), 0) = (one, report.seen.count(Sight::RetriedEmitter)) {
                cut.steps.get_mut(name).expect("there").state = Some(State::Skipped);
                assert!(compare(&plan, &report, &cut).is_err(), "{name} skipped");
            }
        }
    }
}
