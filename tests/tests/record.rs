//! Recorded runs: begun, interrupted, resumed and run again (§5).

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

use fanfold::prelude::*;
use fanfold::runs::{Begin, Runs};
use fanfold::store::MemoryStore;
use fanfold::{RunReport, RunState, StepState};
use fanfold_tests::faulty::{Fault, FaultyStore};

fn runs() -> Runs {
    Runs::of(Arc::new(MemoryStore::new()))
}

/// The id of the only run.
fn only_run(runs: &Runs) -> String {
    let all = runs.list(&Default::default()).unwrap();
    assert_eq!(all.len(), 1);
    all[0].id.clone()
}

fn count(report: &RunReport, state: StepState) -> u64 {
    report.summary.total(&report.shape, state)
}

#[tokio::test]
async fn s5_2_five_items_interrupted_at_the_third_give_all_five() {
    static BROKEN: AtomicBool = AtomicBool::new(true);
    static RAN: Mutex<Vec<i64>> = Mutex::new(Vec::new());
    #[op(dynamic_out(by_index))]
    fn five() -> impl Iterator<Item = i64> {
        0..5
    }
    #[op]
    fn square(x: i64) -> Result<i64, String> {
        if x == 2 && BROKEN.load(SeqCst) {
            return Err("broken".to_owned());
        }
        RAN.lock().unwrap().push(x);
        Ok(x * x)
    }
    #[op]
    fn total(all: Vec<i64>) -> i64 {
        all.iter().sum()
    }
    #[job]
    fn squares() -> Out<i64> {
        total(five().map(square).collect())
    }
    let runs = runs();
    let report = squares::job().args(()).record(&runs).start().await.unwrap().wait().await;
    assert_eq!(report.state, RunState::Failed);
    assert!(report.unwritten.is_none(), "{:?}", report.unwritten);
    assert_eq!(RAN.lock().unwrap().len(), 4);
    BROKEN.store(false, SeqCst);
    let id = only_run(&runs);
    let report = runs.resume(&id, Begin::default()).await.unwrap().wait().await;
    assert_eq!(report.state, RunState::Succeeded, "{:?} {:?}", report.unwritten, report.summary.errors());
    let sum = report.outputs[0].as_ref().unwrap().downcast_ref::<i64>();
    assert_eq!(sum, Some(&30));
    assert_eq!(RAN.lock().unwrap().len(), 5, "only what had not succeeded ran again");
    assert_eq!(count(&report, StepState::Succeeded), 7);
    assert_eq!(count(&report, StepState::Failed), 0);
}

#[tokio::test]
async fn s4_8_an_emitter_and_a_copy_that_failed_are_resumed_without_a_doubled_item() {
    static ATTEMPTS: AtomicU32 = AtomicU32::new(0);
    static BROKEN: AtomicBool = AtomicBool::new(true);
    static RAN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    #[op(dynamic_out, retry(max = 1))]
    fn letters() -> impl Iterator<Item = Result<DynamicOutput<String>, String>> {
        let first = ATTEMPTS.fetch_add(1, SeqCst) == 0;
        ["a", "b", "c"].into_iter().enumerate().map(move |(index, letter)| match (first, index) {
            (true, 2) => Err("the page is gone".to_owned()),
            _ => Ok(DynamicOutput::new(letter, letter.to_owned())),
        })
    }
    #[op]
    fn upper(letter: String) -> Result<String, String> {
        if letter == "b" && BROKEN.load(SeqCst) {
            return Err("broken".to_owned());
        }
        RAN.lock().unwrap().push(letter.clone());
        Ok(letter.to_uppercase())
    }
    #[op]
    fn joined(all: Vec<String>) -> String {
        all.concat()
    }
    #[job]
    fn spelled() -> Out<String> {
        joined(letters().map(upper).collect())
    }
    let runs = runs();
    let report = spelled::job().args(()).record(&runs).start().await.unwrap().wait().await;
    assert_eq!(report.state, RunState::Failed);
    BROKEN.store(false, SeqCst);
    let report = runs.resume(&only_run(&runs), Begin::default()).await.unwrap().wait().await;
    assert_eq!(report.state, RunState::Succeeded, "{:?}", report.unwritten);
    assert_eq!(report.outputs[0].as_ref().unwrap().downcast_ref::<String>().unwrap(), "ABC");
    let mut ran = RAN.lock().unwrap().clone();
    ran.sort();
    assert_eq!(ran, ["a", "b", "c"], "each once");
    assert_eq!(ATTEMPTS.load(SeqCst), 2, "the emitter had succeeded");
}

#[tokio::test]
async fn s5_2_a_run_whose_process_died_before_its_first_commit_is_resumed() {
    #[op]
    fn one() -> u32 {
        1
    }
    #[job]
    fn single() -> Out<u32> {
        one()
    }
    let store = Arc::new(MemoryStore::new());
    // The first write enters the run, the second is the first commit.
    let dying = FaultyStore::new(store.clone(), 2, Fault::DiesBefore);
    let report =
        single::job().args(()).record(&Runs::of(Arc::new(dying))).start().await.unwrap().wait().await;
    assert!(report.unwritten.is_some());
    let runs = Runs::of(store);
    let report = runs.resume(&only_run(&runs), Begin::default()).await.unwrap().wait().await;
    assert_eq!(report.state, RunState::Succeeded, "{:?}", report.unwritten);
    assert_eq!(report.outputs[0].as_ref().unwrap().downcast_ref::<u32>(), Some(&1));
}
