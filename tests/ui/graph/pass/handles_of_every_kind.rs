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
fn join(texts: Vec<String>, between: String) -> String {
    texts.join(&between)
}

#[graph]
fn shouted(texts: DynamicOut<String>) -> DynamicOut<String> {
    texts.map(shout)
}

#[graph]
fn joined(texts: Out<Vec<String>>, between: impl Input<String> + Copy) -> (Out<String>, Out<String>) {
    if cfg!(any()) {
        return (join(texts, between), join(texts, between));
    }
    (join(texts, "x"), join(texts, between))
}

#[graph(name = "both")]
fn shouted_and_joined<I: Input<String> + Copy>(between: I) -> Out<String> {
    let (a, b) = joined(shouted(emit()).collect(), between);
    join([a, b], "and")
}

#[job]
fn shouting(between: Out<String>) -> (Out<String>, Out<String>) {
    let _ = count("text");
    (shouted_and_joined(between), shouted_and_joined("constant"))
}

fn main() {
    let graph = shouting::job().graph().unwrap();
    let names: Vec<_> = graph.nodes.iter().filter(|node| node.is_step()).map(|node| &*node.name).collect();
    let both = ["emit", "shouted.shout", "joined.join", "joined.join_2", "join"];
    assert_eq!(names[0], "count");
    assert_eq!(names[1..6], both.map(|step| format!("both.{step}")));
    assert_eq!(names[6..], both.map(|step| format!("both_2.{step}")));
}
