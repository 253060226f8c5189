#![deny(unused_must_use)]

use fanfold::prelude::*;

#[op]
fn shout(text: String) -> String {
    text
}

#[job]
fn shouting(text: Out<String>) {
    shout(text);
}

fn main() {}
