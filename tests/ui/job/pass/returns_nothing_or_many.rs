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
fn clean() {}

#[job]
fn nothing() {
    let _ = shout("a");
}

#[job]
fn end() -> Done {
    clean()
}

#[job]
fn many(text: Out<String>) -> (Out<String>, Out<usize>, Done) {
    (text, count(text), clean())
}

fn main() {
    fanfold::check_all_jobs().unwrap();
}
