use fanfold::prelude::*;

#[derive(Clone)]
struct Options;

#[op]
fn shout(
    text: String,
    times: usize,
    options: Options,
) -> String {
    let _ = options;
    text.repeat(times)
}

fn main() {}
