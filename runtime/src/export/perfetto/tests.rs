//! What a strict reader of traces asks for, and what the trace of a run looks like.

use std::collections::{BTreeMap, HashMap};

use expect_test::expect;
use serde_json::Value;

use super::PerfettoTrace;
use crate::event::{Batch, Event, EventKind, StepRef, StepState};
use crate::export::Export;
use crate::report::fixture::{self, at, failed, millis, step, succeeded};
use crate::shape::Shape;

fn export(shape: &Shape, batches: Vec<Vec<Event>>) -> String {
    let mut trace = PerfettoTrace::new(Vec::new());
    for events in batches {
        trace.batch(shape, &Batch { events, ..Batch::default() }).unwrap();
    }
    trace.finish().unwrap();
    String::from_utf8(trace.out).unwrap()
}

/// A slice: its lane, when it began and ended, its name and its state.
type Slice = (u64, u64, u64, String, String);

/// Reads a trace; everything must be in order in it, and nothing in it twice or unknown.
fn read(text: &str) -> (Vec<Slice>, BTreeMap<String, Vec<(u64, Value)>>) {
    let trace: Value = serde_json::from_str(text).unwrap();
    let mut slices = Vec::new();
    let mut counters: BTreeMap<String, Vec<(u64, Value)>> = BTreeMap::new();
    let mut lanes: HashMap<u64, u64> = HashMap::new();
    let mut processes = 0;
    for event in trace["traceEvents"].as_array().unwrap() {
        let number = |field: &str| event[field].as_u64().unwrap_or_else(|| panic!("{field} in {event}"));
        let name = event["name"].as_str().unwrap().to_owned();
        assert_eq!(number("pid"), 1);
        match (event["ph"].as_str().unwrap(), &*name) {
            ("M", "process_name") => processes += 1,
            ("M", "thread_name") => assert_eq!(lanes.insert(number("tid"), 0), None, "a lane is named once"),
            ("M", "thread_sort_index") => assert!(lanes.contains_key(&number("tid"))),
            ("X", _) => {
                let (lane, start, end) = (number("tid"), number("ts"), number("ts") + number("dur"));
                let free = lanes.get_mut(&lane).expect("a lane is named before it is used");
                assert!(*free <= start, "slices of a lane are in order and do not overlap: {event}");
                *free = end;
                assert!(!event["cat"].as_str().unwrap().is_empty());
                let state = event["args"]["state"].as_str().unwrap().to_owned();
                slices.push((lane, start, end, name, state));
            }
            ("C", _) => counters.entry(name).or_default().push((number("ts"), event["args"].clone())),
            ("i", _) => assert_eq!(event["s"], "p"),
            other => panic!("{other:?} is no event of ours"),
        }
    }
    assert_eq!(processes, 1);
    for points in counters.values() {
        assert!(points.is_sorted_by_key(|(at, _)| *at), "counters go forward");
    }
    (slices, counters)
}

#[test]
fn the_trace_of_a_run() {
    let (shape, events) = fixture::failing_letters();
    let text = export(&shape, vec![events]);
    read(&text);
    expect![[r#"
        {"displayTimeUnit":"ms","traceEvents":[
        {"args":{"name":"letters 7k2m"},"name":"process_name","ph":"M","pid":1},
        {"args":{"name":"lane 1"},"name":"thread_name","ph":"M","pid":1,"tid":1},
        {"args":{"sort_index":1},"name":"thread_sort_index","ph":"M","pid":1,"tid":1},
        {"args":{"attempt":1,"keys":"[a]","state":"succeeded"},"cat":"clean","dur":5000,"name":"clean[a]","ph":"X","pid":1,"tid":1,"ts":15000},
        {"args":{"name":"lane 2"},"name":"thread_name","ph":"M","pid":1,"tid":2},
        {"args":{"sort_index":2},"name":"thread_sort_index","ph":"M","pid":1,"tid":2},
        {"args":{"attempt":1,"keys":"[b]","state":"succeeded"},"cat":"clean","dur":5000,"name":"clean[b]","ph":"X","pid":1,"tid":2,"ts":15000},
        {"args":{"name":"lane 3"},"name":"thread_name","ph":"M","pid":1,"tid":3},
        {"args":{"sort_index":3},"name":"thread_sort_index","ph":"M","pid":1,"tid":3},
        {"args":{"attempt":1,"keys":"[c]","state":"succeeded"},"cat":"clean","dur":5000,"name":"clean[c]","ph":"X","pid":1,"tid":3,"ts":15000},
        {"args":{"attempt":1,"keys":"[a]","state":"succeeded"},"cat":"compute_piece","dur":370000,"name":"compute_piece[a]","ph":"X","pid":1,"tid":3,"ts":30000},
        {"args":{"attempt":1,"error":"api time out after 470 ms","keys":"[b]","state":"attempt_failed"},"cat":"compute_piece","dur":470000,"name":"FAILED compute_piece[b]","ph":"X","pid":1,"tid":2,"ts":30000},
        {"args":{"name":"lane 4"},"name":"thread_name","ph":"M","pid":1,"tid":4},
        {"args":{"sort_index":4},"name":"thread_sort_index","ph":"M","pid":1,"tid":4},
        {"args":{"attempt":1,"keys":"","state":"succeeded"},"cat":"load_pieces","dur":600000,"name":"load_pieces","ph":"X","pid":1,"tid":4,"ts":0},
        {"args":{"attempt":1,"keys":"[c]","state":"succeeded"},"cat":"compute_piece","dur":870000,"name":"compute_piece[c]","ph":"X","pid":1,"tid":1,"ts":30000},
        {"args":{"attempt":3,"error":"api time out after 500 ms","keys":"[b]","state":"failed"},"cat":"compute_piece","dur":500000,"name":"FAILED compute_piece[b]","ph":"X","pid":1,"tid":1,"ts":2500000},
        {"args":{"running":1},"name":"running steps","ph":"C","pid":1,"ts":0},
        {"args":{"running":4},"name":"running steps","ph":"C","pid":1,"ts":15000},
        {"args":{"running":1},"name":"running steps","ph":"C","pid":1,"ts":21000},
        {"args":{"running":4},"name":"running steps","ph":"C","pid":1,"ts":30000},
        {"args":{"running":3},"name":"running steps","ph":"C","pid":1,"ts":401000},
        {"args":{"running":2},"name":"running steps","ph":"C","pid":1,"ts":501000},
        {"args":{"running":1},"name":"running steps","ph":"C","pid":1,"ts":601000},
        {"args":{"running":0},"name":"running steps","ph":"C","pid":1,"ts":901000},
        {"args":{"cancelled":0,"failed":1,"skipped":0,"succeeded":6,"upstream_failed":1},"name":"ended steps","ph":"C","pid":1,"ts":3001000},
        {"args":{"running":1},"name":"running steps","ph":"C","pid":1,"ts":2500000},
        {"args":{"running":0},"name":"running steps","ph":"C","pid":1,"ts":3001000}
        ]}
    "#]].assert_eq(&text);
}

#[test]
fn a_run_that_was_interrupted_shows_what_was_in_hand() {
    let (shape, mut events) = fixture::half_way();
    events.push(at(
        700,
        EventKind::RunResumed { resumed: std::time::SystemTime::UNIX_EPOCH, in_hand: Vec::new() },
    ));
    events.push(succeeded(step(&shape, "compute_piece", Some(("c", 2))), 900, 100));
    let (slices, _) = read(&export(&shape, vec![events]));
    let shown: Vec<_> =
        slices.iter().map(|(_, start, end, name, state)| format!("{start}-{end} {name} {state}")).collect();
    expect![[r#"
        15000-20000 clean[a] succeeded
        15000-20000 clean[b] succeeded
        15000-20000 clean[c] succeeded
        30000-400000 compute_piece[a] succeeded
        30000-500000 FAILED compute_piece[b] attempt_failed
        0-500000 load_pieces unfinished
        30000-500000 compute_piece[c] unfinished
        800000-900000 compute_piece[c] succeeded
    "#]]
    .assert_eq(&format!("{}\n", shown.join("\n")));
}

#[test]
fn nothing_is_a_trace_too() {
    read(&export(&fixture::shape(), Vec::new()));
}

/// Attempts on some workers, told of in batches: short ones without their beginning.
fn random_run(shape: &Shape, random: &mut fastrand::Rng) -> (Vec<Vec<Event>>, Vec<(u64, u64)>) {
    let mut events = Vec::new();
    let mut attempts = Vec::new();
    for worker in 0..random.u32(1..6) {
        let mut now = random.u64(0..5);
        for number in 0..random.u32(1..60) {
            now += random.u64(0..20);
            let took = if random.bool() { random.u64(0..3) } else { random.u64(0..4_000) };
            let key = format!("{worker}-{number}");
            let mut compute: StepRef = step(shape, "compute_piece", Some((&key, number)));
            compute.path =
                crate::Path::root().item(crate::Key::new(&key), number, worker * 1_000 + number + 1);
            if took > 2 {
                events.push(at(now, EventKind::StepStarted { step: compute.clone(), attempt: 1 }));
            }
            attempts.push((now * 1_000, (now + took) * 1_000));
            now += took;
            events.push(match random.u8(..4) {
                0 => failed(compute, now, took, "no"),
                _ => succeeded(compute, now, took),
            });
        }
    }
    events.sort_by_key(|event| event.at);
    let mut batches = vec![vec![fixture::run_started()]];
    while !events.is_empty() {
        let rest = events.split_off(random.usize(1..=events.len()));
        batches.push(std::mem::replace(&mut events, rest));
    }
    (batches, attempts)
}

#[test]
fn attempts_keep_their_times_in_as_many_lanes_as_overlap() {
    let shape = fixture::shape();
    for seed in 0..100 {
        let (batches, mut attempts) = random_run(&shape, &mut fastrand::Rng::with_seed(seed));
        let (slices, counters) = read(&export(&shape, batches));
        let mut times: Vec<_> = slices.iter().map(|(_, start, end, ..)| (*start, *end)).collect();
        times.sort_unstable();
        attempts.sort_unstable();
        assert_eq!(times, attempts, "seed {seed}");
        // Those that last no time overlap nothing, and still need a lane of their own.
        let starts = attempts.iter().map(|(start, _)| *start);
        let most = starts.map(|at| attempts.iter().filter(|(start, end)| *start <= at && at <= *end).count());
        let lanes = slices.iter().map(|slice| slice.0).max().unwrap();
        assert!(lanes <= most.max().unwrap() as u64, "seed {seed}: {lanes} lanes");
        let last = |name: &str| counters[name].last().unwrap().1.clone();
        assert_eq!(last("running steps")["running"], 0, "seed {seed}");
        let ended: u64 = last("ended steps").as_object().unwrap().values().filter_map(Value::as_u64).sum();
        assert_eq!(ended, attempts.len() as u64, "seed {seed}");
        let peak = counters["running steps"].iter().filter_map(|(_, args)| args["running"].as_i64()).max();
        assert!(peak.unwrap() <= i64::from(most_overlapping(&attempts)), "seed {seed}");
    }
}

fn most_overlapping(attempts: &[(u64, u64)]) -> u32 {
    let overlap = |at: u64| attempts.iter().filter(|(start, end)| *start <= at && at <= *end).count();
    attempts.iter().map(|(start, _)| overlap(*start) as u32).max().unwrap_or(0)
}

#[test]
fn a_step_that_was_stopped_ends_where_it_was_stopped() {
    let shape = fixture::shape();
    let merge = step(&shape, "merge", None);
    let events = vec![
        at(10, EventKind::StepStarted { step: merge.clone(), attempt: 1 }),
        at(40, EventKind::StepNotRun { step: merge, state: StepState::Cancelled, cause: None }),
    ];
    let (slices, _) = {
        let mut all = vec![fixture::run_started()];
        all.extend(events);
        read(&export(&shape, vec![all]))
    };
    assert_eq!(slices, [(1, 10_000, micros(40), "merge".to_owned(), "cancelled".to_owned())]);
}

fn micros(time: u64) -> u64 {
    u64::try_from(millis(time).as_micros()).unwrap()
}
