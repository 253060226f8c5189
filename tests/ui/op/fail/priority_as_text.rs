use fanfold::prelude::*;

#[op(priority = "high")]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {}
