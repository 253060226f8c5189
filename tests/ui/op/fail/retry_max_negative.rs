use fanfold::prelude::*;

#[op(retry(max = -1))]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {}
