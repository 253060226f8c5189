use fanfold::prelude::*;

struct Broken;

#[op]
fn store(text: String) -> Result<usize, Broken> {
    if text.is_empty() { Err(Broken) } else { Ok(text.len()) }
}

fn main() {}
