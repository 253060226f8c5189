//! Ops that hold threads, leave some behind, call the engine, or never end giving.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use fanfold::prelude::*;
use fanfold::runs::Runs;
use fanfold::store::{RunFilter, Standing};
use fanfold::{RunOptions, RunState};

use crate::common::{Gate, lock, watched};
use crate::place::{Place, Told};

#[op]
fn total(all: Vec<i64>) -> i64 {
    all.iter().sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_async_op_that_blocks_its_thread_holds_up_no_other() {
    static OTHERS: Gate = Gate::new();
    #[op]
    async fn blocks() -> i64 {
        // Until all the others have ended.
        OTHERS.pass();
        1
    }
    #[op]
    async fn yields(n: i64) -> i64 {
        // Not `yield_now` of tokio's: what that puts off stays with its thread, and that one may block.
        let mut waited = false;
        std::future::poll_fn(|task| {
            if std::mem::replace(&mut waited, true) {
                return std::task::Poll::Ready(());
            }
            task.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
        n
    }
    #[op]
    fn all_ended(list: Vec<i64>) -> i64 {
        OTHERS.open();
        total::call(list)
    }
    #[job]
    fn blocked() -> Out<i64> {
        let one = blocks();
        total([one, all_ended((0..50).map(yields).collect::<Vec<_>>())])
    }
    let story = Place::new().run(blocked::job().args(())).await;
    assert_eq!(story.gave::<i64>(), 1 + 49 * 50 / 2, "{:#?}", story.lines);
}

#[tokio::test]
async fn a_run_ends_though_its_ops_leave_threads_and_tasks_behind() {
    static STUCK: Gate = Gate::new();
    #[op]
    async fn leaves_behind(n: i64) -> i64 {
        std::thread::spawn(|| STUCK.pass());
        tokio::spawn(STUCK.passed());
        n
    }
    #[job]
    fn leaves_much_behind() -> Out<i64> {
        total((0..20).map(leaves_behind).collect::<Vec<_>>())
    }
    let place = Place::new();
    assert_eq!(place.run(leaves_much_behind::job().args(())).await.gave::<i64>(), 190);
    assert_eq!(place.run(leaves_much_behind::job().args(())).await.gave::<i64>(), 190);
    STUCK.open();
}

#[op]
fn inc(x: i64) -> i64 {
    x + 1
}

#[job]
fn sums(n: Out<i64>) -> Out<i64> {
    total([inc(n), inc(n)])
}

/// The store that ops record runs of their own in.
static RUNS: std::sync::Mutex<Option<Runs>> = std::sync::Mutex::new(None);

fn runs() -> Runs {
    lock(&RUNS).clone().expect("the test puts them there")
}

#[op]
async fn inside_a_task(n: i64) -> i64 {
    sums::job().args((n,)).record(&runs()).run().await.expect("it runs")
}

#[op]
fn inside_a_thread(n: i64) -> i64 {
    let run = sums::job().args((n,)).record(&runs()).run();
    tokio::runtime::Handle::current().block_on(run).expect("it runs")
}

#[job(max_concurrent = 2)]
fn runs_in_runs() -> Out<i64> {
    let all = [inside_a_task(1), inside_a_thread(2)];
    let more = (0..10).flat_map(|n| [inside_a_task(n), inside_a_thread(n)]);
    total([total(all), total(more.collect::<Vec<_>>())])
}

async fn ops_record_runs_in_the_same_store() {
    let place = Place::new();
    *lock(&RUNS) = Some(place.runs.clone());
    let story = place.run(runs_in_runs::job().args(())).await;
    lock(&RUNS).take();
    assert_eq!(story.gave::<i64>(), (4 + 6) + 2 * (20 + 2 * 45));
    let all = place.runs.list(&RunFilter::default()).expect("they can be read");
    assert_eq!(all.len(), 23);
    assert!(all.iter().all(|run| run.standing == Standing::Ended(RunState::Succeeded)), "{all:#?}");
}

#[test]
fn ops_may_record_runs_of_their_own_in_the_same_store() {
    // One after the other, as they share where their ops record.
    let current = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    current.block_on(ops_record_runs_in_the_same_store());
    let many = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    many.expect("a runtime").block_on(ops_record_runs_in_the_same_store());
}

#[tokio::test]
async fn an_endless_emitter_is_held_back_and_cancelled_and_all_that_ended_is_recorded() {
    static GIVEN: AtomicU64 = AtomicU64::new(0);
    static FIRST: Gate = Gate::new();
    static GO_ON: Gate = Gate::new();
    #[op(dynamic_out(by_index))]
    fn endless() -> impl Iterator<Item = u64> {
        (0..).inspect(|_| {
            GIVEN.fetch_add(1, SeqCst);
        })
    }
    #[op]
    async fn waits(n: u64) -> u64 {
        if n == 0 {
            FIRST.open();
        }
        GO_ON.passed().await;
        n
    }
    #[job]
    fn never_ends() {
        let _ = endless().map(waits);
    }
    let place = Place::new();
    let told = Told::default();
    let options = RunOptions { max_concurrent: Some(4), ..RunOptions::default() };
    let run = never_ends::job().args(()).options(options).record(&place.runs).sink(told.clone());
    let handle = run.start().await.expect("it begins");
    watched(FIRST.passed()).await;
    // Nothing ends while the gate is closed, so no more is given than may be open at once.
    assert!(GIVEN.load(SeqCst) <= 1024 + 1, "{}", GIVEN.load(SeqCst));
    GO_ON.open();
    watched(async {
        while told.lines().len() < 3000 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let open = GIVEN.load(SeqCst) - told.lines().len() as u64;
    handle.cancel("enough");
    let report = watched(handle.wait()).await;
    assert_eq!(report.state, RunState::Cancelled);
    // What has ended and was not told yet is not open either: so this is no tight bound.
    assert!(open < 1 << 18, "{open} items were given that had not ended");
    let recorded = place.recorded(&report.run_id);
    assert_eq!(recorded, told.lines());
    assert_eq!(recorded.last().expect("it has ended"), "ended Cancelled");
}
