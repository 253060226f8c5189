//! Every form of an op, called directly.
#![deny(warnings, clippy::pedantic)]
#![allow(clippy::unused_async, reason = "some forms are `async` only to be tried")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fanfold::prelude::*;

#[op(dynamic_out)]
fn load_pieces(from: char, to: char) -> impl Iterator<Item = DynamicOutput<String>> {
    (from..=to).map(|letter| DynamicOutput::new(letter, letter.to_string()))
}

#[op(retry(max = 3, delay = "500ms", backoff = "exponential", jitter = "full"), timeout = "30s")]
fn compute_piece(piece: String) -> Result<String, std::io::Error> {
    Ok(piece.to_uppercase())
}

#[op]
async fn merge_and_analyze(ctx: &OpContext, pieces: Vec<String>) -> String {
    let _ = ctx.run_id();
    pieces.concat()
}

#[op]
fn words(
    text: &str,
    limits: &[i64],
    path: &Path,
    shared: Arc<BTreeMap<String, i64>>,
    maybe: Option<i64>,
    parts: Vec<Arc<String>>,
    none: Option<Arc<String>>,
) -> usize {
    text.len()
        + limits.len()
        + path.as_os_str().len()
        + shared.len()
        + usize::from(maybe.is_some())
        + parts.len()
        + usize::from(none.is_some())
}

#[op(optional)]
fn keep_odd(x: i64) -> Option<i64> {
    (x % 2 == 1).then_some(x)
}

#[op(dynamic_out)]
fn borrowed(text: &str) -> Box<dyn Iterator<Item = Result<DynamicOutput<String>, OpError>> + Send + '_> {
    Box::new(text.split(' ').map(|word| Ok(DynamicOutput::new(word, word.to_owned()))))
}

#[op(dynamic_out(key = |v| &v.0))]
fn keyed(_n: i64) -> Result<Vec<(String, i64)>, Box<dyn std::error::Error + Send + Sync>> {
    Ok(vec![("a".into(), 1)])
}

#[op(dynamic_out(by_index), priority = -3, pool = "api", tags(team = "data"), streaming = false)]
async fn indexed(_: i64) -> Option<Vec<i64>> {
    Some(vec![1, 2])
}

#[op]
fn nothing(x: &PathBuf) {
    let _ = x;
}

#[op]
fn fails() -> Result<(), String> {
    Err("no".into())
}

#[op(transient)]
fn handle() -> std::thread::ThreadId {
    std::thread::current().id()
}

#[op]
fn use_handle(#[transient] id: &std::thread::ThreadId) -> String {
    format!("{id:?}")
}

#[test]
fn direct_calls() {
    assert_eq!(load_pieces::call('a', 'c').count(), 3);
    assert_eq!(compute_piece::call("a".into()).unwrap(), "A");
    assert_eq!(keep_odd::call(4), None);
    assert_eq!(borrowed::call("a b").count(), 2);
    let _ =
        (keyed::call(1), nothing::call(&PathBuf::new()), fails::call(), use_handle::call(&handle::call()));
    assert_eq!(words::call("a", &[1], Path::new("x"), Arc::default(), None, vec![], None), 3);
    let _ = (indexed::call(1), merge_and_analyze::call(&OpContext::for_test(), vec![]));
}

/// Upper-cases a range of letters, one step a letter.
#[job]
fn letters(#[arg(default = 'a')] from: Out<char>, #[arg(default = 'z')] to: Out<char>) -> Out<String> {
    let pieces = load_pieces(from, to);
    let results = pieces.map(compute_piece);
    merge_and_analyze(results.collect())
}

struct Db;

#[resource]
async fn db() -> Result<Db, std::io::Error> {
    Ok(Db)
}

#[op]
fn query(#[resource] db: &Db, #[resource] shared: Arc<Db>, n: i64) -> i64 {
    let _ = (db, shared);
    n
}

#[op]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[op]
fn total(xs: &[i64]) -> i64 {
    xs.iter().sum()
}

#[derive(Outputs)]
struct Split {
    values: Dynamic<i64>,
    negatives: Option<Dynamic<i64>>,
    count: i64,
}

#[op(outputs)]
fn split(n: i64) -> Split {
    Split { values: vec![], negatives: None, count: n }
}

#[op(outputs)]
fn split_streaming(n: i64) -> impl Iterator<Item = SplitItem> {
    [SplitItem::Values(DynamicOutput::new(1, 1)), SplitItem::Count(n)].into_iter()
}

#[op(dynamic_out(by_index))]
fn emit(n: i64) -> Vec<i64> {
    (0..n).collect()
}

#[graph]
fn doubled(xs: DynamicOut<i64>, n: impl Input<i64> + Copy) -> Out<i64> {
    let xs = xs.map(|x| add(x, n));
    total(xs.collect())
}

#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize, JobArg)]
enum Mode {
    Quick,
    VerySlow,
}

fn for_each(v: Out<i64>) -> Out<i64> {
    add(v, 1)
}

fn notify(report: &RunReport) {
    let _ = report.job;
}

async fn notify_slowly(report: &RunReport) {
    let _ = report.job;
}

#[op]
fn use_mode(_mode: Mode) {}

#[op]
fn use_token(_token: &Secret<String>) {}

#[job(max_concurrent = 4, order = "breadth_first", pools(api = 3, web(max = 8, rate = "10/s")), tag_limits(team(data = 2)), fail_fast, retry(max = 1), on_failure = notify, on_success = notify_slowly)]
fn everything(
    /// How many.
    n: Out<i64>,
    mode: Out<Mode>,
    token: Out<Secret<String>>,
) -> (Out<i64>, Out<i64>, Done) {
    let outs = split(n).named("cut").priority(3);
    let (values, negatives, count) = split_streaming(count_of(outs)).into();
    let added = values.map(|v| add(v, n));
    let _ = negatives.map(for_each).zip(added).map(|(a, b)| add(a, b));
    let nested = emit(3).map(|x| total(emit(x).map(for_each).collect()));
    let products = nested.map(|a| added.map(move |b| add(a, b)));
    let folded = products.fold(0, add);
    let _ = products.collect_keyed();
    let _ = nested.collect_results();
    let d = doubled(emit(2), 5);
    let (p, q) = emit(1).map(|v| (add(v, 1), query(v)));
    let _ = (p.collect(), q.collect());
    let _ = total([d, folded]);
    emit(3).map(|x| {
        use_mode(mode);
        let _ = x;
    });
    let done = use_token(token).after((d, folded)).retry(fanfold::retry!(max = 2, delay = "1s"));
    (folded, count, done)
}

fn count_of(outs: SplitOutputs) -> Out<i64> {
    let SplitOutputs { values, count, .. } = outs;
    let _ = values;
    count
}

#[test]
fn jobs_build() {
    let graph = letters::job().graph().unwrap();
    assert_eq!(graph.nodes.len(), 4);
    everything::job().graph().unwrap();
}

#[test]
fn an_op_mapped_by_name_is_said_to_be_called_where_map_is() {
    let graph = letters::job().graph().unwrap();
    let site = |name| graph.nodes.iter().find(|node| &*node.name == name).unwrap().at;
    assert_eq!(site("compute_piece").line, site("load_pieces").line + 1);
    assert_eq!(site("compute_piece").file, file!());
}
