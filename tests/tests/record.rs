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

/// Notes every event.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl fanfold::Sink for Told {
    fn events(&mut self, shape: &fanfold::Shape, batch: &fanfold::Batch) {
        let told = batch.events.iter().map(|event| match &event.kind {
            fanfold::EventKind::StepStarted { step, attempt } => format!("{} {attempt}", step.name(shape)),
            other => format!("{other:?}"),
        });
        self.0.lock().unwrap().extend(told);
    }
}

#[tokio::test]
async fn s4_7_attempt_numbers_go_on_after_a_resume_and_the_allowance_is_new() {
    static SEEN: Mutex<Vec<u32>> = Mutex::new(Vec::new());
    static BROKEN: AtomicBool = AtomicBool::new(true);
    #[op(retry(max = 1))]
    fn shaky(ctx: &OpContext) -> Result<i64, String> {
        SEEN.lock().unwrap().push(ctx.attempt());
        if BROKEN.load(SeqCst) { Err("broken".to_owned()) } else { Ok(1) }
    }
    #[job]
    fn shakes() -> Out<i64> {
        shaky()
    }
    let runs = runs();
    let state = shakes::job().args(()).record(&runs).start().await.unwrap().wait().await.state;
    assert_eq!(state, RunState::Failed);
    let id = only_run(&runs);
    let state = runs.resume(&id, Begin::default()).await.unwrap().wait().await.state;
    assert_eq!(state, RunState::Failed);
    BROKEN.store(false, SeqCst);
    let state = runs.resume(&id, Begin::default()).await.unwrap().wait().await.state;
    assert_eq!(state, RunState::Succeeded);
    assert_eq!(*SEEN.lock().unwrap(), [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn s5_1_a_sink_that_panics_ends_neither_the_run_nor_its_record() {
    struct Panics;
    impl fanfold::Sink for Panics {
        fn events(&mut self, _: &fanfold::Shape, _: &fanfold::Batch) {
            panic!("a sink");
        }
    }
    #[op]
    fn one() -> i64 {
        1
    }
    #[job]
    fn ones() -> Out<i64> {
        one()
    }
    let (runs, told) = (runs(), Told::default());
    let run = ones::job().args(()).record(&runs).sink(Panics).sink(told.clone());
    assert_eq!(run.run().await.unwrap(), 1);
    assert!(told.0.lock().unwrap().iter().any(|event| event == "one 1"));
    assert_eq!(
        runs.list(&Default::default()).unwrap()[0].standing,
        fanfold::store::Standing::Ended(RunState::Succeeded)
    );
}

#[tokio::test]
async fn s4_6_a_resumed_run_that_is_cancelled_leaves_no_step_without_a_state() {
    static BROKEN: AtomicBool = AtomicBool::new(true);
    #[op(dynamic_out(by_index))]
    fn five() -> impl Iterator<Item = i64> {
        0..5
    }
    #[op]
    async fn waits(ctx: &OpContext, x: i64) -> Result<i64, String> {
        if BROKEN.load(SeqCst) {
            return Err("broken".to_owned());
        }
        ctx.cancelled().await;
        Ok(x)
    }
    #[op]
    fn total(all: Vec<i64>) -> i64 {
        all.iter().sum()
    }
    #[job(max_concurrent = 1)]
    fn waiting() -> Out<i64> {
        total(five().map(waits).collect())
    }
    let runs = runs();
    let state = waiting::job().args(()).record(&runs).start().await.unwrap().wait().await.state;
    assert_eq!(state, RunState::Failed);
    BROKEN.store(false, SeqCst);
    let handle = runs.resume(&only_run(&runs), Begin::default()).await.unwrap();
    handle.cancel("enough");
    let report = handle.wait().await;
    assert_eq!(report.state, RunState::Cancelled);
    let ended: u64 = StepState::ALL
        .iter()
        .filter(|state| !matches!(state, StepState::Running | StepState::Waiting))
        .map(|state| count(&report, *state))
        .sum();
    assert_eq!(ended, 7, "{:?}", report.summary);
}

#[tokio::test]
async fn s5_3_a_rerun_runs_what_is_selected_and_takes_the_rest() {
    static RAN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    #[op(dynamic_out(by_index))]
    fn three() -> impl Iterator<Item = i64> {
        RAN.lock().unwrap().push("three".to_owned());
        0..3
    }
    #[op]
    fn tenfold(x: i64) -> i64 {
        RAN.lock().unwrap().push(format!("tenfold {x}"));
        x * 10
    }
    #[op]
    fn total(all: Vec<i64>) -> i64 {
        RAN.lock().unwrap().push("total".to_owned());
        all.iter().sum()
    }
    #[job]
    fn tens() -> Out<i64> {
        total(three().map(tenfold).collect())
    }
    let runs = runs();
    assert_eq!(tens::job().args(()).record(&runs).run().await.unwrap(), 30);
    let id = only_run(&runs);
    RAN.lock().unwrap().clear();
    let rerun = runs.plan_rerun(&id, Some(&"tenfold[1]*".parse().unwrap())).unwrap();
    assert_eq!((rerun.count().runs, rerun.count().reused), (2, 3));
    let report = rerun.start(Begin::default()).await.unwrap().wait().await;
    assert_eq!(report.state, RunState::Succeeded, "{:?}", report.unwritten);
    assert_eq!(report.outputs[0].as_ref().unwrap().downcast_ref::<i64>(), Some(&30));
    assert_eq!(*RAN.lock().unwrap(), ["tenfold 1", "total"]);
    assert_eq!(report.summary.reused(&report.shape), 3);
    let rows = runs.list(&Default::default()).unwrap();
    assert_eq!(rows[0].parent.as_deref(), Some(&*id));
    // The new run stands alone.
    runs.store().remove(&id, false).unwrap();
    let rerun = runs.plan_rerun(&rows[0].id, Some(&"total".parse().unwrap())).unwrap();
    assert_eq!((rerun.count().runs, rerun.count().reused), (1, 4));
}

#[tokio::test]
async fn s5_2_a_run_that_died_before_its_first_commit_is_resumed_from_the_beginning() {
    #[op]
    fn one() -> i64 {
        1
    }
    #[job]
    fn hardly() -> Out<i64> {
        one()
    }
    let store = Arc::new(MemoryStore::new());
    let runs = Runs::of(Arc::new(FaultyStore::new(store.clone(), 2, Fault::DiesBefore)));
    let report = hardly::job().args(()).record(&runs).start().await.unwrap().wait().await;
    assert!(report.unwritten.is_some(), "its first commit failed");
    let runs = Runs::of(store);
    let report = runs.resume(&only_run(&runs), Begin::default()).await.unwrap().wait().await;
    assert_eq!(report.state, RunState::Succeeded, "{:?}", report.unwritten);
}

#[tokio::test]
async fn s4_8_the_order_is_that_of_the_last_attempt_also_after_another_resume() {
    static SESSION: AtomicU32 = AtomicU32::new(0);
    #[op(dynamic_out)]
    fn letters() -> impl Iterator<Item = Result<DynamicOutput<String>, String>> {
        let session = SESSION.load(SeqCst);
        let order = if session == 0 { "abc!" } else { "cba" };
        order.chars().map(|letter| match letter {
            '!' => Err("the page is gone".to_owned()),
            letter => Ok(DynamicOutput::new(letter, letter.to_string())),
        })
    }
    #[op]
    fn joined(all: Vec<String>) -> Result<String, String> {
        if SESSION.load(SeqCst) < 2 { Err("broken".to_owned()) } else { Ok(all.concat()) }
    }
    #[job]
    fn reversed() -> Out<String> {
        joined(letters().collect())
    }
    let runs = runs();
    let state = reversed::job().args(()).record(&runs).start().await.unwrap().wait().await.state;
    assert_eq!(state, RunState::Failed);
    let id = only_run(&runs);
    for session in 1..3 {
        SESSION.store(session, SeqCst);
        let report = runs.resume(&id, Begin::default()).await.unwrap().wait().await;
        assert!(report.unwritten.is_none(), "{:?}", report.unwritten);
        if session == 2 {
            assert_eq!(report.outputs[0].as_ref().unwrap().downcast_ref::<String>().unwrap(), "cba");
        }
    }
}
