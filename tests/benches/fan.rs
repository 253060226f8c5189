//! The figures of the core: `emit(N) → map(inc) → map(double)`, then `collect(sum)` or `fold(add)`.
//!
//! `cargo bench -p fanfold-tests --bench fan` prints, for each N, the median of several runs in
//! microseconds a step, beside what one bare tokio task an item takes in the same minute; and the
//! peak memory of a process that runs the job once.

use std::process::Command;
use std::time::{Duration, Instant};

use fanfold::prelude::*;
use tokio::runtime::Runtime;

/// 0, 1, 2, …
#[op(dynamic_out(by_index))]
fn emit(n: u64) -> impl Iterator<Item = u64> {
    0..n
}

/// One more.
#[op]
fn inc(x: u64) -> u64 {
    x + 1
}

/// Twice as much.
#[op]
fn double(x: u64) -> u64 {
    x * 2
}

/// The sum of a list.
#[op]
fn sum(xs: &[u64]) -> u64 {
    xs.iter().sum()
}

/// The sum of two.
#[op]
fn add(so_far: u64, x: u64) -> u64 {
    so_far + x
}

/// A fan-out that is collected.
#[job]
fn collected(n: Out<u64>) -> Out<u64> {
    sum(emit(n).map(inc).map(double).collect())
}

/// A fan-out that is folded as its items come.
#[job]
fn folded(n: Out<u64>) -> Out<u64> {
    emit(n).map(inc).map(double).fold(0, add)
}

/// How often each figure is taken.
const RUNS: usize = 5;

fn main() {
    // `cargo bench` passes `--bench`; a child process is given what it must run.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.as_slice() {
        [job, n] => run_once(job, n.parse().expect("a number of items")),
        _ => print_table(),
    }
}

fn run_once(job: &str, n: u64) {
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(run(job, n));
    println!("{}", peak_kib());
}

async fn run(job: &str, n: u64) {
    let run = if job == "collected" { collected::job().args((n,)) } else { folded::job().args((n,)) };
    let report = run.start().await.expect("the run begins").wait().await;
    let given = report.outputs[0].as_ref().and_then(|value| value.downcast_ref::<u64>()).copied();
    assert_eq!(given, Some(n * (n + 1)), "the sum of 2 · (x + 1) for x below {n}");
}

/// The most memory that this process has held, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

fn print_table() {
    let runtime = Runtime::new().expect("a runtime");
    println!("two steps an item; medians of {RUNS} runs, µs a step; tokio: one bare task an item");
    println!("{:>10}  {:>9}  {:>9}  {:>9}  {:>8}", "items", "collected", "folded", "tokio", "peak MiB");
    for n in [1_000, 10_000, 100_000, 1_000_000, 10_000_000] {
        let per_step = |time: Duration| time.as_secs_f64() * 1e6 / (2 * n) as f64;
        // A collect of ten million holds ten million values: that is a figure of the allocator.
        let collected = (n <= 1_000_000).then(|| per_step(median(|| runtime.block_on(run("collected", n)))));
        let folded = per_step(median(|| runtime.block_on(run("folded", n))));
        let tokio = median(|| runtime.block_on(bare_tasks(n))).as_secs_f64() * 1e6 / n as f64;
        let collected = collected.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.3}"));
        println!("{n:>10}  {collected:>9}  {folded:>9.3}  {tokio:>9.3}  {:>8.1}", peak_of_child("folded", n));
    }
}

/// What the same number of bare tasks takes: spawned, run, awaited.
async fn bare_tasks(n: u64) {
    let mut tasks = tokio::task::JoinSet::new();
    let mut total = 0;
    for x in 0..n {
        tasks.spawn(async move { (x + 1) * 2 });
        if tasks.len() >= 1_024 {
            total += tasks.join_next().await.expect("a task").expect("a value");
        }
    }
    while let Some(value) = tasks.join_next().await {
        total += value.expect("a value");
    }
    assert_eq!(total, n * (n + 1));
}

fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..RUNS)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[RUNS / 2]
}

fn peak_of_child(job: &str, n: u64) -> f64 {
    let this = std::env::current_exe().expect("the path of this program");
    let output = Command::new(this).args([job, &n.to_string()]).output().expect("the child runs");
    let peak: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or_default();
    peak / 1_024.0
}
