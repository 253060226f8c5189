use fanfold::prelude::*;

#[op(timeout = 30)]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {}
