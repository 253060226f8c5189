use fanfold::prelude::*;

#[op(timeout = "3 parsecs")]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {}
