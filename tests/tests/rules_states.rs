//! §4.6: every step that the graph called for ends in exactly one recorded state.

use std::collections::BTreeMap;

use fanfold::prelude::*;
use fanfold::{EventKind, StepState};

#[op(dynamic_out(by_index))]
fn emit(n: i64) -> impl Iterator<Item = i64> {
    0..n
}

#[op(optional)]
fn keep_odd(x: i64) -> Option<i64> {
    (x % 2 == 1).then_some(x)
}

#[op]
fn fail_on_three(x: i64) -> Result<i64, String> {
    if x == 3 { Err("three".to_owned()) } else { Ok(x) }
}

#[op]
fn inc(x: i64) -> i64 {
    x + 1
}

#[op]
fn total(xs: &[i64]) -> i64 {
    xs.iter().sum()
}

#[job]
fn all_states() -> Out<i64> {
    total(emit(4).map(|x| inc(fail_on_three(keep_odd(x)))).collect())
}

#[tokio::test]
async fn s4_6_every_step_ends_in_exactly_one_state() {
    let run = all_states::job().args(()).run_in_memory().await.unwrap();
    let mut ends: BTreeMap<String, Vec<StepState>> = BTreeMap::new();
    for event in run.events() {
        let (step, state) = match &event.kind {
            EventKind::StepSucceeded { step, .. } => (step, StepState::Succeeded),
            EventKind::StepFailed { step, .. } => (step, StepState::Failed),
            EventKind::StepNotRun { step, state, .. } => (step, *state),
            _ => continue,
        };
        ends.entry(step.name(&run.report().shape).to_string()).or_default().push(state);
    }
    let expected = [
        ("emit", StepState::Succeeded),
        ("fail_on_three[0]", StepState::Skipped),
        ("fail_on_three[1]", StepState::Succeeded),
        ("fail_on_three[2]", StepState::Skipped),
        ("fail_on_three[3]", StepState::Failed),
        ("inc[0]", StepState::Skipped),
        ("inc[1]", StepState::Succeeded),
        ("inc[2]", StepState::Skipped),
        ("inc[3]", StepState::UpstreamFailed),
        ("keep_odd[0]", StepState::Succeeded),
        ("keep_odd[1]", StepState::Succeeded),
        ("keep_odd[2]", StepState::Succeeded),
        ("keep_odd[3]", StepState::Succeeded),
        ("total", StepState::UpstreamFailed),
    ];
    let expected = expected.map(|(name, state)| (name.to_owned(), vec![state]));
    assert_eq!(ends.into_iter().collect::<Vec<_>>(), expected);
}
