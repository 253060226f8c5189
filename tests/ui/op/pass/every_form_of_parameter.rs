use fanfold::prelude::*;

use std::path::Path;
use std::sync::Arc;

#[op]
fn read(
    ctx: &OpContext,
    by_value: String,
    by_reference: &Vec<i64>,
    text: &str,
    list: &[u8],
    path: &Path,
    shared: Arc<String>,
    maybe: Option<i64>,
    maybe_shared: Option<Arc<i64>>,
    parts: Vec<Arc<String>>,
    mut changed: i64,
    _: bool,
) -> usize {
    changed += maybe.unwrap_or(0) + maybe_shared.as_deref().unwrap_or(&0);
    let _ = (ctx.attempt(), changed);
    by_value.len() + by_reference.len() + text.len() + list.len() + path.as_os_str().len() + shared.len() + parts.len()
}

#[op(dynamic_out(by_index))]
fn emit() -> Vec<String> {
    Vec::new()
}

#[job]
fn reading(text: Out<String>, number: Out<i64>) -> Out<usize> {
    read(text, vec![1], "a", vec![2], "p", text, number, None, emit().collect(), 3, true)
}

fn main() {
    let ctx = OpContext::for_test();
    let shared = Arc::new("shared".to_string());
    let read = read::call(&ctx, "a".into(), &vec![1], "b", &[1], Path::new("p"), shared, None, None, vec![], 1, false);
    assert_eq!(read, 11);
    fanfold::check_all_jobs().unwrap();
}
