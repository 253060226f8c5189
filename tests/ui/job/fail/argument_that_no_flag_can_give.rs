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

use std::collections::BTreeMap;

#[op]
fn size(map: &BTreeMap<String, String>) -> usize {
    map.len()
}

#[job]
fn shouting(map: Out<BTreeMap<String, String>>) -> Out<usize> {
    size(map)
}

fn main() {}
