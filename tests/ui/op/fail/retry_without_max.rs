use fanfold::prelude::*;

#[op(retry(delay = "1s"))]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {}
