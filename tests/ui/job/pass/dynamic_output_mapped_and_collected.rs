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
fn shouting() -> (Out<String>, Out<Vec<usize>>) {
    let pieces = emit();
    (join(pieces.map(shout).collect()), pieces.map(|piece| count(shout(piece))).collect())
}

fn main() {
    fanfold::check_all_jobs().unwrap();
}
