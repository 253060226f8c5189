use fanfold::prelude::*;

#[op(timeout = "0s")]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {}
