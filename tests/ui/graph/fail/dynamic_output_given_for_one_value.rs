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

#[graph]
fn clean(text: impl Input<String>) -> Out<String> {
    shout(text)
}

#[job]
fn shouting() -> Out<String> {
    clean(emit())
}

fn main() {}
