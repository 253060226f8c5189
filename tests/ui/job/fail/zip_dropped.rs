#![deny(unused_must_use)]

use fanfold::prelude::*;

#[op(dynamic_out)]
fn emit() -> Vec<DynamicOutput<String>> {
    Vec::new()
}

#[job]
fn shouting() {
    emit().zip(emit());
}

fn main() {}
