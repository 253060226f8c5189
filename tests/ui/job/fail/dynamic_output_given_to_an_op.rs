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

#[job]
fn shouting() -> Out<String> {
    shout(emit())
}

fn main() {}
