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
fn shouting() -> Out<Vec<i64>> {
    emit().map(double).collect()
}

fn main() {}
