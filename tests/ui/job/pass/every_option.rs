use fanfold::prelude::*;

fn notify(report: &fanfold::RunReport) {
    println!("{} ended", report.job);
}

async fn notify_later(report: &fanfold::RunReport) {
    println!("{} ended", report.job);
}

#[op]
fn shout(text: String) -> String {
    text.to_uppercase()
}

#[job(
    name = "nightly",
    max_concurrent = 4,
    order = "breadth_first",
    pools(api = 3, web(max = 8, rate = "10/s"), slow(rate = "30/m")),
    tag_limits(team(data = 3, "web front" = 2)),
    fail_fast,
    retry(max = 3, delay = "500ms"),
    on_success = notify,
    on_failure = notify_later,
)]
fn shouting(text: Out<String>) -> Out<String> {
    shout(text)
}

fn main() {
    let def = shouting::job().def();
    assert_eq!((def.name, def.options.max_concurrent, def.options.pools.len()), ("nightly", Some(4), 3));
    assert!(def.options.fail_fast && def.on_success.is_some() && def.on_failure.is_some());
    fanfold::check_all_jobs().unwrap();
}
