use fanfold::prelude::*;

#[op(timeout = "30s", timeout = "40s")]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {}
