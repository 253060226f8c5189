mod log;
mod past;
mod state;

use std::time::Duration;

use super::samples::{EMIT, FIRST, INNER_EMIT, ROOT_OP, Run, SECOND, seed, shape, shown};
use super::*;
use crate::event::{Batch, Event, EventKind, Span, StepRef, StepState};
use crate::key::Key;
use crate::step::Path;

/// The events of a batch as text, without the starts that a block leaves out.
fn texts(batch: &Batch) -> Vec<String> {
    let ends: Vec<_> = batch
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::StepSucceeded { step, attempt, .. }
            | EventKind::AttemptFailed { step, attempt, .. }
            | EventKind::StepFailed { step, attempt, .. } => Some((step.node, step.path.number(), *attempt)),
            _ => None,
        })
        .collect();
    let is_told = |event: &&Event| match &event.kind {
        EventKind::StepStarted { step, attempt } => {
            !ends.contains(&(step.node, step.path.number(), *attempt))
        }
        _ => true,
    };
    batch.events.iter().filter(is_told).map(|event| shown(batch, event)).collect()
}

#[test]
fn every_event_is_read_back_as_it_was_written() {
    let (seed, shape) = (seed(), shape());
    for run in 0..60 {
        let mut made = Run::new(seed + run);
        let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new(&shape));
        for block in 0..20 {
            let most = 1 << made.random.u32(..9);
            let batch = made.batch(most);
            let mut bytes = Vec::new();
            encoder.encode(&shape, &batch, &mut bytes);
            let read = decoder.decode(&bytes).unwrap_or_else(|error| panic!("{error}, run {run}"));
            assert_eq!(texts(&batch), texts(&read), "run {run}, block {block}, FANFOLD_SEED={seed}");
        }
    }
}

#[test]
fn steps_of_one_item_that_were_not_run_are_one_event() {
    let shape = shape();
    let path = Path::root().item(Key::new("a"), 0, 1);
    let at = Duration::from_secs(1);
    let emit = StepRef { node: EMIT, path: Path::root() };
    let yielded =
        EventKind::ItemYielded { step: emit.clone(), output: 0, item: path.clone(), record: Span::default() };
    let not_run = |node, state, cause| {
        let step = StepRef { node, path: path.clone() };
        Event { at, kind: EventKind::StepNotRun { step, state, cause } }
    };
    let failed =
        [INNER_EMIT, FIRST, SECOND].map(|node| not_run(node, StepState::UpstreamFailed, Some(emit.clone())));
    let mut batch = Batch { events: vec![Event { at, kind: yielded }], data: Vec::new() };
    batch.events.extend(failed);
    batch.events.push(not_run(SECOND, StepState::Cancelled, None));
    let mut bytes = Vec::new();
    let index = Encoder::new().encode(&shape, &batch, &mut bytes);
    let read = Decoder::new(&shape).decode(&bytes).expect("the block is whole");
    assert_eq!(texts(&batch), texts(&read));
    let states = [StepState::UpstreamFailed, StepState::Cancelled].map(|state| 1 << state as u8);
    assert_eq!((index.steps, index.items, index.states), (4, 1, states[0] | states[1]));
    assert_eq!(index.nodes, [EMIT, INNER_EMIT, FIRST, SECOND].map(|node| 1 << node.0).iter().sum::<u64>());
    assert_eq!((index.from, index.to), (1_000_000, 1_000_000));
    assert!(bytes.len() < 32, "{} bytes", bytes.len());
}

#[test]
fn an_attempt_that_ends_in_the_block_of_its_start_is_one_event() {
    let (shape, path) = (shape(), Path::root());
    let (started, took) = (Duration::ZERO, Duration::from_nanos(7));
    let step = |node| StepRef { node, path: path.clone() };
    let start = |node, attempt| EventKind::StepStarted { step: step(node), attempt };
    let error = std::sync::Arc::new(crate::OpError::new("no"));
    let kinds = [
        start(ROOT_OP, 1),
        start(EMIT, 3),
        EventKind::AttemptFailed { step: step(ROOT_OP), attempt: 1, started, took, error, due: took },
        start(ROOT_OP, 2),
        EventKind::StepNotRun { step: step(EMIT), state: StepState::Cancelled, cause: None },
    ];
    let events = kinds.into_iter().map(|kind| Event { at: started, kind }).collect();
    let (batch, mut bytes) = (Batch { events, data: Vec::new() }, Vec::new());
    Encoder::new().encode(&shape, &batch, &mut bytes);
    let read = Decoder::new(&shape).decode(&bytes).expect("the block is whole");
    let names: Vec<_> = read
        .events
        .iter()
        .map(|event| match &event.kind {
            EventKind::StepStarted { step, attempt } => format!("{} starts {attempt}", step.node.0),
            EventKind::AttemptFailed { step, .. } => format!("{} fails", step.node.0),
            EventKind::StepNotRun { step, .. } => format!("{} is not run", step.node.0),
            other => format!("{other:?}"),
        })
        .collect();
    // A step that was stopped keeps its start: its attempt's number must not be given again.
    assert_eq!(names, ["1 starts 3", "0 fails", "0 starts 2", "1 is not run"]);
}

#[test]
fn damaged_blocks_are_read_or_refused() {
    let (seed, shape) = (seed(), shape());
    let mut made = Run::new(seed);
    let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new(&shape));
    for _ in 0..30 {
        let mut bytes = Vec::new();
        encoder.encode(&shape, &made.batch(200), &mut bytes);
        for _ in 0..100 {
            let mut damaged = bytes.clone();
            for _ in 0..made.random.u32(1..4) {
                let at = made.random.usize(..damaged.len());
                damaged[at] = made.random.u8(..);
            }
            damaged.truncate(made.random.usize(damaged.len() / 2..=damaged.len()));
            let mut decoder = decoder.clone();
            let _ = decoder.decode(&damaged);
        }
        decoder.decode(&bytes).expect("the block itself is whole");
    }
}

#[test]
fn any_bytes_are_read_or_refused() {
    let (shape, mut random) = (shape(), fastrand::Rng::with_seed(seed()));
    for _ in 0..50_000 {
        let mut bytes = vec![FORMAT, 0, 0];
        bytes.extend((0..random.usize(..60)).map(|_| random.u8(..) >> random.u32(..7)));
        let read = Decoder::new(&shape).decode(&bytes);
        assert!(read.map_or(0, |batch| batch.events.len()) <= bytes.len());
    }
}

#[test]
fn a_decoder_that_refused_a_block_takes_the_right_one() {
    let (shape, mut made) = (shape(), Run::new(seed()));
    let (mut bytes, mut decoder) = (Vec::new(), Decoder::new(&shape));
    Encoder::new().encode(&shape, &made.batch(500), &mut bytes);
    assert!(matches!(decoder.decode(&bytes[..bytes.len() - 1]), Err(RecordError::Cut { .. })));
    assert!(matches!(decoder.decode(&[FORMAT + 1]), Err(RecordError::Format { .. })));
    assert!(decoder.decode(&bytes).is_ok());
    let again = decoder.decode(&bytes).expect_err("its items are not the next");
    assert!(again.to_string().contains("follows 0 items"), "{again}");
}

/// Adds a record of a value of so many bytes.
fn record(data: &mut Vec<u8>, value: usize) -> Span {
    let start = data.len();
    values::write_value(data, values::StoredValue::Json(&vec![b'7'; value]));
    Span { start: start as u32, len: (data.len() - start) as u32 }
}

/// How many bytes a step takes in blocks of a fan of 10 000 items with two steps each, whose values
/// have `value` bytes.
fn bytes_a_step(value: usize) -> f64 {
    let (items, shape) = (10_000, shape());
    let mut encoder = Encoder::new();
    let (mut bytes, mut steps) = (Vec::new(), 0);
    let mut random = fastrand::Rng::with_seed(seed());
    let (mut batch, mut at) = (Batch::default(), Duration::ZERO);
    let emit = StepRef { node: EMIT, path: Path::root() };
    for index in 0..items {
        let item = Path::root().item(Key::new(index), index, index + 1);
        let mut record = || record(&mut batch.data, value);
        let (first, second, third) = (record(), record(), record());
        let step = emit.clone();
        batch.events.push(Event {
            at,
            kind: EventKind::ItemYielded { step, output: 0, item: item.clone(), record: first },
        });
        for (node, record) in [(FIRST, second), (SECOND, third)] {
            let started = at;
            let took = Duration::from_nanos(random.u64(1_000..200_000));
            at += took + Duration::from_micros(random.u64(..20));
            let step = StepRef { node, path: item.clone() };
            let outputs = None;
            let kind = EventKind::StepSucceeded { step, attempt: 1, started, took, outputs, record };
            batch.events.push(Event { at, kind });
            steps += 1;
        }
        if batch.events.len() >= 500 {
            encoder.encode(&shape, &batch, &mut bytes);
            batch = Batch::default();
        }
    }
    encoder.encode(&shape, &batch, &mut bytes);
    println!("{} bytes a step with values of {value}", bytes.len() / steps);
    bytes.len() as f64 / steps as f64
}

#[test]
fn a_step_takes_few_bytes() {
    assert!(bytes_a_step(20) <= 50.0);
    assert!(bytes_a_step(8) <= 30.0);
}
