use fanfold::prelude::*;

#[op(retrys(max = 3))]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {}
