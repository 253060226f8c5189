use super::*;
use crate::event::{EventKind, Span};
use crate::key::Key;
use crate::report::fixture::{
    at, attempt_failed, failed, failing_letters, half_way, millis, run_started, shape, step, succeeded,
    yielded,
};
use crate::shape::Shape;
use crate::step::Path;

fn counts(summary: &Summary, shape: &Shape) -> Vec<(String, u64, bool, u64, u64, u64)> {
    shape
        .steps()
        .map(|node| {
            (
                shape.node(node).name.to_string(),
                summary.known(node),
                summary.is_growing(node),
                summary.count(node, StepState::Succeeded),
                summary.count(node, StepState::Running),
                summary.count(node, StepState::Waiting),
            )
        })
        .collect()
}

#[test]
fn counts_follow_the_items_that_were_yielded() {
    let (shape, events) = half_way();
    let mut summary = Summary::new(&shape);
    summary.apply(&shape, &events);
    let row = |name: &str, known, growing, ok, running, waiting| {
        (name.to_owned(), known, growing, ok, running, waiting)
    };
    assert_eq!(
        counts(&summary, &shape),
        [
            row("load_pieces", 1, false, 0, 1, 0),
            row("clean", 3, true, 3, 0, 0),
            row("compute_piece", 3, true, 1, 1, 1),
            row("merge", 1, false, 0, 0, 1),
        ]
    );
    let compute = step(&shape, "compute_piece", None).node;
    assert_eq!((summary.node(compute).retrying(), summary.node(compute).retries()), (1, 1));
    assert_eq!(summary.node(compute).retry_wait(), millis(2_000));
    let running: Vec<_> =
        summary.running(9).iter().map(|running| running.step.name(&shape).to_string()).collect();
    assert_eq!(running, ["load_pieces", "compute_piece[c]"]);
}

#[test]
fn at_the_end_every_step_has_a_state_and_nothing_grows() {
    let (shape, events) = failing_letters();
    let mut summary = Summary::new(&shape);
    summary.apply(&shape, &events);
    assert_eq!((summary.known_total(&shape), summary.ended(&shape)), (8, 8));
    assert!(!summary.is_any_growing(&shape));
    assert!(summary.running(9).is_empty());
    assert_eq!(summary.total(&shape, StepState::UpstreamFailed), 1);
    let slowest: Vec<_> = summary.slowest().iter().map(|slow| slow.took.as_millis()).collect();
    assert_eq!(slowest, [870, 600, 500, 370, 5]);
}

#[test]
fn failures_that_differ_in_numbers_and_keys_are_one_group() {
    let shape = shape();
    let mut summary = Summary::new(&shape);
    let compute = |key, index| step(&shape, "compute_piece", Some((key, index)));
    let events = [
        failed(compute("a", 0), 10, 1, "no reply for a after 12 ms"),
        failed(compute("b", 1), 20, 1, "no reply for b after 7 ms"),
        failed(compute("c", 2), 30, 1, "disk full"),
        failed(compute("d", 3), 40, 1, "no reply for d after 8 ms"),
        failed(compute("e", 4), 50, 1, "no reply for e after 9 ms"),
    ];
    summary.apply(&shape, &events);
    let groups: Vec<_> = summary
        .errors()
        .iter()
        .map(|group| (group.pattern.as_str(), group.count, group.examples.len()))
        .collect();
    assert_eq!(groups, [("no reply for … after # ms", 4, 3), ("disk full", 1, 1)]);
    assert_eq!((summary.errors()[0].first_at, summary.errors()[0].last_at), (millis(10), millis(50)));
}

#[test]
fn groups_are_bounded() {
    let shape = shape();
    let mut summary = Summary::new(&shape);
    let step = step(&shape, "merge", None);
    for kind in 0..MAX_ERROR_GROUPS + 10 {
        let word: String = kind.to_string().bytes().map(|digit| char::from(digit + 49)).collect();
        summary.apply(&shape, &[failed(step.clone(), 10, 1, &word)]);
    }
    assert_eq!((summary.errors().len(), summary.ungrouped_errors()), (MAX_ERROR_GROUPS, 10));
}

#[test]
fn a_superseded_item_is_no_longer_expected() {
    let shape = shape();
    let mut summary = Summary::new(&shape);
    let item = Path::root().item(Key::new("a"), 0, 1);
    let clean = step(&shape, "clean", None).node;
    let ended = succeeded(step(&shape, "clean", Some(("a", 0))), 15, 1);
    let step = step(&shape, "load_pieces", None);
    let superseded = at(
        20,
        EventKind::ItemSuperseded {
            step,
            output: 0,
            item,
            ended: vec![(clean, StepState::Succeeded)],
            below: vec![],
        },
    );
    summary.apply(&shape, &[yielded(&shape, 10, "a", 0), yielded(&shape, 10, "b", 1), ended, superseded]);
    assert_eq!((summary.known(clean), summary.node(clean).ended()), (1, 0));
}

#[test]
fn what_runs_below_a_superseded_item_runs_no_more() {
    let shape = shape();
    let mut summary = Summary::new(&shape);
    let started = |key, index| {
        at(15, EventKind::StepStarted { step: step(&shape, "clean", Some((key, index))), attempt: 1 })
    };
    let item = Path::root().item(Key::new("a"), 0, 1);
    let load = step(&shape, "load_pieces", None);
    let superseded =
        EventKind::ItemSuperseded { step: load, output: 0, item, ended: Vec::new(), below: vec![] };
    summary.apply(&shape, &[yielded(&shape, 10, "a", 0), yielded(&shape, 10, "b", 1)]);
    summary.apply(&shape, &[started("a", 0), started("b", 1), at(20, superseded)]);
    let running: Vec<_> = summary.running(9).iter().map(|one| one.step.name(&shape).to_string()).collect();
    assert_eq!(running, ["clean[b]"]);
    assert_eq!(summary.count(step(&shape, "clean", None).node, StepState::Running), 1);
}

/// What can happen in a run of the letters, at random; resumed now and then.
fn random_events(shape: &Shape, random: &mut fastrand::Rng, count: u64) -> Vec<Event> {
    let load = || step(shape, "load_pieces", None);
    let key = |index: u32| format!("k{index}");
    let (mut items, mut events) = (0, vec![run_started()]);
    for now in 1..=count {
        let now = now * 100;
        let index = random.u32(0..items.max(1));
        let op = ["clean", "compute_piece"][random.usize(0..2)];
        let copy = step(shape, op, Some((&key(index), index)));
        events.push(match random.u32(0..40) {
            0..6 => {
                items += 1;
                yielded(shape, now, &key(items - 1), items - 1)
            }
            6..16 => at(now, EventKind::StepStarted { step: copy, attempt: random.u32(1..4) }),
            16..24 => succeeded(copy, now, random.u64(1..90)),
            24..28 => failed(copy, now, 50, &format!("no reply for {} in {now} ms", key(index))),
            28..32 => attempt_failed(copy, now),
            32..34 => {
                let state = [StepState::Skipped, StepState::UpstreamFailed][random.usize(0..2)];
                at(now, EventKind::StepNotRun { step: copy, state, cause: None })
            }
            34 => at(now, EventKind::StepReused { step: copy, record: Span::default() }),
            35 => {
                let item = Path::root().item(Key::new(key(index)), index, index + 1);
                let ended = vec![(copy.node, StepState::Succeeded)];
                at(now, EventKind::ItemSuperseded { step: load(), output: 0, item, ended, below: vec![] })
            }
            36 => at(now, EventKind::FanOutClosed { step: load(), output: 0, items: u64::from(items) }),
            37 => at(now, EventKind::RunCancelling { reason: "Ctrl-C".into() }),
            38 => at(now, EventKind::RunEnded { state: RunState::Cancelled }),
            _ => at(
                now,
                EventKind::RunResumed { resumed: std::time::UNIX_EPOCH + millis(now), in_hand: vec![] },
            ),
        });
    }
    events
}

#[test]
fn a_summary_that_was_stored_goes_on_as_if_it_had_not_been() {
    let shape = shape();
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let events = random_events(&shape, &mut random, 150);
        let (before, after) = events.split_at(random.usize(0..events.len()));
        let mut whole = Summary::new(&shape);
        whole.apply(&shape, before);
        let bytes = whole.to_bytes();
        let mut loaded = Summary::from_bytes(&shape, &bytes).unwrap();
        whole.apply(&shape, after);
        loaded.apply(&shape, after);
        let text = |summary: &Summary| String::from_utf8(summary.to_bytes()).unwrap();
        assert_eq!(text(&loaded), text(&whole), "seed {seed}");
        assert_eq!(counts(&loaded, &shape), counts(&whole, &shape), "seed {seed}");
        assert_eq!(format!("{:?}", loaded.errors()), format!("{:?}", whole.errors()), "seed {seed}");
    }
}

#[test]
fn what_is_no_summary_of_this_job_is_refused() {
    let (shape, events) = half_way();
    let mut summary = Summary::new(&shape);
    summary.apply(&shape, &events);
    let bytes = summary.to_bytes();
    let text = String::from_utf8(bytes.clone()).unwrap();
    let newer = text.replacen("\"version\":1", "\"version\":2", 1);
    let refused = Summary::from_bytes(&shape, newer.as_bytes()).unwrap_err();
    assert!(matches!(refused, StoredError::Version { found: 2 }), "{refused}");
    for end in 0..bytes.len() {
        assert!(Summary::from_bytes(&shape, &bytes[..end]).is_err());
    }
    let mut smaller = Shape::clone(&shape);
    smaller.nodes.pop();
    assert!(Summary::from_bytes(&smaller, &bytes).is_err());
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..10_000 {
        let mut bytes = bytes.clone();
        let at = random.usize(0..bytes.len());
        bytes[at] = random.u8(b' '..=b'~');
        if let Ok(mut read) = Summary::from_bytes(&shape, &bytes) {
            read.apply(&shape, &events);
            let _ = (counts(&read, &shape), read.running(9));
        }
    }
}

#[test]
fn s5_2_what_has_not_succeeded_has_no_state_after_a_resume() {
    let (shape, events) = failing_letters();
    let mut summary = Summary::new(&shape);
    summary.apply(&shape, &events);
    let resumed = std::time::UNIX_EPOCH + millis(9);
    summary.apply(&shape, &[at(4_000, EventKind::RunResumed { resumed, in_hand: vec![] })]);
    assert_eq!((summary.state(), summary.sessions(), summary.resumed()), (None, 2, Some(resumed)));
    assert!(summary.errors().is_empty());
    let row = |name: &str, known, growing, ok, waiting| (name.to_owned(), known, growing, ok, 0, waiting);
    assert_eq!(
        counts(&summary, &shape),
        [
            row("load_pieces", 1, false, 1, 0),
            row("clean", 3, true, 3, 0),
            row("compute_piece", 3, true, 2, 1),
            row("merge", 1, false, 0, 1),
        ]
    );
    let load = step(&shape, "load_pieces", None);
    let b = step(&shape, "compute_piece", Some(("b", 1)));
    summary.apply(
        &shape,
        &[
            at(4_001, EventKind::FanOutClosed { step: load, output: 0, items: 3 }),
            succeeded(b, 4_500, 400),
            at(4_600, EventKind::StepReused { step: step(&shape, "merge", None), record: Span::default() }),
        ],
    );
    assert!(!summary.is_any_growing(&shape));
    assert_eq!((summary.total(&shape, StepState::Succeeded), summary.reused(&shape)), (8, 1));
    let slowest: Vec<_> = summary.slowest().iter().map(|slow| slow.step.name(&shape).to_string()).collect();
    assert_eq!(slowest.iter().filter(|name| *name == "compute_piece[b]").count(), 1);
}

#[test]
fn a_step_whose_item_moved_still_ends() {
    let shape = shape();
    let mut summary = Summary::new(&shape);
    let clean = step(&shape, "clean", Some(("a", 0)));
    summary.apply(&shape, &[at(15, EventKind::StepStarted { step: clean.clone(), attempt: 1 })]);
    clean.path.move_to(3);
    summary.apply(&shape, &[succeeded(clean.clone(), 20, 5)]);
    assert_eq!(summary.count(clean.node, StepState::Running), 0);
}

/// Not a test: `cargo test --release -p fanfold --lib cost_of_an_event -- --ignored --nocapture`.
#[test]
#[ignore = "prints what an event costs"]
fn cost_of_an_event() {
    let shape = shape();
    let mut summary = Summary::new(&shape);
    let events: Vec<_> = (0..1_000)
        .map(|index| succeeded(step(&shape, "clean", Some(("k", index))), 5_000, u64::from(index)))
        .collect();
    let begin = std::time::Instant::now();
    for _ in 0..1_000 {
        summary.apply(&shape, &events);
    }
    println!("{:?} an event", begin.elapsed() / 1_000_000);
}
