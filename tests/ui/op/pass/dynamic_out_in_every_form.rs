use fanfold::prelude::*;

#[op(dynamic_out)]
fn list() -> Vec<DynamicOutput<i64>> {
    vec![DynamicOutput::new("a", 1)]
}

#[op(dynamic_out)]
fn iterator(n: i64) -> impl Iterator<Item = DynamicOutput<i64>> {
    (0..n).map(|i| DynamicOutput::new(i, i))
}

#[op(dynamic_out)]
fn borrowing(text: &str) -> impl Iterator<Item = DynamicOutput<String>> {
    text.split(' ').map(|word| DynamicOutput::new(word, word.to_string()))
}

#[op(dynamic_out)]
fn boxed(n: i64) -> Box<dyn Iterator<Item = DynamicOutput<i64>> + Send> {
    Box::new((0..n).map(|i| DynamicOutput::new(i, i)))
}

#[op(dynamic_out)]
fn failing_items() -> impl Iterator<Item = Result<DynamicOutput<i64>, std::io::Error>> {
    std::iter::once(Err(std::io::Error::other("no")))
}

#[op(dynamic_out)]
fn failing_whole() -> Result<Vec<DynamicOutput<i64>>, OpError> {
    Ok(Vec::new())
}

#[op(dynamic_out, optional)]
async fn failing_maybe() -> Result<Option<Vec<DynamicOutput<i64>>>, String> {
    Ok(None)
}

#[op(dynamic_out(by_index))]
fn by_index() -> impl Iterator<Item = char> {
    'a'..='c'
}

#[op(dynamic_out(key = |(name, _)| name), streaming = false)]
fn by_key() -> Vec<(String, i64)> {
    vec![("a".into(), 1)]
}

#[job]
fn emitting() {
    let _ = (list(), iterator(3), borrowing("a b"), boxed(2));
    let _ = (failing_items(), failing_whole(), failing_maybe(), by_index(), by_key());
}

fn main() {
    assert_eq!(iterator::call(3).count(), 3);
    assert_eq!(borrowing::call("a b").map(|item| item.key().to_string()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(failing_items::call().next().unwrap().is_err());
    assert_eq!(by_index::call().count(), 3);
    fanfold::check_all_jobs().unwrap();
}
