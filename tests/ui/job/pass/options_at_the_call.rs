use fanfold::prelude::*;

#[op(dynamic_out)]
fn emit() -> Vec<DynamicOutput<String>> {
    vec![DynamicOutput::new(1, "one".to_string())]
}

#[op]
fn shout(text: String) -> String {
    text.to_uppercase()
}

#[op]
fn count(text: String) -> usize {
    text.len()
}

#[op]
fn clean() {}

#[job]
fn shouting(text: Out<String>) -> Out<String> {
    let first = shout(text)
        .named("first")
        .priority(5)
        .pool("api")
        .tag("team", "data")
        .timeout(std::time::Duration::from_secs(3))
        .retry(fanfold::retry!(max = 3, delay = "1s", backoff = "linear"));
    let pieces = emit().map(shout).priority(2);
    let done = clean().after((first, pieces)).named("cleaning");
    shout(first).after(done)
}

fn main() {
    fanfold::check_all_jobs().unwrap();
}
