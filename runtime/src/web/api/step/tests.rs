use std::fmt::Write as _;
use std::sync::Arc;

use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use expect_test::{Expect, expect};

use super::value::{response, whole};
use super::*;
use crate::event::{Event, EventKind, RunState};
use crate::options::{PoolLimit, Rate};
use crate::record::Facts;
use crate::record::values::StoredValue;
use crate::report::fixture::{
    self, at, failing_letters, framed, half_way, millis, run_started, step as step_of, succeeded, yielded,
};
use crate::web::api::recording::Recording;
use crate::web::fixture::app;

/// What the page is told of a step of a recording.
fn ask(recording: &Recording, name: &str) -> Result<Step, Refused> {
    let app = app(Arc::clone(&recording.store) as _);
    app.run("7k2mabcd", |run| told(&app, run, name))
}

fn why_of(recording: &Recording, name: &str) -> String {
    let step = ask(recording, name).unwrap();
    let Some(why) = step.why else { return format!("{:?}", step.state) };
    let steps: Vec<_> = why.steps.iter().map(|link| format!("{} {:?}", link.step, link.state)).collect();
    let due = why.due.map(|due| format!(" at {due}")).unwrap_or_default();
    format!("{:?}: {}{due} [{}]", step.state, why.text, steps.join(", "))
}

/// Three letters half way, and a fourth whose `compute_piece` could begin.
fn half(change: impl FnOnce(&mut Facts)) -> Recording {
    let (shape, events) = half_way();
    let mut recording = Recording::new(&shape, change);
    for events in events.chunks(3) {
        recording.tell(events.iter().cloned()).commit();
    }
    recording
        .tell([yielded(&shape, 510, "d", 3), succeeded(step_of(&shape, "clean", Some(("d", 3))), 520, 5)]);
    recording.commit();
    recording
}

fn whole_run() -> Recording {
    let (shape, events) = failing_letters();
    let mut recording = Recording::new(&shape, |_| ());
    for events in events.chunks(3) {
        recording.tell(events.iter().cloned()).commit();
    }
    recording
}

fn pool(max: Option<u32>, rate: Option<Rate>) -> impl FnOnce(&mut Facts) {
    move |facts| facts.options.pools.push(("api".to_owned(), PoolLimit { max, rate }))
}

#[test]
fn a_step_waits_for_steps_that_it_gathers() {
    let waits = "Waiting: waits for 3 of ≥ 4 steps of compute_piece, and for load_pieces \
                 [compute_piece[b] Waiting, compute_piece[c] Running, compute_piece[d] Waiting, load_pieces Running]";
    assert_eq!(why_of(&half(|_| ()), "merge"), waits);
}

#[test]
fn a_step_waits_for_what_it_reads() {
    let shape = fixture::shape();
    let mut recording = Recording::new(&shape, |_| ());
    recording.tell([run_started(), yielded(&shape, 1, "a", 0)]).commit();
    assert_eq!(why_of(&recording, "compute_piece[a]"), "Waiting: waits for clean[a] [clean[a] Waiting]");
    assert_eq!(why_of(&recording, "clean[a]"), "Waiting: can begin, and is about to []");
    assert_eq!(why_of(&recording, "load_pieces"), "Waiting: can begin, and is about to []");
}

#[test]
fn a_step_waits_for_steps_that_are_yet_to_come() {
    let shape = fixture::shape();
    let mut recording = Recording::new(&shape, |_| ());
    let load = step_of(&shape, "load_pieces", None);
    recording.tell([run_started(), at(0, EventKind::StepStarted { step: load, attempt: 1 })]).commit();
    let waits = "Waiting: waits for steps of compute_piece that are yet to come, and for load_pieces [load_pieces Running]";
    assert_eq!(why_of(&recording, "merge"), waits);
}

#[test]
fn a_step_waits_for_its_next_attempt_until_that_is_due() {
    let mut recording = half(|_| ());
    let waits = "Waiting: waits for its next attempt at 2.5 []";
    assert_eq!(why_of(&recording, "compute_piece[b]"), waits);
    let c = step_of(&fixture::shape(), "compute_piece", Some(("c", 2)));
    recording.tell([succeeded(c, 2_600, 7)]).commit();
    assert_eq!(why_of(&recording, "compute_piece[b]"), "Waiting: can begin, and is about to []");
}

#[test]
fn a_step_waits_for_a_limit() {
    let by = |change: &dyn Fn(&mut Facts)| why_of(&half(|facts| change(facts)), "compute_piece[d]");
    assert_eq!(by(&|facts| pool(Some(1), None)(facts)), "Waiting: waits for pool api (1 of 1 in use) []");
    assert_eq!(by(&|facts| pool(Some(2), None)(facts)), "Waiting: can begin, and is about to []");
    let tag = |facts: &mut Facts| facts.options.tag_limits.push(("team".to_owned(), "red".to_owned(), 1));
    assert_eq!(by(&tag), "Waiting: waits for tag team:red (1 of 1 in use) []");
    let few = |facts: &mut Facts| facts.options.max_concurrent = 2;
    assert_eq!(by(&few), "Waiting: waits for a free worker (2 of 2 in use) []");
    let rate = Some(Rate { starts: 10, per: millis(1_000) });
    let said = "Waiting: waits for pool api (at most 10 begin in 1.00 s) []";
    assert_eq!(by(&|facts| pool(None, rate)(facts)), said);
}

#[test]
fn nothing_begins_in_a_run_that_is_cancelled_or_that_nobody_drives() {
    let mut recording = half(|_| ());
    let reason = "somebody asked <b>".to_owned();
    recording.tell([at(530, EventKind::RunCancelling { reason })]).commit();
    let waits = "Waiting: does not begin, as the run is being cancelled: somebody asked <b> []";
    assert_eq!(why_of(&recording, "compute_piece[d]"), waits);
    let cancelled = EventKind::StepNotRun {
        step: step_of(&fixture::shape(), "compute_piece", Some(("d", 3))),
        state: StepState::Cancelled,
        cause: None,
    };
    recording.tell([at(531, cancelled)]).commit();
    let stopped = "Cancelled: was stopped with the run: somebody asked <b> []";
    assert_eq!(why_of(&recording, "compute_piece[d]"), stopped);
    recording.die();
    let command = "letters resume 7k2m --store memory";
    let ran = format!("Waiting: ran when the run's process died: `{command}` runs it again []");
    assert_eq!(why_of(&recording, "compute_piece[c]"), ran);
    let nobody = format!("Waiting: nobody drives the run: `{command}` lets it go on []");
    assert_eq!(why_of(&recording, "merge"), nobody);
}

#[test]
fn a_step_says_which_one_failed_that_it_needed() {
    let failed =
        "UpstreamFailed: needs what compute_piece[b] was to give, which failed [compute_piece[b] Failed]";
    assert_eq!(why_of(&whole_run(), "merge"), failed);
    assert_eq!(why_of(&whole_run(), "compute_piece[b]"), "Failed");
    assert_eq!(why_of(&whole_run(), "clean[a]"), "Succeeded");
}

#[test]
fn a_skipped_step_names_those_before_it_and_one_that_nothing_needed_says_so() {
    let shape = fixture::shape();
    let mut recording = Recording::new(&shape, |_| ());
    let not_run = |op, state| {
        let step = step_of(&shape, op, Some(("a", 0)));
        at(9, EventKind::StepNotRun { step, state, cause: None })
    };
    recording.tell([run_started(), yielded(&shape, 1, "a", 0)]);
    recording.tell(["clean", "compute_piece"].map(|op| not_run(op, StepState::Skipped)));
    recording.tell([at(10, EventKind::RunEnded { state: RunState::Succeeded })]).commit();
    let skipped = "Skipped: something that it needs gave nothing [clean[a] Skipped]";
    assert_eq!(why_of(&recording, "compute_piece[a]"), skipped);
    let none = "Waiting: is no part of this run: nothing that was run needed it []";
    assert_eq!(why_of(&recording, "merge"), none);
}

fn turns(step: &Step, expected: &Expect) {
    let mut text = String::new();
    for turn in &step.turns {
        let _ = write!(text, "{:.3} {} #{}", turn.at, turn.what, turn.attempt);
        let _ = turn.started.map(|started| write!(text, " began {started}"));
        let _ = turn.took.map(|took| write!(text, " took {took}"));
        let _ = turn.due.map(|due| write!(text, " due {due}"));
        let _ = turn.error.as_ref().map(|error| write!(text, " {}: {}", error.kind, error.message));
        text.push('\n');
    }
    expected.assert_eq(&framed(&text));
}

#[test]
fn every_attempt_is_told_with_its_error() {
    turns(
        &ask(&whole_run(), "compute_piece[b]").unwrap(),
        &expect![[r#"
        --
        0.500 retrying #1 began 0.03 took 0.47 due 2.5 error: api time out after 470 ms
        3.000 failed #3 began 2.5 took 0.5 error: api time out after 500 ms
    "#]],
    );
    turns(
        &ask(&whole_run(), "clean[a]").unwrap(),
        &expect![[r#"
        --
        0.020 succeeded #1 began 0.015 took 0.005
    "#]],
    );
    turns(
        &ask(&half(|_| ()), "compute_piece[c]").unwrap(),
        &expect![[r#"
        --
        0.030 running #1 began 0.03
    "#]],
    );
}

#[test]
fn what_happened_before_a_resume_is_told_too() {
    let mut recording = half(|_| ());
    let resumed = std::time::UNIX_EPOCH;
    recording.tell([at(600, EventKind::RunResumed { resumed, in_hand: Vec::new() })]).commit();
    let c = step_of(&fixture::shape(), "compute_piece", Some(("c", 2)));
    recording.tell([succeeded(c, 700, 50)]).commit();
    turns(
        &ask(&recording, "compute_piece[c]").unwrap(),
        &expect![[r#"
        --
        0.030 running #1 began 0.03
        0.600 resumed #0
        0.700 succeeded #1 began 0.65 took 0.05
    "#]],
    );
}

#[test]
fn a_step_is_told_the_same_by_few_commits_as_by_all() {
    for recording in [half(|_| ()), whole_run()] {
        let run = recording.open();
        for place in 0..run.index().places() {
            let near = Near::new(&run, place);
            let few = story(&run, &near, place).unwrap();
            let name: StepName = run.index().name(place).parse().unwrap();
            let all = run.reader().step(&name).unwrap().unwrap();
            let last = |told: &Told| format!("{:?}", told.turns.last());
            assert_eq!(few.state, all.state, "{name}");
            assert_eq!((&few.record, last(&few)), (&all.record, last(&all)), "{name}");
        }
    }
}

fn letters_with_values() -> Recording {
    let shape = fixture::shape();
    let mut recording = Recording::new(&shape, |_| ());
    recording.tell([run_started()]);
    let large = format!("\"{}\"", "é".repeat(100_000));
    let large = recording.blob(large.as_bytes());
    recording.with(yielded(&shape, 1, "a", 0), &[StoredValue::Json(b"\"<i>a</i>\"")], "");
    recording.with(yielded(&shape, 1, "b", 1), &[large], "").commit();
    let clean = |key, index| succeeded(step_of(&shape, "clean", Some((key, index))), 2, 1);
    let notes = r#"{"version":1,"metadata":[{"output":null,"name":"words","kind":"int","value":3}],"progress":[3,0]}"#;
    recording.with(clean("a", 0), &[StoredValue::Json(b"\"A\"")], notes);
    recording.with(clean("b", 1), &[large], "").commit();
    let compute = |key, index| succeeded(step_of(&shape, "compute_piece", Some((key, index))), 3, 1);
    recording.with(compute("a", 0), &[StoredValue::Nothing], "");
    recording.with(compute("b", 1), &[StoredValue::Transient], "");
    recording.log((1, 1), 2, 3, "one").log((1, 1), 2, 3, "two").commit();
    recording
}

#[test]
fn a_step_is_told_with_what_it_read_and_gave_and_said() {
    let recording = letters_with_values();
    let step = ask(&recording, "clean[a]").unwrap();
    assert_eq!(
        (step.log_lines, step.progress, step.keys.as_slice()),
        (2, Some((3, 0)), &["a".to_owned()][..])
    );
    let [input] = step.inputs.as_slice() else { panic!("{:?}", step.inputs) };
    let value = input.value.as_ref().unwrap();
    assert_eq!((&*input.from, &*value.json, value.cut), ("item a of load_pieces", "\"<i>a</i>\"", false));
    assert_eq!(input.step.as_ref().unwrap().step, "load_pieces");
    let [output] = step.outputs.as_slice() else { panic!("{:?}", step.outputs) };
    assert_eq!((&*output.name, &*output.value.as_ref().unwrap().json), ("result", "\"A\""));
    let [note] = step.metadata.as_slice() else { panic!("{:?}", step.metadata) };
    assert_eq!((&*note.name, &*note.kind, note.value.as_i64()), ("words", "int", Some(3)));
    let compute = ask(&recording, "compute_piece[a]").unwrap();
    assert_eq!(compute.inputs[0].from, "clean[a]");
    assert_eq!(compute.inputs[0].value.as_ref().unwrap().json, "\"A\"");
    assert!(compute.outputs[0].value.is_none());
    let load = ask(&recording, "load_pieces").unwrap();
    assert_eq!((load.outputs[0].dynamic, load.outputs[0].items), (true, Some(2)));
    let inputs: Vec<_> =
        load.inputs.iter().map(|input| (&*input.from, &*input.value.as_ref().unwrap().json)).collect();
    assert_eq!(inputs, [("argument from", "\"a\""), ("argument to", "\"z\"")]);
    assert_eq!(step.rerun, "letters rerun 7k2m --select 'clean[a]' --store memory");
    assert_eq!(step.show, "letters show 7k2m 'clean[a]' --store memory");
}

#[test]
fn a_long_value_is_cut_between_characters_and_whole_where_it_is_asked_for() {
    let recording = letters_with_values();
    let step = ask(&recording, "clean[b]").unwrap();
    let value = step.outputs[0].value.as_ref().unwrap();
    assert!(value.cut && value.json.len() <= 64 << 10 && value.json.ends_with('é'));
    assert_eq!(value.bytes, 200_002);
    assert!(step.inputs[0].value.as_ref().unwrap().cut);
    assert!(serde_json::to_string(&step).unwrap().len() < 256 << 10);
    let app = app(Arc::clone(&recording.store) as _);
    assert_eq!(whole(&app, "7k2m", "clean[b]", "result").unwrap().len(), 200_002);
}

#[test]
fn a_value_that_is_not_there_is_refused_in_words() {
    let recording = letters_with_values();
    let app = app(Arc::clone(&recording.store) as _);
    let refused = |step: &str, output: &str| {
        let refused = whole(&app, "7k2mabcd", step, output).unwrap_err();
        format!("{} {} ({})", refused.status.as_u16(), refused.error, refused.help.unwrap_or_default())
    };
    let all = [
        refused("compute_piece[a]", "result"),
        refused("compute_piece[b]", "result"),
        refused("load_pieces", "result"),
        refused("merge", "result"),
        refused("clean[a]", "../../x"),
        refused("clean[c]", "result"),
        refused("clean[a", "result"),
    ];
    expect![[r#"
        --
        404 `result` of `compute_piece[a]` gave nothing (what needs it was skipped)
        404 `result` of `compute_piece[b]` is never recorded (it is made again when it is needed)
        404 `result` of `load_pieces` is a number of items (each step that reads one has it among its inputs)
        404 `result` of `merge` has no value (only a step that succeeded has one)
        404 `clean[a]` has no output `../../x` (the outputs of `clean`: result)
        404 run 7k2mabcd has no step `clean[c]` (the table of steps lists those of `clean`)
        400 `clean[a` is not a step's name: write `op`, `op[key]` or `op[outer][inner]`, with `\` before `[`, `]` and `\` in a key (the table of steps has the names of all)"#]].assert_eq(&framed(&all.join("\n")));
}

#[test]
fn a_value_is_sent_as_nothing_but_json_under_a_name_of_ours() {
    let headers = |download| {
        let response = response(b"7".to_vec(), download);
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        (header(CONTENT_TYPE), header(X_CONTENT_TYPE_OPTIONS), header(CONTENT_DISPOSITION))
    };
    let (kind, sniff) = (Some("application/json".to_owned()), Some("nosniff".to_owned()));
    let name = Some("attachment; filename=\"value.json\"".to_owned());
    assert_eq!(headers(true), (kind.clone(), sniff.clone(), name));
    assert_eq!(headers(false), (kind, sniff, None));
}

#[test]
fn a_secret_is_not_told() {
    let shape = fixture::shape();
    let mut recording = Recording::new(&shape, |facts| {
        facts.secrets.push("to".to_owned());
        facts.args[1].1 = "hunter2".into();
    });
    recording.tell([run_started()]).commit();
    let step = ask(&recording, "load_pieces").unwrap();
    assert_eq!(
        (&*step.inputs[1].from, step.inputs[1].value.is_none()),
        ("argument to, which is secret", true)
    );
    assert!(!serde_json::to_string(&step).unwrap().contains("hunter2"));
}

#[test]
fn neighbours_are_few_and_counted() {
    let shape = fixture::shape();
    let mut recording = Recording::new(&shape, |_| ());
    recording.tell([run_started()]);
    let events = (0..50).map(|item| yielded(&shape, 1, &format!("k{item}"), item));
    recording.tell(events.collect::<Vec<Event>>()).commit();
    let around = |name: &str| {
        let step = ask(&recording, name).unwrap();
        let text = |all: &[super::super::types::Neighbours]| {
            let text = all.iter().map(|near| format!("{} {}/{}", near.op, near.steps.len(), near.total));
            text.collect::<Vec<_>>().join(", ")
        };
        (text(&step.upstream), text(&step.downstream))
    };
    let said = |up: &str, down: &str| (up.to_owned(), down.to_owned());
    assert_eq!(around("load_pieces"), said("", "clean 20/50"));
    assert_eq!(around("clean[k7]"), said("load_pieces 1/1", "compute_piece 1/1"));
    assert_eq!(around("compute_piece[k7]"), said("clean 1/1", "merge 1/1"));
    assert_eq!(around("merge"), said("compute_piece 20/50", ""));
}

#[test]
fn names_that_cannot_be_are_refused_and_keys_may_be_anything() {
    let shape = fixture::shape();
    let mut recording = Recording::new(&shape, |_| ());
    let key = "../<b>\"'%2F é\u{202e}[]\\";
    recording.tell([run_started(), yielded(&shape, 1, key, 0)]).commit();
    let name = step_of(&shape, "clean", Some((key, 0))).name(&shape).to_string();
    let step = ask(&recording, &name).unwrap();
    assert_eq!((step.step.as_str(), step.keys.as_slice()), (&*name, &[key.to_owned()][..]));
    let refused = |name: &str| {
        let refused = ask(&recording, name).unwrap_err();
        (refused.status.as_u16(), refused.error)
    };
    assert_eq!(refused("clean[nobody]"), (404, "run 7k2mabcd has no step `clean[nobody]`".to_owned()));
    assert_eq!(refused("clean[").0, 400);
    assert_eq!(refused("").0, 400);
    assert_eq!(refused("hold(clean)[a]").0, 404);
}

#[test]
fn a_step_with_many_long_errors_and_values_is_bounded() {
    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Long(String, #[source] Option<Box<Self>>);

    let (shape, _) = half_way();
    let mut recording = Recording::new(&shape, |_| ());
    let step = step_of(&shape, "load_pieces", None);
    recording.tell([run_started()]);
    for attempt in 1..=150 {
        let cause = (0..9).fold(None, |cause, _| Some(Box::new(Long("y".repeat(20_000), cause))));
        let error = crate::OpError::from_error(&Long("x".repeat(20_000), cause));
        let begun = u64::from(attempt) * 10;
        let kind = EventKind::StepStarted { step: step.clone(), attempt };
        let failed = EventKind::AttemptFailed {
            step: step.clone(),
            attempt,
            started: millis(begun),
            took: millis(5),
            error: Arc::new(error),
            due: millis(begun + 10),
        };
        recording.tell([at(begun, kind), at(begun + 5, failed)]);
    }
    recording.commit();
    let step = ask(&recording, "load_pieces").unwrap();
    assert!(step.turns.len() == TURNS && size(&step.turns) < 96 << 10, "{}", size(&step.turns));
    assert!(step.turns.iter().all(|turn| turn.error.as_ref().is_none_or(|error| error.message.len() > 200)));
    let mut room = Room::new();
    let quotes = "\"".repeat(WHOLE);
    let shown: Vec<_> = (0..9).map(|_| room.cut(quotes.as_bytes(), WHOLE)).collect();
    assert!(shown[0].cut == (quotes.len() > WHOLE) && size(&shown) < 160 << 10, "{}", size(&shown));
}
