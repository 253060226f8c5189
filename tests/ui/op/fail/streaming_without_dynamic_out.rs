use fanfold::prelude::*;

#[op(streaming = false)]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {}
