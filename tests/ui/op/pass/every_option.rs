use fanfold::prelude::*;

#[op(
    name = "upper",
    retry(max = 3, delay = "500ms", backoff = "exponential", jitter = "plus_minus", max_delay = "1m"),
    timeout = "30s",
    priority = -5,
    pool = "api",
    tags(team = "data", cost = "high"),
)]
fn shout(text: String) -> String {
    text.to_uppercase()
}

#[job]
fn shouting(text: Out<String>) -> Out<String> {
    shout(text)
}

fn main() {
    let graph = shouting::job().graph().unwrap();
    let policy = fanfold::retry!(max = 3, delay = "500ms", backoff = "exponential", jitter = "plus_minus", max_delay = "1m");
    let options = &graph.nodes[0].options;
    assert_eq!(&*graph.nodes[0].name, "upper");
    assert_eq!((options.priority, options.pool.as_deref()), (-5, Some("api")));
    assert_eq!(options.retry, Some(policy));
    assert_eq!(options.tags.len(), 2);
}
