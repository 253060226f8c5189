use fanfold::prelude::*;

#[op(retry(max = 3, delay = "1m", max_delay = "1s"))]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {}
