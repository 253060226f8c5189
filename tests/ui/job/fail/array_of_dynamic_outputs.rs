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
fn join(texts: Vec<String>) -> String {
    texts.concat()
}

#[job]
fn shouting() -> Out<String> {
    join([emit(), emit()])
}

fn main() {}
