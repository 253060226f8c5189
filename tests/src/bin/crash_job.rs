//! A process that drives one run, to be killed by the tests of crashes at any instant. What its ops do,
//! and what was told to it as done, stands in a ledger, line by line, in the order in which it happened.
//!
//! `crash_job drive STORE LEDGER` begins the run of the store, or goes on with it; `crash_job hold STORE
//! LEDGER` does the same with steps that wait, and takes the run from who stands still. All other commands
//! are those of any program of fanfold's, with the ledger that `CRASH_JOB_LEDGER` names. Where there is
//! a file beside it that ends in `.spare`, nothing dies by itself, and in `.go`, what waits goes on.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use fanfold::prelude::*;
use fanfold::runs::{Begin, Runs, RunsError};
use fanfold::store::SqliteStore;
use fanfold::{Batch, EventKind, RunState, Shape, Sink};

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().collect();
    match &words.iter().map(String::as_str).collect::<Vec<_>>()[1..] {
        ["drive", store, ledger] => drive(Path::new(store), Path::new(ledger), false),
        ["hold", store, ledger] => drive(Path::new(store), Path::new(ledger), true),
        _ => {
            if let Some(path) = std::env::var_os("CRASH_JOB_LEDGER") {
                open_ledger(Path::new(&path));
            }
            fanfold::main()
        }
    }
}

static LEDGER: OnceLock<File> = OnceLock::new();

fn open_ledger(path: &Path) {
    let ledger = OpenOptions::new().append(true).create(true).open(path).expect("the ledger opens");
    LEDGER.set(ledger).expect("once");
    note(format_args!("session {}", std::process::id()));
}

/// Whether the test has put a file of this ending beside the ledger.
fn is_told(ending: &str) -> bool {
    std::env::var_os("CRASH_JOB_LEDGER").is_some_and(|path| Path::new(&path).with_extension(ending).exists())
}

/// Writes a line: whole, or not at all.
fn note(line: std::fmt::Arguments<'_>) {
    if let Some(mut ledger) = LEDGER.get() {
        ledger.write_all(format!("{line}\n").as_bytes()).expect("the ledger can be written");
    }
}

/// Notes that a step begins, and when it is dropped that it has ended.
struct Step(String);

impl Step {
    fn begins(ctx: &OpContext) -> Self {
        let name = ctx.step_name();
        note(format_args!("start {name} {}", ctx.attempt()));
        Self(name)
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        note(format_args!("end {}", self.0));
    }
}

/// Something to do, so that a kill meets a step and not what lies between.
fn work(micros: u64) {
    let end = Instant::now() + Duration::from_micros(micros);
    while Instant::now() < end {
        std::hint::spin_loop();
    }
}

/// What is acknowledged to a sink stands in the ledger.
struct Acknowledged;

impl Sink for Acknowledged {
    fn events(&mut self, shape: &Shape, batch: &Batch) {
        for event in &batch.events {
            if let EventKind::StepSucceeded { step, attempt, .. } = &event.kind {
                note(format_args!("ack {} {attempt}", step.name(shape)));
            }
        }
    }
}

fn drive(store: &Path, ledger: &Path, hold: bool) -> ExitCode {
    open_ledger(ledger);
    let live = store.with_file_name("live");
    let store = match SqliteStore::open(store) {
        Ok(store) => store.with_standstill(Duration::from_millis(300)),
        Err(error) => return said(3, &error),
    };
    let runs = Runs::of(Arc::new(store));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let code = runtime.expect("threads").block_on(go_on(&runs, hold));
    drop(runs);
    await_closed(&live);
    code
}

/// The engine's threads let the store go a moment after the run: waits until the last has closed it, so
/// that it can be killed there, too.
fn await_closed(live: &Path) {
    let late = Instant::now() + Duration::from_millis(200);
    let is_empty = || std::fs::read_dir(live).is_ok_and(|mut files| files.next().is_none());
    while !is_empty() && Instant::now() < late {
        std::thread::yield_now();
    }
}

async fn go_on(runs: &Runs, hold: bool) -> ExitCode {
    let known = match runs.list(&Default::default()) {
        Ok(known) => known,
        Err(error) => return said(3, &error),
    };
    let handle = match known.first() {
        None if hold => innocent::job()
            .args((3,))
            .record(runs)
            .sink(Acknowledged)
            .start()
            .await
            .map_err(|error| said(3, &error)),
        None => crashing::job()
            .args((6,))
            .record(runs)
            .sink(Acknowledged)
            .start()
            .await
            .map_err(|error| said(3, &error)),
        Some(run) => {
            let sinks: Vec<Box<dyn Sink>> = vec![Box::new(Acknowledged)];
            // Whoever is killed often enough looks like poison, and is none here.
            let begin = Begin { sinks, take_over: hold, retry_poison: true, ..Begin::default() };
            match runs.resume(&run.id, begin).await {
                Err(RunsError::Succeeded { .. }) => return ExitCode::SUCCESS,
                resumed => resumed.map_err(|error| said(3, &error)),
            }
        }
    };
    let report = match handle {
        Ok(handle) => handle.wait().await,
        Err(code) => return code,
    };
    match (&report.unwritten, report.state) {
        (Some(error), _) => said(3, error),
        (None, RunState::Succeeded) => ExitCode::SUCCESS,
        (None, state) => said(1, &format_args!("{state:?}: {:?}", report.summary.errors())),
    }
}

fn said(code: u8, error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(code)
}

/// Yields slowly, and fails once on the way.
#[op(dynamic_out, retry(max = 1, delay = "1ms"))]
fn pages(
    ctx: &OpContext,
    n: u64,
    _seed: u64,
) -> impl Iterator<Item = Result<DynamicOutput<u64>, String>> + use<> {
    let step = Step::begins(ctx);
    let fails = ctx.attempt() == 1;
    (0..n).map(move |page| {
        let _ = &step;
        work(400);
        if fails && page == n / 2 {
            Err("the page is gone".to_owned())
        } else {
            Ok(DynamicOutput::new(page, page))
        }
    })
}

/// What is never recorded, and made again.
#[op(transient)]
fn seed(ctx: &OpContext) -> u64 {
    let _step = Step::begins(ctx);
    7
}

#[op(dynamic_out)]
fn parts(ctx: &OpContext, page: u64) -> Vec<DynamicOutput<u64>> {
    let _step = Step::begins(ctx);
    (0..3).map(|part| DynamicOutput::new(format!("part-{part}"), page * 10 + part)).collect()
}

#[op(retry(max = 1, delay = "1ms"))]
fn inc(ctx: &OpContext, part: u64) -> Result<u64, String> {
    let _step = Step::begins(ctx);
    work(100);
    if part % 10 == 1 && ctx.attempt() == 1 { Err("not at once".to_owned()) } else { Ok(part + 1) }
}

#[op]
async fn ask(ctx: &OpContext, part: u64) -> u64 {
    let _step = Step::begins(ctx);
    tokio::task::yield_now().await;
    part * 2
}

#[op]
fn sum(ctx: &OpContext, parts: Vec<u64>) -> u64 {
    let _step = Step::begins(ctx);
    parts.iter().sum()
}

/// Larger than what stands in the log itself.
#[op]
fn draw(ctx: &OpContext, page: u64) -> String {
    let _step = Step::begins(ctx);
    char::from(b'a' + page as u8 % 26).to_string().repeat(70_000)
}

#[op]
fn measure(ctx: &OpContext, drawing: &str, seed: u64) -> u64 {
    let _step = Step::begins(ctx);
    work(200);
    drawing.bytes().map(u64::from).sum::<u64>() + seed
}

#[op]
fn add(a: u64, b: u64) -> u64 {
    a + b
}

/// Nested fan-outs, a fold, collects, tries, and values of every way of being kept.
#[job]
fn crashing(n: Out<u64>) -> (Out<u64>, Out<u64>, Out<u64>) {
    let seed = seed();
    let pages = pages(n, seed);
    let sums = pages.map(|page| sum(parts(page).map(inc).map(ask).collect()).named("page_sum"));
    let drawn = pages.map(draw).map(|drawing| measure(drawing, seed));
    let all = sum(sums.collect()).named("all");
    (sums.fold(0, add).named("folded"), all, sum(drawn.collect()).named("drawn"))
}

#[op(dynamic_out(by_index))]
fn numbers(n: u64) -> Vec<u64> {
    (0..n).collect()
}

#[op(dynamic_out(by_index))]
fn slow_numbers(n: u64) -> impl Iterator<Item = u64> {
    (0..n).inspect(|_| std::thread::sleep(Duration::from_millis(20)))
}

/// Kills the process, in one of the ways in which that can be done.
fn die(how: &str) {
    match how {
        _ if is_told("spare") => {}
        "exit" => std::process::exit(0),
        "overflow" => drop(recurse(0)),
        _ => std::process::abort(),
    }
}

#[expect(unconditional_recursion, reason = "it is to overflow the stack")]
fn recurse(depth: u64) -> [u64; 64] {
    let mut here = std::hint::black_box([depth; 64]);
    here[0] = recurse(depth + 1)[1];
    std::hint::black_box(here)
}

#[op]
fn touch(ctx: &OpContext, i: u64, at: u64, how: &str) -> u64 {
    // What is quiet is short, and goes in batches.
    if how != "quiet" {
        note(format_args!("start {} {}", ctx.step_name(), ctx.attempt()));
    }
    if i == at {
        die(how);
    }
    i
}

#[op]
async fn touch_later(ctx: &OpContext, i: u64, at: u64, how: String) -> u64 {
    note(format_args!("start {} {}", ctx.step_name(), ctx.attempt()));
    tokio::task::yield_now().await;
    if i == at {
        die(&how);
    }
    i
}

/// One of many short steps kills the process.
#[job]
fn deadly(
    #[arg(default = 300)] n: Out<u64>,
    #[arg(default = 150)] at: Out<u64>,
    #[arg(default = "abort".to_owned())] how: Out<String>,
) -> Out<u64> {
    numbers(n).map(|i| touch(i, at, how)).fold(0, add)
}

/// One of many async steps kills the process.
#[job]
fn deadly_later(
    #[arg(default = 20)] n: Out<u64>,
    #[arg(default = 15)] at: Out<u64>,
    #[arg(default = "abort".to_owned())] how: Out<String>,
) -> Out<u64> {
    numbers(n).map(|i| touch_later(i, at, how)).fold(0, add)
}

/// A step of an item that has been recorded for long kills the process.
#[job]
fn deadly_late(#[arg(default = 3)] n: Out<u64>, #[arg(default = 2)] at: Out<u64>) -> Out<u64> {
    let pause = |i| wait_a_little(i);
    slow_numbers(n).map(pause).map(|i| touch(i, at, "abort".to_owned())).fold(0, add)
}

#[op]
fn wait_a_little(i: u64) -> u64 {
    std::thread::sleep(Duration::from_millis(50));
    i
}

/// The emitter itself kills the process.
#[op(dynamic_out(by_index))]
fn deadly_numbers(n: u64) -> impl Iterator<Item = u64> {
    (0..n).inspect(|i| {
        if *i == 2 {
            die("abort");
        }
    })
}

/// An emitter kills the process after two items.
#[job]
fn deadly_emitter(#[arg(default = 5)] n: Out<u64>) -> Out<u64> {
    deadly_numbers(n).map(|i| touch(i, 1_000, "abort".to_owned())).fold(0, add)
}

#[op]
fn long(ctx: &OpContext, i: u64) -> u64 {
    let _step = Step::begins(ctx);
    while !is_told("go") {
        std::thread::sleep(Duration::from_millis(1));
    }
    i
}

/// Innocent steps that take long.
#[job(max_concurrent = 4)]
fn innocent(#[arg(default = 3)] n: Out<u64>) -> Out<u64> {
    numbers(n).map(long).fold(0, add)
}
