use fanfold::prelude::*;

#[op]
fn char(text: String) -> String {
    text
}

fn main() {}
