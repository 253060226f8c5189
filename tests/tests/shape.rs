//! Long, deep and wide jobs (trust.md rows 67 to 70): no recursion, no limit that is hit by accident.

mod common;

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use common::{run, watched};
use fanfold::prelude::*;
use fanfold::{JobRun, RunOptions, RunReport, RunState};

#[op(dynamic_out(by_index))]
fn count(n: i64) -> impl Iterator<Item = i64> {
    0..n
}

#[op(dynamic_out(by_index))]
fn one_more(x: i64) -> Vec<i64> {
    vec![x + 1]
}

#[op]
fn inc(x: i64) -> i64 {
    x + 1
}

#[op]
async fn inc_later(x: i64) -> i64 {
    x + 1
}

#[op]
fn fail_if_zero(x: i64) -> Result<i64, String> {
    if x == 0 { Err("zero".to_owned()) } else { Ok(x) }
}

#[op]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[op]
fn total(xs: &[i64]) -> i64 {
    xs.iter().sum()
}

#[op]
fn length(xs: &[i64]) -> i64 {
    i64::try_from(xs.len()).unwrap()
}

/// Runs a job on a thread with a small stack, without keeping its values.
fn on_a_small_stack<R: Send + 'static>(job: impl FnOnce() -> JobRun<R> + Send + 'static) -> RunReport {
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(watched(async { job().start().await.unwrap().wait().await }))
    };
    std::thread::Builder::new().stack_size(512 * 1024).spawn(run).unwrap().join().unwrap()
}

fn output(report: &RunReport) -> i64 {
    *report.outputs[0].as_ref().expect("the run gave its output").downcast_ref().unwrap()
}

#[test]
fn a_chain_of_ten_thousand_steps() {
    #[job]
    fn chain() -> Out<i64> {
        (0..10_000).fold(inc(0), |x, n| if n % 100 == 0 { inc_later(x) } else { inc(x) })
    }
    assert_eq!(output(&on_a_small_stack(|| chain::job().args(()))), 10_001);
}

#[test]
fn a_failure_and_a_skip_go_down_a_chain_of_ten_thousand() {
    #[op(optional)]
    fn nothing() -> Option<i64> {
        None
    }
    #[job]
    fn falls_through(x: Out<i64>) -> (Out<i64>, Out<i64>) {
        let chain = |first| (0..10_000).fold(first, |x, _| inc(x));
        (chain(fail_if_zero(x)), chain(nothing()))
    }
    let report = on_a_small_stack(|| falls_through::job().args((0,)));
    assert_eq!(report.state, RunState::Failed);
    assert!(report.outputs.iter().all(Option::is_none));
}

#[test]
fn fans_nested_fifty_deep() {
    fn nest(depth: u32, x: Out<i64>) -> DynamicOut<i64> {
        let items = one_more(x);
        if depth == 0 { items } else { items.map(|x| nest(depth - 1, x)) }
    }
    #[job]
    fn deep() -> (Out<i64>, Out<i64>) {
        let leaves = count(1).map(|x| nest(48, x));
        (total(leaves.collect()), total(leaves.map(inc).collect()))
    }
    assert_eq!(output(&on_a_small_stack(|| deep::job().args(()))), 49);
}

#[test]
fn a_product_of_three_hundred_by_three_hundred() {
    #[job]
    fn square() -> Out<i64> {
        let (a, b) = (count(300), count(300));
        a.map(|x| b.map(move |y| add(x, y))).fold(0, add)
    }
    assert_eq!(output(&on_a_small_stack(|| square::job().args(()))), 300 * 300 * 299);
}

#[test]
fn a_job_of_fifty_thousand_ops_builds_and_runs() {
    #[job]
    fn wide() -> Out<i64> {
        total((0..50_000).map(inc).collect::<Vec<_>>())
    }
    assert_eq!(output(&on_a_small_stack(|| wide::job().args(()))), 50_000 * 50_001 / 2);
}

#[test]
fn a_collect_of_a_hundred_thousand_values() {
    #[job]
    fn collects() -> Out<i64> {
        length(count(100_000).map(inc).collect())
    }
    assert_eq!(output(&on_a_small_stack(|| collects::job().args(()))), 100_000);
}

#[tokio::test(start_paused = true)]
async fn five_thousand_retries_wait_at_once() {
    static WAITING: AtomicU32 = AtomicU32::new(0);
    #[op(retry(max = 1, delay = "1h"))]
    async fn later(ctx: &OpContext, x: i64) -> Result<i64, String> {
        if ctx.attempt() == 1 {
            WAITING.fetch_add(1, SeqCst);
            return Err("later".to_owned());
        }
        Ok(x)
    }
    #[job(max_concurrent = 5000)]
    fn all_wait() -> Out<i64> {
        length(count(5_000).map(later).collect())
    }
    let options = RunOptions { seed: Some(1), ..RunOptions::default() };
    assert_eq!(run(all_wait::job().args(()).options(options)).await.output(), 5_000);
    assert_eq!(WAITING.load(SeqCst), 5_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_runs_at_once_in_one_process() {
    #[job(max_concurrent = 2)]
    fn small(n: Out<i64>) -> Out<i64> {
        total(count(n).map(inc).map(inc_later).collect())
    }
    let runs: Vec<_> = (0..100)
        .map(|n| tokio::spawn(async move { run(small::job().args((n % 7,))).await.output() }))
        .collect();
    for (n, run) in (0..).map(|n: i64| n % 7).zip(runs) {
        assert_eq!(watched(run).await.unwrap(), n * (n - 1) / 2 + 2 * n);
    }
}
