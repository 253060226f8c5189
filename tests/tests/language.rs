//! Every form of an op, called directly.
#![deny(warnings)]

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
