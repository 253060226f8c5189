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
fn longest(so_far: usize, text: &str) -> usize {
    so_far.max(text.len())
}

#[job]
fn folding() -> Out<usize> {
    emit().fold(0, longest).named("longest_of_all")
}

fn main() {
    fanfold::check_all_jobs().unwrap();
}
