//! §4: skips, failures, retries, timeouts, panics, cancelling.

mod common;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::time::Duration;

use common::{Gate, Seen, Watch, attempts_of, error_of, lines, run, states, watched};
use fanfold::prelude::*;
use fanfold::{ErrorKind, EventKind, InMemory, RunOptions, RunState, StepState};
use futures_core::Stream;
use tokio::time::Instant;

#[op(dynamic_out(by_index))]
fn emit(n: i64) -> Vec<i64> {
    (0..n).collect()
}

#[op]
fn one() -> i64 {
    1
}

#[op]
fn inc(x: i64) -> i64 {
    x + 1
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
fn list(xs: Vec<i64>) -> Vec<i64> {
    xs
}

#[op(optional)]
fn keep_odd(x: i64) -> Option<i64> {
    (x % 2 == 1).then_some(x)
}

#[op(optional)]
fn nothing() -> Option<i64> {
    None
}

#[op]
fn fails() -> Result<i64, String> {
    Err("no".to_owned())
}

#[op]
fn fail_at(x: i64, at: i64) -> Result<i64, String> {
    if x == at { Err(format!("{x} is refused")) } else { Ok(x) }
}

// --- 1, 2: nothing, and skips

#[tokio::test]
async fn s4_1_an_empty_dynamic_output_is_a_success_with_empty_collects() {
    #[op]
    fn count(keyed: &fanfold::Keyed<i64>, results: &fanfold::Keyed<Result<i64, StepFailure>>) -> usize {
        keyed.len() + results.len()
    }
    #[job]
    fn empty() -> (Out<Vec<i64>>, Out<i64>, Out<usize>, Out<i64>) {
        let none = emit(0).map(inc);
        let nested = emit(2).map(|x| emit(0).after(inc(x)).map(inc));
        (
            list(none.collect()),
            none.fold(7, add),
            count(none.collect_keyed(), none.collect_results()),
            total(nested.collect()),
        )
    }
    let run = run(empty::job().args(())).await;
    assert_eq!((run.state(), run.output()), (RunState::Succeeded, (vec![], 7, 0, 0)));
}

#[tokio::test]
async fn s4_2_nothing_skips_its_consumers_and_so_on_down_and_fails_no_run() {
    #[job]
    fn skips() {
        let skipped = inc(nothing());
        let _ = add(skipped, one());
        let _ = emit(2).map(|x| add(x, skipped)).collect();
        let _ = total(emit(2).map(|x| add(x, skipped)).collect());
    }
    let run = run(skips::job().args(())).await;
    assert_eq!(run.state(), RunState::Succeeded);
    for step in ["inc", "add", "add_2[0]", "add_2[1]", "add_3[1]", "total"] {
        assert_eq!(run.state_of(step), Some(StepState::Skipped), "{step}");
    }
}

#[tokio::test]
async fn s4_2_a_collect_drops_skipped_entries_and_is_skipped_with_them_all() {
    #[op]
    fn keys(xs: &fanfold::Keyed<i64>) -> Vec<String> {
        xs.keys().map(ToString::to_string).collect()
    }
    #[job]
    fn drops() -> (Out<Vec<i64>>, Out<Vec<String>>) {
        let odd = emit(5).map(keep_odd);
        let _ = list(emit(1).map(keep_odd).collect()).named("all_skipped");
        let _ = list([nothing(), nothing()]).named("list_all_skipped");
        let _ = list(vec![nothing(), one()]).named("list_some");
        (list(odd.map(inc).collect()), keys(odd.collect_keyed()))
    }
    let run = run(drops::job().args(())).await;
    assert_eq!(run.output(), (vec![2, 4], vec!["1".to_owned(), "3".to_owned()]));
    assert_eq!(run.state_of("all_skipped"), Some(StepState::Skipped));
    assert_eq!(run.state_of("list_all_skipped"), Some(StepState::Skipped));
    assert_eq!(run.step::<Vec<i64>>("list_some").unwrap(), [1]);
}

#[tokio::test]
async fn s4_2_an_optional_parameter_takes_a_skipped_input() {
    #[op]
    fn or_zero(x: Option<i64>, y: Option<Arc<i64>>) -> i64 {
        x.unwrap_or(0) + y.map_or(0, |y| *y)
    }
    #[job]
    fn optional() -> (Out<Vec<i64>>, Out<i64>) {
        (list(emit(4).map(|x| or_zero(keep_odd(x), x)).collect()), or_zero(nothing(), nothing()))
    }
    assert_eq!(run(optional::job().args(())).await.output(), (vec![0, 2, 2, 6], 0));
}

#[tokio::test]
async fn s4_2_an_optional_dynamic_output_of_nothing_skips_its_consumers_collects_included() {
    #[op(dynamic_out(by_index))]
    fn maybe(some: bool) -> Option<Vec<i64>> {
        some.then(Vec::new)
    }
    #[job]
    fn maybe_items(some: Out<bool>) {
        let items = maybe(some);
        let _ = list(items.map(inc).collect());
        let _ = items.fold(0, add).named("fold");
        let _ = total(emit(2).map(|x| items.map(move |y| add(x, y))).collect()).named("product");
    }
    let nothing = run(maybe_items::job().args((false,))).await;
    assert_eq!(nothing.state(), RunState::Succeeded);
    for step in ["list", "fold", "product"] {
        assert_eq!(nothing.state_of(step), Some(StepState::Skipped), "{step}: {:?}", states(&nothing));
    }
    let empty = run(maybe_items::job().args((true,))).await;
    assert_eq!(empty.step::<Vec<i64>>("list").unwrap(), [0; 0]);
}

// --- 3, 4: failures

#[tokio::test]
async fn s4_3_a_failed_copy_takes_its_own_consumers_and_no_others_with_it() {
    #[job]
    fn one_fails() {
        let copies = emit(3).map(|x| fail_at(x, 1));
        let _ = total(copies.map(inc).collect());
        let _ = inc(one()).named("unrelated");
    }
    let run = run(one_fails::job().args(())).await;
    assert_eq!(run.state(), RunState::Failed);
    let expected = [
        "emit: succeeded",
        "fail_at[0]: succeeded",
        "fail_at[1]: failed",
        "fail_at[2]: succeeded",
        "inc[0]: succeeded",
        "inc[1]: upstream failed",
        "inc[2]: succeeded",
        "one: succeeded",
        "total: upstream failed",
        "unrelated: succeeded",
    ];
    assert_eq!(states(&run), expected);
    let cause = run.events().iter().find_map(|event| match &event.kind {
        EventKind::StepNotRun { step, cause, .. } if &*run.report().graph.node(step.node).name == "total" => {
            cause.clone()
        }
        _ => None,
    });
    assert_eq!(cause.unwrap().name(&run.report().shape).to_string(), "fail_at[1]");
}

#[tokio::test]
async fn s4_3_fail_fast_starts_no_new_step_and_cancels_what_has_not_started() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    #[op]
    fn count(x: i64) -> i64 {
        RUNS.fetch_add(1, SeqCst);
        x
    }
    #[job(fail_fast, max_concurrent = 1)]
    fn fails_fast() {
        let failed = fails().priority(1);
        let _ = add(failed, failed);
        let _ = emit(3).after(failed);
        let _ = (count(1), count(2));
    }
    let stopped = run(fails_fast::job().args(())).await;
    assert_eq!((stopped.state(), RUNS.load(SeqCst)), (RunState::Failed, 0));
    for step in ["count", "count_2"] {
        assert_eq!(stopped.state_of(step), Some(StepState::Cancelled));
    }
    assert!(lines(&stopped).iter().any(|line| line.starts_with("cancelling: `fails` failed")));

    let options = RunOptions { fail_fast: Some(false), ..RunOptions::default() };
    let went_on = run(fails_fast::job().args(()).options(options)).await;
    assert_eq!((went_on.state(), RUNS.load(SeqCst)), (RunState::Failed, 2));
}

#[tokio::test]
async fn s4_3_fail_fast_lets_running_steps_end() {
    static BEGUN: Gate = Gate::new();
    static FAILED: Gate = Gate::new();
    #[op]
    async fn runs() -> i64 {
        BEGUN.open();
        FAILED.passed().await;
        5
    }
    #[op]
    async fn fails_meanwhile() -> Result<i64, String> {
        BEGUN.passed().await;
        Err("no".to_owned())
    }
    #[job(fail_fast)]
    fn runs_on() {
        let _ = inc(runs());
        let _ = fails_meanwhile();
    }
    let watch = Watch::default();
    let opens = watch.clone();
    let opener = tokio::spawn(async move {
        opens.until("failed fails_meanwhile").await;
        FAILED.open();
    });
    let run = run(runs_on::job().args(()).sink(watch)).await;
    opener.await.unwrap();
    assert_eq!(run.step::<i64>("runs"), Some(5));
    assert_eq!(run.state_of("inc"), Some(StepState::Cancelled));
}

#[tokio::test]
async fn s4_3_fail_fast_ends_a_run_with_an_endless_emitter_and_a_waiting_retry() {
    static SEEN: Seen = Seen::new();
    #[op(dynamic_out(by_index))]
    fn endless() -> impl Iterator<Item = i64> {
        0..
    }
    #[op(retry(max = 1, delay = "1h"))]
    async fn waits() -> Result<(), String> {
        SEEN.push("failed");
        Err("later".to_owned())
    }
    #[op]
    fn fails_then(x: i64) -> Result<i64, String> {
        if x < 100 {
            return Ok(x);
        }
        SEEN.wait_for("failed");
        Err("enough".to_owned())
    }
    #[job(fail_fast)]
    fn endless_fail() -> Out<i64> {
        let _ = waits();
        endless().map(fails_then).fold(0, add)
    }
    let run = run(endless_fail::job().args(())).await;
    assert_eq!(run.state(), RunState::Failed);
    for step in ["endless", "waits", "add"] {
        assert_eq!(run.state_of(step), Some(StepState::Cancelled), "{step}");
    }
}

#[tokio::test]
async fn s4_4_any_skipped_input_skips_else_any_failed_one_fails() {
    static LATE: Gate = Gate::new();
    #[op(optional)]
    async fn nothing_late() -> Option<i64> {
        LATE.passed().await;
        None
    }
    #[op]
    async fn fails_late() -> Result<i64, String> {
        LATE.passed().await;
        Err("no".to_owned())
    }
    #[op]
    fn opens() {
        LATE.open();
    }
    #[op]
    fn takes_maybe(x: Option<i64>, y: i64) -> i64 {
        x.unwrap_or(0) + y
    }
    #[job]
    fn decides() {
        let failed = fails();
        let _ = add(failed, nothing_late()).named("skip_after_failure");
        let _ = add(nothing(), fails_late()).named("failure_after_skip");
        let _ = add(failed, one()).named("failure");
        let _ = list(vec![failed, nothing(), one()]).named("list_of_both");
        let _ = add(total([failed]), nothing()).named("failed_list_and_skip");
        let _ = takes_maybe(failed, one()).named("maybe_failed");
        let _ = opens();
    }
    let run = run(decides::job().args(())).await;
    for (step, state) in [
        ("skip_after_failure", StepState::Skipped),
        ("failure_after_skip", StepState::Skipped),
        ("failure", StepState::UpstreamFailed),
        ("list_of_both", StepState::UpstreamFailed),
        ("failed_list_and_skip", StepState::Skipped),
        ("maybe_failed", StepState::UpstreamFailed),
    ] {
        assert_eq!(run.state_of(step), Some(state), "{step}");
    }
}

#[tokio::test]
async fn s4_4_a_collect_with_skipped_and_failed_entries_is_a_failed_input() {
    #[job]
    fn mixed_entries() {
        let mixed = emit(4).map(|x| fail_at(keep_odd(x), 3));
        let _ = list(mixed.collect());
        let _ = add(total(mixed.collect()), nothing()).named("and_a_skip");
    }
    let run = run(mixed_entries::job().args(())).await;
    assert_eq!(run.state_of("list"), Some(StepState::UpstreamFailed));
    assert_eq!(run.state_of("and_a_skip"), Some(StepState::Skipped));
}

// --- 5: failures that are taken

#[op]
fn tell(results: &fanfold::Keyed<Result<i64, StepFailure>>) -> Vec<String> {
    let tell = |(key, result): (&Key, &Result<i64, StepFailure>)| match result {
        Ok(value) => format!("{key}: {value}"),
        Err(failure) => format!("{key}: {failure} ({})", failure.attempts),
    };
    results.iter().map(tell).collect()
}

#[tokio::test]
async fn s4_5_a_tolerant_collect_runs_once_all_have_ended_and_handles_failures() {
    static LAST: Gate = Gate::new();
    #[op(retry(max = 2))]
    async fn slow_or_fails(x: i64) -> Result<i64, String> {
        match x {
            0 => LAST.passed().await,
            2 => LAST.open(),
            _ => return Err(format!("{x} is refused")),
        }
        Ok(x)
    }
    #[job]
    fn tolerant() -> Out<Vec<String>> {
        tell(emit(3).map(slow_or_fails).map(inc).collect_results())
    }
    let run = run(tolerant::job().args(())).await;
    assert_eq!(run.state(), RunState::Succeeded);
    assert_eq!(run.output(), ["0: 1", "1: slow_or_fails[1]: 1 is refused (3)", "2: 3"]);
    assert_eq!(run.state_of("inc[1]"), Some(StepState::UpstreamFailed));
}

#[tokio::test]
async fn s4_5_a_tolerant_collect_leaves_skipped_copies_out_and_is_recorded() {
    #[job]
    fn tolerant_of_skips() -> Out<Vec<String>> {
        tell(emit(4).map(|x| fail_at(keep_odd(x), 1)).collect_results())
    }
    let run = run(tolerant_of_skips::job().args(())).await;
    assert_eq!(run.output(), ["1: fail_at[1]: 1 is refused (1)", "3: 3"]);
}

#[tokio::test]
async fn s4_5_a_failure_that_a_plain_consumer_needs_too_fails_the_run() {
    #[job]
    fn both_collects() -> Out<Vec<String>> {
        let copies = emit(2).map(|x| fail_at(x, 1));
        let _ = list(copies.collect());
        tell(copies.collect_results())
    }
    let run = run(both_collects::job().args(())).await;
    assert_eq!(run.step::<Vec<String>>("tell").unwrap(), ["0: 0", "1: fail_at[1]: 1 is refused (1)"]);
    assert_eq!(run.state_of("list"), Some(StepState::UpstreamFailed));
}

// --- 7: retries

/// The waits between the attempts of a step, in milliseconds, each kept.
fn waits<R>(run: &InMemory<R>, name: &str) -> Vec<u128> {
    let shape = &run.report().shape;
    let mut due_at = Duration::ZERO;
    let mut waits = Vec::new();
    for event in run.events() {
        match &event.kind {
            EventKind::AttemptFailed { step, due, .. } if step.name(shape).to_string() == name => {
                due_at = *due;
                waits.push((*due - event.at).as_millis());
            }
            EventKind::StepStarted { step, .. } if step.name(shape).to_string() == name => {
                assert!(event.at >= due_at, "`{name}` did not wait");
            }
            _ => {}
        }
    }
    waits
}

#[tokio::test(start_paused = true)]
async fn s4_7_waits_are_those_of_the_policy() {
    #[op(retry(max = 3, delay = "2s"))]
    async fn none() -> Result<(), String> {
        Err("no".to_owned())
    }
    #[op(retry(max = 3, delay = "2s", backoff = "linear"))]
    async fn linear() -> Result<(), String> {
        Err("no".to_owned())
    }
    #[op(retry(max = 4, delay = "2s", backoff = "exponential"))]
    async fn exponential() -> Result<(), String> {
        Err("no".to_owned())
    }
    #[op(retry(max = 3, delay = "2s", backoff = "exponential", max_delay = "5s"))]
    async fn capped() -> Result<(), String> {
        Err("no".to_owned())
    }
    #[op(retry(max = 2))]
    async fn at_once() -> Result<(), String> {
        Err("no".to_owned())
    }
    #[job]
    fn backoffs() {
        let _ = (none(), linear(), exponential(), capped(), at_once());
    }
    let run = run(backoffs::job().args(())).await;
    assert_eq!(waits(&run, "none"), [2_000, 2_000, 2_000]);
    assert_eq!(waits(&run, "linear"), [2_000, 4_000, 6_000]);
    assert_eq!(waits(&run, "exponential"), [2_000, 6_000, 14_000, 30_000]);
    assert_eq!(waits(&run, "capped"), [2_000, 5_000, 5_000]);
    assert_eq!(waits(&run, "at_once"), [0, 0]);
    assert_eq!(attempts_of(&run, "exponential"), 5);
}

#[tokio::test(start_paused = true)]
async fn s4_7_jitter_stays_within_its_bounds() {
    #[op(retry(max = 50, delay = "10s", jitter = "full"))]
    async fn full() -> Result<(), String> {
        Err("no".to_owned())
    }
    #[op(retry(max = 50, delay = "10s", backoff = "linear", jitter = "plus_minus"))]
    async fn around() -> Result<(), String> {
        Err("no".to_owned())
    }
    #[job]
    fn jitters() {
        let _ = (full(), around());
    }
    let options = RunOptions { seed: Some(7), ..RunOptions::default() };
    let run = run(jitters::job().args(()).options(options)).await;
    let full = waits(&run, "full");
    assert!(full.iter().all(|wait| *wait <= 10_000), "{full:?}");
    assert!(full.iter().any(|wait| *wait < 5_000) && full.iter().any(|wait| *wait > 5_000), "{full:?}");
    for (n, wait) in (1..).zip(waits(&run, "around")) {
        assert!(((n - 1) * 10_000..=(n + 1) * 10_000).contains(&wait), "{n}: {wait}");
    }
}

#[tokio::test]
async fn s4_7_retries_are_counted_for_each_copy_and_the_attempt_can_be_read() {
    static ATTEMPTS: Seen = Seen::new();
    #[op(retry(max = 2))]
    fn flaky(ctx: &OpContext, x: i64) -> Result<i64, String> {
        ATTEMPTS.push(format_args!("{} {}", ctx.step_name(), ctx.attempt()));
        if i64::from(ctx.attempt()) > x { Ok(x) } else { Err("again".to_owned()) }
    }
    #[job(max_concurrent = 1)]
    fn counted() {
        let _ = list(emit(4).map(flaky).collect());
    }
    let run = run(counted::job().args(())).await;
    let attempts = [0, 1, 2, 3].map(|key| attempts_of(&run, &format!("flaky[{key}]")));
    assert_eq!(attempts, [1, 2, 3, 3]);
    assert_eq!(run.state_of("flaky[3]"), Some(StepState::Failed));
    assert_eq!(run.state_of("list"), Some(StepState::UpstreamFailed));
    assert_eq!(ATTEMPTS.list().len(), 9);
    let failed = lines(&run).into_iter().filter(|line| line.starts_with("attempt failed"));
    assert_eq!(failed.count(), 5);
}

#[tokio::test]
async fn s4_7_the_call_beats_the_op_which_beats_the_job() {
    #[op(retry(max = 1))]
    fn own() -> Result<(), String> {
        Err("no".to_owned())
    }
    #[job(retry(max = 4))]
    fn who_wins() {
        let _ = own();
        let _ = own().retry(fanfold::retry!(max = 2)).named("call");
        let _ = fails().named("job");
    }
    let run = run(who_wins::job().args(())).await;
    assert_eq!(["own", "call", "job"].map(|step| attempts_of(&run, step)), [2, 3, 5]);
}

#[tokio::test(start_paused = true)]
async fn s4_7_waiting_holds_no_worker_and_counts_against_no_limit() {
    static ORDER: Seen = Seen::new();
    #[op(pool = "one", retry(max = 1, delay = "1h"))]
    async fn waits(ctx: &OpContext) -> Result<(), String> {
        ORDER.push(format_args!("attempt {}", ctx.attempt()));
        if ctx.attempt() == 1 { Err("later".to_owned()) } else { Ok(()) }
    }
    #[op(pool = "one")]
    async fn meanwhile() {
        ORDER.push("meanwhile");
    }
    #[job(max_concurrent = 1, pools(one = 1))]
    fn frees() {
        let _ = waits().priority(1);
        let _ = (meanwhile(), meanwhile());
    }
    run(frees::job().args(())).await.output();
    assert_eq!(ORDER.list(), ["attempt 1", "meanwhile", "meanwhile", "attempt 2"]);
}

#[tokio::test]
async fn s4_7_a_retried_step_joins_the_end_of_its_queue() {
    static ORDER: Seen = Seen::new();
    #[op(retry(max = 1))]
    fn again(ctx: &OpContext, x: i64) -> Result<i64, String> {
        ORDER.push(format_args!("{x}.{}", ctx.attempt()));
        if x == 0 && ctx.attempt() == 1 { Err("again".to_owned()) } else { Ok(x) }
    }
    #[job(max_concurrent = 1)]
    fn queued() {
        let _ = (again(0), again(1), again(2));
    }
    run(queued::job().args(())).await.output();
    assert_eq!(ORDER.list(), ["0.1", "1.1", "2.1", "0.2"]);
}

#[tokio::test(start_paused = true)]
async fn s4_7_an_op_can_say_never_again_or_after_this_long() {
    #[op(retry(max = 5, delay = "1s"))]
    async fn never() -> Result<(), OpError> {
        Err(OpError::permanent("the account is closed"))
    }
    #[op(retry(max = 2, delay = "1s"))]
    async fn after(ctx: &OpContext) -> Result<(), OpError> {
        if ctx.attempt() == 1 {
            return Err(OpError::retry_after(Duration::from_secs(90), "too many requests"));
        }
        Err(OpError::new("still"))
    }
    #[op]
    async fn without_a_policy() -> Result<(), OpError> {
        Err(OpError::retry_after(Duration::from_secs(1), "later"))
    }
    #[job]
    fn says() {
        let _ = (never(), after(), without_a_policy());
    }
    let run = run(says::job().args(())).await;
    assert_eq!(["never", "after", "without_a_policy"].map(|step| attempts_of(&run, step)), [1, 3, 1]);
    assert_eq!(error_of(&run, "never"), "the account is closed");
    assert_eq!(waits(&run, "after"), [90_000, 1_000]);
}

#[tokio::test]
async fn s4_7_the_idempotency_key_is_the_same_on_each_attempt() {
    static KEYS: Seen = Seen::new();
    #[op(retry(max = 2))]
    fn charge(ctx: &OpContext, x: i64) -> Result<i64, String> {
        KEYS.push(ctx.idempotency_key());
        if ctx.attempt() < 3 { Err("again".to_owned()) } else { Ok(x) }
    }
    #[job]
    fn charged() {
        let _ = emit(2).map(charge);
    }
    let run = run(charged::job().args(())).await;
    let mut keys = KEYS.list();
    assert!(keys.iter().all(|key| key.contains(&run.report().run_id)), "{keys:?}");
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 2, "{keys:?}");
}

#[tokio::test]
async fn s4_7_inputs_are_there_again_at_each_attempt() {
    #[op(retry(max = 3))]
    fn takes(ctx: &OpContext, text: String, list: Vec<i64>) -> Result<String, String> {
        if ctx.attempt() < 3 { Err(text) } else { Ok(format!("{text}{list:?}")) }
    }
    #[op]
    fn text(x: i64) -> String {
        format!("t{x}")
    }
    #[job]
    fn taken_again() -> Out<String> {
        takes(text(1), emit(2).map(inc).collect())
    }
    assert_eq!(run(taken_again::job().args(())).await.output(), "t1[1, 2]");
}

#[tokio::test]
async fn s4_7_an_error_is_told_with_what_caused_it() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the config")]
    struct Outer(#[source] std::io::Error);
    #[op]
    fn reads() -> Result<(), Outer> {
        Err(Outer(std::io::Error::other("disk on fire")))
    }
    #[op]
    fn boxed() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Err(Box::new(Outer(std::io::Error::other("disk on fire"))))
    }
    #[job]
    fn chains() {
        let _ = (reads(), boxed());
    }
    let run = run(chains::job().args(())).await;
    assert_eq!(error_of(&run, "reads"), "cannot read the config: disk on fire");
    assert_eq!(error_of(&run, "boxed"), "cannot read the config: disk on fire");
}

// --- 8: emitters that are tried again

/// An emitter whose attempts give what `ATTEMPTS` says, under keys that are the names of items.
fn scripted(
    ctx: &OpContext,
    attempts: &'static [&'static [(&'static str, i64)]],
    before_failing: impl Fn(u32) + Send + 'static,
) -> impl Iterator<Item = Result<DynamicOutput<i64>, String>> {
    let attempt = ctx.attempt();
    let items = attempts[attempt as usize - 1];
    let last = attempt as usize == attempts.len();
    let end = std::iter::once_with(move || {
        before_failing(attempt);
        Err(format!("attempt {attempt} fails"))
    });
    let end = (!last).then_some(end).into_iter().flatten();
    items.iter().map(|(key, value)| Ok(DynamicOutput::new(key, *value))).chain(end)
}

#[tokio::test]
async fn s4_8_an_item_given_again_with_an_equal_value_keeps_its_copies() {
    static RUNS: Seen = Seen::new();
    #[op(dynamic_out, retry(max = 1))]
    fn again(ctx: &OpContext) -> impl Iterator<Item = Result<DynamicOutput<i64>, String>> {
        static ATTEMPTS: &[&[(&str, i64)]] = &[&[("a", 1), ("b", 2)], &[("b", 2), ("c", 3), ("a", 1)]];
        scripted(ctx, ATTEMPTS, |_| ["1", "2"].iter().for_each(|seen| RUNS.wait_for(seen)))
    }
    #[op]
    fn copy(x: i64) -> i64 {
        RUNS.push(x);
        x
    }
    #[job]
    fn keeps() -> (Out<Vec<i64>>, Out<i64>) {
        let copies = again().map(copy);
        (list(copies.collect()), copies.fold(0, add))
    }
    let run = run(keeps::job().args(())).await;
    assert_eq!(run.output(), (vec![2, 3, 1], 6), "the order is the last attempt's");
    let mut runs = RUNS.list();
    runs.sort();
    assert_eq!(runs, ["1", "2", "3"], "each ran once");
    assert!(!lines(&run).iter().any(|line| line.starts_with("superseded")));
    assert_eq!(run.outputs_of::<i64>("copy"), [2, 3, 1]);
}

#[tokio::test]
async fn s4_8_a_changed_or_missing_item_and_all_below_it_are_superseded() {
    static RUNS: Seen = Seen::new();
    #[op(dynamic_out, retry(max = 1))]
    fn changes(ctx: &OpContext) -> impl Iterator<Item = Result<DynamicOutput<i64>, String>> {
        static ATTEMPTS: &[&[(&str, i64)]] =
            &[&[("same", 1), ("changed", 2), ("gone", 3)], &[("changed", 20), ("same", 1)]];
        scripted(ctx, ATTEMPTS, |_| ["1", "2", "3"].iter().for_each(|seen| RUNS.wait_for(seen)))
    }
    #[op]
    fn copy(x: i64) -> i64 {
        RUNS.push(x);
        x
    }
    #[job]
    fn supersedes() -> (Out<Vec<i64>>, Out<i64>, Out<fanfold::Keyed<i64>>) {
        let copies = changes().map(copy);
        let nested = copies.map(|x| emit(2).after(x).map(move |y| add(x, y)));
        (list(copies.map(inc).collect()), total(nested.collect()), keyed(copies.collect_keyed()))
    }
    #[op]
    fn keyed(x: fanfold::Keyed<i64>) -> fanfold::Keyed<i64> {
        x
    }
    let run = run(supersedes::job().args(())).await;
    let (list, total, keyed) = run.output();
    assert_eq!((list, total), (vec![21, 2], 20 + 21 + 1 + 2));
    assert_eq!(keyed, [("changed", 20), ("same", 1)].into_iter().collect());
    let runs = RUNS.list();
    assert_eq!(runs.iter().filter(|x| *x == "1").count(), 1);
    assert!(runs.contains(&"20".to_owned()));
    let superseded = lines(&run).into_iter().filter(|line| line.starts_with("superseded"));
    assert_eq!(superseded.count(), 2);
    assert!(states(&run).iter().all(|line| !line.contains("gone")), "{:?}", states(&run));
}

#[tokio::test]
async fn s4_8_the_idempotency_key_changes_with_the_input() {
    static KEYS: Seen = Seen::new();
    #[op(dynamic_out, retry(max = 1))]
    fn changes(ctx: &OpContext) -> impl Iterator<Item = Result<DynamicOutput<i64>, String>> {
        static ATTEMPTS: &[&[(&str, i64)]] = &[&[("k", 1)], &[("k", 2)]];
        scripted(ctx, ATTEMPTS, |_| KEYS.wait_for("ran 1"))
    }
    #[op]
    fn charge(ctx: &OpContext, x: i64) -> i64 {
        KEYS.push(ctx.idempotency_key());
        KEYS.push(format_args!("ran {x}"));
        x
    }
    #[job]
    fn charges() {
        let _ = changes().map(charge);
    }
    run(charges::job().args(())).await.output();
    let keys = KEYS.list();
    assert_eq!(keys.len(), 4, "{keys:?}");
    assert_ne!(keys[0], keys[2], "another input is another effect");
}

#[tokio::test]
async fn s4_8_a_fold_whose_prefix_is_not_repeated_starts_again() {
    static RAN: Seen = Seen::new();
    #[op(dynamic_out, retry(max = 1))]
    fn changes(ctx: &OpContext) -> impl Iterator<Item = Result<DynamicOutput<i64>, String>> {
        static ATTEMPTS: &[&[(&str, i64)]] = &[&[("a", 1), ("b", 2)], &[("b", 2), ("a", 1), ("c", 3)]];
        scripted(ctx, ATTEMPTS, |_| ["copy 1", "copy 2"].iter().for_each(|seen| RAN.wait_for(seen)))
    }
    #[op]
    fn append(so_far: String, x: i64) -> String {
        format!("{so_far}{x}")
    }
    #[job]
    fn refolds() -> Out<String> {
        changes().map(copy).fold("", append)
    }
    #[op]
    fn copy(x: i64) -> i64 {
        RAN.push(format_args!("copy {x}"));
        x
    }
    assert_eq!(run(refolds::job().args(())).await.output(), "213");
}

#[tokio::test(start_paused = true)]
async fn s4_8_copies_run_while_the_emitter_waits_for_a_retry() {
    static RAN: Gate = Gate::new();
    #[op(dynamic_out, retry(max = 1, delay = "1h"))]
    async fn waits(ctx: &OpContext) -> impl Stream<Item = Result<DynamicOutput<i64>, String>> {
        let attempt = ctx.attempt();
        let mut given = 0;
        let mut ran = Box::pin(RAN.passed());
        Polled(move |cx: &mut Context<'_>| {
            given += 1;
            match (attempt, given) {
                (_, 1) => Poll::Ready(Some(Ok(DynamicOutput::new("k", 1)))),
                (1, _) => Poll::Ready(Some(Err("later".to_owned()))),
                // The copy has run while this waited.
                _ => ran.as_mut().poll(cx).map(|()| None),
            }
        })
    }
    #[op]
    async fn copy(x: i64) -> i64 {
        RAN.open();
        x
    }
    #[job]
    fn meanwhile() -> Out<i64> {
        total(waits().map(copy).collect())
    }
    assert_eq!(run(meanwhile::job().args(())).await.output(), 1);
}

#[tokio::test]
async fn s4_8_running_copies_of_a_superseded_item_are_told_and_dropped() {
    static SEEN: Seen = Seen::new();
    struct TellsDrop;
    impl Drop for TellsDrop {
        fn drop(&mut self) {
            SEEN.push("dropped");
        }
    }
    #[op(dynamic_out, retry(max = 1))]
    fn changes(ctx: &OpContext) -> impl Iterator<Item = Result<DynamicOutput<i64>, String>> {
        static ATTEMPTS: &[&[(&str, i64)]] = &[&[("task", 1), ("thread", 2)], &[("other", 3)]];
        let wait = |_| ["task runs", "thread runs"].iter().for_each(|seen| SEEN.wait_for(seen));
        scripted(ctx, ATTEMPTS, wait)
    }
    #[op]
    async fn task(x: i64) -> i64 {
        if x == 1 {
            let _tells = TellsDrop;
            SEEN.push("task runs");
            std::future::pending::<()>().await;
        }
        x
    }
    #[op(timeout = "1h")]
    fn thread(ctx: &OpContext, x: i64) -> i64 {
        if x == 2 {
            SEEN.push("thread runs");
            while !ctx.is_cancelled() {
                std::thread::yield_now();
            }
            SEEN.push("thread told");
        }
        x
    }
    #[job]
    fn tells() -> (Out<Vec<i64>>, Out<Vec<i64>>) {
        let items = changes();
        (list(items.map(task).collect()), list(items.map(thread).collect()))
    }
    let run = run(tells::job().args(())).await;
    assert_eq!(run.output(), (vec![3], vec![3]));
    watched(tokio::task::spawn_blocking(|| {
        SEEN.wait_for("dropped");
        SEEN.wait_for("thread told");
    }))
    .await
    .unwrap();
}

#[tokio::test]
async fn s4_8_a_sync_copy_without_a_timeout_is_told_too_that_it_is_superseded() {
    static SEEN: Seen = Seen::new();
    #[op(dynamic_out, retry(max = 1))]
    fn changes(ctx: &OpContext) -> impl Iterator<Item = Result<DynamicOutput<i64>, String>> {
        static ATTEMPTS: &[&[(&str, i64)]] = &[&[("k", 1)], &[("k", 2)]];
        scripted(ctx, ATTEMPTS, |_| SEEN.wait_for("runs"))
    }
    #[op]
    fn copy(ctx: &OpContext, x: i64) -> i64 {
        if x == 1 {
            SEEN.push("runs");
            let told = std::iter::repeat_with(|| std::thread::sleep(Duration::from_millis(1)))
                .take(10_000)
                .any(|()| ctx.is_cancelled());
            SEEN.push(format_args!("told: {told}"));
        }
        x
    }
    #[job]
    fn tells_threads() -> Out<Vec<i64>> {
        list(changes().map(copy).collect())
    }
    assert_eq!(run(tells_threads::job().args(())).await.output(), [2]);
    watched(tokio::task::spawn_blocking(|| SEEN.wait_for("told: true"))).await.unwrap();
}

#[tokio::test]
async fn s4_8_an_emitter_that_fails_for_good_lets_its_items_go_on() {
    #[op(dynamic_out(by_index))]
    fn fails_late() -> impl Iterator<Item = Result<i64, String>> {
        [Ok(0), Ok(1), Err("broken".to_owned())].into_iter()
    }
    #[job]
    fn goes_on() {
        let items = fails_late();
        let copies = items.map(inc);
        let _ = list(copies.collect());
        let _ = copies.fold(0, add);
        let _ = emit(2).map(|x| copies.map(move |y| add(x, y))).collect();
        let _ = copies.zip(emit(2)).map(|(a, b)| add(a, b)).fold(0, add).named("zipped");
        let _ = tell(copies.collect_results());
    }
    let run = run(goes_on::job().args(())).await;
    assert_eq!(run.state(), RunState::Failed);
    assert_eq!(run.step::<i64>("inc[1]"), Some(2));
    for step in ["list", "add", "zip", "zipped"] {
        assert_eq!(run.state_of(step), Some(StepState::UpstreamFailed), "{step}: {:?}", states(&run));
    }
    assert_eq!(error_of(&run, "fails_late"), "broken");
}

#[tokio::test]
async fn s4_8_nested_emitters_of_a_superseded_item_are_forgotten() {
    static SEEN: Seen = Seen::new();
    #[op(dynamic_out, retry(max = 1))]
    fn outer(ctx: &OpContext) -> impl Iterator<Item = Result<DynamicOutput<i64>, String>> {
        static ATTEMPTS: &[&[(&str, i64)]] = &[&[("k", 1), ("same", 5)], &[("k", 2), ("same", 5)]];
        scripted(ctx, ATTEMPTS, |_| ["stuck", "inner 5"].iter().for_each(|seen| SEEN.wait_for(seen)))
    }
    /// The one for the item that will be superseded is in the middle of a poll then.
    #[op(dynamic_out(by_index))]
    fn inner(x: i64) -> impl Iterator<Item = i64> {
        (0..1_500).inspect(move |n| {
            if x == 1 && *n == 700 {
                SEEN.push("stuck");
                SEEN.wait_for("inner 2");
            }
            if *n == 1_499 {
                SEEN.push(format_args!("inner {x}"));
            }
        })
    }
    #[job]
    fn nested_supersede() -> (Out<i64>, Out<Vec<i64>>) {
        let items = outer();
        let below = items.map(|x| inner(x).map(inc));
        let per_item = items.map(|x| total(inner(x).map(inc).collect()));
        (below.fold(0, add), list(per_item.collect()))
    }
    let sum = 1_500 * 1_501 / 2;
    assert_eq!(run(nested_supersede::job().args(())).await.output(), (2 * sum, vec![sum, sum]));
}

#[tokio::test]
async fn s4_8_a_retried_list_keeps_its_copies_too() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    #[op(dynamic_out(by_index), retry(max = 2))]
    fn tried(ctx: &OpContext) -> Result<Vec<i64>, String> {
        if ctx.attempt() < 3 { Err("again".to_owned()) } else { Ok(vec![5, 6]) }
    }
    #[op]
    fn copy(x: i64) -> i64 {
        RUNS.fetch_add(1, SeqCst);
        x
    }
    #[job]
    fn retried_list() -> Out<Vec<i64>> {
        list(tried().map(copy).collect())
    }
    assert_eq!(run(retried_list::job().args(())).await.output(), [5, 6]);
    assert_eq!(RUNS.load(SeqCst), 2);
}

// --- 9: timeouts

/// A stream from a function that is polled.
struct Polled<F>(F);

impl<T, F: FnMut(&mut Context<'_>) -> Poll<Option<T>> + Unpin> Stream for Polled<F> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        (self.0)(cx)
    }
}

fn kind_of<R>(run: &InMemory<R>, name: &str) -> ErrorKind {
    let shape = &run.report().shape;
    let kind = run.events().iter().find_map(|event| match &event.kind {
        EventKind::StepFailed { step, error, .. } if step.name(shape).to_string() == name => {
            Some(error.kind())
        }
        _ => None,
    });
    kind.unwrap()
}

#[tokio::test(start_paused = true)]
async fn s4_9_an_async_op_is_dropped_at_its_deadline() {
    static SEEN: Seen = Seen::new();
    struct TellsDrop;
    impl Drop for TellsDrop {
        fn drop(&mut self) {
            SEEN.push("dropped");
        }
    }
    #[op(timeout = "30s")]
    async fn endless() {
        let _tells = TellsDrop;
        std::future::pending::<()>().await;
    }
    #[op(timeout = "30s")]
    async fn in_time() -> i64 {
        tokio::time::sleep(Duration::from_secs(29)).await;
        1
    }
    #[job]
    fn deadlines() {
        let _ = (endless(), in_time());
    }
    let run = run(deadlines::job().args(())).await;
    assert_eq!(kind_of(&run, "endless"), ErrorKind::Timeout);
    assert!(error_of(&run, "endless").contains("30s"));
    assert_eq!(run.step::<i64>("in_time"), Some(1));
    watched(tokio::task::spawn_blocking(|| SEEN.wait_for("dropped"))).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn s4_9_a_timeout_is_per_attempt_and_may_be_tried_again() {
    #[op(timeout = "10s", retry(max = 2, delay = "5s"))]
    async fn slow_at_first(ctx: &OpContext) -> u32 {
        tokio::time::sleep(Duration::from_secs(if ctx.attempt() < 3 { 60 } else { 9 })).await;
        ctx.attempt()
    }
    #[job]
    fn per_attempt() -> Out<u32> {
        slow_at_first()
    }
    let began = Instant::now();
    assert_eq!(run(per_attempt::job().args(())).await.output(), 3);
    assert!(began.elapsed() >= Duration::from_secs(10 + 5 + 10 + 5 + 9));
}

#[tokio::test]
async fn s4_9_a_sync_op_is_told_through_its_context() {
    static TOLD: Gate = Gate::new();
    #[op(timeout = "10ms")]
    fn looks(ctx: &OpContext) -> i64 {
        while !ctx.is_cancelled() {
            std::thread::yield_now();
        }
        TOLD.open();
        1
    }
    #[job]
    fn is_told() {
        let _ = looks();
    }
    let run = run(is_told::job().args(())).await;
    assert_eq!(kind_of(&run, "looks"), ErrorKind::Timeout);
    watched(TOLD.passed()).await;
}

#[tokio::test]
async fn s4_9_a_thread_that_does_not_return_is_left_behind_and_its_place_is_free() {
    static STUCK: Gate = Gate::new();
    #[op(timeout = "10ms")]
    fn stuck() -> i64 {
        STUCK.pass();
        1
    }
    #[job(max_concurrent = 1)]
    fn leaves_behind() -> Out<i64> {
        let _ = inc(stuck().priority(1));
        one()
    }
    let run = run(leaves_behind::job().args(())).await;
    STUCK.open();
    assert_eq!(run.step::<i64>("one"), Some(1));
    assert_eq!(run.state_of("inc"), Some(StepState::UpstreamFailed));
    let left = run
        .events()
        .iter()
        .any(|event| matches!(event.kind, EventKind::StepFailed { left_behind: true, .. }));
    assert!(left, "the thread is reported");
}

#[tokio::test]
async fn s4_9_pool_tokens_stay_taken_until_the_thread_returns() {
    static SEEN: Seen = Seen::new();
    static STUCK: Gate = Gate::new();
    #[op(timeout = "10ms", pool = "one")]
    fn stuck() {
        STUCK.pass();
        SEEN.push("returned");
    }
    #[op(pool = "one")]
    fn waits() {
        SEEN.push("had the pool");
    }
    #[job(pools(one = 1))]
    fn holds_the_pool() {
        let _ = stuck().priority(1);
        let _ = waits();
    }
    let watch = Watch::default();
    let opens = watch.clone();
    let opener = tokio::spawn(async move {
        opens.until("failed stuck").await;
        STUCK.open();
    });
    let run = run(holds_the_pool::job().args(()).sink(watch)).await;
    opener.await.unwrap();
    assert_eq!(SEEN.list(), ["returned", "had the pool"]);
    assert_eq!(run.state_of("waits"), Some(StepState::Succeeded));
}

#[tokio::test]
async fn s4_9_a_pool_that_is_wholly_held_by_threads_left_behind_fails_the_run() {
    static STUCK: Gate = Gate::new();
    #[op(timeout = "5ms", pool = "one")]
    fn stuck() {
        STUCK.pass();
    }
    #[op(pool = "one")]
    fn waits() {}
    #[job(pools(one = 1))]
    fn never_free() {
        let _ = stuck().priority(1);
        let _ = waits();
    }
    let options = RunOptions { grace: Some(Duration::from_millis(20)), ..RunOptions::default() };
    let run = run(never_free::job().args(()).options(options)).await;
    STUCK.open();
    assert_eq!(run.state(), RunState::Failed);
    assert_eq!(run.state_of("waits"), Some(StepState::Cancelled));
    let reason = lines(&run).into_iter().find(|line| line.starts_with("cancelling")).unwrap();
    assert!(reason.contains("stuck") && reason.contains("one"), "{reason}");
}

#[tokio::test]
async fn s4_9_thirty_two_threads_left_behind_fail_the_run_and_are_named() {
    static STUCK: Gate = Gate::new();
    #[op(timeout = "5ms")]
    fn stuck(_x: i64) {
        STUCK.pass();
    }
    #[job(max_concurrent = 8)]
    fn too_many() {
        emit(100).map(stuck);
    }
    let run = run(too_many::job().args(())).await;
    STUCK.open();
    assert_eq!(run.state(), RunState::Failed);
    let reason = lines(&run).into_iter().find(|line| line.starts_with("cancelling")).unwrap();
    assert!(reason.contains("stuck") && reason.contains("32"), "{reason}");
    assert!(states(&run).iter().any(|line| line.ends_with("cancelled")));
}

#[tokio::test(start_paused = true)]
async fn s4_9_any_number_of_tasks_may_time_out_together() {
    #[op(timeout = "10s")]
    async fn endless(x: i64) -> i64 {
        std::future::pending::<()>().await;
        x
    }
    #[job(max_concurrent = 200)]
    fn all_late() -> Out<i64> {
        failures(emit(100).map(endless).collect_results())
    }
    #[op]
    fn failures(results: &fanfold::Keyed<Result<i64, StepFailure>>) -> i64 {
        results.values().filter(|result| result.is_err()).count().try_into().unwrap()
    }
    let run = run(all_late::job().args(())).await;
    assert_eq!((run.state(), run.output()), (RunState::Succeeded, 100));
    assert!(
        run.events()
            .iter()
            .all(|event| !matches!(event.kind, EventKind::StepFailed { left_behind: true, .. }))
    );
}

#[tokio::test]
async fn s4_9_a_step_that_goes_on_with_the_value_of_another_has_its_own_timeout() {
    static STUCK: Gate = Gate::new();
    #[op(timeout = "10ms")]
    fn stuck(x: i64) -> i64 {
        if x == 5 {
            STUCK.pass();
        }
        x
    }
    #[job(max_concurrent = 1)]
    fn chained() {
        let _ = list(emit(5).map(inc).map(stuck).collect());
    }
    let run = run(chained::job().args(())).await;
    STUCK.open();
    assert_eq!(kind_of(&run, "stuck[4]"), ErrorKind::Timeout);
    assert_eq!(run.step::<i64>("stuck[3]"), Some(4));
}

#[tokio::test]
async fn s4_9_the_timeout_of_an_emitter_counts_polls_only() {
    static LATER: Gate = Gate::new();
    /// It waits, between two polls, until more time has gone by than it has.
    #[op(dynamic_out(by_index), timeout = "1s")]
    fn waits() -> impl Stream<Item = i64> {
        let mut later = Box::pin(LATER.passed());
        let mut left = 3;
        Polled(move |cx: &mut Context<'_>| {
            if left == 1 {
                std::task::ready!(later.as_mut().poll(cx));
            }
            left -= 1;
            Poll::Ready((left >= 0).then_some(left))
        })
    }
    #[op(timeout = "1200ms")]
    async fn opens(ctx: &OpContext) {
        struct OnDrop;
        impl Drop for OnDrop {
            fn drop(&mut self) {
                LATER.open();
            }
        }
        let _opens = OnDrop;
        std::future::pending::<()>().await;
        let _ = ctx;
    }
    #[job]
    fn waits_long() {
        let _ = total(waits().map(inc).collect());
        let _ = opens();
    }
    assert_eq!(run(waits_long::job().args(())).await.step::<i64>("total"), Some(6));
}

#[tokio::test]
async fn s4_9_an_emitter_stuck_in_a_poll_fails_at_its_deadline() {
    static STUCK: Gate = Gate::new();
    #[op(dynamic_out(by_index), timeout = "10ms")]
    fn stuck() -> impl Iterator<Item = i64> {
        std::iter::once_with(|| {
            STUCK.pass();
            1
        })
    }
    #[job(max_concurrent = 1)]
    fn stuck_poll() {
        let _ = list(stuck().map(inc).collect());
    }
    let run = run(stuck_poll::job().args(())).await;
    STUCK.open();
    assert_eq!(kind_of(&run, "stuck"), ErrorKind::Timeout);
    assert_eq!(run.state_of("list"), Some(StepState::UpstreamFailed));
}

#[tokio::test]
async fn s4_9_an_emitter_whose_poll_was_too_long_is_tried_again_with_all_its_room() {
    static STUCK: Gate = Gate::new();
    #[op(dynamic_out(by_index), timeout = "300ms", retry(max = 2))]
    fn stuck_at_first(ctx: &OpContext) -> impl Iterator<Item = i64> {
        let last = ctx.attempt() == 3;
        (0..if last { 3_000 } else { 10 }).inspect(move |n| {
            if !last && *n == 9 {
                STUCK.pass();
            }
        })
    }
    #[job]
    fn tried_with_room() -> Out<i64> {
        stuck_at_first().map(inc).fold(0, add).timeout(Duration::from_secs(60))
    }
    let run = run(tried_with_room::job().args(())).await;
    STUCK.open();
    assert_eq!(run.output(), 3_000 * 3_001 / 2);
    assert_eq!(attempts_of(&run, "stuck_at_first"), 3);
}

// --- 10: panics

fn assert_panicked<R>(run: &InMemory<R>, step: &str, message: &str) {
    assert_eq!(kind_of(run, step), ErrorKind::Panic, "{step}");
    let error = error_of(run, step);
    assert!(error.contains(message) && error.contains("rules_failures.rs:"), "{step}: {error}");
}

#[tokio::test]
async fn s4_10_a_panic_is_a_failure_with_message_and_place_and_siblings_go_on() {
    #[op]
    fn panics(x: i64) -> i64 {
        assert!(x != 1, "one is {}", "odd");
        x
    }
    #[op]
    async fn panics_later(x: i64) -> i64 {
        tokio::task::yield_now().await;
        panics::call(x)
    }
    #[op]
    fn throws() {
        std::panic::panic_any(7_u32);
    }
    #[op]
    fn static_message() {
        panic!("plain");
    }
    #[job]
    fn panicking() {
        let _ = (emit(3).map(panics), emit(3).map(panics_later), throws(), static_message());
    }
    let run = run(panicking::job().args(())).await;
    assert_panicked(&run, "panics[1]", "one is odd");
    assert_panicked(&run, "panics_later[1]", "one is odd");
    assert_panicked(&run, "throws", "panicked");
    assert_panicked(&run, "static_message", "plain");
    for step in ["panics[0]", "panics[2]", "panics_later[0]", "panics_later[2]"] {
        assert_eq!(run.state_of(step), Some(StepState::Succeeded), "{step}");
    }
}

#[tokio::test]
async fn s4_10_a_panic_is_tried_again_as_any_failure() {
    #[op(retry(max = 1))]
    fn panics_once(ctx: &OpContext) -> u32 {
        assert!(ctx.attempt() > 1, "first");
        ctx.attempt()
    }
    #[job]
    fn panic_again() -> Out<u32> {
        panics_once()
    }
    assert_eq!(run(panic_again::job().args(())).await.output(), 2);
}

#[tokio::test]
async fn s4_10_a_panic_in_an_iterator_a_stream_or_its_drop_fails_the_emitter() {
    struct Bomb(i64);
    impl Iterator for Bomb {
        type Item = i64;
        fn next(&mut self) -> Option<i64> {
            self.0 += 1;
            (self.0 < 3).then_some(self.0)
        }
    }
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }
    #[op(dynamic_out(by_index))]
    fn in_next() -> impl Iterator<Item = i64> {
        (0..3).inspect(|x| assert!(*x < 2, "in next"))
    }
    #[op(dynamic_out(by_index))]
    fn in_poll() -> impl Stream<Item = i64> {
        let mut x = 0;
        Polled(move |_: &mut Context<'_>| {
            x += 1;
            assert!(x < 3, "in poll");
            Poll::Ready(Some(x))
        })
    }
    #[op(dynamic_out(by_index))]
    fn in_drop() -> impl Iterator<Item = i64> {
        Bomb(0)
    }
    #[op(dynamic_out(by_index))]
    fn in_op(x: i64) -> Vec<i64> {
        panic!("in op {x}")
    }
    #[job]
    fn panicking_emitters() {
        let _ = (in_next().map(inc), in_poll().map(inc), in_drop().map(inc), in_op(1).map(inc));
    }
    let run = run(panicking_emitters::job().args(())).await;
    assert_panicked(&run, "in_next", "in next");
    assert_panicked(&run, "in_poll", "in poll");
    assert_panicked(&run, "in_drop", "in drop");
    assert_panicked(&run, "in_op", "in op 1");
    assert_eq!(run.state_of("inc[1]"), Some(StepState::Succeeded), "copies that ran stay");
    assert_eq!(run.state_of("inc_2[0]"), Some(StepState::Succeeded));
}

/// A value whose drop panics, once it is armed.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct DropBomb(bool);

impl Drop for DropBomb {
    fn drop(&mut self) {
        assert!(!self.0 || std::thread::panicking(), "dropped");
    }
}

impl std::fmt::Display for DropBomb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a bomb")
    }
}

#[tokio::test]
async fn s4_10_a_panic_in_the_drop_of_a_value_ends_no_worker() {
    #[op(transient)]
    fn make() -> DropBomb {
        DropBomb(true)
    }
    #[op]
    fn takes(#[transient] bomb: DropBomb) -> i64 {
        i64::from(bomb.0)
    }
    #[op]
    fn borrows(#[transient] bomb: &DropBomb) -> i64 {
        i64::from(bomb.0)
    }
    #[op]
    async fn borrows_later(#[transient] bomb: Arc<DropBomb>) -> i64 {
        i64::from(bomb.0)
    }
    #[op]
    fn fails_with_it() -> Result<(), DropBomb> {
        Err(DropBomb(true))
    }
    #[job]
    fn bombs() -> Out<i64> {
        let _ = takes(make());
        let _ = borrows(make());
        let _ = borrows_later(make());
        let _ = fails_with_it();
        let _ = make();
        let copies = emit(3).map(|x| borrows(make().after(x)).after(x));
        let _ = total(copies.collect());
        total((0..20).map(inc).collect::<Vec<_>>())
    }
    // Without keeping values too, so that the last reader drops them.
    let report = watched(async { bombs::job().args(()).start().await.unwrap().wait().await }).await;
    assert_eq!(report.outputs[0].as_ref().unwrap().downcast_ref::<i64>(), Some(&210));
    let kept = run(bombs::job().args(())).await;
    assert_eq!(kept.step::<i64>("total_2"), Some(210));
    assert_panicked(&kept, "takes", "dropped");
    assert_panicked(&kept, "fails_with_it", "dropped");
    std::mem::forget(kept);
}

#[tokio::test]
async fn s4_10_a_panic_in_serde_or_display_of_a_value_or_an_error_is_the_steps() {
    #[derive(Debug)]
    struct Writes;
    impl serde::Serialize for Writes {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("in serialize")
        }
    }
    impl<'de> serde::Deserialize<'de> for Writes {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("in deserialize")
        }
    }
    #[derive(Debug, serde::Serialize)]
    struct Reads;
    impl<'de> serde::Deserialize<'de> for Reads {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("in deserialize")
        }
    }
    #[derive(Debug)]
    struct Shows;
    impl std::fmt::Display for Shows {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("in display")
        }
    }
    #[op]
    fn writes() -> Writes {
        Writes
    }
    #[op]
    async fn reads() -> Reads {
        Reads
    }
    #[op(dynamic_out(by_index))]
    fn item_writes() -> Vec<Writes> {
        vec![Writes]
    }
    #[op]
    fn shows() -> Result<(), Shows> {
        Err(Shows)
    }
    #[op]
    async fn shows_later() -> Result<(), Shows> {
        Err(Shows)
    }
    #[op(dynamic_out)]
    fn key_shows() -> Vec<DynamicOutput<i64>> {
        vec![DynamicOutput::new(Shows, 1)]
    }
    #[job]
    fn panicking_serde() -> Out<i64> {
        let _ = (writes(), reads(), item_writes(), shows(), shows_later(), key_shows());
        total((0..20).map(inc).collect::<Vec<_>>())
    }
    let run = run(panicking_serde::job().args(())).await;
    assert_panicked(&run, "writes", "in serialize");
    assert_panicked(&run, "reads", "in deserialize");
    assert_panicked(&run, "item_writes", "in serialize");
    assert_panicked(&run, "shows", "in display");
    assert_panicked(&run, "shows_later", "in display");
    assert_panicked(&run, "key_shows", "in display");
    assert_eq!(run.step::<i64>("total"), Some(210));
}

#[tokio::test]
async fn s4_10_a_panic_while_a_repeated_item_is_compared_ends_no_worker() {
    static RAN: Gate = Gate::new();
    static SERIALIZED: AtomicU32 = AtomicU32::new(0);
    #[derive(Clone, Debug, serde::Deserialize)]
    struct Late(i64);
    impl serde::Serialize for Late {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            // Twice for the first value's way there and back.
            assert!(SERIALIZED.fetch_add(1, SeqCst) < 2, "in serialize");
            serializer.serialize_i64(self.0)
        }
    }
    #[op(dynamic_out(by_index), retry(max = 1))]
    fn again(ctx: &OpContext) -> impl Iterator<Item = Result<Late, String>> {
        let fails = (ctx.attempt() == 1).then(|| Err("again".to_owned()));
        [Ok(Late(1))].into_iter().chain(std::iter::once_with(|| RAN.pass()).flat_map(move |()| fails.clone()))
    }
    #[op]
    async fn copy(x: Late) -> i64 {
        RAN.open();
        x.0
    }
    #[job]
    fn compares() {
        let _ = again().map(copy);
    }
    // Whether such an item counts as another one or fails its emitter, the run ends.
    run(compares::job().args(())).await;
}

// --- 11: cancelling

#[tokio::test]
async fn s4_11_cancelling_starts_nothing_new_and_tells_what_runs() {
    static BEGUN: Gate = Gate::new();
    static TOLD: Seen = Seen::new();
    #[op]
    async fn task(ctx: &OpContext) -> i64 {
        BEGUN.open();
        ctx.cancelled().await;
        TOLD.push("task");
        1
    }
    #[op]
    fn thread(ctx: &OpContext) -> i64 {
        while !ctx.is_cancelled() {
            std::thread::yield_now();
        }
        TOLD.push("thread");
        2
    }
    #[op(dynamic_out(by_index))]
    fn endless() -> impl Iterator<Item = i64> {
        0..
    }
    #[job]
    fn cancelled() -> Out<i64> {
        let _ = endless().map(inc);
        add(task(), thread())
    }
    let watch = Watch::default();
    let handle = cancelled::job().args(()).sink(watch.clone()).start().await.unwrap();
    watched(BEGUN.passed()).await;
    watch.until("started thread (1)").await;
    handle.cancel("the test says so");
    let report = watched(handle.wait()).await;
    assert_eq!(report.state, RunState::Cancelled);
    let mut told = TOLD.list();
    told.sort();
    assert_eq!(told, ["task", "thread"]);
    let lines = watch.lines();
    for line in ["cancelling: the test says so", "succeeded task", "succeeded thread", "cancelled add"] {
        assert!(lines.iter().any(|known| known == line), "{line}");
    }
    assert!(lines.iter().any(|line| line.contains("endless") && line.starts_with("cancelled")));
    assert_eq!(lines.last().unwrap(), "ended Cancelled");
    assert!(report.outputs[0].is_none());
}

#[tokio::test]
async fn s4_11_after_the_grace_period_nobody_waits() {
    static STUCK: Gate = Gate::new();
    static BEGUN: Gate = Gate::new();
    #[op]
    fn stuck() -> i64 {
        BEGUN.open();
        STUCK.pass();
        1
    }
    #[job]
    fn stubborn() -> Out<i64> {
        inc(stuck())
    }
    let options = RunOptions { grace: Some(Duration::from_millis(10)), ..RunOptions::default() };
    let watch = Watch::default();
    let handle = stubborn::job().args(()).options(options).sink(watch.clone()).start().await.unwrap();
    watched(BEGUN.passed()).await;
    handle.cancel("now");
    let report = watched(handle.wait()).await;
    STUCK.open();
    assert_eq!(report.state, RunState::Cancelled);
    assert!(watch.lines().contains(&"cancelled stuck".to_owned()));
    assert!(watch.lines().contains(&"cancelled inc".to_owned()));
}

#[tokio::test]
async fn s4_11_a_second_cancel_ends_at_once() {
    static BEGUN: Gate = Gate::new();
    static DROPPED: Gate = Gate::new();
    struct OnDrop;
    impl Drop for OnDrop {
        fn drop(&mut self) {
            DROPPED.open();
        }
    }
    #[op]
    async fn deaf() -> i64 {
        let _dropped = OnDrop;
        BEGUN.open();
        std::future::pending::<()>().await;
        1
    }
    #[job]
    fn twice() -> Out<i64> {
        inc(deaf())
    }
    let options = RunOptions { grace: Some(Duration::from_secs(3600)), ..RunOptions::default() };
    let handle = twice::job().args(()).options(options).start().await.unwrap();
    watched(BEGUN.passed()).await;
    let canceller = handle.canceller();
    canceller.cancel("once");
    canceller.cancel_now("twice");
    let report = watched(handle.wait()).await;
    assert_eq!(report.state, RunState::Cancelled);
    watched(DROPPED.passed()).await;
}

#[tokio::test]
async fn s4_11_a_cancelled_run_does_not_wait_for_retries_or_for_an_emitter() {
    static FAILED: Gate = Gate::new();
    #[op(retry(max = 1, delay = "1h"))]
    async fn waits() -> Result<(), String> {
        FAILED.open();
        Err("later".to_owned())
    }
    #[op(dynamic_out(by_index))]
    fn never() -> impl Stream<Item = i64> {
        Polled(|_: &mut Context<'_>| Poll::Pending)
    }
    #[job]
    fn idle() {
        let _ = (waits(), list(never().collect()));
    }
    let watch = Watch::default();
    let handle = idle::job().args(()).sink(watch.clone()).start().await.unwrap();
    watched(FAILED.passed()).await;
    watch.until("attempt failed waits (1)").await;
    watch.until("started never (1)").await;
    handle.cancel("enough");
    assert_eq!(watched(handle.wait()).await.state, RunState::Cancelled);
    for line in ["cancelled waits", "cancelled never", "cancelled list"] {
        assert!(watch.lines().iter().any(|known| known == line), "{line}");
    }
}

#[tokio::test]
async fn s4_11_cancelling_a_run_that_has_ended_changes_nothing() {
    #[job]
    fn short() -> Out<i64> {
        one()
    }
    let watch = Watch::default();
    let handle = short::job().args(()).sink(watch.clone()).start().await.unwrap();
    let canceller = handle.canceller();
    watch.until("ended Succeeded").await;
    canceller.cancel("too late");
    canceller.cancel_now("far too late");
    assert_eq!(watched(handle.wait()).await.state, RunState::Succeeded);
}

// --- hooks

static HOOKED: Seen = Seen::new();

fn on_sync(report: &RunReport) {
    HOOKED.push(format_args!("{} {:?}", report.job, report.state));
}

async fn on_async(report: &RunReport) {
    tokio::task::yield_now().await;
    HOOKED.push(format_args!("{} {:?} later", report.job, report.state));
}

#[job(on_success = on_sync, on_failure = on_async)]
fn hooked_one(fail: Out<bool>) {
    let _ = maybe_fails(fail);
}

#[job(on_success = on_async, on_failure = on_sync)]
fn hooked_two(fail: Out<bool>) {
    let _ = maybe_fails(fail);
}

#[op]
fn maybe_fails(fail: bool) -> Result<(), String> {
    if fail { Err("no".to_owned()) } else { Ok(()) }
}

#[tokio::test]
async fn s4_hooks_are_told_of_success_and_of_failure_before_the_run_is_given_back() {
    run(hooked_one::job().args((false,))).await;
    run(hooked_one::job().args((true,))).await;
    run(hooked_two::job().args((false,))).await;
    run(hooked_two::job().args((true,))).await;
    let expected = [
        "hooked_one Succeeded",
        "hooked_one Failed later",
        "hooked_two Succeeded later",
        "hooked_two Failed",
    ];
    assert_eq!(HOOKED.list(), expected);
}

#[tokio::test]
async fn s4_hooks_are_not_called_for_a_cancelled_run() {
    static CALLED: AtomicU32 = AtomicU32::new(0);
    fn called(_: &RunReport) {
        CALLED.fetch_add(1, SeqCst);
    }
    static BEGUN: Gate = Gate::new();
    #[op]
    async fn waits(ctx: &OpContext) {
        BEGUN.open();
        ctx.cancelled().await;
    }
    #[job(on_success = called, on_failure = called)]
    fn cancelled_hook() {
        let _ = waits();
    }
    let handle = cancelled_hook::job().args(()).start().await.unwrap();
    watched(BEGUN.passed()).await;
    handle.cancel("enough");
    assert_eq!(watched(handle.wait()).await.state, RunState::Cancelled);
    assert_eq!(CALLED.load(SeqCst), 0);
}

#[tokio::test]
async fn s4_a_hook_that_panics_takes_no_result_away() {
    fn panics(_: &RunReport) {
        panic!("in the hook");
    }
    async fn panics_later(_: &RunReport) {
        tokio::task::yield_now().await;
        panic!("in the hook");
    }
    #[job(on_success = panics)]
    fn sync_hook() -> Out<i64> {
        one()
    }
    #[job(on_success = panics_later)]
    fn async_hook() -> Out<i64> {
        one()
    }
    assert_eq!(run(sync_hook::job().args(())).await.output(), 1);
    assert_eq!(run(async_hook::job().args(())).await.output(), 1);
}
