use std::time::Duration;

use super::super::State;
use super::super::samples::{
    COLLECT, EMIT, FANS, FIRST, HELD, IN_HELD, IN_ZIP, INNER, INNER_EMIT, OTHER, ROOT_OP, Run, ZIP, seed,
    shape,
};
use super::log::{
    Log, begins, closed, ended, fails, not_run, remade, resumed, started, step, succeeds, superseded, yielded,
};
use crate::event::{Event, EventKind, Span};
use crate::graph::{NodeId, ScopeId};
use crate::key::Key;
use crate::step::Path;

#[test]
fn a_run_begins_first_and_once() {
    let mut log = Log::new();
    let root = log.root.clone();
    for kind in [begins(ROOT_OP, &root), resumed(), ended(), closed(0, &root)] {
        log.refuses(kind, "the run has not begun");
    }
    log.takes(started());
    log.refuses(started(), "the run has begun before");
}

#[test]
fn nothing_but_a_resume_follows_the_end() {
    let mut log = Log::begun();
    log.takes(ended());
    assert!(log.state.is_ended());
    let root = log.root.clone();
    for kind in
        [started(), ended(), begins(ROOT_OP, &root), EventKind::RunCancelling { reason: String::new() }]
    {
        log.refuses(kind, "the run has ended");
    }
    log.takes(resumed());
    log.takes(begins(ROOT_OP, &root));
    log.takes(ended());
}

#[test]
fn s5_2_a_resume_keeps_successes_alone_and_opens_fan_outs_anew() {
    let mut log = Log::begun();
    let root = log.root.clone();
    let item = log.item(0, &root, "a");
    log.takes(succeeds(FIRST, &item));
    log.takes(fails(ROOT_OP, &root, false));
    log.takes(begins(EMIT, &root));
    log.takes(closed(0, &root));
    log.takes(resumed());
    log.refuses(succeeds(FIRST, &item), "the step has succeeded before");
    assert!(log.state.succeeded(1, FIRST) && !log.state.succeeded(0, ROOT_OP));
    log.takes(succeeds(ROOT_OP, &root));
    log.takes(closed(0, &root));
    assert_eq!(log.state.steps_ended(), 3);
}

#[test]
fn s4_6_a_step_ends_once_in_a_session() {
    let mut log = Log::begun();
    let root = log.root.clone();
    let again =
        |node| [begins(node, &root), succeeds(node, &root), fails(node, &root, true), not_run(node, &root)];
    log.takes(begins(ROOT_OP, &root));
    log.takes(fails(ROOT_OP, &root, true));
    log.takes(begins(ROOT_OP, &root));
    log.takes(fails(ROOT_OP, &root, false));
    again(ROOT_OP).into_iter().for_each(|kind| log.refuses(kind, "the step has ended before"));
    log.takes(EventKind::StepReused { step: step(EMIT, &root), record: Span::default() });
    again(EMIT).into_iter().for_each(|kind| log.refuses(kind, "the step has succeeded before"));
    log.takes(not_run(ZIP, &root));
    again(ZIP).into_iter().for_each(|kind| log.refuses(kind, "the step has ended before"));
    assert_eq!(log.state.steps_ended(), 3);
}

#[test]
fn s6_1_a_step_that_has_succeeded_may_be_made_again() {
    let mut log = Log::begun();
    let root = log.root.clone();
    log.refuses(remade(ROOT_OP, &root), "the step has not succeeded before");
    log.takes(succeeds(ROOT_OP, &root));
    log.refuses(begins(ROOT_OP, &root), "the step has succeeded before");
    log.takes(remade(ROOT_OP, &root));
    log.takes(begins(ROOT_OP, &root));
    log.refuses(remade(COLLECT, &root), "the item has no such step");
}

#[test]
fn a_step_lies_in_an_item_of_its_scope() {
    let mut log = Log::begun();
    let root = log.root.clone();
    let item = log.item(0, &root, "a");
    let nowhere = root.item(Key::new("b"), 1, 2);
    for (node, path) in [(FIRST, &root), (COLLECT, &root), (OTHER, &item), (NodeId(99), &root)] {
        log.refuses(succeeds(node, path), "the item has no such step");
    }
    log.refuses(succeeds(FIRST, &nowhere), "the item was not yielded");
    let refused = log.next(succeeds(OTHER, &item)).expect_err("it lies in another scope");
    assert_eq!(
        refused.to_string(),
        "`StepSucceeded` of other[a] cannot follow the events before it: the item has no such step"
    );
    log.takes(succeeds(FIRST, &item));
}

#[test]
fn an_item_comes_from_an_open_fan_out_with_the_next_number() {
    let mut log = Log::begun();
    let root = log.root.clone();
    let item = log.item(0, &root, "a");
    let next = |around: &Path| around.item(Key::new("b"), 1, 2);
    log.refuses(yielded(2, &root, &next(&root)), "the item has no such fan-out");
    log.refuses(yielded(0, &item, &next(&item)), "the item has no such fan-out");
    log.refuses(yielded(0, &root, &next(&item)), "the item does not lie in the step's");
    log.refuses(yielded(0, &root, &item), "the number of the item is not the next");
    log.refuses(yielded(0, &root, &root.item(Key::new("b"), 1, 3)), "the number of the item is not the next");
    let nowhere = root.item(Key::new("c"), 1, 7);
    log.refuses(yielded(2, &nowhere, &next(&nowhere)), "the item was not yielded");
    log.takes(yielded(2, &item, &next(&item)));
    log.takes(succeeds(INNER, &next(&item)));
    assert_eq!((log.state.scope_of(2), log.state.parent_of(2)), (ScopeId(3), 1));
}

#[test]
fn an_emitter_that_has_succeeded_gives_nothing_more_and_a_zip_may() {
    let mut log = Log::begun();
    let root = log.root.clone();
    log.takes(succeeds(EMIT, &root));
    let item = root.item(Key::new("a"), 0, 1);
    log.refuses(yielded(0, &root, &item), "the emitter has succeeded before");
    log.takes(succeeds(ZIP, &root));
    log.takes(yielded(4, &root, &item));
    log.takes(succeeds(IN_ZIP, &item));
}

#[test]
fn an_item_may_have_several_keys_below_the_step_that_gave_it() {
    let mut log = Log::begun();
    let root = log.root.clone();
    let item = log.item(0, &root, "a");
    let held = item.item(Key::new("x"), 0, 2).item(Key::new("y"), 0, 2);
    log.takes(yielded(3, &item, &held));
    log.takes(succeeds(IN_HELD, &held));
    assert_eq!((log.state.scope_of(2), log.state.parent_of(2)), (ScopeId(4), 1));
    assert_eq!(FANS[3].0, HELD);
}

#[test]
fn a_fan_out_closes_once_in_a_session() {
    let mut log = Log::begun();
    let root = log.root.clone();
    let item = log.item(0, &root, "a");
    log.refuses(closed(2, &root), "the item has no such fan-out");
    log.takes(closed(0, &root));
    log.refuses(closed(0, &root), "the fan-out has closed before");
    log.refuses(yielded(0, &root, &root.item(Key::new("b"), 1, 2)), "the fan-out has closed before");
    log.takes(closed(2, &item));
    log.takes(closed(1, &root));
    log.takes(resumed());
    log.takes(closed(0, &root));
}

#[test]
fn s4_8_what_is_superseded_and_all_below_it_has_no_more_events() {
    let mut log = Log::begun();
    let root = log.root.clone();
    let (item, other) = (log.item(0, &root, "a"), log.item(0, &root, "b"));
    let inner = log.item(2, &item, "x");
    log.refuses(superseded(1, &root, &item), "the item did not come from that fan-out");
    log.refuses(superseded(0, &other, &item), "the item did not come from that fan-out");
    log.refuses(superseded(0, &root, &root), "the item did not come from that fan-out");
    log.takes(superseded(0, &root, &item));
    let gone = "the item, or one around it, was superseded";
    log.refuses(superseded(0, &root, &item), gone);
    log.refuses(superseded(2, &item, &inner), gone);
    log.refuses(succeeds(FIRST, &item), gone);
    log.refuses(succeeds(INNER, &inner), gone);
    log.refuses(closed(2, &item), gone);
    log.refuses(yielded(2, &item, &item.item(Key::new("y"), 1, 4)), gone);
    assert_eq!([1, 2, 3].map(|item| log.state.is_alive(item)), [false, true, false]);
    log.takes(resumed());
    log.refuses(begins(INNER_EMIT, &item), gone);
    log.takes(begins(INNER_EMIT, &other));
}

#[test]
fn every_prefix_of_a_run_is_legal_and_no_event_can_come_twice() {
    let (seed, shape) = (seed(), shape());
    for run in 0..40 {
        let mut made = Run::new(seed + run);
        let mut state = State::new(&shape);
        for event in made.batch(2_000).events {
            let legal = state.next(&shape, &event);
            assert_eq!(legal, Ok(()), "run {run}, FANFOLD_SEED={seed}");
            let again = !matches!(
                event.kind,
                EventKind::RunResumed { .. }
                    | EventKind::RunCancelling { .. }
                    | EventKind::StepStarted { .. }
                    | EventKind::AttemptFailed { .. }
            );
            assert!(
                !again || state.next(&shape, &event).is_err(),
                "run {run}, FANFOLD_SEED={seed}: {event:?}"
            );
        }
    }
}

#[test]
fn a_shape_that_lies_is_no_reason_to_panic() {
    let mut shape = shape();
    shape.nodes[0].scope = ScopeId(99);
    shape.scopes[1].parent = Some(ScopeId(5));
    shape.scopes[2].fan = Some((NodeId(77), 0));
    shape.scopes[3].parent = None;
    let mut state = State::new(&shape);
    for event in Run::new(seed()).batch(500).events {
        let _ = state.next(&shape, &event);
    }
    shape.scopes.clear();
    let mut state = State::new(&shape);
    assert!(state.next(&shape, &Event { at: Duration::ZERO, kind: started() }).is_ok());
}

/// Not a test: `cargo test --release -p fanfold --lib cost_of_a_state -- --ignored --nocapture`.
#[test]
#[ignore = "prints what an event costs"]
fn cost_of_a_state() {
    let shape = shape();
    let mut state = State::new(&shape);
    let mut events = vec![started()];
    let root = Path::root();
    for index in 0..100_000 {
        let item = root.item(Key::new(index), index, index + 1);
        events.push(yielded(0, &root, &item));
        events.push(succeeds(FIRST, &item));
    }
    let events: Vec<_> = events.into_iter().map(|kind| Event { at: Duration::ZERO, kind }).collect();
    let begin = std::time::Instant::now();
    for event in &events {
        state.next(&shape, event).expect("the event is legal");
    }
    println!("{:?} an event", begin.elapsed() / events.len() as u32);
}
