use fanfold::prelude::*;

#[op(priority = 3000000000)]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {}
