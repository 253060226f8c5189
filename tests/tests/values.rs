//! What ops read and give in a run: every form of a parameter and of a return, with values that flow.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use fanfold::prelude::*;
use serde::{Deserialize, Serialize};

/// A value that cannot be cloned.
#[derive(Debug, Serialize, Deserialize)]
struct Page(String);

#[op(dynamic_out(by_index))]
fn pages(count: usize) -> Vec<Page> {
    (0..count).map(|n| Page(n.to_string())).collect()
}

#[op(dynamic_out(by_index))]
fn numbers(count: i64) -> impl Iterator<Item = i64> {
    0..count
}

#[op]
fn joined(list: &[Page], parts: Vec<Arc<Page>>, again: &Vec<Page>) -> String {
    let list: String = list.iter().chain(again).map(|page| page.0.as_str()).collect();
    list + "/" + &parts.iter().map(|page| page.0.as_str()).collect::<String>()
}

#[job]
fn lists_without_clone(count: Out<usize>) -> Out<String> {
    let list = pages(count).collect();
    joined(list, list, list)
}

#[tokio::test]
async fn s6_2_a_collect_is_read_without_clone_by_reference_and_in_parts() {
    let run = lists_without_clone::job().args((3,)).run_in_memory().await.unwrap();
    assert_eq!(run.output(), "012012/012");
}

#[op]
fn square(n: i64) -> i64 {
    n * n
}

#[op]
fn sum_of_lists(lists: Vec<Vec<i64>>) -> i64 {
    lists.into_iter().flatten().sum()
}

#[op]
fn sum_of_written(lists: &[Vec<i64>]) -> i64 {
    lists.iter().flatten().sum()
}

#[job]
fn lists_in_lists(count: Out<i64>) -> (Out<i64>, Out<i64>, Out<Vec<Vec<i64>>>) {
    let lists = numbers(count).map(|n| numbers(n).map(square).collect()).collect();
    (sum_of_lists(lists), sum_of_written(lists), lists)
}

#[tokio::test]
async fn s1_9_a_collect_of_collects_is_a_list_of_lists() {
    let run = lists_in_lists::job().args((4,)).run_in_memory().await.unwrap();
    assert_eq!(run.output(), (6, 6, vec![vec![], vec![0], vec![0, 1], vec![0, 1, 4]]));
}

#[op(optional)]
fn odd(n: i64) -> Option<i64> {
    (n % 2 == 1).then_some(n)
}

#[op]
fn maybe(n: i64) -> Option<i64> {
    (n > 2).then_some(n)
}

#[op]
fn describe(
    skipped: Option<i64>,
    shared: Option<Arc<i64>>,
    given: &Option<i64>,
    list: Option<Vec<i64>>,
) -> String {
    format!("{skipped:?} {shared:?} {given:?} {list:?}")
}

#[job]
fn options(n: Out<i64>) -> (Out<String>, Out<String>, Out<String>) {
    let kept = numbers(n).map(odd).collect();
    let constants = describe(None, None, Some(3), Some(vec![1]));
    (describe(odd(n), odd(n), odd(n), kept), describe(maybe(n), maybe(n), maybe(n), kept), constants)
}

#[tokio::test]
async fn s4_2_an_option_reads_what_was_skipped_as_none() {
    let skipped = options::job().args((2,)).run_in_memory().await.unwrap().output();
    assert_eq!(skipped.0, "None None None Some([1])");
    assert_eq!(skipped.1, "None None None Some([1])");
    assert_eq!(skipped.2, "None None Some(3) Some([1])");
    let given = options::job().args((3,)).run_in_memory().await.unwrap().output();
    assert_eq!(given.0, "Some(3) Some(3) Some(3) Some([1])");
    assert_eq!(given.1, "Some(3) Some(3) Some(3) Some([1])");
}

#[op]
fn borrowed(
    text: &str,
    bytes: &[u8],
    path: &Path,
    map: Arc<BTreeMap<String, i64>>,
    mut owned: String,
) -> String {
    owned.push_str(text);
    format!("{owned} {bytes:?} {} {map:?}", path.display())
}

#[job]
fn borrows(text: Out<String>) -> Out<String> {
    borrowed(text, vec![1, 2], "a/b", BTreeMap::from([("k".to_string(), 1)]), text)
}

#[tokio::test]
async fn s6_2_str_slices_and_paths_read_what_owns_them() {
    let run = borrows::job().args(("x".into(),)).run_in_memory().await.unwrap();
    assert_eq!(run.output(), r#"xx [1, 2] a/b {"k": 1}"#);
}

#[op]
fn half(n: i64) -> Result<i64, String> {
    if n % 2 == 0 { Ok(n / 2) } else { Err(format!("{n} is odd")) }
}

#[op]
fn keyed(numbers: &Keyed<i64>, results: &Keyed<Result<i64, StepFailure>>) -> String {
    let numbers: Vec<_> = numbers.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let results = results.iter().map(|(key, result)| match result {
        Ok(value) => format!("{key}={value}"),
        Err(failure) => format!("{key}:{failure}"),
    });
    format!("{} {}", numbers.join(","), results.collect::<Vec<_>>().join(","))
}

#[op]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[job]
fn gathers() -> (Out<String>, Out<i64>, Out<Vec<i64>>) {
    let numbers = numbers(3);
    let zipped = numbers.zip(numbers.map(square)).map(|(n, square)| add(n, square));
    (
        keyed(numbers.collect_keyed(), numbers.map(half).collect_results()),
        numbers.fold(10, add),
        zipped.collect(),
    )
}

#[tokio::test]
async fn s1_12_keyed_and_tolerant_collects_folds_and_zips_give_typed_values() {
    let run = gathers::job().args(()).run_in_memory().await.unwrap();
    let (text, folded, zipped) = run.output();
    assert_eq!(text, "0=0,1=1,2=2 0=0,1:half[1]: 1 is odd,2=1");
    assert_eq!((folded, zipped), (13, vec![0, 2, 6]));
}

#[derive(Outputs)]
struct Split {
    values: Dynamic<i64>,
    negatives: Option<Dynamic<i64>>,
    #[output(optional)]
    largest: Option<i64>,
    count: i64,
}

fn item(n: i64) -> DynamicOutput<i64> {
    DynamicOutput::new(n, n)
}

#[op(outputs)]
fn split(n: i64) -> Result<Split, String> {
    Ok(Split { values: (0..n).map(item).collect(), negatives: None, largest: None, count: n })
}

#[op(outputs)]
fn split_slowly(n: i64) -> impl Iterator<Item = SplitItem> {
    let ends = [SplitItem::Negatives(item(-1)), SplitItem::Largest(n), SplitItem::Count(n)];
    (0..n).map(|n| SplitItem::Values(item(n))).chain(ends)
}

#[op(outputs)]
fn forgets_its_count(n: i64) -> impl Iterator<Item = SplitItem> {
    (0..n).map(|n| SplitItem::Values(item(n)))
}

#[job]
fn splits(n: Out<i64>) -> (Out<i64>, Out<i64>) {
    let slow = split_slowly(n);
    let SplitOutputs { values, negatives, largest, count } = split(n);
    let _ = (negatives.map(square), square(largest));
    (add(values.fold(0, add), count), add(slow.negatives.fold(0, add), slow.largest))
}

#[job]
fn forgets(n: Out<i64>) -> Out<i64> {
    forgets_its_count(n).count
}

#[tokio::test]
async fn s1_14_several_outputs_are_given_at_the_end_or_as_they_come() {
    let run = splits::job().args((4,)).run_in_memory().await.unwrap();
    assert_eq!(run.output(), (10, 3));
    let run = forgets::job().args((4,)).run_in_memory().await.unwrap();
    let report = format!("{:?}", run.events());
    assert!(report.contains("its output `count` was not given"), "{report}");
}

#[op(transient)]
fn thread() -> std::thread::ThreadId {
    std::thread::current().id()
}

#[op]
fn is_known(#[transient] thread: &std::thread::ThreadId) -> bool {
    format!("{thread:?}").starts_with("ThreadId")
}

#[job]
fn transients() -> (Out<bool>, Done) {
    (is_known(thread()), nothing())
}

#[op]
async fn nothing() {
    std::future::ready(()).await;
}

#[tokio::test]
async fn s6_1_transient_values_need_no_serde() {
    let run = transients::job().args(()).run_in_memory().await.unwrap();
    assert_eq!(run.output(), (true, ()));
}

#[derive(Debug)]
struct Unhappy(std::num::ParseIntError);

impl std::fmt::Display for Unhappy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("unhappy")
    }
}

impl std::error::Error for Unhappy {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[op]
fn chained() -> Result<i64, Unhappy> {
    "x".parse().map_err(Unhappy)
}

#[op]
fn boxed() -> Result<i64, Box<dyn std::error::Error + Send + Sync>> {
    Ok("x".parse::<i64>().map_err(Unhappy)?)
}

#[op]
fn own() -> Result<i64, OpError> {
    Err(OpError::permanent("unhappy for good"))
}

#[op(dynamic_out)]
fn in_an_item() -> impl Iterator<Item = Result<DynamicOutput<i64>, &'static str>> {
    [Ok(item(1)), Err("unhappy item")].into_iter()
}

#[job]
fn failing() -> (Out<i64>, Out<i64>, Out<i64>, Out<Vec<i64>>) {
    (chained(), boxed(), own(), in_an_item().collect())
}

#[tokio::test]
async fn an_error_is_told_with_what_caused_it() {
    let run = failing::job().args(()).run_in_memory().await.unwrap();
    let events = format!("{:?}", run.events());
    for (message, times) in
        [("invalid digit found in string", 2), ("unhappy for good", 1), ("unhappy item", 1)]
    {
        assert!(events.matches(message).count() >= times, "{message} in {events}");
    }
}
