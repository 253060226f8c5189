//! Jobs inside other programs: any runtime, several runs at once, resources, limits, checks.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use common::{Gate, Gauge, Seen, Watch, run, states, watched};
use fanfold::prelude::*;
use fanfold::{
    Batch, EventKind, PoolLimit, Rate, RunError, RunOptions, RunState, Shape, Sink, StartError, StepState,
};

#[op(dynamic_out(by_index))]
fn emit(n: i64) -> Vec<i64> {
    (0..n).collect()
}

#[op]
fn inc(x: i64) -> i64 {
    x + 1
}

#[op]
async fn dbl(x: i64) -> i64 {
    tokio::task::yield_now().await;
    2 * x
}

#[op]
fn total(xs: &[i64]) -> i64 {
    xs.iter().sum()
}

/// Twice the sum of 1 to n.
#[job]
fn sums(n: Out<i64>) -> Out<i64> {
    total(emit(n).map(inc).map(dbl).collect())
}

// --- runtimes

#[tokio::test]
async fn a_job_runs_in_a_current_thread_runtime() {
    assert_eq!(run(sums::job().args((10,))).await.output(), 110);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_job_runs_in_a_multi_thread_runtime() {
    assert_eq!(run(sums::job().args((1_000,))).await.output(), 1_001_000);
}

#[test]
fn a_job_runs_in_a_runtime_of_the_programs_own_without_timers_or_sockets_of_its() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let report = runtime.block_on(async { sums::job().args((10,)).start().await.unwrap().wait().await });
    assert_eq!(*report.outputs[0].as_ref().unwrap().downcast_ref::<i64>().unwrap(), 110);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_runs_go_on_at_once_and_know_nothing_of_one_another() {
    let runs = (0..40).map(|n| {
        tokio::spawn(async move {
            let run = run(sums::job().args((n,))).await;
            (run.report().run_id.clone(), run.output())
        })
    });
    let mut ids = std::collections::BTreeSet::new();
    for (n, run) in (0..).zip(runs.collect::<Vec<_>>()) {
        let (id, output) = watched(run).await.unwrap();
        assert_eq!(output, n * (n + 1));
        ids.insert(id);
    }
    assert_eq!(ids.len(), 40);
}

#[tokio::test]
async fn the_failure_of_one_run_is_none_of_another() {
    #[op]
    fn fail_if(fail: bool) -> Result<bool, String> {
        if fail { Err("no".to_owned()) } else { Ok(fail) }
    }
    #[job(fail_fast)]
    fn may_fail(fail: Out<bool>) -> Out<bool> {
        fail_if(fail)
    }
    let runs = (0..20).map(|n| run(may_fail::job().args((n % 2 == 0,))));
    let mut runs: Vec<_> = runs.map(Box::pin).collect();
    for (n, run) in runs.iter_mut().enumerate() {
        let expected = if n % 2 == 0 { RunState::Failed } else { RunState::Succeeded };
        assert_eq!(run.await.state(), expected);
    }
}

#[tokio::test]
async fn many_runs_one_after_another() {
    for n in 0..200 {
        assert_eq!(run(sums::job().args((n % 5,))).await.state(), RunState::Succeeded);
    }
}

// --- ops that use the engine, or a runtime, themselves

async fn runs_inside_ops() {
    #[op]
    async fn inside_a_task(n: i64) -> i64 {
        sums::job().args((n,)).run_in_memory().await.unwrap().output()
    }
    #[op]
    fn inside_a_thread(n: i64) -> i64 {
        let handle = tokio::runtime::Handle::current();
        handle.block_on(sums::job().args((n,)).run_in_memory()).unwrap().output()
    }
    #[op]
    fn in_a_runtime_of_its_own(n: i64) -> i64 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(sums::job().args((n,)).run_in_memory()).unwrap().output()
    }
    #[op]
    async fn in_another_task(n: i64) -> i64 {
        tokio::spawn(async move { sums::job().args((n,)).run_in_memory().await.unwrap().output() })
            .await
            .unwrap()
    }
    #[op]
    fn waits_on_a_future(n: i64) -> i64 {
        tokio::runtime::Handle::current().block_on(async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            n
        })
    }
    #[job(max_concurrent = 1)]
    fn nested() -> (Out<Vec<i64>>, Out<i64>) {
        let all = [inside_a_task(3), inside_a_thread(4), in_a_runtime_of_its_own(5), in_another_task(6)];
        (list(all), total(emit(3).map(inside_a_thread).map(waits_on_a_future).collect()))
    }
    #[op]
    fn list(xs: Vec<i64>) -> Vec<i64> {
        xs
    }
    assert_eq!(run(nested::job().args(())).await.output(), (vec![12, 20, 30, 42], 2 + 6));
}

#[tokio::test]
async fn an_op_runs_a_job_in_a_current_thread_runtime() {
    runs_inside_ops().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_op_runs_a_job_in_a_multi_thread_runtime() {
    runs_inside_ops().await;
}

#[tokio::test]
async fn an_op_that_leaves_a_thread_and_a_task_behind_does_not_hold_up_the_run() {
    static STUCK: Gate = Gate::new();
    #[op]
    async fn leaks() -> i64 {
        std::thread::spawn(|| STUCK.pass());
        tokio::spawn(STUCK.passed());
        1
    }
    #[job]
    fn leaking() -> Out<i64> {
        leaks()
    }
    assert_eq!(run(leaking::job().args(())).await.output(), 1);
    STUCK.open();
}

// --- handles and sinks

#[tokio::test]
async fn a_dropped_handle_cancels_its_run() {
    static BEGUN: Gate = Gate::new();
    #[op]
    async fn waits(ctx: &OpContext) {
        BEGUN.open();
        ctx.cancelled().await;
    }
    #[job]
    fn dropped() {
        let _ = waits();
    }
    let watch = Watch::default();
    let handle = dropped::job().args(()).sink(watch.clone()).start().await.unwrap();
    watched(BEGUN.passed()).await;
    drop(handle);
    watch.until("ended Cancelled").await;
    assert!(watch.lines().contains(&"cancelled waits".to_owned()));
}

#[tokio::test]
async fn a_dropped_future_of_a_run_cancels_it_too() {
    static BEGUN: Gate = Gate::new();
    #[op]
    async fn waits(ctx: &OpContext) {
        BEGUN.open();
        ctx.cancelled().await;
    }
    #[job]
    fn forgotten() {
        let _ = waits();
    }
    let watch = Watch::default();
    let job = forgotten::job().args(()).sink(watch.clone());
    tokio::select! {
        biased;
        _ = job.run_in_memory() => panic!("it waits"),
        () = watched(BEGUN.passed()) => {}
    }
    watch.until("ended Cancelled").await;
}

#[tokio::test]
async fn every_sink_is_told_everything_in_order() {
    #[derive(Clone, Default)]
    struct Counts(Arc<std::sync::Mutex<Vec<Duration>>>);
    impl Sink for Counts {
        fn events(&mut self, shape: &Shape, batch: &Batch) {
            assert_eq!(shape.job, "sums");
            common::lock(&self.0).extend(batch.events.iter().map(|event| event.at));
        }
    }
    let (one, two) = (Counts::default(), Counts::default());
    let run = run(sums::job().args((50,)).sink(one.clone()).sink(two.clone())).await;
    let told = common::lock(&one.0).clone();
    assert_eq!(told.len(), run.events().len());
    assert_eq!(told, *common::lock(&two.0));
    assert!(told.is_sorted());
    assert!(matches!(run.events()[0].kind, EventKind::RunStarted { .. }));
}

#[tokio::test]
async fn a_run_says_who_it_is_and_how_it_ended() {
    let handle = sums::job().args((3,)).start().await.unwrap();
    let id = handle.run_id().to_owned();
    let report = watched(handle.wait()).await;
    assert_eq!((report.run_id, report.job, report.state), (id, "sums", RunState::Succeeded));
    assert_eq!(*report.outputs[0].as_ref().unwrap().downcast_ref::<i64>().unwrap(), 12);
}

#[tokio::test]
async fn what_a_test_sees_of_a_run() {
    let run = run(sums::job().args((3,))).await;
    assert_eq!(run.outputs_of::<i64>("inc"), [1, 2, 3]);
    assert_eq!(run.step::<i64>("dbl[2]"), Some(6));
    assert_eq!((run.step::<i64>("dbl[3]"), run.state_of("dbl[3]")), (None, None));
    assert_eq!(run.state_of("total"), Some(StepState::Succeeded));
    assert_eq!(states(&run).len(), 8);
    let wrong = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run.step::<String>("total")));
    let message = wrong.unwrap_err();
    assert!(message.downcast_ref::<String>().unwrap().contains("`total`"));
}

#[tokio::test]
async fn the_output_of_a_run_that_failed_says_which_steps_did() {
    #[op]
    fn fails() -> Result<i64, String> {
        Err("on purpose".to_owned())
    }
    #[job]
    fn gives_none() -> Out<i64> {
        fails()
    }
    let run = run(gives_none::job().args(())).await;
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run.output())).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("`gives_none`") && message.contains("fails: on purpose"), "{message}");
}

// --- resources

static LIFE: Seen = Seen::new();

struct Config(u32);
struct Pool(Arc<Config>);
struct Client(u32);

impl Drop for Config {
    fn drop(&mut self) {
        LIFE.push("config down");
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        LIFE.push("pool down");
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        LIFE.push("client down");
    }
}

#[resource]
fn config() -> Config {
    LIFE.push("config up");
    Config(7)
}

#[resource]
async fn connection_pool(config: Arc<Config>) -> Result<Pool, std::io::Error> {
    tokio::task::yield_now().await;
    LIFE.push("pool up");
    Ok(Pool(config))
}

#[resource]
fn client(pool: &Pool, config: &Config) -> Client {
    LIFE.push("client up");
    Client(pool.0.0 + config.0)
}

#[op]
fn ask(#[resource] client: &Client, #[resource] config: Arc<Config>, x: u32) -> u32 {
    client.0 + config.0 + x
}

#[op]
async fn ask_later(#[resource] client: Arc<Client>, #[resource] config: &Config, x: u32) -> u32 {
    tokio::task::yield_now().await;
    client.0 + config.0 + x
}

#[op(dynamic_out(by_index))]
fn ask_for_many(#[resource] config: &Config) -> impl Iterator<Item = u32> {
    0..config.0
}

#[op]
fn sum(xs: &[u32]) -> u32 {
    xs.iter().sum()
}

#[job]
fn asks() -> Out<u32> {
    sum(ask_for_many().map(|x| ask_later(ask(x))).collect())
}

#[op]
async fn wait_at(#[resource] _client: &Client, gate: bool) -> u32 {
    if gate {
        SHARED.passed().await;
    }
    1
}

static SHARED: Gate = Gate::new();

#[job]
fn holds() -> Out<u32> {
    wait_at(true)
}

/// One test, as it speaks of what the whole process holds.
#[tokio::test]
async fn resources_are_built_once_shared_and_torn_down_last_built_first() {
    let up = ["config up", "pool up", "client up"];
    let down = ["client down", "pool down", "config down"];
    assert_eq!(run(asks::job().args(())).await.output(), 7 * (21 + 21) + 21);
    assert_eq!(LIFE.list(), [up, down].concat(), "down before the run is given back");

    // A second run while one holds them shares them.
    let handle = holds::job().args(()).start().await.unwrap();
    for _ in 0..3 {
        assert_eq!(run(asks::job().args(())).await.output(), 7 * (21 + 21) + 21);
    }
    assert_eq!(LIFE.list(), [up, down, up].concat());
    SHARED.open();
    assert_eq!(watched(handle.wait()).await.state, RunState::Succeeded);
    assert_eq!(LIFE.list(), [up, down, up, down].concat());

    // A run that is cancelled lets go of them as well.
    let handle = asks::job().args(()).start().await.unwrap();
    handle.cancel_now("enough");
    watched(handle.wait()).await;
    assert_eq!(LIFE.list().len(), 18);
}

#[tokio::test]
async fn a_resource_that_nothing_builds_is_an_error_at_start() {
    struct Unknown;
    static RUNS: AtomicU32 = AtomicU32::new(0);
    #[op]
    fn needs(#[resource] _unknown: &Unknown) {
        RUNS.fetch_add(1, SeqCst);
    }
    #[op]
    fn other() {
        RUNS.fetch_add(1, SeqCst);
    }
    #[job]
    fn missing() {
        let _ = (other(), needs());
    }
    let error = missing::job().args(()).run_in_memory().await.unwrap_err();
    assert!(matches!(error, RunError::Start(StartError::Resource(_))), "{error}");
    let text = error.to_string();
    assert!(text.contains("`needs`") && text.contains("Unknown") && text.contains("#[resource]"), "{text}");
    assert_eq!(RUNS.load(SeqCst), 0);
    let _ = Unknown;
}

struct Chicken;
struct Egg;

#[resource]
fn chicken(_egg: &Egg) -> Chicken {
    Chicken
}

#[resource]
fn egg(_chicken: &Chicken) -> Egg {
    Egg
}

#[tokio::test]
async fn resources_that_need_one_another_are_an_error_at_start() {
    #[op]
    fn hatches(#[resource] _egg: &Egg) {}
    #[job]
    fn circle() {
        let _ = hatches();
    }
    let error = circle::job().args(()).run_in_memory().await.unwrap_err().to_string();
    assert!(
        error.contains("needs itself") && (error.contains("egg") || error.contains("chicken")),
        "{error}"
    );
}

struct Broken;
struct Explodes;
struct ExplodesLater;

#[resource]
fn broken() -> Result<Broken, String> {
    Err("no such host".to_owned())
}

#[resource]
fn explodes() -> Explodes {
    panic!("in the builder")
}

#[resource]
async fn explodes_later() -> ExplodesLater {
    tokio::task::yield_now().await;
    panic!("in the builder, later")
}

#[tokio::test]
async fn a_resource_that_cannot_be_built_is_an_error_at_start() {
    #[op]
    fn needs_broken(#[resource] _broken: &Broken) {}
    #[op]
    fn needs_explodes(#[resource] _explodes: &Explodes) {}
    #[op]
    fn needs_later(#[resource] _later: &ExplodesLater) {}
    #[job]
    fn one() {
        let _ = needs_broken();
    }
    #[job]
    fn two() {
        let _ = needs_explodes();
    }
    #[job]
    fn three() {
        let _ = needs_later();
    }
    let error = one::job().args(()).run_in_memory().await.unwrap_err().to_string();
    assert!(error.contains("`broken`") && error.contains("no such host"), "{error}");
    let error = two::job().args(()).run_in_memory().await.unwrap_err().to_string();
    assert!(error.contains("`explodes`") && error.contains("in the builder"), "{error}");
    let error = three::job().args(()).run_in_memory().await.unwrap_err().to_string();
    assert!(error.contains("`explodes_later`") && error.contains("in the builder, later"), "{error}");
    // And nothing is left locked.
    assert_eq!(run(sums::job().args((1,))).await.output(), 2);
}

struct DropPanics;

impl Drop for DropPanics {
    fn drop(&mut self) {
        panic!("in drop");
    }
}

#[resource]
fn drop_panics() -> DropPanics {
    DropPanics
}

#[tokio::test]
async fn a_resource_whose_drop_panics_takes_no_result_away() {
    #[op]
    fn uses(#[resource] _it: &DropPanics) -> i64 {
        1
    }
    #[job]
    fn torn_down() -> Out<i64> {
        uses()
    }
    assert_eq!(run(torn_down::job().args(())).await.output(), 1);
}

// --- limits

#[tokio::test]
async fn limits_of_zero_are_refused_before_anything_starts() {
    static RUNS: Gauge = Gauge::new();
    #[op(pool = "api", tags(team = "data"))]
    fn runs() {
        let _in = RUNS.enter();
    }
    #[job]
    fn limited() {
        let _ = runs();
    }
    let no_pool = |max, rate| RunOptions {
        pools: [("api".to_owned(), PoolLimit { max, rate })].into(),
        ..RunOptions::default()
    };
    let tags = [(("team".to_owned(), "data".to_owned()), 0)].into();
    let rate = Rate { starts: 0, per: Duration::from_secs(1) };
    for (options, says) in [
        (RunOptions { max_concurrent: Some(0), ..RunOptions::default() }, "`max_concurrent` is 0"),
        (no_pool(Some(0), None), "pool `api` is 0"),
        (no_pool(None, Some(rate)), "pool `api` is 0"),
        (RunOptions { tag_limits: tags, ..RunOptions::default() }, "tag `team` = `data` is 0"),
    ] {
        let error = limited::job().args(()).options(options).run_in_memory().await.unwrap_err();
        assert!(matches!(error, RunError::Start(StartError::ZeroLimit { .. })), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    assert_eq!(RUNS.ever(), 0);
}

// --- all jobs

#[test]
fn all_jobs_are_checked_by_one_line() {
    fanfold::check_all_jobs().unwrap();
}
