//! Stores that are slow, locked, or changed while a run is recorded or read.

mod common;
#[path = "faults/place.rs"]
mod place;
#[path = "faults/slow.rs"]
mod slow;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant, SystemTime};

use common::{Gate, lock, watched};
use fanfold::prelude::*;
use fanfold::record::Reader;
use fanfold::runs::Runs;
use fanfold::store::{MemoryStore, NewRun, RunFilter, Store, StoreError};
use fanfold::{RunOptions, RunState};
use place::{Place, Told};
use rusqlite::Connection;
use slow::SlowStore;

static GIVEN: AtomicU64 = AtomicU64::new(0);

#[op(dynamic_out(by_index))]
fn endless() -> impl Iterator<Item = u64> {
    0..
}

/// Just short enough to stand in the log itself.
#[op]
fn page(n: u64) -> String {
    GIVEN.fetch_add(1, SeqCst);
    format!("{n:060000}")
}

#[job(max_concurrent = 2)]
fn pages() {
    let _ = endless().map(page);
}

#[tokio::test]
async fn while_the_store_does_not_answer_steps_wait_and_cancelling_is_heard() {
    static ANSWERS: Gate = Gate::new();
    let runs = Runs::of(Arc::new(SlowStore { store: Arc::new(MemoryStore::new()), answers: &ANSWERS }));
    let told = Told::default();
    let handle = pages::job().args(()).record(&runs).sink(told.clone()).start().await.expect("it begins");
    // 32 MiB may wait to be written; in debug builds so many are made in a moment.
    let wait = async {
        while GIVEN.load(SeqCst) < 500 {
            tokio::task::yield_now().await;
        }
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(500) {
            tokio::task::yield_now().await;
        }
    };
    watched(wait).await;
    handle.cancel("enough");
    assert_eq!(told.lines(), [""; 0], "nothing is told that is not recorded");
    ANSWERS.open();
    let report = watched(handle.wait()).await;
    assert_eq!(report.state, RunState::Cancelled);
    assert!(report.unwritten.is_none(), "{:?}", report.unwritten);
    let given = GIVEN.load(SeqCst);
    assert!(given < 1000, "{given} steps were run while nothing could be written");
    assert!(told.lines().contains(&"cancelling: enough".to_owned()));
}

/// Holds SQLite's lock from the middle of a run on.
static FOREIGN: std::sync::Mutex<Option<Connection>> = std::sync::Mutex::new(None);
static FOR_EVER: AtomicBool = AtomicBool::new(false);

#[op]
fn locks(path: String) -> u64 {
    if let Some(conn) = &*lock(&FOREIGN) {
        conn.execute_batch("BEGIN EXCLUSIVE").expect("it gets its turn");
    }
    let _ = path;
    if !FOR_EVER.load(SeqCst) {
        std::thread::spawn(|| {
            std::thread::park_timeout(Duration::from_millis(700));
            lock(&FOREIGN).take();
        });
    }
    1
}

#[op]
fn goes_on(n: u64) -> u64 {
    n + 1
}

#[job]
fn locked(path: Out<String>) -> Out<u64> {
    goes_on(goes_on(locks(path)))
}

#[tokio::test]
async fn a_foreign_lock_is_waited_for_and_ends_the_run_if_it_is_never_given_up() {
    let place = Place::new();
    let foreign = || {
        let conn = Connection::open(place.path()).expect("it opens");
        conn.busy_timeout(Duration::from_secs(30)).expect("it can be set");
        *lock(&FOREIGN) = Some(conn);
    };
    foreign();
    let job = || locked::job().args((String::new(),));
    assert_eq!(place.run(job()).await.gave::<u64>(), 3);
    foreign();
    FOR_EVER.store(true, SeqCst);
    let handle = job().record(&place.runs).start().await.expect("it begins");
    let report = watched(handle.wait()).await;
    assert_eq!(report.state, RunState::Failed);
    let why = report.unwritten.expect("it could not be written").to_string();
    assert!(why.contains("holds SQLite's lock") && why.contains("close it there"), "{why}");
    lock(&FOREIGN).take();
    assert_eq!(place.resume().await.gave::<u64>(), 3);
}

#[op(dynamic_out(by_index))]
fn few() -> impl Iterator<Item = u64> {
    0..50
}

/// The run that the op is part of, and its store.
static OWN: std::sync::Mutex<Option<Arc<dyn Store>>> = std::sync::Mutex::new(None);

#[op]
fn removes_itself(ctx: &OpContext, n: u64) -> Result<u64, OpError> {
    let store = lock(&OWN).clone().expect("the test puts it there");
    match store.remove(ctx.run_id(), false) {
        Err(StoreError::Held { .. }) => Ok(n),
        other => Err(OpError::new(format!("{other:?}"))),
    }
}

#[job]
fn removed() -> Out<Vec<u64>> {
    few().map(removes_itself).collect()
}

#[tokio::test]
async fn a_run_is_not_removed_while_it_is_driven_and_its_readers_are_told_when_it_is() {
    let place = Place::new();
    *lock(&OWN) = Some(Arc::clone(place.store()));
    let options = RunOptions { max_concurrent: Some(1), ..RunOptions::default() };
    let story = place.run(removed::job().args(()).options(options)).await;
    lock(&OWN).take();
    assert!(story.is(RunState::Succeeded), "{:#?}", &story.lines[..5]);
    let mut reader = Reader::open(Arc::clone(place.store()), &place.latest()).expect("it can be read");
    let mut batches = reader.batches(0);
    assert!(batches.next().expect("there is one").is_ok());
    place.store().remove(&place.latest(), false).expect("nobody drives it");
    // What was read before the removal may still come; then it is said to be gone.
    if let Some(Err(error)) = batches.find(Result::is_err) {
        assert!(error.to_string().contains("there is no run"), "{error}");
    }
    drop(batches);
    let gone = reader.refresh().expect_err("it is gone").to_string();
    assert!(gone.contains("there is no run"), "{gone}");
    assert!(place.runs.list(&RunFilter::default()).expect("it can be read").is_empty());
}

#[test]
fn runs_are_in_the_order_in_which_they_began_whatever_the_clock_said() {
    let place = Place::new();
    let year = Duration::from_secs(365 * 24 * 3600);
    let now = SystemTime::now();
    let clock =
        [("now", now), ("future", now + 10 * year), ("past", SystemTime::UNIX_EPOCH), ("back", now - year)];
    for (id, started) in clock {
        let (id, job, facts) = (id.to_owned(), "job".to_owned(), String::new());
        drop(place.store().create(NewRun { id, job, started, parent: None, facts, tags: vec![] }));
    }
    let all = place.runs.list(&RunFilter::default()).expect("they can be read");
    let ids: Vec<_> = all.iter().map(|run| run.id.as_str()).collect();
    assert_eq!(ids, ["back", "past", "future", "now"]);
    assert_eq!(place.latest(), "back");
}
