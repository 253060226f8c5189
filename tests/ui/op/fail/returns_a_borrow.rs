use fanfold::prelude::*;

#[op]
fn first(text: &str) -> &str {
    &text[..1]
}

fn main() {}
