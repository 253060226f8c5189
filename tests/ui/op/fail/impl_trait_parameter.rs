use fanfold::prelude::*;

#[op]
fn shout(text: impl ToString) -> String {
    text.to_string()
}

fn main() {}
