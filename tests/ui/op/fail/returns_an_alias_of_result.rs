use fanfold::prelude::*;

type Shouted = Result<String, std::io::Error>;

#[op]
fn shout(text: String) -> Shouted {
    Ok(text.to_uppercase())
}

fn main() {}
