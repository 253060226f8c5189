use fanfold::prelude::*;

#[op]
fn shout(_: String) -> std::fmt::Result {
    Ok(())
}

fn main() {}
