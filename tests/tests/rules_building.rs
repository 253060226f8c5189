//! §1: how a job's body becomes a graph, and what the steps of that graph are given.

mod common;

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use common::{Line, Seen, error_of, only_error, run, states, step_names};
use fanfold::graph::{Graph, GraphFormat};
use fanfold::prelude::*;
use fanfold::{RunState, StepState};

const FILE: &str = "rules_building.rs";

#[op(dynamic_out(by_index))]
fn emit(n: i64) -> Vec<i64> {
    (0..n).collect()
}

/// Like `emit`, under keys of its own: `c`, `b`, `a` for 3.
#[op(dynamic_out)]
fn letters(n: u8) -> impl Iterator<Item = DynamicOutput<i64>> {
    (0..n).rev().map(|i| DynamicOutput::new(char::from(b'a' + i), i64::from(i)))
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
fn dbl(x: i64) -> i64 {
    2 * x
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

#[op]
fn nothing(_x: i64) {}

#[op(optional)]
fn keep_odd(x: i64) -> Option<i64> {
    (x % 2 == 1).then_some(x)
}

#[op]
fn fail_at_one(x: i64) -> Result<i64, String> {
    if x == 1 { Err("one is refused".to_owned()) } else { Ok(x) }
}

#[op]
fn join(a: &str, b: i64) -> String {
    format!("{a}{b}")
}

// --- 1: the body is run once, and gives handles

#[test]
fn s1_1_a_body_and_its_closures_are_run_once_and_run_nothing() {
    static BODIES: AtomicU32 = AtomicU32::new(0);
    static CLOSURES: AtomicU32 = AtomicU32::new(0);
    static RUNS: AtomicU32 = AtomicU32::new(0);
    #[op]
    fn count(x: i64) -> i64 {
        RUNS.fetch_add(1, Relaxed);
        x
    }
    #[job]
    fn counted(n: Out<i64>) -> Out<i64> {
        BODIES.fetch_add(1, Relaxed);
        let counted = emit(n).map(|x| {
            CLOSURES.fetch_add(1, Relaxed);
            count(x)
        });
        total(counted.collect())
    }
    counted::job().graph().unwrap();
    assert_eq!((BODIES.load(Relaxed), CLOSURES.load(Relaxed), RUNS.load(Relaxed)), (1, 1, 0));
}

#[tokio::test]
async fn s1_1_a_body_is_run_once_before_a_run_however_many_items_there_are() {
    static BODIES: AtomicU32 = AtomicU32::new(0);
    #[job]
    fn once(n: Out<i64>) -> Out<i64> {
        BODIES.fetch_add(1, Relaxed);
        total(emit(n).map(inc).collect())
    }
    assert_eq!(run(once::job().args((5,))).await.output(), 15);
    assert_eq!(BODIES.load(Relaxed), 1);
}

#[test]
fn s1_1_an_op_called_outside_a_job_says_to_call_it_as_a_function() {
    let line = line!() + 1;
    let panic = std::panic::catch_unwind(|| add(1, 2)).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("`add`"), "{message}");
    assert!(message.contains("`add::call(…)`"), "{message}");
    assert!(message.contains(&format!("{FILE}:{line}")), "{message}");
    assert_eq!(add::call(1, 2), 3);
}

#[test]
fn s1_1_an_op_called_inside_an_op_is_outside_a_job() {
    #[op]
    fn calls_another() -> bool {
        std::panic::catch_unwind(|| {
            let _ = inc(1);
        })
        .is_err()
    }
    #[job]
    fn inner_call() -> Out<bool> {
        calls_another()
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert!(runtime.block_on(run(inner_call::job().args(()))).output());
}

#[test]
fn s1_1_a_handle_of_another_job_is_an_error_that_names_op_and_line() {
    thread_local! { static KEPT: Cell<Option<Out<i64>>> = const { Cell::new(None) }; }
    static AT: Line = Line::new();
    #[job]
    fn gives_away() {
        KEPT.set(Some(one()));
    }
    #[job]
    fn takes() -> Out<i64> {
        let kept = KEPT.get().unwrap();
        AT.below();
        inc(kept)
    }
    gives_away::job().graph().unwrap();
    let (op, line, message) = only_error(takes::job().graph(), FILE);
    assert_eq!((op.as_str(), line), ("inc", AT.get()));
    assert!(message.contains("another job"), "{message}");
}

#[test]
fn s1_1_a_dynamic_handle_of_another_job_is_an_error_too() {
    thread_local! { static KEPT: Cell<Option<DynamicOut<i64>>> = const { Cell::new(None) }; }
    #[job]
    fn gives_items_away() {
        KEPT.set(Some(emit(1)));
    }
    #[job]
    fn maps_them() {
        let _ = KEPT.get().unwrap().map(inc);
    }
    #[job]
    fn collects_them() -> Out<i64> {
        total(KEPT.get().unwrap().collect())
    }
    #[job]
    fn waits_for_them() -> Done {
        nothing(1).after(KEPT.get().unwrap())
    }
    gives_items_away::job().graph().unwrap();
    for (built, what) in [
        (maps_them::job().graph(), "map"),
        (collects_them::job().graph(), "collect"),
        (waits_for_them::job().graph(), "after"),
    ] {
        let (op, _, message) = only_error(built, FILE);
        assert_eq!(op, what);
        assert!(message.contains("another job"), "{message}");
    }
}

// --- 3, 4, 5: scopes

#[test]
fn s1_3_an_item_smuggled_out_of_its_closure_is_an_error_that_names_op_and_line() {
    static AT: Line = Line::new();
    #[job]
    fn smuggles() -> Out<i64> {
        let out = Cell::new(None);
        emit(2).map(|x| out.set(Some(x)));
        let x = out.get().unwrap();
        AT.below();
        inc(x)
    }
    let (op, line, message) = only_error(smuggles::job().graph(), FILE);
    assert_eq!((op.as_str(), line), ("inc", AT.get()));
    assert!(message.contains("carried out of its `map`"), "{message}");
}

#[test]
fn s1_3_what_was_made_of_an_item_is_smuggled_no_better_nor_into_another_closure() {
    #[job]
    fn smuggles_into() {
        let out = Cell::new(None);
        emit(2).map(|x| out.set(Some(inc(x))));
        let _ = emit(2).map(|y| add(y, out.get().unwrap()));
    }
    let (op, _, message) = only_error(smuggles_into::job().graph(), FILE);
    assert_eq!(op, "add");
    assert!(message.contains("carried out"), "{message}");
}

#[test]
fn s1_3_a_smuggled_handle_is_refused_wherever_it_is_given() {
    thread_local! { static OUT: Cell<Option<Out<i64>>> = const { Cell::new(None) }; }
    #[job]
    fn returns_it() -> Out<i64> {
        emit(2).map(|x| OUT.set(Some(inc(x))));
        OUT.get().unwrap()
    }
    #[job]
    fn lists_it() -> Out<i64> {
        emit(2).map(|x| OUT.set(Some(inc(x))));
        total([one(), OUT.get().unwrap()])
    }
    #[job]
    fn waits_for_it() -> Out<i64> {
        emit(2).map(|x| OUT.set(Some(inc(x))));
        one().after(OUT.get().unwrap())
    }
    #[job]
    fn names_it() {
        emit(2).map(|x| OUT.set(Some(inc(x))));
        let _ = OUT.get().unwrap().named("late");
    }
    for built in [
        returns_it::job().graph(),
        lists_it::job().graph(),
        waits_for_it::job().graph(),
        names_it::job().graph(),
    ] {
        let (_, _, message) = only_error(built, FILE);
        assert!(message.contains("carried out"), "{message}");
    }
}

#[tokio::test]
async fn s1_3_an_op_lies_where_the_innermost_of_its_inputs_lies() {
    #[job]
    fn scopes() {
        let outside = one();
        let _ = emit(2).map(|x| emit(2).map(move |y| add(add(x, outside), y)).map(|z| inc(z)));
    }
    let run = run(scopes::job().args(())).await;
    assert_eq!(run.outputs_of::<i64>("add"), [1, 2]);
    assert_eq!(run.outputs_of::<i64>("add_2"), [1, 2, 2, 3]);
    assert_eq!(run.step::<i64>("inc[1][1]"), Some(4));
    assert_eq!(run.state_of("one"), Some(StepState::Succeeded));
}

#[tokio::test]
async fn s1_4_an_op_in_a_closure_that_uses_no_item_runs_once() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    #[op]
    fn alone() -> i64 {
        RUNS.fetch_add(1, Relaxed);
        7
    }
    #[job]
    fn outside() {
        let _ = emit(3).map(|_| alone());
    }
    let run = run(outside::job().args(())).await;
    assert_eq!(RUNS.load(Relaxed), 1);
    assert_eq!(run.step::<i64>("alone"), Some(7));
}

#[tokio::test]
async fn s1_4_such_an_op_runs_though_there_are_no_items() {
    #[job]
    fn outside_of_none() {
        let _ = emit(0).map(|x| add(x, one()));
    }
    let run = run(outside_of_none::job().args(())).await;
    assert_eq!(states(&run), ["emit: succeeded", "one: succeeded"]);
}

#[tokio::test]
async fn s1_5_a_captured_outer_value_is_shared_by_every_copy() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    #[op]
    fn shared() -> i64 {
        RUNS.fetch_add(1, Relaxed);
        10
    }
    #[job]
    fn captures() -> Out<Vec<i64>> {
        let outer = shared();
        list(emit(3).map(|v| add(v, outer)).collect())
    }
    #[job]
    fn calls_inside() -> Out<Vec<i64>> {
        list(emit(3).map(|v| add(v, shared())).collect())
    }
    assert_eq!(run(captures::job().args(())).await.output(), [10, 11, 12]);
    assert_eq!(run(calls_inside::job().args(())).await.output(), [10, 11, 12]);
    assert_eq!(RUNS.load(Relaxed), 2, "once in each run");
}

// --- 6: constants and static lists

#[tokio::test]
async fn s1_6_plain_values_are_given_where_an_op_takes_an_input() {
    #[op]
    fn describe(name: String, short: &str, count: Option<i64>, none: Option<i64>, xs: Vec<i64>) -> String {
        format!("{name} {short} {count:?} {none:?} {xs:?}")
    }
    #[job]
    fn constants() -> (Out<String>, Out<String>) {
        let inside = emit(1).map(|x| describe("a", "b".to_owned(), x, None, vec![1, 2]));
        let _ = inside;
        (describe("a", "b", Some(3), None, vec![1]), join("x", 5))
    }
    let run = run(constants::job().args(())).await;
    assert_eq!(run.output(), ("a b Some(3) None [1]".to_owned(), "x5".to_owned()));
    assert_eq!(run.step::<String>("describe[0]").unwrap(), "a b Some(0) None [1, 2]");
}

#[tokio::test]
async fn s1_6_a_static_list_is_given_in_written_order() {
    #[job]
    fn lists() -> (Out<Vec<i64>>, Out<Vec<i64>>, Out<Vec<i64>>) {
        let (a, b) = (one(), inc(1));
        let many: Vec<Out<i64>> = (0..4).map(inc).collect();
        (list([b, a, b]), list(many), list(Vec::<Out<i64>>::new()))
    }
    let run = run(lists::job().args(())).await;
    assert_eq!(run.output(), (vec![2, 1, 2], vec![1, 2, 3, 4], vec![]));
}

#[tokio::test]
async fn s1_6_a_static_list_stands_inside_a_map_and_mixes_scopes() {
    #[job]
    fn lists_inside() -> Out<Vec<i64>> {
        let outside = one();
        let sums = emit(3).map(|x| {
            let parts: Vec<Out<i64>> = vec![x, inc(x), outside];
            total(parts)
        });
        list(sums.collect())
    }
    assert_eq!(run(lists_inside::job().args(())).await.output(), [2, 4, 6]);
}

// --- 7, 8: what a map gives

#[tokio::test]
async fn s1_7_a_body_may_return_a_tuple_a_tuple_of_tuples_or_nothing() {
    #[job]
    fn returns() -> (Out<Vec<i64>>, Out<Vec<i64>>, Out<Vec<i64>>, Out<Vec<i64>>) {
        let (a, (b, c)) = emit(2).map(|x| (inc(x), (dbl(x), x)));
        let ((alone,),) = (emit(2).map(|x| (inc(x),)),);
        emit(2).map(|x| {
            let _ = dbl(x);
        });
        (list(a.collect()), list(b.collect()), list(c.collect()), list(alone.collect()))
    }
    let run = run(returns::job().args(())).await;
    assert_eq!(run.output(), (vec![1, 2], vec![0, 2], vec![0, 1], vec![1, 2]));
    assert_eq!(run.outputs_of::<i64>("dbl_2"), [0, 2]);
}

#[tokio::test]
async fn s1_7_a_returned_handle_of_an_outer_scope_is_repeated_for_each_key() {
    #[job]
    fn repeats() -> (Out<Vec<i64>>, Out<fanfold::Keyed<i64>>, Out<Vec<i64>>) {
        let outside = one();
        let repeated = letters(3).map(|_| outside);
        let constant = emit(0).map(|_| outside);
        (list(repeated.collect()), same(repeated.collect_keyed()), list(constant.collect()))
    }
    #[op]
    fn same(x: fanfold::Keyed<i64>) -> fanfold::Keyed<i64> {
        x
    }
    let (repeated, keyed, none) = run(repeats::job().args(())).await.output();
    assert_eq!(repeated, [1, 1, 1]);
    assert_eq!(keyed, [('c', 1), ('b', 1), ('a', 1)].into_iter().collect());
    assert_eq!(none, [0; 0]);
}

#[tokio::test]
async fn s1_7_a_returned_outer_dynamic_output_gives_the_product() {
    #[job]
    fn returns_outer() -> Out<Vec<i64>> {
        let inner = letters(2).map(inc);
        list(emit(2).map(|_| inner).map(dbl).collect())
    }
    let run = run(returns_outer::job().args(())).await;
    assert_eq!(run.output(), [4, 2, 4, 2]);
    assert_eq!(run.step::<i64>("dbl[1][b]"), Some(4));
    assert_eq!(run.outputs_of::<i64>("inc"), [2, 1]);
}

fn text(graph: &Graph) -> String {
    let text = graph.print(GraphFormat::Text);
    text.lines().skip(1).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn s1_8_mapping_twice_and_mapping_a_chain_are_the_same_graph() {
    #[job]
    fn twice() -> Out<Vec<i64>> {
        list(emit(3).map(inc).map(dbl).collect())
    }
    #[job]
    fn chain() -> Out<Vec<i64>> {
        list(emit(3).map(|x| dbl(inc(x))).collect())
    }
    assert_eq!(text(&twice::job().graph().unwrap()), text(&chain::job().graph().unwrap()));
    let (twice, chain) = (run(twice::job().args(())).await, run(chain::job().args(())).await);
    assert_eq!(states(&twice), states(&chain));
    assert_eq!(twice.output(), [2, 4, 6]);
    assert_eq!(chain.step::<i64>("dbl[2]"), Some(6));
}

// --- 9: nesting and products

#[op(dynamic_out(by_index))]
fn sub(n: i64) -> Vec<i64> {
    (0..n).map(|i| 10 * n + i).collect()
}

#[tokio::test]
async fn s1_9_a_body_that_returns_a_dynamic_output_gives_a_flat_one() {
    #[job]
    fn flat() -> (Out<Vec<i64>>, Out<fanfold::Keyed<i64>>) {
        let inner = emit(4).map(|x| sub(x).map(inc));
        (list(inner.collect()), keys_of(inner.map(dbl).collect_keyed()))
    }
    #[op]
    fn keys_of(x: fanfold::Keyed<i64>) -> fanfold::Keyed<i64> {
        x
    }
    let run = run(flat::job().args(())).await;
    let (flat, keyed) = run.output();
    assert_eq!(flat, [11, 21, 22, 31, 32, 33]);
    assert_eq!(run.step::<i64>("inc[3][2]"), Some(33));
    let keys: Vec<_> = keyed.keys().map(ToString::to_string).collect();
    assert_eq!(keys, ["[1][0]", "[2][0]", "[2][1]", "[3][0]", "[3][1]", "[3][2]"]);
}

#[tokio::test]
async fn s1_9_an_inner_collect_collects_per_outer_key() {
    #[job]
    fn per_key() -> Out<Vec<i64>> {
        list(emit(3).map(|x| total(sub(x).map(inc).collect())).collect())
    }
    let run = run(per_key::job().args(())).await;
    assert_eq!(run.output(), [0, 11, 21 + 22]);
    assert_eq!(run.step::<i64>("total[0]"), Some(0), "a collect of nothing");
}

#[tokio::test]
async fn s1_9_nesting_goes_three_deep_and_more() {
    #[job]
    fn deep() -> (Out<i64>, Out<Vec<i64>>) {
        let leaves = emit(3).map(|a| {
            emit(2).map(move |b| emit(2).map(move |c| emit(2).map(move |d| add(add(a, b), add(c, d)))))
        });
        let sums = emit(2).map(|a| {
            total(emit(2).map(move |b| total(emit(2).map(move |c| add(add(a, b), c)).collect())).collect())
        });
        (total(leaves.collect()), list(sums.collect()))
    }
    let run = run(deep::job().args(())).await;
    assert_eq!(run.outputs_of::<i64>("add_3").len(), 24);
    let sum = (0..24).map(|i| (i / 8) + (i / 4) % 2 + (i / 2) % 2 + i % 2).sum::<i64>();
    assert_eq!(run.output(), (sum, vec![4, 8]));
    assert_eq!(run.step::<i64>("add_3[2][1][1][1]"), Some(5));
}

#[tokio::test]
async fn s1_9_the_same_inner_key_under_another_outer_key_is_another_step() {
    #[job]
    fn same_inner() {
        let _ = letters(2).map(|x| emit(1).map(move |y| add(x, y)));
    }
    let run = run(same_inner::job().args(())).await;
    assert_eq!((run.step::<i64>("add[a][0]"), run.step::<i64>("add[b][0]")), (Some(0), Some(1)));
}

#[tokio::test]
async fn s1_9_a_map_in_a_map_over_an_outer_output_is_the_product() {
    #[job]
    fn product() -> (Out<Vec<i64>>, Out<i64>) {
        let (a, b) = (emit(3), letters(2));
        let sums = a.map(|x| b.map(move |y| add(dbl(x), y)));
        (list(sums.collect()), total(sums.collect()))
    }
    let run = run(product::job().args(())).await;
    assert_eq!(run.output().0, [1, 0, 3, 2, 5, 4]);
    assert_eq!(run.step::<i64>("add[2][b]"), Some(5));
    assert_eq!(run.outputs_of::<i64>("dbl").len(), 3, "what needs the outer item only has one key");
}

#[tokio::test]
async fn s1_9_the_product_of_a_fan_with_itself_has_all_pairs() {
    #[job]
    fn square() -> Out<Vec<i64>> {
        let xs = emit(3);
        list(xs.map(|x| xs.map(move |y| add(dbl(x), y))).collect())
    }
    let run = run(square::job().args(())).await;
    assert_eq!(run.output(), [0, 1, 2, 2, 3, 4, 4, 5, 6]);
    assert_eq!(run.step::<i64>("add[1][2]"), Some(4));
}

#[tokio::test]
async fn s1_9_a_product_of_three_and_a_product_with_a_mapped_output() {
    #[job]
    fn cube() -> Out<i64> {
        let xs = emit(2);
        let ys = xs.map(inc);
        total(xs.map(|x| ys.map(move |y| xs.map(move |z| add(add(x, y), z)))).collect())
    }
    let run = run(cube::job().args(())).await;
    let all = (0..2).flat_map(|x| (1..3).flat_map(move |y| (0..2).map(move |z| x + y + z)));
    assert_eq!(run.output(), all.sum::<i64>());
    assert_eq!(run.outputs_of::<i64>("add_2").len(), 8);
}

#[tokio::test]
async fn s1_9_a_product_with_nothing_is_nothing() {
    #[job]
    fn with_nothing() -> (Out<Vec<i64>>, Out<Vec<i64>>, Out<Vec<i64>>) {
        let (some, none) = (emit(2), emit(0));
        let left = none.map(|x| some.map(move |y| add(x, y)));
        let right = some.map(|x| none.map(move |y| add(x, y)));
        let per_key = some.map(|x| total(none.map(move |y| add(x, y)).collect()));
        (list(left.collect()), list(right.collect()), list(per_key.collect()))
    }
    assert_eq!(run(with_nothing::job().args(())).await.output(), (vec![], vec![], vec![0, 0]));
}

#[tokio::test]
async fn s1_9_a_product_is_collected_per_outer_key_inside_the_closure() {
    #[job]
    fn rows() -> Out<Vec<i64>> {
        let (a, b) = (emit(3), emit(2));
        list(a.map(|x| total(b.map(move |y| add(x, y)).collect())).collect())
    }
    assert_eq!(run(rows::job().args(())).await.output(), [1, 3, 5]);
}

// --- 10: zip

#[op]
fn pair(a: i64, b: i64) -> String {
    format!("{a}:{b}")
}

#[op(dynamic_out)]
fn keyed(keys: &str, from: i64) -> Vec<DynamicOutput<i64>> {
    keys.chars().zip(from..).map(|(key, value)| DynamicOutput::new(key, value)).collect()
}

#[op]
fn texts(xs: Vec<String>) -> Vec<String> {
    xs
}

#[tokio::test]
async fn s1_10_a_zip_pairs_equal_keys_in_the_left_order() {
    #[job]
    fn zips() -> Out<Vec<String>> {
        let (left, right) = (keyed("cab", 0), keyed("abc", 10));
        texts(left.map(inc).zip(right).map(|(a, b)| pair(a, b)).collect())
    }
    let run = run(zips::job().args(())).await;
    assert_eq!(run.output(), ["1:12", "2:10", "3:11"]);
    assert_eq!(run.step::<String>("pair[a]").unwrap(), "2:10");
    assert_eq!(run.state_of("zip"), Some(StepState::Succeeded));
}

#[tokio::test]
async fn s1_10_keys_found_on_one_side_only_fail_the_zip_and_pairs_that_ran_stay() {
    #[job]
    fn mismatched() -> (Out<Vec<String>>, Out<Vec<String>>) {
        let one = keyed("abx", 0).zip(keyed("bya", 10)).map(|(a, b)| pair(a, b));
        let two = keyed("ab", 0).zip(keyed("ab", 10)).map(|(a, b)| pair(a, b));
        (texts(one.collect()), texts(two.collect()))
    }
    let run = run(mismatched::job().args(())).await;
    assert_eq!(run.state(), RunState::Failed);
    assert_eq!(run.state_of("zip"), Some(StepState::Failed));
    let error = error_of(&run, "zip");
    assert!(error.contains('x') && error.contains('y') && !error.contains("\"a\""), "{error}");
    assert_eq!(run.step::<String>("pair[a]").unwrap(), "0:12");
    assert_eq!(run.step::<String>("pair[b]").unwrap(), "1:10");
    assert_eq!(run.state_of("texts"), Some(StepState::UpstreamFailed));
    assert_eq!(run.step::<Vec<String>>("texts_2").unwrap(), ["0:10", "1:11"]);
}

#[tokio::test]
async fn s1_10_a_failed_or_skipped_partner_is_not_a_missing_key() {
    #[job]
    fn partners() -> Out<Vec<String>> {
        let (failing, skipping) = (emit(3).map(fail_at_one), emit(3).map(keep_odd));
        let first = failing.zip(emit(3)).map(|(a, b)| pair(a, b));
        let _ = texts(first.collect());
        let second = emit(3).zip(skipping).map(|(a, b)| pair(a, b));
        texts(second.collect())
    }
    let run = run(partners::job().args(())).await;
    assert_eq!(run.state_of("zip"), Some(StepState::Succeeded));
    assert_eq!(run.state_of("zip_2"), Some(StepState::Succeeded));
    assert_eq!(run.state_of("pair[1]"), Some(StepState::UpstreamFailed));
    assert_eq!(run.state_of("pair[2]"), Some(StepState::Succeeded));
    assert_eq!(run.state_of("texts"), Some(StepState::UpstreamFailed));
    assert_eq!(run.state_of("pair_2[0]"), Some(StepState::Skipped));
    assert_eq!(run.step::<Vec<String>>("texts_2").unwrap(), ["1:1"]);
}

#[test]
fn s1_10_a_different_number_of_key_parts_is_an_error_of_building() {
    static AT: Line = Line::new();
    #[job]
    fn parts() {
        let (flat, nested) = (emit(2), emit(2).map(emit));
        AT.below();
        let zipped = flat.zip(nested);
        let _ = zipped.map(|(a, b)| add(a, b));
    }
    let (op, line, message) = only_error(parts::job().graph(), FILE);
    assert_eq!((op.as_str(), line), ("zip", AT.get()));
    assert!(message.contains("1 part") && message.contains('2'), "{message}");
}

#[tokio::test]
async fn s1_10_nested_outputs_zip_by_whole_key_and_a_product_is_nested() {
    #[job]
    fn whole_keys() -> (Out<Vec<String>>, Out<Vec<String>>) {
        let (a, b) = (emit(3).map(emit), emit(3).map(|x| emit(x).map(inc)));
        let (xs, ys) = (emit(2), letters(2));
        let product = xs.map(|x| ys.map(move |y| add(x, y)));
        let nested = xs.map(|_| letters(2).map(dbl));
        let first = a.zip(b).map(|(a, b)| pair(a, b));
        let second = product.zip(nested).map(|(a, b)| pair(a, b));
        (texts(first.collect()), texts(second.collect()))
    }
    let run = run(whole_keys::job().args(())).await;
    let (first, second) = run.output();
    assert_eq!(first, ["0:1", "0:1", "1:2"]);
    assert_eq!(second.len(), 4);
    assert_eq!(run.state_of("pair[2][1]"), Some(StepState::Succeeded));
}

#[tokio::test]
async fn s1_10_a_zip_stands_inside_a_map_with_an_outer_side_or_two() {
    #[job]
    fn zips_inside() -> (Out<Vec<String>>, Out<Vec<String>>) {
        let (outer, other) = (emit(2), emit(2).map(inc));
        let mixed = letters(2).map(|x| emit(2).map(move |y| add(x, y)).zip(outer).map(|(a, b)| pair(a, b)));
        let twice = letters(2).map(|x| outer.zip(other).map(move |(a, b)| pair(add(a, x), b)));
        (texts(mixed.collect()), texts(twice.collect()))
    }
    let run = run(zips_inside::job().args(())).await;
    let (mixed, twice) = run.output();
    assert_eq!(mixed, ["1:0", "2:1", "0:0", "1:1"]);
    assert_eq!(twice, ["1:1", "2:2", "0:1", "1:2"]);
}

#[tokio::test]
async fn s1_10_two_empty_sides_zip_to_nothing() {
    #[job]
    fn empty_zip() -> Out<Vec<String>> {
        texts(emit(0).zip(emit(0)).map(|(a, b)| pair(a, b)).collect())
    }
    assert_eq!(run(empty_zip::job().args(())).await.output(), [""; 0]);
}

// --- 11, 12: collect and its relatives

#[tokio::test]
async fn s1_11_a_copy_reads_its_item_and_the_whole_list() {
    #[op]
    fn share(x: i64, all: &[i64]) -> String {
        format!("{x} of {all:?}")
    }
    #[job]
    fn whole_list() -> (Out<Vec<String>>, Out<Vec<String>>) {
        let d = emit(3);
        let mapped = d.map(inc);
        let inside = d.map(|x| share(x, mapped.collect()));
        (texts(d.map(|x| share(x, d.collect())).collect()), texts(inside.collect()))
    }
    let (whole, mapped) = run(whole_list::job().args(())).await.output();
    assert_eq!(whole, ["0 of [0, 1, 2]", "1 of [0, 1, 2]", "2 of [0, 1, 2]"]);
    assert_eq!(mapped[2], "2 of [1, 2, 3]");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s1_12_a_collect_is_in_yield_order_whatever_ends_first() {
    static ENDED: Seen = Seen::new();
    /// Each copy waits for the one after it.
    #[op]
    fn backwards(x: i64) -> i64 {
        if x < 3 {
            ENDED.wait_for(&(x + 1).to_string());
        }
        ENDED.push(x);
        x
    }
    #[job(max_concurrent = 8)]
    fn reversed() -> (Out<Vec<i64>>, Out<fanfold::Keyed<i64>>) {
        let all = emit(4).map(backwards);
        (list(all.collect()), same_keyed(all.collect_keyed()))
    }
    let run = run(reversed::job().args(())).await;
    assert_eq!(ENDED.list(), ["3", "2", "1", "0"]);
    let (list, keyed) = run.output();
    assert_eq!(list, [0, 1, 2, 3]);
    assert_eq!(keyed.keys().map(ToString::to_string).collect::<Vec<_>>(), ["0", "1", "2", "3"]);
    assert_eq!(run.outputs_of::<i64>("backwards"), [0, 1, 2, 3]);
}

#[op]
fn same_keyed(x: fanfold::Keyed<i64>) -> fanfold::Keyed<i64> {
    x
}

#[tokio::test]
async fn s1_12_a_keyed_collect_has_keys_and_values_in_yield_order() {
    #[job]
    fn by_key() -> Out<fanfold::Keyed<i64>> {
        same_keyed(letters(3).map(dbl).collect_keyed())
    }
    let keyed = run(by_key::job().args(())).await.output();
    assert_eq!(keyed, [('c', 4), ('b', 2), ('a', 0)].into_iter().collect());
    assert_eq!(keyed.get('b'), Some(&2));
}

#[tokio::test]
async fn s1_12_a_tolerant_collect_gives_a_result_for_each_key() {
    #[op]
    fn tell(results: &fanfold::Keyed<Result<i64, StepFailure>>) -> Vec<String> {
        let tell = |(key, result): (&Key, &Result<i64, StepFailure>)| match result {
            Ok(value) => format!("{key}: {value}"),
            Err(failure) => format!("{key}: {failure}"),
        };
        results.iter().map(tell).collect()
    }
    #[job]
    fn tolerant() -> Out<Vec<String>> {
        tell(letters(3).map(fail_at_one).map(inc).collect_results())
    }
    let run = run(tolerant::job().args(())).await;
    assert_eq!(run.output(), ["c: 3", "b: fail_at_one[b]: one is refused", "a: 1"]);
}

#[op]
fn append(so_far: String, x: i64) -> String {
    format!("{so_far}{x}")
}

#[tokio::test]
async fn s1_12_a_fold_combines_in_yield_order_and_is_one_step() {
    static ENDED: Seen = Seen::new();
    #[op]
    fn last_first(x: i64) -> i64 {
        if x == 0 {
            ENDED.wait_for("2");
        }
        ENDED.push(x);
        x
    }
    #[job(max_concurrent = 4)]
    fn folds() -> Out<String> {
        emit(3).map(last_first).fold("", append)
    }
    let run = run(folds::job().args(())).await;
    assert_eq!(run.output(), "012");
    assert_eq!(states(&run).iter().filter(|line| line.starts_with("append")).count(), 1);
    assert_eq!(run.step::<String>("append").unwrap(), "012");
}

#[tokio::test]
async fn s1_12_a_fold_begins_with_a_constant_or_with_what_another_op_gives() {
    #[job]
    fn begins() -> (Out<i64>, Out<i64>, Out<i64>) {
        let first = inc(99);
        (emit(4).fold(first, add), emit(0).fold(5, add), emit(2).map(|x| emit(x).map(inc)).fold(0, add))
    }
    assert_eq!(run(begins::job().args(())).await.output(), (106, 5, 1));
}

#[tokio::test]
async fn s1_12_a_fold_of_an_async_op_and_a_fold_for_each_outer_key() {
    #[op]
    async fn add_later(a: i64, b: i64) -> i64 {
        tokio::task::yield_now().await;
        a + b
    }
    #[job]
    fn folds_inside() -> (Out<i64>, Out<Vec<i64>>) {
        let rows = emit(3).map(|x| emit(3).map(move |y| add(x, y)).fold(x, add_later));
        (emit(10).fold(0, add_later), list(rows.collect()))
    }
    assert_eq!(run(folds_inside::job().args(())).await.output(), (45, vec![3, 7, 11]));
}

#[tokio::test]
async fn s1_12_a_failed_item_fails_a_fold_a_skipped_one_is_left_out() {
    #[job]
    fn fold_failures() {
        let _ = emit(3).map(fail_at_one).fold(0, add);
        let _ = emit(4).map(keep_odd).fold(100, add).named("odd");
    }
    let run = run(fold_failures::job().args(())).await;
    assert_eq!(run.state_of("add"), Some(StepState::UpstreamFailed));
    assert_eq!(run.step::<i64>("odd"), Some(104));
}

#[tokio::test]
async fn s1_12_a_combination_that_fails_fails_the_fold() {
    #[op]
    fn refuse_two(a: i64, b: i64) -> Result<i64, String> {
        if b == 2 { Err("two is refused".to_owned()) } else { Ok(a + b) }
    }
    #[job]
    fn failing_fold() -> Out<i64> {
        inc(emit(5).fold(0, refuse_two))
    }
    let run = run(failing_fold::job().args(())).await;
    assert_eq!(states(&run), ["emit: succeeded", "inc: upstream failed", "refuse_two: failed"]);
    assert_eq!(error_of(&run, "refuse_two"), "two is refused");
}

#[test]
fn s1_12_a_fold_takes_one_op_and_no_retry_policy_of_its_own() {
    #[job]
    fn retried_fold() -> Out<i64> {
        emit(2).fold(0, add).retry(fanfold::retry!(max = 1))
    }
    let (op, _, message) = only_error(retried_fold::job().graph(), FILE);
    assert_eq!(op, "retry");
    assert!(message.contains("fold"), "{message}");

    #[job]
    fn two_ops() -> Out<i64> {
        emit(2).fold(0, |a, b| inc(add(a, b)))
    }
    let (op, _, message) = only_error(two_ops::job().graph(), FILE);
    assert_eq!(op, "fold");
    assert!(message.contains("by name"), "{message}");
}

#[test]
fn s1_12_the_first_value_of_a_fold_comes_from_where_the_fold_stands() {
    #[job]
    fn inner_start() {
        let outer = emit(2);
        let _ = emit(2).map(|x| outer.fold(x, add));
    }
    let (op, _, message) = only_error(inner_start::job().graph(), FILE);
    assert_eq!(op, "add");
    assert!(message.contains("first value"), "{message}");
}

// --- 13: sub-graphs

#[graph]
fn cleaned(xs: DynamicOut<i64>, by: impl Input<i64> + Copy) -> (DynamicOut<i64>, Out<Vec<i64>>) {
    let shifted = xs.map(|x| add(x, by));
    (shifted.map(dbl), list(shifted.collect()))
}

#[tokio::test]
async fn s1_13_the_steps_of_a_graph_are_named_under_it() {
    #[job]
    fn sub_graphs() -> (Out<Vec<i64>>, Out<i64>) {
        let (doubled, shifted) = cleaned(emit(2), 5);
        let (again, _) = cleaned(doubled.map(inc), one());
        (list([total(shifted), total(doubled.collect())]), total(again.collect()))
    }
    let names = step_names(&sub_graphs::job().graph().unwrap());
    for name in ["cleaned.add", "cleaned.dbl", "cleaned.list", "cleaned_2.add", "cleaned_2.dbl", "total_3"] {
        assert!(names.iter().any(|known| known == name), "{name}: {names:?}");
    }
    let run = run(sub_graphs::job().args(())).await;
    assert_eq!(run.output(), (vec![11, 22], 2 * (12 + 14)));
    assert_eq!(run.step::<i64>("cleaned_2.dbl[1]"), Some(28));
}

#[graph]
fn outer_graph(x: Out<i64>) -> Out<i64> {
    inner_graph(inner_graph(x))
}

#[graph]
fn inner_graph(x: Out<i64>) -> Out<i64> {
    inc(x)
}

#[tokio::test]
async fn s1_13_graphs_nest_inside_maps_too_and_plain_functions_leave_no_trace() {
    fn plain(x: Out<i64>) -> Out<i64> {
        dbl(outer_graph(x))
    }
    #[job]
    fn nested_graphs() -> Out<Vec<i64>> {
        list(emit(2).map(plain).collect())
    }
    let run = run(nested_graphs::job().args(())).await;
    assert_eq!(run.output(), [4, 6]);
    assert_eq!(run.step::<i64>("outer_graph.inner_graph_2.inc[1]"), Some(3));
    assert_eq!(run.step::<i64>("dbl[1]"), Some(6));
}

#[graph]
fn totals(collected: Out<Vec<i64>>, items: DynamicOut<i64>) -> DynamicOut<i64> {
    let sum = total(collected);
    items.map(|x| add(x, sum))
}

#[tokio::test]
async fn s1_13_a_graph_takes_a_collect_and_gives_a_dynamic_output() {
    #[job]
    fn takes_collect() -> Out<Vec<i64>> {
        let items = emit(3);
        list(totals(items.collect(), items).map(inc).collect())
    }
    assert_eq!(run(takes_collect::job().args(())).await.output(), [4, 5, 6]);
}

// --- 14: several outputs

#[derive(Outputs)]
struct Split {
    values: Dynamic<i64>,
    negatives: Dynamic<i64>,
    count: i64,
}

#[op(outputs)]
fn split(n: i64) -> Split {
    Split {
        values: (0..n).map(|i| DynamicOutput::new(i, i)).collect(),
        negatives: (0..n).map(|i| DynamicOutput::new(i, -i)).collect(),
        count: n,
    }
}

#[tokio::test]
async fn s1_14_several_outputs_are_reached_by_name_and_unpacked_in_order() {
    #[job]
    fn by_name_and_order() -> (Out<Vec<i64>>, Out<Vec<i64>>, Out<i64>) {
        let named = split(2);
        let (values, negatives, count) = split(3).into();
        let SplitOutputs { values: again, .. } = named;
        let _ = (list(values.collect()), list(again.map(dbl).collect()));
        (list(named.negatives.map(inc).collect()), list(negatives.collect()), add(count, named.count))
    }
    let run = run(by_name_and_order::job().args(())).await;
    assert_eq!(run.output(), (vec![1, 0], vec![0, -1, -2], 5));
    assert_eq!(run.step::<i64>("dbl[1]"), Some(2));
}

#[tokio::test]
async fn s1_14_dynamic_outputs_of_one_op_have_key_spaces_of_their_own() {
    #[job]
    fn key_spaces() -> Out<Vec<i64>> {
        let parts = split(3);
        list(parts.values.zip(parts.negatives).map(|(a, b)| add(a, b)).collect())
    }
    assert_eq!(run(key_spaces::job().args(())).await.output(), [0, 0, 0]);
}

#[op(outputs)]
fn split_as_it_comes(n: i64) -> impl Iterator<Item = SplitItem> {
    let items = (0..n).flat_map(|i| {
        [SplitItem::Values(DynamicOutput::new(i, i)), SplitItem::Negatives(DynamicOutput::new(i, -i))]
    });
    items.chain([SplitItem::Count(n)])
}

#[tokio::test]
async fn s1_14_several_outputs_stream() {
    #[job]
    fn streams() -> (Out<Vec<i64>>, Out<Vec<i64>>, Out<i64>) {
        let parts = split_as_it_comes(3);
        (list(parts.values.map(inc).collect()), list(parts.negatives.collect()), inc(parts.count))
    }
    assert_eq!(run(streams::job().args(())).await.output(), (vec![1, 2, 3], vec![0, -1, -2], 4));
}

#[derive(Outputs)]
struct Perhaps {
    #[output(optional)]
    some: Option<i64>,
    #[output(optional)]
    none: Option<i64>,
    items: Option<Dynamic<i64>>,
    always: i64,
}

#[op(outputs)]
fn perhaps() -> Perhaps {
    Perhaps { some: Some(1), none: None, items: None, always: 2 }
}

#[tokio::test]
async fn s1_14_each_of_several_outputs_may_be_optional() {
    #[job]
    fn optional_outputs() {
        let parts = perhaps();
        let _ = (inc(parts.some), dbl(parts.none), add(parts.always, 0));
        let _ = list(parts.items.map(inc).collect());
    }
    let run = run(optional_outputs::job().args(())).await;
    assert_eq!(run.state(), RunState::Succeeded);
    let expected =
        ["add: succeeded", "dbl: skipped", "inc: succeeded", "list: skipped", "perhaps: succeeded"];
    assert_eq!(states(&run), expected);
}

// --- 15: names and options

#[test]
fn s1_15_the_same_op_called_twice_has_numbered_names() {
    #[job]
    fn numbered() {
        let _ = (dbl(1), dbl(2).named("dbl_2"), dbl(3), inc(1), dbl(4).named("dbl_4"), dbl(5));
    }
    let names = step_names(&numbered::job().graph().unwrap());
    assert_eq!(names, ["dbl", "dbl_2", "dbl_3", "inc", "dbl_4", "dbl_5"]);
}

#[test]
fn s1_15_a_name_taken_explicitly_later_is_skipped_by_an_earlier_automatic_one() {
    #[job]
    fn taken() {
        let _ = (dbl(1), inc(2).named("dbl"));
    }
    assert_eq!(step_names(&taken::job().graph().unwrap()), ["dbl_2", "dbl"]);
}

mod elsewhere {
    use fanfold::prelude::*;

    #[op]
    pub(super) fn dbl(x: i64) -> i64 {
        -x
    }
}

#[tokio::test]
async fn s1_15_different_ops_of_one_function_name_share_the_count() {
    #[op(name = "dbl")]
    fn renamed(x: i64) -> i64 {
        x
    }
    #[job]
    fn same_names() {
        let _ = (dbl(1), elsewhere::dbl(2), renamed(3));
    }
    let run = run(same_names::job().args(())).await;
    let values = ["dbl", "dbl_2", "dbl_3"].map(|name| run.step::<i64>(name).unwrap());
    assert_eq!(values, [2, -2, 3]);
}

#[test]
fn s1_15_the_same_explicit_name_twice_is_an_error() {
    static AT: Line = Line::new();
    #[job]
    fn same_twice() {
        let _ = inc(1).named("step");
        AT.below();
        let _ = dbl(1).named("step");
    }
    let (op, line, message) = only_error(same_twice::job().graph(), FILE);
    assert_eq!((op.as_str(), line), ("dbl", AT.get()));
    assert!(message.contains("\"step\""), "{message}");
}

#[test]
fn s1_15_the_same_explicit_name_in_two_graphs_is_none() {
    #[graph]
    fn names_it(x: Out<i64>) -> Out<i64> {
        inc(x).named("step")
    }
    #[job]
    fn in_two_graphs() -> Out<i64> {
        names_it(names_it(one()))
    }
    let names = step_names(&in_two_graphs::job().graph().unwrap());
    assert_eq!(names, ["one", "names_it.step", "names_it_2.step"]);
}

#[test]
fn s1_15_a_name_that_no_step_can_have_is_an_error() {
    for (name, legal) in
        [("a b", true), ("é", true), ("", false), ("a[0]", false), ("a\nb", false), ("a.b", false)]
    {
        thread_local! { static NAME: Cell<&'static str> = const { Cell::new("") }; }
        NAME.set(name);
        #[job]
        fn is_named() {
            let _ = inc(1).named(NAME.get());
        }
        assert_eq!(is_named::job().graph().is_ok(), legal, "{name:?}");
    }
}

#[tokio::test]
async fn s1_15_options_after_a_map_by_name_are_those_of_its_copies() {
    #[job]
    fn options_of_copies() {
        let _ = emit(2).map(inc).named("bump").priority(7).pool("api").tag("team", "data");
        let _ = emit(1).map(nothing).named("quiet");
    }
    let graph = options_of_copies::job().graph().unwrap();
    let bump = graph.nodes.iter().find(|node| &*node.name == "bump").unwrap();
    assert_eq!(bump.options.priority, 7);
    assert_eq!(bump.options.pool.as_deref(), Some("api"));
    assert_eq!(bump.options.tags, [("team".into(), "data".into())]);
    let run = run(options_of_copies::job().args(())).await;
    assert_eq!(run.outputs_of::<i64>("bump"), [1, 2]);
    assert_eq!(run.state_of("quiet[0]"), Some(StepState::Succeeded));
}

#[test]
fn s1_15_what_the_call_says_beats_the_op_which_beats_the_job() {
    #[op(priority = 1, timeout = "1s", pool = "own", tags(team = "own", kind = "own"), retry(max = 1))]
    fn says_much() -> i64 {
        1
    }
    #[job(retry(max = 9))]
    fn says_more() {
        let _ = says_much();
        let _ = says_much()
            .priority(2)
            .timeout(Duration::from_secs(2))
            .pool("call")
            .tag("team", "call")
            .retry(fanfold::retry!(max = 2));
        let _ = one();
    }
    let graph = says_more::job().graph().unwrap();
    let [own, call, job] = [0, 1, 2].map(|index: usize| &graph.nodes[index].options);
    let max = |options: &fanfold::graph::StepOptions| options.retry.map(|retry| retry.max);
    assert_eq!(
        (own.priority, own.timeout, own.pool.as_deref()),
        (1, Some(Duration::from_secs(1)), Some("own"))
    );
    assert_eq!(
        (call.priority, call.timeout, call.pool.as_deref()),
        (2, Some(Duration::from_secs(2)), Some("call"))
    );
    assert_eq!((max(own), max(call), max(job)), (Some(1), Some(2), Some(9)));
    assert_eq!(call.tags, [("kind".into(), "own".into()), ("team".into(), "call".into())]);
}

#[test]
fn s1_15_an_option_twice_after_use_or_on_what_is_no_call_is_an_error() {
    #[job]
    fn given_twice() {
        let _ = inc(1).priority(1).priority(2);
    }
    #[job]
    fn after_use() {
        let x = inc(1);
        let _ = dbl(x);
        let _ = x.priority(1);
    }
    #[job]
    fn after_map() {
        let items = emit(1);
        let _ = items.map(inc);
        let _ = items.priority(1);
    }
    #[job]
    fn on_parameter(x: Out<i64>) {
        let _ = x.priority(1);
    }
    #[job]
    fn on_item() {
        let _ = emit(1).map(|x| x.priority(1));
    }
    #[job]
    fn on_collect() {
        let _ = emit(1).collect().priority(1);
    }
    #[job]
    fn on_graph_result() {
        let _ = inner_graph(one()).priority(1);
    }
    #[job]
    fn on_repeated() {
        let outside = one();
        let _ = emit(1).map(|_| outside).priority(1);
    }
    #[job]
    fn on_one_of_two() {
        let parts = split(1);
        let _ = parts.count.priority(1);
        let _ = parts.values.priority(2);
    }
    for (built, says) in [
        (given_twice::job().graph(), "given twice"),
        (after_use::job().graph(), "after the handle was used"),
        (after_map::job().graph(), "after the handle was used"),
        (on_parameter::job().graph(), "an argument of the job"),
        (on_item::job().graph(), "an item"),
        (on_collect::job().graph(), "collect"),
        (on_graph_result::job().graph(), "sub-graph"),
        (on_repeated::job().graph(), "map"),
        (on_one_of_two::job().graph(), "given twice"),
    ] {
        let (op, line, message) = only_error(built, FILE);
        assert_eq!(op, "priority");
        assert!(message.contains(says), "{says}: {message}");
        assert!(line > 0);
    }
}

#[test]
fn s1_15_an_option_of_an_op_after_it_was_folded_or_listed_is_an_error() {
    #[job]
    fn after_fold() {
        let first = one();
        let _ = emit(1).fold(first, add);
        let _ = first.named("first");
    }
    #[job]
    fn after_list() {
        let first = one();
        let _ = total([first]);
        let _ = first.named("first");
    }
    #[job]
    fn after_after() {
        let first = one();
        let _ = inc(1).after(first);
        let _ = first.named("first");
    }
    #[job]
    fn after_zip() {
        let (a, b) = (emit(1), emit(1));
        let _ = a.zip(b);
        let _ = b.named("b");
    }
    #[job]
    fn after_return() {
        let made = Cell::new(None);
        let _ = emit(1).map(|x| {
            made.set(Some(inc(x)));
            made.get().unwrap()
        });
    }
    for built in [
        after_fold::job().graph(),
        after_list::job().graph(),
        after_after::job().graph(),
        after_zip::job().graph(),
    ] {
        let (op, _, message) = only_error(built, FILE);
        assert_eq!(op, "named");
        assert!(message.contains("was used"), "{message}");
    }
    after_return::job().graph().unwrap();
}

#[tokio::test]
async fn s1_15_after_orders_without_data() {
    static ORDER: Seen = Seen::new();
    #[op]
    fn note(what: &str) {
        ORDER.push(what);
    }
    #[op]
    fn noted(x: i64) -> i64 {
        ORDER.push(format_args!("copy {x}"));
        x
    }
    #[op]
    fn noted_end(x: i64) {
        ORDER.push(format_args!("done {x}"));
    }
    #[job]
    fn ordered() -> Done {
        let first = note("first");
        let copies = emit(2).after(first).map(noted);
        let ended = copies.map(noted_end);
        let last = note("last").after((copies, ended, first));
        note("very last").after([last])
    }
    run(ordered::job().args(())).await.output();
    let order = ORDER.list();
    assert_eq!((order[0].as_str(), order.len()), ("first", 7));
    assert_eq!(order[5..], ["last", "very last"]);
}

#[tokio::test]
async fn s1_15_after_counts_as_an_input_for_the_scope() {
    #[job]
    fn scoped() -> Out<Vec<i64>> {
        let copies = emit(2).map(|x| {
            let ended = nothing(x);
            one().after(ended)
        });
        let pairs = emit(2).map(|x| emit(1).after(nothing(x)).map(inc));
        let _ = list(pairs.collect());
        list(copies.collect())
    }
    let run = run(scoped::job().args(())).await;
    assert_eq!(run.output(), [1, 1]);
    assert_eq!(run.step::<i64>("one[1]"), Some(1), "{:?}", states(&run));
    assert_eq!(run.step::<i64>("inc[1][0]"), Some(1), "{:?}", states(&run));
}

#[tokio::test]
async fn s1_15_what_is_after_a_failure_or_a_skip_goes_the_same_way() {
    #[op]
    fn fails() -> Result<(), String> {
        Err("no".to_owned())
    }
    #[job]
    fn after_failures() {
        let _ = one().after(fails()).named("after_failed");
        let _ = one().after(keep_odd(2)).named("after_skipped");
        let _ = one().after(emit(3).map(fail_at_one)).named("after_failed_copy");
        let _ = one().after(emit(0).map(nothing)).named("after_none");
    }
    let run = run(after_failures::job().args(())).await;
    assert_eq!(run.state_of("after_failed"), Some(StepState::UpstreamFailed));
    assert_eq!(run.state_of("after_skipped"), Some(StepState::Skipped));
    assert_eq!(run.state_of("after_failed_copy"), Some(StepState::UpstreamFailed));
    assert_eq!(run.state_of("after_none"), Some(StepState::Succeeded));
}

#[test]
fn s1_15_after_on_what_is_no_call_or_was_used_is_an_error() {
    #[job]
    fn after_used() {
        let x = inc(1);
        let _ = dbl(x);
        let _ = x.after(one());
    }
    #[job]
    fn item_after() {
        let _ = emit(1).map(|x| x.after(one()));
    }
    for built in [after_used::job().graph(), item_after::job().graph()] {
        assert_eq!(only_error(built, FILE).0, "after");
    }
}

#[test]
fn s1_15_a_step_cannot_come_after_itself() {
    #[job]
    fn after_itself() {
        let x = inc(1);
        let _ = x.after(x);
    }
    #[job]
    fn after_its_copies() {
        let items = emit(1);
        let copies = items.map(inc);
        let _ = copies.after(copies);
    }
    for built in [after_itself::job().graph(), after_its_copies::job().graph()] {
        assert_eq!(only_error(built, FILE).0, "after");
    }
}

// --- 16: errors

#[test]
fn s1_16_all_mistakes_are_told_at_once_each_with_op_file_and_line() {
    static FIRST: Line = Line::new();
    static SECOND: Line = Line::new();
    #[job]
    fn two_mistakes() {
        let out = Cell::new(None);
        emit(1).map(|x| out.set(Some(x)));
        FIRST.below();
        let _ = inc(out.get().unwrap());
        SECOND.below();
        let _ = dbl(1).priority(1).priority(2);
    }
    let errors = two_mistakes::job().graph().unwrap_err();
    let shown = errors.to_string();
    assert!(shown.contains("`two_mistakes`"), "{shown}");
    for (op, line) in [("inc", FIRST.get()), ("priority", SECOND.get())] {
        let error = errors.errors.iter().find(|error| error.op == op).unwrap();
        assert_eq!(error.at.line, line);
        assert!(shown.contains(&format!("`{op}` at {}:{line}", error.at.file)), "{shown}");
    }
}

#[test]
fn s1_16_one_mistake_is_one_error_though_its_result_goes_on() {
    #[job]
    fn goes_on() -> Out<Vec<i64>> {
        let out = Cell::new(None);
        emit(1).map(|x| out.set(Some(x)));
        let wrong = inc(out.get().unwrap()).named("wrong").after(one());
        let mapped = emit(1).map(|x| add(x, wrong));
        let _ = (mapped.fold(wrong, add), mapped.zip(mapped).map(|(a, b)| add(a, b)));
        list(mapped.collect())
    }
    let errors = goes_on::job().graph().unwrap_err();
    assert_eq!(errors.errors.len(), 1, "{errors}");
}

#[tokio::test]
async fn s1_16_a_job_with_a_mistake_does_not_run() {
    #[job]
    fn does_not_run() {
        let _ = inc(1).priority(1).priority(2);
    }
    let error = does_not_run::job().args(()).run_in_memory().await.unwrap_err();
    assert!(matches!(error, fanfold::RunError::Build(_)), "{error}");
}

// --- what a job gives

#[tokio::test]
async fn s1_a_job_gives_a_value_a_tuple_done_or_nothing() {
    #[job]
    fn gives_all(n: Out<i64>) -> (Out<i64>, Done, Out<i64>, Done) {
        (n, nothing(1), inc(n), emit(2).map(nothing))
    }
    #[job]
    fn gives_one_in_a_tuple() -> (Out<i64>,) {
        (one(),)
    }
    #[job]
    fn gives_done() -> Done {
        nothing(1)
    }
    #[job]
    fn gives_nothing() {
        let _ = one();
    }
    #[job]
    fn is_empty() {}
    assert_eq!(run(gives_all::job().args((4,))).await.output(), (4, (), 5, ()));
    assert_eq!(run(gives_one_in_a_tuple::job().args(())).await.output(), (1,));
    run(gives_done::job().args(())).await.output();
    run(gives_nothing::job().args(())).await.output();
    assert_eq!(run(is_empty::job().args(())).await.state(), RunState::Succeeded);
}

#[tokio::test]
async fn s1_a_job_that_gives_the_same_handle_twice_or_a_collect_itself() {
    #[job]
    fn gives_twice() -> (Out<i64>, Out<i64>, Out<Vec<i64>>, Out<fanfold::Keyed<i64>>) {
        let x = one();
        let items = emit(2).map(inc);
        (x, x, items.collect(), items.collect_keyed())
    }
    let (a, b, list, keyed) = run(gives_twice::job().args(())).await.output();
    assert_eq!((a, b, list), (1, 1, vec![1, 2]));
    assert_eq!(keyed.get(1), Some(&2));
}
