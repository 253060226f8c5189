use std::sync::Arc;

use axum::extract::Query;
use axum::http::HeaderValue;

use super::*;
use crate::index::Bar;
use crate::record::samples::{recorded, seed};
use crate::web::fixture;

fn bars(run: &OpenRun) -> Vec<Bar> {
    let mut bars = Vec::new();
    run.index().each_bar(run.is_driven(), |bar| bars.push(bar));
    bars
}

/// The bars of a node that are seen in a span, both ends included.
fn seen(bars: &[Bar], node: u32, from: u64, to: u64) -> Vec<Bar> {
    let is_seen = |bar: &&Bar| bar.node.0 == node && bar.started <= to && bar.started + bar.took >= from;
    bars.iter().filter(is_seen).copied().collect()
}

fn windows(random: &mut fastrand::Rng, end: u64) -> Window {
    let from = if random.bool() { 0 } else { random.u64(..=end) };
    let to = random.bool().then(|| from + 1 + random.u64(..=end));
    let node = (random.u32(..4) == 0).then_some(crate::graph::NodeId(2));
    Window { from, to, px: random.u64(..300), node }
}

#[test]
fn buckets_have_what_was_active_and_what_ended_in_them() {
    let seed = seed();
    for number in 0..30 {
        let (store, _drive) = recorded(seed + number, 10, 60);
        let run = OpenRun::open(store, "7k2m").unwrap();
        let (bars, mut random) = (bars(&run), fastrand::Rng::with_seed(seed + number));
        for _ in 0..10 {
            let window = windows(&mut random, run.index().elapsed());
            let told = told(&run, window, 0);
            let hint = format!("FANFOLD_SEED={seed}, run {number}, {window:?}");
            let any =
                told.lanes.iter().any(|lane| !seen(&bars, lane.node, told.from_us, told.to_us).is_empty());
            assert_eq!(told.tier, if any { "buckets" } else { "steps" }, "{hint}");
            for lane in &told.lanes {
                let seen = seen(&bars, lane.node, told.from_us, told.to_us);
                let column = |at: u64| {
                    let last = (told.to_us - told.from_us).div_ceil(told.width_us.max(1)) - 1;
                    (at.clamp(told.from_us, told.to_us) - told.from_us)
                        .checked_div(told.width_us)
                        .map(|at| at.min(last))
                };
                let ended = |bar: &&Bar| bar.ended && bar.started + bar.took <= told.to_us;
                assert_eq!(
                    lane.ended.iter().sum::<u32>() as usize,
                    if any { seen.iter().filter(ended).count() } else { 0 },
                    "{hint}"
                );
                for (place, bucket) in lane.bucket.iter().enumerate() {
                    let here: Vec<_> = seen
                        .iter()
                        .filter(|bar| {
                            let (first, last) = (column(bar.started), column(bar.started + bar.took));
                            (first..=last).contains(&Some(u64::from(*bucket)))
                        })
                        .collect();
                    assert_eq!(lane.active[place] as usize, here.len(), "{hint}");
                    let worst = [1, 2, 4, 3, 5, 6, 0]
                        .into_iter()
                        .find(|state| here.iter().any(|bar| bar.state == *state));
                    assert_eq!(Some(usize::from(lane.worst[place])), worst, "{hint}");
                }
                assert!(lane.bucket.is_sorted() && lane.active.iter().all(|active| *active > 0), "{hint}");
            }
        }
    }
}

#[test]
fn single_steps_are_those_of_the_window() {
    let seed = seed();
    for number in 0..30 {
        let (store, _drive) = recorded(seed + number, 10, 60);
        let run = OpenRun::open(store, "7k2m").unwrap();
        let (bars, mut random) = (bars(&run), fastrand::Rng::with_seed(seed + number));
        let whole = told(&run, Window { px: 100, ..Window::default() }, 0);
        for _ in 0..10 {
            let window = windows(&mut random, run.index().elapsed());
            let told = told(&run, window, STEPS);
            let hint = format!("FANFOLD_SEED={seed}, run {number}, {window:?}");
            assert_eq!((told.tier.as_str(), told.width_us), ("steps", 0), "{hint}");
            for lane in &told.lanes {
                let seen = seen(&bars, lane.node, told.from_us, told.to_us);
                let names: Vec<_> = seen.iter().map(|bar| run.index().name(bar.place)).collect();
                assert_eq!(lane.step, names, "{hint}");
                assert_eq!(lane.start_us, seen.iter().map(|bar| bar.started).collect::<Vec<_>>(), "{hint}");
                assert_eq!(lane.took_us, seen.iter().map(|bar| bar.took).collect::<Vec<_>>(), "{hint}");
                let whole = whole.lanes.iter().find(|whole| whole.node == lane.node).unwrap();
                assert_eq!(whole.peak, u64::from(whole.active.iter().max().copied().unwrap_or(0)), "{hint}");
            }
        }
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Pairs {
    Query(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

async fn ask(app: &Arc<App>, given: &[(&str, &str)], known: Option<&str>) -> Result<Response, Refused> {
    let mut headers = HeaderMap::new();
    if let Some(known) = known {
        headers.insert(IF_NONE_MATCH, HeaderValue::from_str(known).unwrap());
    }
    timeline(State(Arc::clone(app)), Path("7k2m".to_owned()), pairs(given), headers).await
}

#[tokio::test]
async fn of_a_run_that_has_ended_it_is_sent_once() {
    let app = Arc::new(fixture::app(fixture::failed("7k2mabcd")));
    let first = ask(&app, &[], None).await.unwrap();
    let tag = first.headers()[ETAG].to_str().unwrap().to_owned();
    assert_eq!(first.status(), StatusCode::OK);
    assert_eq!(ask(&app, &[], Some(&tag)).await.unwrap().status(), StatusCode::NOT_MODIFIED);
    assert_eq!(ask(&app, &[], Some("\"another\"")).await.unwrap().status(), StatusCode::OK);
    let (store, _drive) = recorded(7, 3, 20);
    let running = ask(&Arc::new(fixture::app(store)), &[], Some(&tag)).await.unwrap();
    assert_eq!((running.status(), running.headers().get(ETAG)), (StatusCode::OK, None));
}

#[tokio::test]
async fn a_window_that_is_none_is_refused() {
    let app = Arc::new(fixture::app(fixture::failed("7k2mabcd")));
    for given in [
        [("from", "x")].as_slice(),
        &[("from", "-1")],
        &[("to", "inf")],
        &[("from", "2"), ("to", "2")],
        &[("px", "1.5")],
        &[("lanes", "worker")],
        &[("op", "nothing")],
        &[("nothing", "1")],
    ] {
        let refused = ask(&app, given, None).await.unwrap_err();
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{given:?}");
        assert!(refused.help.is_some(), "{refused:?}");
    }
    let given = [("from", "0.1"), ("to", "12.5"), ("px", "9999"), ("lanes", "op"), ("op", "clean")];
    assert_eq!(ask(&app, &given, None).await.unwrap().status(), StatusCode::OK);
}
