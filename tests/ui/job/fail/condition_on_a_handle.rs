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
fn is_long(text: String) -> bool {
    text.len() > 9
}

#[job]
fn shouting(text: Out<String>) -> Out<String> {
    if is_long(text) { shout(text) } else { text }
}

fn main() {}
