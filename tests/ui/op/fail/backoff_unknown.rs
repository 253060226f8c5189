use fanfold::prelude::*;

#[op(retry(max = 3, delay = "1s", backoff = "exponentail"))]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {}
