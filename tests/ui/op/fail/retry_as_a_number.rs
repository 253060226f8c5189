use fanfold::prelude::*;

#[op(retry = 3)]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {}
