//! `/metrics`: the store and the runs that go on, for Prometheus. Each answer is made from the record; as
//! many sets of labels as [`SETS`] are told, whatever is recorded.
//!
//! It needs the feature `metrics`; without it the address says so.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::App;
use super::refused::Refused;

/// Of how many jobs, and of how many sets of labels of steps, it is told.
#[cfg(feature = "metrics")]
const SETS: usize = 1_000;

/// How many runs that go on are looked at.
#[cfg(feature = "metrics")]
const RUNS: usize = 50;

/// Answers the request.
#[cfg(feature = "metrics")]
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Refused> {
    use axum::http::header::CONTENT_TYPE;
    use axum::response::IntoResponse as _;

    let text = app.blocking(with::text).await?;
    Ok(([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response())
}

/// Says what is missing.
#[cfg(not(feature = "metrics"))]
pub(super) async fn metrics(State(_): State<Arc<App>>) -> Result<Response, Refused> {
    let help = "build it with the feature `metrics` of the crate fanfold, and look again";
    Err(Refused::not_found("this program was built without metrics", help))
}

#[cfg(feature = "metrics")]
mod with {
    use std::collections::BTreeMap;
    use std::sync::atomic::AtomicU64;

    use prometheus_client::encoding::text::encode;
    use prometheus_client::metrics::family::Family;
    use prometheus_client::metrics::gauge::Gauge;
    use prometheus_client::metrics::info::Info;
    use prometheus_client::registry::{Registry, Unit};

    use super::*;
    use crate::event::{RunState, StepState};
    use crate::graph::NodeId;
    use crate::record::Reader;
    use crate::store::{RunFilter, RunRow, Standing};
    use crate::summary::{Durations, Summary};
    use crate::web::api::convert::seconds;
    use crate::web::api::rows::summed;

    /// Names and values of labels.
    type Labels = Vec<(&'static str, String)>;
    type Counts = Family<Labels, Gauge>;
    type Seconds = Family<Labels, Gauge<f64, AtomicU64>>;

    /// The shares of durations that are told.
    const QUANTILES: [f64; 3] = [0.5, 0.95, 1.0];

    /// Everything, as text.
    pub(super) fn text(app: &App) -> Result<String, Refused> {
        let mut registry = Registry::with_prefix("fanfold");
        let version = vec![("version", env!("CARGO_PKG_VERSION"))];
        registry.register("build", "The fanfold that serves this", Info::new(version));
        let open = [Standing::Running, Standing::Interrupted];
        let filter = RunFilter { standing: open.to_vec(), limit: SETS, ..RunFilter::default() };
        let open: Vec<_> = app.store.each_run(&filter)?.into_iter().flatten().collect();
        runs(app, &open, &mut registry)?;
        steps(app, &open, &mut registry);
        let mut text = String::new();
        encode(&mut text, &registry).map_err(|_| Refused::broken("the metrics could not be written"))?;
        Ok(text)
    }

    /// How many runs of each job stand how.
    fn runs(app: &App, open: &[RunRow], registry: &mut Registry) -> Result<(), Refused> {
        let mut counts: BTreeMap<(String, &str), i64> = BTreeMap::new();
        for (job, state, runs) in app.store.ended()? {
            let state = match state {
                RunState::Succeeded => "succeeded",
                RunState::Failed => "failed",
                RunState::Cancelled => "cancelled",
            };
            counts.insert((job, state), i64::try_from(runs).unwrap_or(i64::MAX));
        }
        for run in open {
            let state = if run.standing == Standing::Running { "running" } else { "interrupted" };
            *counts.entry((run.job.clone(), state)).or_default() += 1;
        }
        let told = Counts::default();
        for ((job, state), runs) in counts.into_iter().take(SETS) {
            told.get_or_create(&vec![("job", job), ("state", state.to_owned())]).set(runs);
        }
        registry.register("runs", "Runs that are recorded, by job and state", told);
        Ok(())
    }

    /// How the steps of runs that go on stand, and how long they took. One that cannot be read is left out.
    fn steps(app: &App, open: &[RunRow], registry: &mut Registry) {
        let mut ops: BTreeMap<(String, String), Op> = BTreeMap::new();
        let mut oldest = BTreeMap::new();
        for run in open.iter().filter(|run| run.standing == Standing::Running).take(RUNS) {
            let _ = summed(app, run, |reader, summary, _| add(reader, summary, &mut ops));
            let since = oldest.entry(run.job.clone()).or_insert(run.started);
            *since = run.started.min(*since);
        }
        let (told, took, began) = (Counts::default(), Seconds::default(), Seconds::default());
        let sets = StepState::ALL.len() + QUANTILES.len();
        for ((job, op), counted) in ops.into_iter().take(SETS / sets) {
            let labels = |last: (&'static str, String)| vec![("job", job.clone()), ("op", op.clone()), last];
            for (state, steps) in StepState::ALL.iter().zip(counted.steps) {
                let state = state.name().to_owned();
                let steps = i64::try_from(steps).unwrap_or(i64::MAX);
                told.get_or_create(&labels(("state", state))).set(steps);
            }
            for share in QUANTILES {
                if let Some(time) = counted.durations.quantile(share) {
                    took.get_or_create(&labels(("quantile", share.to_string()))).set(time.as_secs_f64());
                }
            }
        }
        for (job, since) in oldest {
            began.get_or_create(&vec![("job", job)]).set(seconds(since));
        }
        registry.register("steps", "Steps of runs that go on, by job, op and state", told);
        let help = "How long attempts of steps took, in runs that go on";
        registry.register_with_unit("attempt", help, Unit::Seconds, took);
        let help = "When the oldest run that goes on began, by job";
        registry.register_with_unit("oldest_run_started", help, Unit::Seconds, began);
    }

    /// What is told of the steps of an op, in all runs of its job.
    #[derive(Default)]
    struct Op {
        steps: [u64; StepState::ALL.len()],
        durations: Durations,
    }

    fn add(reader: &Reader, summary: &Summary, ops: &mut BTreeMap<(String, String), Op>) {
        let shape = reader.shape();
        for node in shape.steps().collect::<Vec<NodeId>>() {
            let op = ops.entry((shape.job.clone(), shape.node(node).name.to_string())).or_default();
            for (sum, state) in op.steps.iter_mut().zip(StepState::ALL) {
                *sum += summary.count(node, state);
            }
            op.durations.merge(summary.node(node).durations());
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::cli::fixture::{Ends, shelf};
        use crate::web::fixture::{Given, app, entered};
        use expect_test::expect;

        #[test]
        fn runs_and_steps_are_counted() {
            let ends = [("7k2mabcd", Ends::Failed), ("b111xyz0", Ends::Not), ("c222xyz0", Ends::Lost)];
            let (store, _drives) = shelf(&ends);
            let text = text(&app(store)).unwrap();
            let lines = text.lines().filter(|line| !line.ends_with(" 0"));
            let told: Vec<_> =
                lines.filter(|line| line.contains("runs{") || line.contains("clean")).collect();
            expect![[r#"
                fanfold_runs{job="letters",state="failed"} 1
                fanfold_runs{job="letters",state="interrupted"} 1
                fanfold_runs{job="letters",state="running"} 1
                fanfold_steps{job="letters",op="clean",state="succeeded"} 3
                fanfold_attempt_seconds{job="letters",op="clean",quantile="0.5"} 0.005
                fanfold_attempt_seconds{job="letters",op="clean",quantile="0.95"} 0.005
                fanfold_attempt_seconds{job="letters",op="clean",quantile="1"} 0.005
            "#]]
            .assert_eq(&sorted(told));
            assert!(text.ends_with("# EOF\n") && text.contains("fanfold_build_info{version="), "{text}");
        }

        /// Labels come in no order, so lines are told apart from it.
        fn sorted(mut lines: Vec<&str>) -> String {
            lines.sort_unstable_by_key(|line| (!line.contains("runs"), line.contains("attempt"), *line));
            lines.iter().map(|line| format!("{line}\n")).collect()
        }

        /// The name and the rest of what begins with a name.
        fn name(text: &str) -> (&str, &str) {
            let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
            assert!(text[..end].starts_with(|c: char| c.is_ascii_alphabetic()), "no name: {text}");
            text.split_at(end)
        }

        /// What follows the labels of a sample, and the labels.
        fn labels(text: &str) -> (BTreeMap<&str, String>, &str) {
            let (mut labels, Some(mut text)) = (BTreeMap::new(), text.strip_prefix('{')) else {
                return (BTreeMap::new(), text);
            };
            loop {
                let (label, rest) = name(text);
                let rest = rest.strip_prefix("=\"").expect("a value in quotes");
                let (mut value, mut rest) = (String::new(), rest.chars());
                loop {
                    match rest.next().expect("the quotes are closed") {
                        '"' => break,
                        '\\' => value.push(rest.next().filter(|c| "\\\"n".contains(*c)).expect("an escape")),
                        other => value.push(other),
                    }
                }
                assert!(labels.insert(label, value).is_none(), "{label} is there twice: {text}");
                match rest.next() {
                    Some(',') => text = rest.as_str(),
                    Some('}') => return (labels, rest.as_str()),
                    other => panic!("{other:?} after a label of {text}"),
                }
            }
        }

        /// How many samples a text of OpenMetrics has: it must keep the rules of version 1.0.0 for what
        /// is told here, gauges and infos.
        fn samples(text: &str) -> usize {
            let lines = text.strip_suffix("# EOF\n").expect("an end").lines();
            let (mut family, mut families, mut seen) = ((String::new(), ""), Vec::new(), Vec::new());
            for line in lines {
                if let Some(told) = line.strip_prefix("# ") {
                    let (keyword, rest) = told.split_once(' ').expect("a keyword");
                    let (of, rest) = name(rest);
                    if of != family.0 {
                        assert!(!families.contains(&of), "{of} is told in two places");
                        families.push(of);
                        family = (of.to_owned(), "");
                    }
                    match (keyword, rest.trim_start()) {
                        ("TYPE", kind) => family.1 = kind,
                        ("UNIT", unit) => assert!(of.ends_with(&format!("_{unit}")), "{line}"),
                        ("HELP", help) => assert!(!help.is_empty(), "{line}"),
                        _ => panic!("what is `{line}`?"),
                    }
                    continue;
                }
                let (sample, rest) = name(line);
                let (labels, value) = labels(rest);
                let wanted = match family.1 {
                    "gauge" => family.0.clone(),
                    "info" => format!("{}_info", family.0),
                    other => panic!("{line} is of no known kind: {other}"),
                };
                assert_eq!(sample, wanted, "{line}");
                let number = value.strip_prefix(' ').and_then(|value| value.parse::<f64>().ok());
                assert!(number.is_some_and(f64::is_finite), "{line}");
                assert!(family.1 != "info" || number == Some(1.0), "{line}");
                assert!(!seen.contains(&(sample, labels.clone())), "{line} is there twice");
                seen.push((sample, labels));
            }
            seen.len()
        }

        #[test]
        fn all_of_it_is_openmetrics() {
            let ends = [("7k2mabcd", Ends::Failed), ("b111xyz0", Ends::Not), ("c222xyz0", Ends::Lost)];
            let (store, _drives) = shelf(&ends);
            assert!(samples(&text(&app(store)).unwrap()) > 30);
            let jobs = ["x\",state=\"y\"} 9\nfanfold_evil 1\n\\", "", "# EOF\n", "é\t\u{2028}"];
            let jobs = jobs.iter().zip(["7k2mabcd", "b111xyz0", "c222xyz0", "d333xyz0"]);
            let runs = jobs.map(|(job, id)| Given { job: (*job).to_owned(), ..Given::new(id) });
            assert_eq!(samples(&text(&app(entered(runs))).unwrap()), 5, "four jobs, and the build");
            assert_eq!(samples(&text(&app(entered([]))).unwrap()), 1, "the build alone");
        }

        #[test]
        fn names_cannot_make_lines_of_their_own() {
            let job = "x\",state=\"y\"} 9\nfanfold_evil 1\n\\".to_owned();
            let text = text(&app(entered([Given { job, ..Given::new("7k2mabcd") }]))).unwrap();
            assert!(!text.lines().any(|line| line.starts_with("fanfold_evil")), "{text}");
            assert_eq!(text.lines().filter(|line| line.starts_with("fanfold_runs{")).count(), 1);
        }

        #[test]
        fn as_many_sets_of_labels_are_told_as_are_allowed() {
            let many =
                (0..SETS + 50).map(|n| Given { job: format!("job{n}"), ..Given::new(&format!("r{n:06}")) });
            let text = text(&app(entered(many))).unwrap();
            assert_eq!(text.lines().filter(|line| line.starts_with("fanfold_runs{")).count(), SETS);
        }
    }
}
