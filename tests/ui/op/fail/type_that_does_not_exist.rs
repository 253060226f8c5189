use fanfold::prelude::*;

#[op]
fn shout(text: Strin) -> String {
    text
}

#[job]
fn shouting(text: Out<String>) -> Out<String> {
    shout(text)
}

fn main() {}
