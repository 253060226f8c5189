use fanfold::prelude::*;

#[op(retry(max = 3, backoff = "exponential"))]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {}
