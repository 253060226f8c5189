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
fn join(left: &str, right: &str) -> String {
    format!("{left}{right}")
}

#[job]
fn zipping() -> Out<Vec<String>> {
    emit().zip(emit().map(shout)).map(|(left, right)| join(left, right)).collect()
}

fn main() {
    fanfold::check_all_jobs().unwrap();
}
