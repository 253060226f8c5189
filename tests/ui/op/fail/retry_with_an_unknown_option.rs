use fanfold::prelude::*;

#[op(retry(max = 3, dealy = "1s"))]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {}
