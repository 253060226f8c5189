//! §3: when a step starts, in which order, and how many at once.

mod common;

use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll};
use std::time::Duration;

use common::{Gate, Gauge, Seen, error_of, run, states, watched};
use fanfold::graph::GraphFormat;
use fanfold::prelude::*;
use fanfold::{EventKind, OPEN_ITEMS, Order, PoolLimit, Rate, RunOptions, RunState, StepState};
use futures_core::Stream;

#[op(dynamic_out(by_index))]
fn emit(n: i64) -> Vec<i64> {
    (0..n).collect()
}

/// As `emit`, item by item.
#[op(dynamic_out(by_index))]
fn count(n: i64) -> impl Iterator<Item = i64> {
    0..n
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

// --- 1: a step starts when its inputs are there

#[tokio::test]
async fn s3_1_nothing_waits_for_a_whole_level() {
    static SEEN: Seen = Seen::new();
    #[op]
    fn first(x: i64) -> i64 {
        if x == 1 {
            SEEN.wait_for("second 0");
        }
        x
    }
    #[op]
    fn second(x: i64) -> i64 {
        SEEN.push(format_args!("second {x}"));
        x
    }
    #[job]
    fn levels() -> Out<i64> {
        total(emit(2).map(first).map(second).collect())
    }
    assert_eq!(run(levels::job().args(())).await.output(), 1);
}

#[tokio::test]
async fn s3_1_a_step_does_not_start_before_its_last_input_is_there() {
    static SEEN: Seen = Seen::new();
    #[op]
    async fn early() -> i64 {
        SEEN.push("early");
        1
    }
    #[op]
    fn late() -> i64 {
        SEEN.wait_for("early");
        SEEN.push("late");
        2
    }
    #[op]
    fn both(a: i64, b: i64) -> i64 {
        SEEN.push("both");
        a + b
    }
    #[job]
    fn inputs() -> Out<i64> {
        both(early(), late())
    }
    assert_eq!(run(inputs::job().args(())).await.output(), 3);
    assert_eq!(SEEN.list(), ["early", "late", "both"]);
}

// --- 2: streaming

#[tokio::test]
async fn s3_2_a_copy_starts_before_the_iterator_has_given_the_next_item() {
    static SEEN: Seen = Seen::new();
    #[op(dynamic_out(by_index))]
    fn one_by_one() -> impl Iterator<Item = i64> {
        (0..4).inspect(|n| {
            if *n > 0 {
                SEEN.wait_for(&format!("copy {}", n - 1));
            }
        })
    }
    #[op]
    fn copy(x: i64) -> i64 {
        SEEN.push(format_args!("copy {x}"));
        x
    }
    #[job]
    fn streaming() -> Out<i64> {
        total(one_by_one().map(copy).collect())
    }
    assert_eq!(run(streaming::job().args(())).await.output(), 6);
}

#[tokio::test]
async fn s3_2_copies_of_one_page_run_while_the_next_page_is_fetched() {
    static SEEN: Seen = Seen::new();
    /// Pages of ten items, each fetched only once every item of the page before was seen.
    #[op(dynamic_out)]
    fn pages() -> impl Iterator<Item = DynamicOutput<i64>> {
        (0..50).map(|n| {
            if n % 10 == 0 {
                (n - 10..n).filter(|seen| *seen >= 0).for_each(|seen| SEEN.wait_for(&seen.to_string()));
            }
            DynamicOutput::new(format_args!("item {n}"), n)
        })
    }
    #[op]
    async fn copy(x: i64) -> i64 {
        SEEN.push(x);
        x
    }
    #[job]
    fn paged() -> Out<i64> {
        total(pages().map(copy).collect())
    }
    assert_eq!(run(paged::job().args(())).await.output(), 49 * 25);
}

/// A stream from a function that is polled.
struct Polled<F>(F);

impl<T, F: FnMut(&mut Context<'_>) -> Poll<Option<T>> + Unpin> Stream for Polled<F> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        (self.0)(cx)
    }
}

/// The items of a channel.
fn received<T>(mut receiver: tokio::sync::mpsc::Receiver<T>) -> impl Stream<Item = T> {
    Polled(move |cx: &mut Context<'_>| receiver.poll_recv(cx))
}

async fn streams_from_a_channel() {
    static SEEN: Seen = Seen::new();
    /// Another task sends the next item once the copy of the one before was seen.
    #[op(dynamic_out(by_index))]
    async fn channel() -> impl Stream<Item = i64> {
        SEEN.push("begun");
        let (sender, receiver) = tokio::sync::mpsc::channel(1);
        tokio::task::spawn_blocking(move || {
            for n in 0..5 {
                sender.blocking_send(n).unwrap();
                SEEN.wait_for(&format!("copy {n}"));
            }
        });
        received(receiver)
    }
    #[op]
    async fn copy(x: i64) -> i64 {
        SEEN.push(format_args!("copy {x}"));
        x
    }
    #[job]
    fn from_channel() -> Out<i64> {
        total(channel().map(copy).collect())
    }
    assert_eq!(run(from_channel::job().args(())).await.output(), 10);
}

#[tokio::test]
async fn s3_2_a_stream_gives_its_items_as_they_come() {
    streams_from_a_channel().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_2_a_stream_uses_the_timers_of_the_runtime() {
    #[op(dynamic_out(by_index))]
    fn ticks() -> Pin<Box<dyn Stream<Item = i64> + Send>> {
        let mut interval = tokio::time::interval(Duration::from_millis(1));
        let mut left = 3;
        Box::pin(Polled(move |cx: &mut Context<'_>| {
            if left == 0 {
                return Poll::Ready(None);
            }
            interval.poll_tick(cx).map(|_| {
                left -= 1;
                Some(left)
            })
        }))
    }
    #[job]
    fn ticking() -> Out<i64> {
        total(ticks().map(inc).collect())
    }
    assert_eq!(run(ticking::job().args(())).await.output(), 6);
}

#[tokio::test]
async fn s3_2_streaming_false_holds_items_until_the_emitter_has_succeeded() {
    static COPIES: AtomicU32 = AtomicU32::new(0);
    #[op(dynamic_out(by_index), streaming = false)]
    fn held(n: i64) -> impl Iterator<Item = Result<i64, String>> {
        (0..n).map(|n| {
            assert_eq!(COPIES.load(SeqCst), 0);
            if n == 2000 { Err("too many".to_owned()) } else { Ok(n) }
        })
    }
    #[op]
    fn copy(x: i64) -> i64 {
        COPIES.fetch_add(1, SeqCst);
        x
    }
    #[job]
    fn holds(n: Out<i64>) -> Out<i64> {
        total(held(n).map(copy).collect())
    }
    let failed = run(holds::job().args((3000,))).await;
    assert_eq!(states(&failed), ["held: failed", "total: upstream failed"]);
    assert_eq!(COPIES.load(SeqCst), 0);
    assert_eq!(run(holds::job().args((1500,))).await.output(), 1500 * 1499 / 2);
}

// --- 3: backpressure

/// How many items were open at most, by the events: yielded, and not ended in `last`.
fn most_open<R>(run: &fanfold::InMemory<R>, emitter: &str, last: &str) -> usize {
    let shape = &run.report().shape;
    let (mut open, mut most) = (0_usize, 0);
    for event in run.events() {
        match &event.kind {
            EventKind::ItemYielded { step, .. } if step.name(shape).op() == emitter => open += 1,
            EventKind::StepSucceeded { step, .. } if step.name(shape).op() == last => open -= 1,
            _ => {}
        }
        most = most.max(open);
    }
    most
}

#[tokio::test]
async fn s3_3_an_emitter_is_not_polled_while_its_budget_is_used_up() {
    static OPEN: Gauge = Gauge::new();
    static LEFT: AtomicU32 = AtomicU32::new(0);
    static MOST: AtomicU32 = AtomicU32::new(0);
    #[op(dynamic_out(by_index))]
    fn huge() -> impl Iterator<Item = i64> {
        (0..30_000).inspect(|_| {
            let open = LEFT.fetch_add(1, SeqCst) + 1;
            MOST.fetch_max(open, SeqCst);
        })
    }
    #[op]
    fn copy(x: i64) -> i64 {
        let _in = OPEN.enter();
        x
    }
    #[op]
    fn done(x: i64) -> i64 {
        LEFT.fetch_sub(1, SeqCst);
        x
    }
    #[job]
    fn bounded() -> Out<i64> {
        huge().map(copy).map(done).fold(0, add)
    }
    let run = run(bounded::job().args(())).await;
    assert_eq!(run.output(), 30_000 * 29_999 / 2);
    // One more than the budget is made before there is room for it.
    assert!(MOST.load(SeqCst) <= OPEN_ITEMS + 1, "{}", MOST.load(SeqCst));
    assert!(most_open(&run, "huge", "done") <= OPEN_ITEMS as usize);
}

#[tokio::test]
async fn s3_3_the_items_of_a_list_are_opened_under_the_same_budget() {
    #[job]
    fn listed() -> Out<i64> {
        total(emit(5_000).map(inc).collect())
    }
    let run = run(listed::job().args(())).await;
    assert_eq!(run.output(), 5_000 * 5_001 / 2);
    assert!(most_open(&run, "emit", "inc") <= OPEN_ITEMS as usize);
}

#[tokio::test]
async fn s3_3_the_budget_is_at_least_twice_what_can_be_in_flight() {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    static ALL: Gate = Gate::new();
    #[op]
    async fn wait(x: i64) -> i64 {
        if STARTED.fetch_add(1, SeqCst) + 1 == 1_500 {
            ALL.open();
        }
        ALL.passed().await;
        x
    }
    #[job(max_concurrent = 1500)]
    fn wide() -> Out<i64> {
        total(count(2_000).map(wait).collect())
    }
    assert_eq!(run(wide::job().args(())).await.output(), 2_000 * 1_999 / 2);
}

#[tokio::test]
async fn s3_3_items_that_wait_for_the_closing_of_their_own_fan_out_are_held_without_bound() {
    #[op]
    fn share(x: i64, all: &[i64]) -> i64 {
        x * i64::try_from(all.len()).unwrap()
    }
    #[job]
    fn waits_for_all() -> Out<i64> {
        let items = count(3_000);
        let mapped = items.map(inc);
        total(items.map(|x| share(x, mapped.collect())).collect())
    }
    let run = run(waits_for_all::job().args(())).await;
    assert_eq!(run.output(), 3_000 * (3_000 * 2_999 / 2));
    let text = waits_for_all::job().graph().unwrap().print(GraphFormat::Text);
    assert!(text.contains("without bound"), "{text}");
}

#[tokio::test]
async fn s3_3_a_product_and_a_zip_larger_than_the_budget_end() {
    #[job]
    fn large_product() -> Out<i64> {
        let (outer, inner) = (count(40), count(2_000));
        outer.map(|x| inner.map(move |y| add(x, y))).fold(0, add)
    }
    #[op(dynamic_out)]
    fn backwards(n: i64) -> impl Iterator<Item = DynamicOutput<i64>> {
        (0..n).rev().map(|n| DynamicOutput::new(n, n))
    }
    #[job]
    fn large_zip() -> Out<i64> {
        let (left, right) = (count(3_000).map(inc), backwards(3_000));
        left.zip(right).map(|(a, b)| add(a, b)).fold(0, add)
    }
    let (n, m) = (40, 2_000);
    assert_eq!(run(large_product::job().args(())).await.output(), n * m * (n - 1) / 2 + n * m * (m - 1) / 2);
    assert_eq!(run(large_zip::job().args(())).await.output(), 3_000 * 2_999 + 3_000);
}

#[tokio::test]
async fn s3_3_both_outputs_of_one_op_are_zipped_though_one_comes_first() {
    #[derive(Outputs)]
    struct Halves {
        left: Dynamic<i64>,
        right: Dynamic<i64>,
    }
    #[op(outputs)]
    fn halves() -> impl Iterator<Item = HalvesItem> {
        let left = (0..3_000).map(|n| HalvesItem::Left(DynamicOutput::new(n, n)));
        left.chain((0..3_000).map(|n| HalvesItem::Right(DynamicOutput::new(n, n))))
    }
    #[job]
    fn one_after_the_other() -> Out<i64> {
        let halves = halves();
        halves.left.map(inc).zip(halves.right).map(|(a, b)| add(a, b)).fold(0, add)
    }
    assert_eq!(run(one_after_the_other::job().args(())).await.output(), 3_000 * 2_999 + 3_000);
}

#[tokio::test]
async fn s3_3_nested_emitters_share_the_budget_of_their_fan_out() {
    #[job]
    fn nested() -> Out<i64> {
        count(300).map(|x| hundred(x).map(inc)).fold(0, add)
    }
    #[op(dynamic_out(by_index))]
    fn hundred(_x: i64) -> impl Iterator<Item = i64> {
        0..100
    }
    let run = run(nested::job().args(())).await;
    assert_eq!(run.output(), 300 * 5_050);
    // Each instance may always have one.
    assert!(most_open(&run, "hundred", "inc") <= OPEN_ITEMS as usize + 300);
}

// --- 4: order

#[derive(Clone, Copy)]
enum Form {
    Sync,
    Async,
}

static ORDER: std::sync::Mutex<Vec<(u32, String)>> = std::sync::Mutex::new(Vec::new());

/// Runs note themselves under a number, so that tests do not see one another.
fn note(run: u32, what: impl std::fmt::Display) {
    common::lock(&ORDER).push((run, what.to_string()));
}

fn noted(run: u32) -> Vec<String> {
    common::lock(&ORDER).iter().filter(|(of, _)| *of == run).map(|(_, what)| what.clone()).collect()
}

#[op]
fn a(run: u32, x: i64) -> i64 {
    note(run, format_args!("a{x}"));
    x
}

#[op]
fn b(run: u32, x: i64) -> i64 {
    note(run, format_args!("b{x}"));
    x
}

#[op]
async fn a_async(run: u32, x: i64) -> i64 {
    note(run, format_args!("a{x}"));
    x
}

#[op]
async fn b_async(run: u32, x: i64) -> i64 {
    note(run, format_args!("b{x}"));
    x
}

#[job(max_concurrent = 1)]
fn two_levels(run: Out<u32>) {
    let _ = emit(3).map(|x| b(run, a(run, x)));
}

#[job(max_concurrent = 1)]
fn two_async_levels(run: Out<u32>) {
    let _ = emit(3).map(|x| b_async(run, a_async(run, x)));
}

#[job(max_concurrent = 1)]
fn mixed_levels(run: Out<u32>) {
    let _ = emit(3).map(|x| b_async(run, a(run, x)));
}

async fn order_of(number: u32, form: Form, order: Option<Order>) -> String {
    let options = RunOptions { order, ..RunOptions::default() };
    match form {
        Form::Sync => run(two_levels::job().args((number,)).options(options)).await.output(),
        Form::Async => run(two_async_levels::job().args((number,)).options(options)).await.output(),
    }
    noted(number).join(" ")
}

#[tokio::test]
async fn s3_4_an_item_is_finished_before_the_next_is_opened() {
    assert_eq!(order_of(1, Form::Sync, None).await, "a0 b0 a1 b1 a2 b2");
    assert_eq!(order_of(2, Form::Async, None).await, "a0 b0 a1 b1 a2 b2");
    run(mixed_levels::job().args((3,))).await.output();
    assert_eq!(noted(3).join(" "), "a0 b0 a1 b1 a2 b2");
}

#[tokio::test]
async fn s3_4_many_short_items_are_finished_one_by_one_too() {
    #[op]
    fn both(run: u32, x: i64, y: i64) -> i64 {
        note(run, format_args!("both{x}"));
        x + y
    }
    #[job(max_concurrent = 1)]
    fn forks(number: Out<u32>) {
        let _ = emit(300).map(|x| {
            let first = a(number, x);
            both(number, first, b(number, first))
        });
    }
    run(forks::job().args((4,))).await.output();
    let expected: Vec<_> =
        (0..300).flat_map(|x| [format!("a{x}"), format!("b{x}"), format!("both{x}")]).collect();
    assert_eq!(noted(4), expected);
}

#[tokio::test]
async fn s3_4_breadth_first_finishes_levels_of_many_short_steps_too() {
    let options = RunOptions { order: Some(Order::BreadthFirst), ..RunOptions::default() };
    #[job(max_concurrent = 1)]
    fn many(number: Out<u32>) {
        let _ = emit(300).map(|x| b(number, a(number, x)));
    }
    run(many::job().args((14,)).options(options)).await.output();
    let expected: Vec<_> =
        ["a", "b"].iter().flat_map(|op| (0..300).map(move |x| format!("{op}{x}"))).collect();
    assert_eq!(noted(14), expected);
}

#[tokio::test]
async fn s3_4_breadth_first_finishes_a_a_level_before_the_next() {
    let breadth = Some(Order::BreadthFirst);
    assert_eq!(order_of(11, Form::Sync, breadth).await, "a0 a1 a2 b0 b1 b2");
    assert_eq!(order_of(12, Form::Async, breadth).await, "a0 a1 a2 b0 b1 b2");

    #[job(max_concurrent = 1, order = "breadth_first")]
    fn by_job(number: Out<u32>) {
        let _ = emit(2).map(|x| b(number, a(number, x)));
    }
    run(by_job::job().args((13,))).await.output();
    assert_eq!(noted(13).join(" "), "a0 a1 b0 b1");
}

#[tokio::test]
async fn s3_4_priority_comes_before_depth() {
    #[job(max_concurrent = 1)]
    fn low_second(number: Out<u32>) {
        let _ = emit(2).map(|x| b(number, a(number, x)).priority(-1));
    }
    #[job(max_concurrent = 1)]
    fn high_first(number: Out<u32>) {
        let _ = emit(2).map(|x| b(number, a(number, x).priority(i32::MAX)));
    }
    #[job(max_concurrent = 1)]
    fn high_last(number: Out<u32>) {
        let items = emit(2);
        let _ = items.map(|x| a(number, x));
        let _ = items.map(|x| b(number, x)).priority(i32::MIN);
    }
    run(low_second::job().args((21,))).await.output();
    run(high_first::job().args((22,))).await.output();
    run(high_last::job().args((23,))).await.output();
    assert_eq!(noted(21).join(" "), "a0 a1 b0 b1");
    assert_eq!(noted(22).join(" "), "a0 a1 b0 b1");
    assert_eq!(noted(23).join(" "), "a0 a1 b0 b1");
}

#[tokio::test]
async fn s3_4_priority_of_the_op_and_never_over_a_dependency() {
    #[op(priority = 100)]
    fn eager(run: u32, x: i64) -> i64 {
        note(run, format_args!("eager{x}"));
        x
    }
    #[job(max_concurrent = 1)]
    fn eager_but_later(number: Out<u32>) {
        let _ = emit(2).map(|x| eager(number, a(number, x)));
    }
    run(eager_but_later::job().args((31,))).await.output();
    assert_eq!(noted(31).join(" "), "a0 eager0 a1 eager1");
}

#[tokio::test]
async fn s3_4_yield_order_decides_then_outer_first() {
    #[op(dynamic_out)]
    fn keyed_backwards() -> Vec<DynamicOutput<i64>> {
        vec![DynamicOutput::new("z", 0), DynamicOutput::new("m", 1), DynamicOutput::new("a", 2)]
    }
    #[job(max_concurrent = 1, order = "breadth_first")]
    fn yielded(number: Out<u32>) {
        let _ = keyed_backwards().map(|x| emit(2).map(move |y| a(number, add(add(x, x), y))));
    }
    run(yielded::job().args((41,))).await.output();
    assert_eq!(noted(41).join(" "), "a0 a1 a2 a3 a4 a5");
}

// --- 5: limits

/// Waits until `n` are there at once, then lets them all go on; asserts that there are never more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_5_max_concurrent_bounds_async_steps_and_is_reached() {
    static IN: Gauge = Gauge::new();
    static TOGETHER: tokio::sync::OnceCell<tokio::sync::Barrier> = tokio::sync::OnceCell::const_new();
    #[op]
    async fn meet(x: i64) -> i64 {
        let _in = IN.enter();
        TOGETHER.get_or_init(|| async { tokio::sync::Barrier::new(3) }).await.wait().await;
        x
    }
    #[job(max_concurrent = 3)]
    fn three_tasks() -> Out<i64> {
        total(emit(30).map(meet).collect())
    }
    assert_eq!(run(three_tasks::job().args(())).await.output(), 435);
    assert_eq!(IN.most(), 3);
}

#[tokio::test]
async fn s3_5_threads_grow_to_max_concurrent() {
    static IN: Gauge = Gauge::new();
    static TOGETHER: std::sync::LazyLock<Barrier> = std::sync::LazyLock::new(|| Barrier::new(12));
    #[op]
    fn meet(x: i64) -> i64 {
        let _in = IN.enter();
        TOGETHER.wait();
        x
    }
    #[job(max_concurrent = 12)]
    fn twelve_threads() -> Out<i64> {
        total(emit(36).map(meet).collect())
    }
    assert_eq!(run(twelve_threads::job().args(())).await.output(), 35 * 18);
    assert_eq!(IN.most(), 12);
}

#[tokio::test]
async fn s3_5_max_concurrent_counts_threads_and_tasks_together() {
    static IN: Gauge = Gauge::new();
    #[op]
    fn on_thread(x: i64) -> i64 {
        let _in = IN.enter();
        std::thread::yield_now();
        x
    }
    #[op]
    async fn in_task(x: i64) -> i64 {
        let _in = IN.enter();
        tokio::task::yield_now().await;
        x
    }
    #[job(max_concurrent = 2)]
    fn both() {
        let _ = emit(200).map(on_thread).map(in_task);
        let _ = emit(200).map(in_task).map(on_thread);
    }
    run(both::job().args(())).await.output();
    assert_eq!(IN.ever(), 800);
    assert!(IN.most() <= 2, "{}", IN.most());
}

#[tokio::test]
async fn s3_5_the_run_says_max_concurrent_over_the_job() {
    static IN: Gauge = Gauge::new();
    #[op]
    async fn alone(x: i64) -> i64 {
        let _in = IN.enter();
        tokio::task::yield_now().await;
        x
    }
    #[job(max_concurrent = 8)]
    fn said_otherwise() {
        let _ = emit(50).map(alone);
    }
    let options = RunOptions { max_concurrent: Some(1), ..RunOptions::default() };
    run(said_otherwise::job().args(()).options(options)).await.output();
    assert_eq!((IN.most(), IN.ever()), (1, 50));
}

fn pool(max: u32) -> PoolLimit {
    PoolLimit { max: Some(max), rate: None }
}

#[tokio::test]
async fn s3_5_a_pool_bounds_those_that_name_it_and_no_others() {
    static IN: Gauge = Gauge::new();
    static OUTSIDE: Gate = Gate::new();
    static TOGETHER: tokio::sync::OnceCell<tokio::sync::Barrier> = tokio::sync::OnceCell::const_new();
    #[op(pool = "api")]
    async fn call(x: i64) -> i64 {
        let _in = IN.enter();
        // The others go on though the pool is held.
        OUTSIDE.passed().await;
        TOGETHER.get_or_init(|| async { tokio::sync::Barrier::new(2) }).await.wait().await;
        x
    }
    #[op]
    fn outside(x: i64) -> i64 {
        if x == 19 {
            OUTSIDE.open();
        }
        x
    }
    #[job(pools(api = 2))]
    fn pooled() {
        let _ = emit(20).map(call);
        let _ = emit(20).map(outside);
        let _ = emit(5).map(inc).pool("api");
    }
    run(pooled::job().args(())).await.output();
    assert_eq!((IN.most(), IN.ever()), (2, 20));
}

#[tokio::test]
async fn s3_5_the_run_says_the_limit_of_a_pool_over_the_job() {
    static IN: Gauge = Gauge::new();
    #[op(pool = "api")]
    async fn call(x: i64) -> i64 {
        let _in = IN.enter();
        tokio::task::yield_now().await;
        x
    }
    #[job(pools(api = 5))]
    fn pooled_by_run() {
        let _ = emit(20).map(call);
    }
    let options = RunOptions { pools: [("api".to_owned(), pool(1))].into(), ..RunOptions::default() };
    run(pooled_by_run::job().args(()).options(options)).await.output();
    assert_eq!((IN.most(), IN.ever()), (1, 20));
}

#[tokio::test]
async fn s3_5_a_pool_bounds_sync_steps_folds_and_chains_too() {
    static IN: Gauge = Gauge::new();
    #[op(pool = "one")]
    fn call(x: i64) -> i64 {
        let _in = IN.enter();
        std::thread::yield_now();
        x
    }
    #[op(pool = "one")]
    fn sum(a: i64, b: i64) -> i64 {
        let _in = IN.enter();
        std::thread::yield_now();
        a + b
    }
    #[job(pools(one = 1))]
    fn pooled_threads() -> Out<i64> {
        emit(100).map(call).map(call).fold(0, sum)
    }
    assert_eq!(run(pooled_threads::job().args(())).await.output(), 4950);
    assert_eq!((IN.most(), IN.ever()), (1, 300));
}

#[tokio::test]
async fn s3_5_a_limit_for_each_value_of_a_tag() {
    static RED: Gauge = Gauge::new();
    static BLUE: Gauge = Gauge::new();
    static TOGETHER: tokio::sync::OnceCell<tokio::sync::Barrier> = tokio::sync::OnceCell::const_new();
    #[op(tags(colour = "red"))]
    async fn red(x: i64) -> i64 {
        let _in = RED.enter();
        tokio::task::yield_now().await;
        x
    }
    #[op(tags(colour = "blue"))]
    async fn blue(x: i64) -> i64 {
        let _in = BLUE.enter();
        TOGETHER.get_or_init(|| async { tokio::sync::Barrier::new(2) }).await.wait().await;
        x
    }
    #[job(tag_limits(colour(red = 1, blue = 2)))]
    fn coloured() {
        let _ = (emit(10).map(red), emit(10).map(blue), emit(10).map(inc).tag("colour", "red"));
    }
    run(coloured::job().args(())).await.output();
    assert_eq!((RED.most(), BLUE.most()), (1, 2));
}

#[tokio::test]
async fn s3_5_a_step_held_by_one_limit_holds_back_none_that_waits_for_another() {
    static SEEN: Seen = Seen::new();
    static FREE: Gate = Gate::new();
    static TAKEN: Gate = Gate::new();
    // It holds the tag until a step of the pool has run.
    #[op(tags(kind = "slow"))]
    async fn holds_tag() -> i64 {
        TAKEN.open();
        FREE.passed().await;
        1
    }
    // It holds the pool until the tag is held.
    #[op(pool = "api")]
    async fn holds_pool() -> i64 {
        TAKEN.passed().await;
        1
    }
    #[op(pool = "api", tags(kind = "slow"), priority = 1)]
    async fn needs_both() -> i64 {
        SEEN.push("both");
        1
    }
    #[op(pool = "api")]
    async fn needs_pool() -> i64 {
        SEEN.push("pool");
        FREE.open();
        1
    }
    #[job(pools(api = 1), tag_limits(kind(slow = 1)))]
    fn held_back() {
        let _ = holds_tag().priority(9);
        let _ = holds_pool().priority(8);
        let _ = (needs_both(), needs_pool());
    }
    run(held_back::job().args(())).await.output();
    assert_eq!(SEEN.list(), ["pool", "both"]);
}

#[tokio::test]
async fn s3_5_an_emitter_and_its_copies_share_a_pool_of_one() {
    #[op(dynamic_out(by_index), pool = "one")]
    fn iterated(n: i64) -> impl Iterator<Item = i64> {
        0..n
    }
    #[op(dynamic_out(by_index), pool = "one")]
    fn listed(n: i64) -> Vec<i64> {
        (0..n).collect()
    }
    #[op(dynamic_out(by_index), pool = "one")]
    async fn streamed(n: i64) -> impl Stream<Item = i64> {
        let mut next = 0..n;
        let mut ready = false;
        Polled(move |cx: &mut Context<'_>| {
            ready = !ready;
            if ready {
                return Poll::Ready(next.next());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }
    #[op(pool = "one")]
    async fn later(x: i64) -> i64 {
        tokio::task::yield_now().await;
        x
    }
    #[job(pools(one = 1))]
    fn share_one(n: Out<i64>) -> (Out<i64>, Out<i64>, Out<i64>) {
        let sync = iterated(n).map(inc).pool("one").map(later);
        let list = listed(n).map(later).map(inc);
        let stream = streamed(n).map(|x| inc(later(x)).pool("one"));
        (total(sync.collect()).pool("one"), list.fold(0, add), stream.fold(0, add))
    }
    let n = 1_500;
    let sum = n * (n + 1) / 2;
    assert_eq!(run(share_one::job().args((n,))).await.output(), (sum, sum, sum));
    let options = RunOptions { max_concurrent: Some(1), ..RunOptions::default() };
    assert_eq!(run(share_one::job().args((n,)).options(options)).await.output(), (sum, sum, sum));
}

#[tokio::test]
async fn s3_5_an_emitter_holds_its_tokens_only_while_it_is_polled() {
    static GATE: Gate = Gate::new();
    #[op(dynamic_out(by_index), pool = "one")]
    async fn waits() -> impl Stream<Item = i64> {
        let mut opened = Box::pin(GATE.passed());
        let mut left = 3;
        Polled(move |cx: &mut Context<'_>| {
            if left == 3 && opened.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            left -= 1;
            Poll::Ready((left >= 0).then_some(left))
        })
    }
    #[op(pool = "one")]
    async fn opens() {
        GATE.open();
    }
    #[job(max_concurrent = 1, pools(one = 1))]
    fn holds_nothing() {
        let _ = waits().priority(1).map(inc);
        let _ = opens();
    }
    assert_eq!(run(holds_nothing::job().args(())).await.state(), RunState::Succeeded);
}

/// When attempts of ops were begun, since the run began.
fn starts<R>(run: &fanfold::InMemory<R>) -> Vec<Duration> {
    let started = |event: &fanfold::Event| matches!(event.kind, EventKind::StepStarted { .. });
    run.events().iter().filter(|event| started(event)).map(|event| event.at).collect()
}

#[tokio::test(start_paused = true)]
async fn s3_5_a_rate_bounds_the_starts_in_any_span_and_counts_each_attempt() {
    #[op(pool = "api", retry(max = 1))]
    async fn call(ctx: &OpContext, x: i64) -> Result<i64, String> {
        if x == 0 && ctx.attempt() == 1 { Err("again".to_owned()) } else { Ok(x) }
    }
    #[job(pools(api(rate = "3/s")))]
    fn rated() -> Out<i64> {
        total([call(0), call(1), call(2), call(3), call(4), call(5), call(6), call(7), call(8)])
            .tag("no", "pool")
    }
    let run = run(rated::job().args(())).await;
    assert_eq!(run.output(), 36);
    let starts = &starts(&run)[..10];
    for four in starts.windows(4) {
        assert!(four[3] - four[0] >= Duration::from_secs(1), "{starts:?}");
    }
    // As many as may: ten of them take three spans and a bit.
    assert!(starts[3] < Duration::from_secs(2), "{starts:?}");
}

#[tokio::test(start_paused = true)]
async fn s3_5_a_pool_has_a_maximum_and_a_rate() {
    static IN: Gauge = Gauge::new();
    #[op(pool = "web")]
    async fn call(x: i64) -> i64 {
        let _in = IN.enter();
        tokio::time::sleep(Duration::from_millis(1_700)).await;
        x
    }
    #[job(pools(web(max = 2, rate = "5/s")))]
    fn both_limits() -> Out<i64> {
        total((0..8).map(call).collect::<Vec<_>>())
    }
    assert_eq!(run(both_limits::job().args(())).await.output(), 28);
    assert_eq!(IN.most(), 2);

    let rate = Rate { starts: 1, per: Duration::from_secs(60) };
    let pools = [("web".to_owned(), PoolLimit { max: None, rate: Some(rate) })].into();
    let options = RunOptions { pools, ..RunOptions::default() };
    let rated = run(both_limits::job().args(()).options(options)).await;
    assert_eq!(rated.output(), 28);
    let starts = starts(&rated);
    assert!(starts[..8].windows(2).all(|two| two[1] - two[0] >= Duration::from_secs(60)), "{starts:?}");
}

#[tokio::test]
async fn s3_5_a_rate_counts_an_emitter_once_however_often_it_is_polled() {
    #[op(dynamic_out(by_index), pool = "web")]
    fn polled_often(n: i64) -> impl Iterator<Item = i64> {
        0..n
    }
    #[job(pools(web(rate = "1/h")))]
    fn rated_emitter() -> Out<i64> {
        polled_often(5_000).map(inc).fold(0, add)
    }
    assert_eq!(run(rated_emitter::job().args(())).await.output(), 5_000 * 5_001 / 2);
}

// --- 6: values

/// Something whose life is counted.
struct Counted(&'static Gauge, #[allow(dead_code, reason = "it counts by being dropped")] common::Entered);

impl Counted {
    fn new(gauge: &'static Gauge) -> Self {
        Self(gauge, gauge.enter())
    }
}

/// Runs a job without keeping its values.
async fn run_only<R>(job: fanfold::JobRun<R>) -> fanfold::RunReport {
    watched(async { job.start().await.unwrap().wait().await }).await
}

#[tokio::test]
async fn s3_6_a_value_is_dropped_once_no_step_can_need_it() {
    static ALIVE: Gauge = Gauge::new();
    #[op(transient)]
    fn make() -> Counted {
        Counted::new(&ALIVE)
    }
    #[op]
    fn read(#[transient] value: &Counted) -> u32 {
        value.0.now()
    }
    #[op]
    fn after(_x: u32) -> u32 {
        ALIVE.now()
    }
    #[job]
    fn freed() -> (Out<u32>, Out<u32>) {
        let made = make();
        let reads = [read(made), read(made)];
        (sum(reads), after(sum(reads)))
    }
    #[op]
    fn sum(xs: &[u32]) -> u32 {
        xs.iter().sum()
    }
    let report = run_only(freed::job().args(())).await;
    let outputs = report.outputs.iter().map(|value| *value.as_ref().unwrap().downcast_ref::<u32>().unwrap());
    assert_eq!(outputs.collect::<Vec<_>>(), [2, 0]);
    assert_eq!((ALIVE.now(), ALIVE.ever()), (0, 1));
}

#[tokio::test]
async fn s3_6_the_values_of_an_item_go_when_the_item_is_finished() {
    static ALIVE: Gauge = Gauge::new();
    #[op(transient)]
    fn make(_x: i64) -> Counted {
        Counted::new(&ALIVE)
    }
    #[op]
    fn read(#[transient] value: &Counted) -> i64 {
        i64::from(value.0.now())
    }
    #[job(max_concurrent = 1)]
    fn freed_items() -> Out<i64> {
        total(emit(500).map(make).map(read).collect())
    }
    let report = run_only(freed_items::job().args(())).await;
    let sum = *report.outputs[0].as_ref().unwrap().downcast_ref::<i64>().unwrap();
    assert_eq!((sum, ALIVE.most(), ALIVE.now(), ALIVE.ever()), (500, 1, 0, 500));
}

#[tokio::test]
async fn s3_6_a_captured_value_lives_until_the_last_copy_has_read_it() {
    static ALIVE: Gauge = Gauge::new();
    #[op(transient)]
    fn make() -> Counted {
        Counted::new(&ALIVE)
    }
    #[op]
    fn read(x: i64, #[transient] value: Arc<Counted>) -> i64 {
        x + i64::from(value.0.now())
    }
    #[op]
    fn alive(_x: i64) -> u32 {
        ALIVE.now()
    }
    #[job]
    fn captured() -> Out<u32> {
        let made = make();
        alive(total(emit(50).map(|x| read(x, made)).collect()))
    }
    let report = run_only(captured::job().args(())).await;
    let left = *report.outputs[0].as_ref().unwrap().downcast_ref::<u32>().unwrap();
    assert_eq!((report.state, left, ALIVE.ever()), (RunState::Succeeded, 0, 1));
}

#[tokio::test]
async fn s3_6_a_failure_frees_what_nobody_will_read() {
    static ALIVE: Gauge = Gauge::new();
    #[op(transient)]
    fn make() -> Counted {
        Counted::new(&ALIVE)
    }
    #[op]
    fn fails() -> Result<i64, String> {
        Err("no".to_owned())
    }
    #[op]
    fn both(#[transient] value: &Counted, _x: i64) -> u32 {
        value.0.now()
    }
    #[op]
    fn alive() -> u32 {
        ALIVE.now()
    }
    #[job(max_concurrent = 1)]
    fn failed() -> Out<u32> {
        let _ = both(make(), fails());
        alive().priority(-1)
    }
    let failed = run(failed::job().args(())).await;
    assert_eq!(failed.state_of("both"), Some(StepState::UpstreamFailed));
    assert_eq!(error_of(&failed, "fails"), "no");
    drop(failed);
    let report = run_only(failed::job().args(())).await;
    assert_eq!(*report.outputs[0].as_ref().unwrap().downcast_ref::<u32>().unwrap(), 0);
}
