use fanfold::prelude::*;

use std::borrow::Cow;

#[op]
fn shout<'a>(text: Cow<'a, str>) -> String {
    text.to_uppercase()
}

fn main() {}
