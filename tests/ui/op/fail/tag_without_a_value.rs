use fanfold::prelude::*;

#[op(tags(team))]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {}
