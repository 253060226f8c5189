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
fn log(_text: &str) {}

#[op]
fn join(texts: &[String]) -> String {
    texts.concat()
}

fn twice(text: Out<String>) -> Out<String> {
    shout(shout(text))
}

#[job]
fn mapping(text: Out<String>) -> (Done, Out<Vec<String>>) {
    let named = emit().map(shout);
    let helped = emit().map(twice);
    let (a, (b, c)) = emit().map(|piece| (shout(piece), (count(piece), emit().map(|inner| join([inner, piece])))));
    emit().map(|piece| {
        log(piece);
    });
    let product = named.map(|left| helped.map(move |right| join([left, right])));
    let repeated = emit().map(|_| text);
    let whole = emit().map(|piece| join([piece, join(named.collect())]));
    let _ = (a.collect(), b.collect_keyed(), c.collect_results(), repeated.collect(), whole.collect());
    (product.map(log), product.collect())
}

fn main() {
    fanfold::check_all_jobs().unwrap();
}
