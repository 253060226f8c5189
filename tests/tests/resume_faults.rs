//! Small jobs on the engine with a store that fails at each of its writes in turn: nothing that was told
//! is missing from the store, and a resume with a good one comes to the right end (§5.1, §5.2).

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use fanfold::graph::NodeId;
use fanfold::prelude::*;
use fanfold::record::{Facts, Past};
use fanfold::runs::{Begin, Runs, RunsError};
use fanfold::store::{MemoryStore, SqliteStore, Store};
use fanfold::{Batch, EventKind, JobRun, RunState, Shape, Sink, StepName};
use fanfold_tests::faulty::{Fault, FaultyStore};

/// How often each step was run, by the run's name and its own.
static RAN: Mutex<Option<HashMap<(String, String), u32>>> = Mutex::new(None);

fn runs_of(run: &str) -> HashMap<String, u32> {
    let ran = RAN.lock().unwrap_or_else(PoisonError::into_inner);
    let of_run = ran.iter().flatten().filter(|((of, _), _)| of == run);
    of_run.map(|((_, step), times)| (step.clone(), *times)).collect()
}

/// Says that a step is run: ops wait for nothing, so that a commit follows each wait for a retry.
fn note(ctx: &OpContext) {
    let mut ran = RAN.lock().unwrap_or_else(PoisonError::into_inner);
    let step = (ctx.run_id().to_owned(), ctx.step_name().to_string());
    *ran.get_or_insert_default().entry(step).or_default() += 1;
}

/// Fails until `attempts` were made: each wait is a commit.
fn rests(ctx: &OpContext, attempts: u32) -> Result<(), String> {
    note(ctx);
    if ctx.attempt() < attempts { Err(format!("attempt {}", ctx.attempt())) } else { Ok(()) }
}

#[op(dynamic_out(by_index))]
fn five(ctx: &OpContext) -> impl Iterator<Item = i64> + use<> {
    note(ctx);
    0..5
}

#[op(retry(max = 20, delay = "1ms"))]
fn square(ctx: &OpContext, x: i64) -> Result<i64, String> {
    rests(ctx, if x == 2 { 12 } else { 1 })?;
    Ok(x * x)
}

#[op(retry(max = 40, delay = "1ms"))]
fn total(ctx: &OpContext, all: Vec<i64>) -> Result<i64, String> {
    rests(ctx, 20)?;
    Ok(all.iter().sum())
}

#[job]
fn squares() -> Out<i64> {
    total(five().map(square).collect())
}

#[op(dynamic_out, retry(max = 40, delay = "1ms"))]
fn letters(ctx: &OpContext) -> impl Iterator<Item = Result<DynamicOutput<String>, String>> + use<> {
    let rest = rests(ctx, 20);
    ["a", "b", "c", "d"].into_iter().map(move |letter| match (letter, &rest) {
        ("d", Err(why)) => Err(why.clone()),
        _ => Ok(DynamicOutput::new(letter, letter.to_owned())),
    })
}

/// Gives what is too long for the log.
#[op]
fn many(ctx: &OpContext, letter: String) -> String {
    note(ctx);
    letter.repeat(if letter == "b" { 70_000 } else { 3 })
}

#[op]
fn appended(so_far: String, letters: String) -> String {
    so_far + &letters
}

#[op(retry(max = 20, delay = "1ms"))]
fn length(ctx: &OpContext, text: &str) -> Result<i64, String> {
    rests(ctx, 12)?;
    Ok(text.len() as i64)
}

#[job]
fn spelled() -> Out<i64> {
    length(letters().map(many).fold(String::new(), appended))
}

#[op(dynamic_out)]
fn ages(ctx: &OpContext) -> Vec<DynamicOutput<i64>> {
    note(ctx);
    [("ada", 36), ("alan", 41)].map(|(name, age)| DynamicOutput::new(name, age)).into()
}

#[op(retry(max = 20, delay = "1ms"))]
async fn asked(ctx: &OpContext, age: i64) -> Result<i64, String> {
    rests(ctx, if age == 41 { 12 } else { 4 })?;
    Ok(age + 1)
}

#[op]
fn only_even(ctx: &OpContext, age: i64) -> Result<i64, String> {
    note(ctx);
    if age % 2 == 0 { Ok(age) } else { Err("odd".to_owned()) }
}

#[op]
fn sum_of_two(ctx: &OpContext, one: i64, other: i64) -> i64 {
    note(ctx);
    one * 100 + other
}

#[op(retry(max = 30, delay = "1ms"))]
fn counted(ctx: &OpContext, even: Keyed<Result<i64, StepFailure>>, pairs: Vec<i64>) -> Result<i64, String> {
    rests(ctx, 14)?;
    let good = even.values().filter(|result| result.is_ok()).count() as i64;
    Ok(good * 100_000 + pairs.iter().sum::<i64>())
}

#[job]
fn paired() -> Out<i64> {
    let ages = ages();
    let older = ages.map(asked);
    let pairs = older.zip(ages).map(|(one, other)| sum_of_two(one, other)).collect();
    counted(older.map(only_even).collect_results(), pairs)
}

/// What was told, by the shape's nodes and the run's items.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<(u32, NodeId, StepName)>>>);

impl Sink for Told {
    fn events(&mut self, shape: &Shape, batch: &Batch) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for event in &batch.events {
            if let EventKind::StepSucceeded { step, .. } = &event.kind {
                told.push((step.path.number(), step.node, step.name(shape)));
            }
        }
    }
}

/// What all faults came to.
#[derive(Debug, Default)]
struct Figures {
    faults: u64,
    told: u64,
    resumed: u64,
    ran_again: u64,
    lost: u64,
    doubled: u64,
    wrong: u64,
}

/// Lets each write of a job fail in each way, until it passes; again and again, as what a commit holds
/// depends on time, until there were `least` faults.
async fn every_write(
    job: impl Fn() -> JobRun<i64>,
    right: i64,
    store: &dyn Fn() -> Arc<dyn Store>,
    least: u64,
) -> Figures {
    let mut figures = Figures::default();
    while figures.faults < least {
        for fault in Fault::ALL {
            for at in 1.. {
                if !one_fault(job(), right, store(), (at, fault), &mut figures).await {
                    assert!(at > 3, "only {at} writes");
                    break;
                }
            }
        }
    }
    figures
}

/// Whether the fault was met.
async fn one_fault(
    job: JobRun<i64>,
    right: i64,
    good: Arc<dyn Store>,
    (at, fault): (u64, Fault),
    figures: &mut Figures,
) -> bool {
    let case = format!("{fault:?} at write {at}");
    let faulty = Arc::new(FaultyStore::new(Arc::clone(&good), at, fault));
    let told = Told::default();
    let job = job.sink(told.clone()).record(&Runs::of(faulty.clone()));
    let begun = job.start().await;
    let (id, report) = match begun {
        Ok(handle) => (handle.run_id().to_owned(), handle.wait().await),
        // Entering it into the catalogue failed: there may be nothing, or a run that has not begun.
        Err(error) => {
            assert!(faulty.was_met(), "{case}: {error}");
            figures.faults += 1;
            return true;
        }
    };
    if !faulty.was_met() {
        assert!(report.unwritten.is_none() && report.state == RunState::Succeeded, "{case}");
        return false;
    }
    figures.faults += 1;
    assert!(report.unwritten.is_some(), "{case}: the run does not say so");
    let durable = check_told(&good, &id, &told, figures);
    let before = runs_of(&id);
    resume(&good, &id, right, &case, figures).await;
    for (step, times) in runs_of(&id) {
        let again = times - before.get(&step).copied().unwrap_or(0);
        figures.ran_again += u64::from(again > 0 && before.contains_key(&step));
        figures.doubled += u64::from(again > 0 && durable.contains(&step));
    }
    true
}

/// Nothing that was told is missing; gives the names of the steps whose success is durable.
fn check_told(store: &Arc<dyn Store>, id: &str, told: &Told, figures: &mut Figures) -> Vec<String> {
    let past = past(store, id);
    let told = told.0.lock().unwrap_or_else(PoisonError::into_inner);
    figures.told += told.len() as u64;
    figures.lost +=
        told.iter().filter(|(item, node, _)| !past.state().succeeded(*item, *node)).count() as u64;
    let shape = Facts::read(id, &store.run(id).expect("it is there").facts).expect("it is whole").shape;
    let mut names = Vec::new();
    for item in 0..=past.last_item() {
        for node in (0..shape.nodes.len() as u32).map(NodeId) {
            if past.state().is_alive(item) && past.state().succeeded(item, node) {
                let step = fanfold::StepRef { node, path: past.path(item) };
                names.push(step.name(&shape).to_string());
            }
        }
    }
    names
}

fn past(store: &Arc<dyn Store>, id: &str) -> Past {
    let facts = Facts::read(id, &store.run(id).expect("it is there").facts).expect("it is whole");
    let mut past = Past::new(&facts.shape);
    for commit in store.commits(id, 0, usize::MAX >> 1).expect("the chain is whole") {
        past.take(commit.block).expect("it is a record");
    }
    past
}

/// With a good store it comes to the right end, unless it had: then its last commit was not told.
async fn resume(store: &Arc<dyn Store>, id: &str, right: i64, case: &str, figures: &mut Figures) {
    let runs = Runs::of(Arc::clone(store));
    match runs.resume(id, Begin::default()).await {
        Ok(handle) => {
            figures.resumed += 1;
            let report = handle.wait().await;
            assert!(report.unwritten.is_none(), "{case}: {:?}", report.unwritten);
            assert_eq!(report.state, RunState::Succeeded, "{case}: {:?}", report.summary.errors());
            let value = report.outputs[0].as_ref().and_then(|value| value.downcast_ref::<i64>());
            figures.wrong += u64::from(value != Some(&right));
        }
        Err(RunsError::Succeeded { .. }) => {
            assert_eq!(past(store, id).ended(), Some(RunState::Succeeded), "{case}");
        }
        Err(error) => panic!("{case}: {error}"),
    }
}

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

fn sqlite(folder: &Path, name: &str) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(&folder.join(name)).expect("the folder can be written"))
}

/// All three jobs, each on a store in memory and on one in files, side by side: they mostly wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s5_1_whatever_write_fails_nothing_told_is_lost_and_nothing_recorded_runs_again() {
    let folder = &tempfile::tempdir().expect("a folder");
    let file = |name| move || sqlite(folder.path(), name);
    let files = ["squares", "spelled", "paired"].map(file);
    let all = tokio::join!(
        every_write(|| squares::job().args(()), 30, &memory, 240),
        every_write(|| spelled::job().args(()), 70_009, &memory, 240),
        every_write(|| paired::job().args(()), 107_977, &memory, 240),
        every_write(|| squares::job().args(()), 30, &files[0], 100),
        every_write(|| spelled::job().args(()), 70_009, &files[1], 100),
        every_write(|| paired::job().args(()), 107_977, &files[2], 100),
    );
    let mut sum = Figures::default();
    for one in [all.0, all.1, all.2, all.3, all.4, all.5] {
        sum.faults += one.faults;
        sum.told += one.told;
        sum.resumed += one.resumed;
        sum.ran_again += one.ran_again;
        sum.lost += one.lost;
        sum.doubled += one.doubled;
        sum.wrong += one.wrong;
    }
    println!("store faults: {sum:?}");
    assert_eq!((sum.lost, sum.doubled, sum.wrong), (0, 0, 0));
    assert!(sum.faults >= 1_000, "only {} faults", sum.faults);
}
