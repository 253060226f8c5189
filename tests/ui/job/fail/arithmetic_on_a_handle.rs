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
fn double(n: i64) -> i64 {
    n * 2
}

#[job]
fn shouting(n: Out<i64>) -> Out<i64> {
    double(n + 1)
}

fn main() {}
