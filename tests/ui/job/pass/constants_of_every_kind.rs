use fanfold::prelude::*;

#[op(dynamic_out)]
fn emit() -> Vec<DynamicOutput<String>> {
    vec![DynamicOutput::new(1, "one".to_string())]
}

#[op]
fn shout(text: String) -> String {
    text.to_uppercase()
}

#[op]
fn count(text: String) -> usize {
    text.len()
}

#[op]
fn all(text: String, number: i64, maybe: Option<i64>, list: Vec<String>, path: std::path::PathBuf) -> i64 {
    let _ = (text, maybe, list, path);
    number
}

#[op]
fn number() -> i64 {
    3
}

#[op]
fn maybe_number() -> Option<i64> {
    None
}

#[job]
fn constants() {
    let _ = all("text", 3, None, vec!["a".to_string()], "path");
    let _ = all("text".to_string(), number(), Some(3), [shout("a")], std::path::Path::new("path"));
    let _ = all("text", 3, number(), emit().collect(), "path");
    let _ = all("text", 3, maybe_number(), Vec::<String>::new(), "path");
}

fn main() {
    fanfold::check_all_jobs().unwrap();
}
