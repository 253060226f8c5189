//! The figures of the record: the fan of `fan.rs` with texts of 20 bytes, recorded in a SQLite file
//! with `synchronous = FULL`.
//!
//! `cargo bench -p fanfold-tests --bench record` prints, for each N, the median of several runs in
//! microseconds a step, beside a bare program that inserts one row a step into SQLite with the same
//! settings in transactions of 1 000; bytes on disk a step; peak memory; what a lone commit takes;
//! and how soon a killed run goes on.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use fanfold::prelude::*;
use fanfold::runs::{Begin, Runs};
use fanfold::store::SqliteStore;
use fanfold::{Batch, EventKind, RunHandle, RunState, Shape, Sink};
use rusqlite::{Connection, params};
use tokio::runtime::Runtime;

/// A text of `LONG` or `SHORT` bytes for each number.
#[op(dynamic_out(by_index))]
fn emit(n: u64, bytes: usize) -> impl Iterator<Item = String> {
    (0..n).map(move |x| format!("{x:0bytes$}"))
}

/// The same text, made anew.
#[op]
fn once(text: &str) -> String {
    text.to_owned()
}

/// The same again; dies once, if it is told to, at the text with this number.
#[op]
fn twice(text: &str, die_at: u64, marker: &str) -> String {
    if !marker.is_empty() && text.parse() == Ok(die_at) && !Path::new(marker).exists() {
        std::fs::write(marker, "").expect("the marker is written");
        std::process::abort();
    }
    text.to_owned()
}

/// How many bytes all texts have.
#[op]
fn sum(texts: &[String]) -> usize {
    texts.iter().map(String::len).sum()
}

/// One more text.
#[op]
fn add(so_far: usize, text: &str) -> usize {
    so_far + text.len()
}

/// A fan-out that is collected.
#[job]
fn collected(n: Out<u64>, bytes: Out<usize>) -> Out<usize> {
    sum(emit(n, bytes).map(once).map(|text| twice(text, 0, "")).collect())
}

/// A fan-out that is folded.
#[job]
fn folded(n: Out<u64>, bytes: Out<usize>, die_at: Out<u64>, marker: Out<String>) -> Out<usize> {
    emit(n, bytes).map(once).map(|text| twice(text, die_at, marker)).fold(0, add)
}

/// Steps one after the other, each alone: too long to share a worker's grant with the next.
#[op]
fn next(x: u64) -> u64 {
    std::thread::sleep(LONE);
    x + 1
}

/// A chain, in which nothing runs beside a step.
#[job]
fn chain(n: Out<u64>) -> Out<u64> {
    let mut at = next(n);
    for _ in 1..CHAIN {
        at = next(at);
    }
    at
}

const CHAIN: u32 = 100;
const LONE: Duration = Duration::from_millis(2);
const RUNS: usize = 5;
const LONG: usize = 20;
const SHORT: usize = 8;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["bare", n, bytes, home] => bare(n.parse().unwrap(), bytes.parse().unwrap(), Path::new(home)),
        ["resume", home] => resume(Path::new(home)),
        [job, n, bytes, home, marker] => {
            run(job, n.parse().unwrap(), bytes.parse().unwrap(), Path::new(home), marker);
        }
        [] => print_all(),
        other => panic!("{other:?}"),
    }
}

fn store(home: &Path) -> Runs {
    Runs::of(std::sync::Arc::new(SqliteStore::open(&home.join("runs.db")).expect("a store")))
}

/// Runs a job once, recorded, and prints how long it took in seconds and the peak of memory in KiB.
fn run(job: &str, n: u64, bytes: usize, home: &Path, marker: &str) {
    let runs = store(home);
    let runtime = Runtime::new().expect("a runtime");
    let begun = Instant::now();
    let start = async {
        match job {
            "collected" => collected::job().args((n, bytes)).record(&runs).start().await,
            "chain" => chain::job().args((n,)).record(&runs).start().await,
            _ => {
                let args = (n, bytes, n - n.min(1_000), marker.to_owned());
                folded::job().args(args).record(&runs).start().await
            }
        }
    };
    let report = runtime.block_on(async { start.await.expect("it begins").wait().await });
    let took = begun.elapsed();
    assert_eq!(report.state, RunState::Succeeded, "{:?}", report.unwritten);
    println!("{} {}", took.as_secs_f64(), peak_kib());
}

/// Resumes the last run of a store: prints after how long its first step began, and when it ended.
fn resume(home: &Path) {
    let begun = Instant::now();
    let runs = store(home);
    let runtime = Runtime::new().expect("a runtime");
    let first = First { begun, at: std::sync::Arc::default() };
    let at = std::sync::Arc::clone(&first.at);
    let id = runs.list(&Default::default()).expect("runs")[0].id.clone();
    let begin = Begin { sinks: vec![Box::new(first)], ..Begin::default() };
    let report = runtime.block_on(async {
        let handle: RunHandle = runs.resume(&id, begin).await.expect("it goes on");
        handle.wait().await
    });
    assert_eq!(report.state, RunState::Succeeded, "{:?}", report.unwritten);
    let first = at.lock().unwrap().expect("some step ran");
    println!("{} {}", first.as_secs_f64(), begun.elapsed().as_secs_f64());
}

/// Notes when the first step succeeded after a resume.
struct First {
    begun: Instant,
    at: std::sync::Arc<std::sync::Mutex<Option<Duration>>>,
}

impl Sink for First {
    fn events(&mut self, _: &Shape, batch: &Batch) {
        let any = batch.events.iter().any(|event| matches!(event.kind, EventKind::StepSucceeded { .. }));
        if any {
            self.at.lock().unwrap().get_or_insert(self.begun.elapsed());
        }
    }
}

/// One row a step, in transactions of 1 000, with the store's settings.
fn bare(n: u64, bytes: usize, home: &Path) {
    let mut db = Connection::open(home.join("bare.db")).expect("a database");
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000;
         CREATE TABLE steps (id INTEGER PRIMARY KEY, op TEXT, key TEXT, state TEXT, took INTEGER, value TEXT);",
    )
    .expect("a table");
    let begun = Instant::now();
    let mut step = 0;
    while step < 2 * n {
        let tx = db.transaction().expect("a transaction");
        {
            let query = "INSERT INTO steps (op, key, state, took, value) VALUES (?1, ?2, ?3, ?4, ?5)";
            let mut insert = tx.prepare(query).expect("a statement");
            for _ in 0..1_000 {
                let key = (step / 2).to_string();
                let value = format!("\"{:0bytes$}\"", step / 2);
                let op = if step % 2 == 0 { "once" } else { "twice" };
                insert.execute(params![op, key, "succeeded", 130, value]).expect("a row");
                step += 1;
            }
        }
        tx.commit().expect("a commit");
    }
    println!("{} {}", begun.elapsed().as_secs_f64(), peak_kib());
}

fn print_all() {
    println!("two steps an item; medians of {RUNS} runs, µs a step; bare: one row a step");
    let head =
        ["items", "bytes", "folded", "collected", "bare", "folded/bare", "on disk", "peak fold", "collect"];
    println!("{}", head.map(|word| format!("{word:>12}")).join(""));
    for (n, bytes) in [(10_000, LONG), (100_000, LONG), (1_000_000, LONG), (1_000_000, SHORT)] {
        // In turn, so that all see the same minute.
        let mut all: [Vec<(f64, f64, f64)>; 3] = Default::default();
        for _ in 0..RUNS {
            for (which, job) in ["folded", "collected", "bare"].into_iter().enumerate() {
                all[which].push(child(job, n, bytes));
            }
        }
        let [folded, collected, bare] = all.map(|runs| median(&runs));
        let step = |time: f64| format!("{:.3}", time * 1e6 / (2 * n) as f64);
        let cells = [
            n.to_string(),
            bytes.to_string(),
            step(folded.0),
            step(collected.0),
            step(bare.0),
            format!("{:.2}", folded.0 / bare.0),
            format!("{:.1} B", folded.2 / (2 * n) as f64),
            format!("{:.0} MiB", folded.1 / 1024.0),
            format!("{:.0} MiB", collected.1 / 1024.0),
        ];
        println!("{}", cells.map(|cell| format!("{cell:>12}")).join(""));
    }
    let chains: Vec<_> = (0..RUNS).map(|_| child("chain", 0, LONG)).collect();
    let (time, _, disk) = median(&chains);
    // The tables of a store with next to nothing in it.
    let empty = child("folded", 1, LONG).2;
    let beyond = time / f64::from(CHAIN) - LONE.as_secs_f64();
    let bytes = (disk - empty) / f64::from(CHAIN);
    println!("a lone step takes {:.2} ms more than its op, and {bytes:.0} bytes on disk", beyond * 1e3);
    for n in [1_000, 1_000_000] {
        let resumed: Vec<_> = (0..RUNS).map(|_| killed_and_resumed(n)).collect();
        let (first, all, _) = median(&resumed);
        println!(
            "{n} items, killed before the last 1 000: first step after {:.0} ms, end after {:.2} s",
            first * 1e3,
            all
        );
    }
}

fn child(job: &str, n: u64, bytes: usize) -> (f64, f64, f64) {
    let home = tempfile::tempdir_in(target()).expect("a folder");
    let (a, b) = call(&match job {
        "bare" => vec![job.to_owned(), n.to_string(), bytes.to_string(), path(home.path())],
        _ => vec![job.to_owned(), n.to_string(), bytes.to_string(), path(home.path()), String::new()],
    });
    (a, b, size(home.path()))
}

fn killed_and_resumed(n: u64) -> (f64, f64, f64) {
    let home = tempfile::tempdir_in(target()).expect("a folder");
    let marker = path(&home.path().join("died"));
    let args = ["folded".to_owned(), n.to_string(), LONG.to_string(), path(home.path()), marker];
    let died = Command::new(this()).args(&args).output().expect("the child runs");
    assert!(!died.status.success(), "it dies");
    let (first, all) = call(&["resume".to_owned(), path(home.path())]);
    (first, all, 0.0)
}

fn call(args: &[String]) -> (f64, f64) {
    let output = Command::new(this()).args(args).output().expect("the child runs");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.split_whitespace().map(|number| number.parse().expect("a number"));
    (numbers.next().expect("one"), numbers.next().expect("two"))
}

/// By the first figure.
fn median(runs: &[(f64, f64, f64)]) -> (f64, f64, f64) {
    let mut runs = runs.to_vec();
    runs.sort_by(|a, b| a.0.total_cmp(&b.0));
    runs[runs.len() / 2]
}

fn this() -> PathBuf {
    std::env::current_exe().expect("the path of this program")
}

/// On the disk of the program, since a temporary folder may lie in memory.
fn target() -> PathBuf {
    this().parent().expect("a folder").to_owned()
}

fn path(path: &Path) -> String {
    path.to_str().expect("a path of text").to_owned()
}

fn size(folder: &Path) -> f64 {
    let files = std::fs::read_dir(folder).expect("a folder").flatten();
    files
        .filter(|file| file.path().is_file())
        .map(|file| file.metadata().map_or(0.0, |data| data.len() as f64))
        .sum()
}

/// The most memory that this process has held, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}
