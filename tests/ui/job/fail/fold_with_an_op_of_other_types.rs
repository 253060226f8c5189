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
fn longer(longest: usize, next: usize) -> usize {
    longest.max(next)
}

#[job]
fn shouting() -> Out<usize> {
    emit().fold(0, longer)
}

fn main() {}
