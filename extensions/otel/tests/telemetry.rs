//! What is told of runs, by the exporters of the SDK that keep it in memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use fanfold::prelude::*;
use fanfold_otel::Telemetry;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::{SpanId, Status};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};

#[op(dynamic_out(by_index))]
fn count(n: u32) -> impl Iterator<Item = u32> {
    0..n
}

#[op]
fn double(x: u32) -> u32 {
    2 * x
}

#[op]
fn not_two(x: u32) -> Result<u32, String> {
    if x == 4 { Err("two is too much".to_owned()) } else { Ok(x) }
}

#[op]
fn add_up(xs: &[u32]) -> u32 {
    xs.iter().sum()
}

#[job]
fn doubled(n: Out<u32>) -> Out<u32> {
    add_up(count(n).map(double).collect())
}

#[job]
fn failing(n: Out<u32>) -> Out<u32> {
    add_up(count(n).map(double).map(not_two).collect())
}

static TRIED: AtomicU32 = AtomicU32::new(0);

#[op(retry(max = 3))]
fn third_time() -> Result<u32, String> {
    if TRIED.fetch_add(1, SeqCst) < 2 { Err("not yet".to_owned()) } else { Ok(1) }
}

#[job]
fn stubborn() -> Out<u32> {
    third_time()
}

/// Providers that keep all in memory.
struct Kept {
    spans: InMemorySpanExporter,
    tracers: SdkTracerProvider,
    metrics: InMemoryMetricExporter,
    meters: SdkMeterProvider,
}

impl Kept {
    fn new() -> Self {
        let spans = InMemorySpanExporter::default();
        let metrics = InMemoryMetricExporter::default();
        let reader = PeriodicReader::builder(metrics.clone()).build();
        Self {
            tracers: SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build(),
            meters: SdkMeterProvider::builder().with_reader(reader).build(),
            spans,
            metrics,
        }
    }

    fn telemetry(&self) -> Telemetry<opentelemetry_sdk::trace::SdkTracer> {
        Telemetry::new(&self.tracers, &self.meters.meter("test"))
    }

    fn spans(&self) -> Vec<SpanData> {
        self.spans.get_finished_spans().unwrap()
    }

    /// The sum of a counter by op and state.
    fn counted(&self, name: &str) -> BTreeMap<String, u64> {
        self.meters.force_flush().unwrap();
        let mut counted = BTreeMap::new();
        let all = self.metrics.get_finished_metrics().unwrap();
        for metric in all.last().unwrap().scope_metrics().flat_map(|scope| scope.metrics()) {
            let AggregatedMetrics::U64(MetricData::Sum(sum)) = metric.data() else { continue };
            for point in sum.data_points().filter(|_| metric.name() == name) {
                let words: BTreeMap<_, _> =
                    point.attributes().map(|one| (one.key.as_str(), one.value.to_string())).collect();
                let words: Vec<_> = ["fanfold.op", "fanfold.state"]
                    .iter()
                    .filter_map(|name| words.get(name).map(String::as_str))
                    .collect();
                *counted.entry(words.join(" ")).or_default() += point.value();
            }
        }
        counted
    }
}

fn attribute(span: &SpanData, name: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == name);
    found.map_or_else(String::new, |attribute| attribute.value.to_string())
}

#[tokio::test]
async fn a_run_is_a_span_with_a_span_for_each_step() {
    let kept = Kept::new();
    doubled::job().args((2,)).sink(kept.telemetry()).run().await.unwrap();

    let spans = kept.spans();
    let root = spans.last().unwrap();
    assert_eq!((root.name.as_ref(), root.parent_span_id), ("doubled", SpanId::INVALID));
    assert_eq!(attribute(root, "fanfold.state"), "succeeded");
    assert_eq!(attribute(root, "fanfold.spans.left_out"), "0");
    let mut steps: Vec<_> =
        spans[..spans.len() - 1].iter().map(|span| attribute(span, "fanfold.step")).collect();
    steps.sort_unstable();
    assert_eq!(steps, ["add_up", "count", "double[0]", "double[1]"]);
    for span in &spans[..spans.len() - 1] {
        assert_eq!(span.parent_span_id, root.span_context.span_id());
        assert_eq!(span.span_context.trace_id(), root.span_context.trace_id());
        assert!(root.start_time <= span.start_time && span.start_time <= span.end_time, "{span:?}");
        assert_eq!(span.status, Status::Ok);
    }
}

#[tokio::test]
async fn failures_are_kept_where_other_steps_have_no_room() {
    let kept = Kept::new();
    let telemetry = kept.telemetry().spans_per_second(0);
    failing::job().args((3,)).sink(telemetry).run().await.unwrap_err();

    let spans = kept.spans();
    let [step, root] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!(attribute(step, "fanfold.step"), "not_two[2]");
    assert_eq!(attribute(step, "error.type"), "op");
    assert_eq!(step.status, Status::error("two is too much"));
    assert_eq!(attribute(root, "fanfold.state"), "failed");
    // count, three times double, two that did not fail.
    assert_eq!(attribute(root, "fanfold.spans.left_out"), "6");
    assert_eq!(kept.counted("fanfold.spans.left_out"), BTreeMap::from([(String::new(), 6)]));
}

#[tokio::test]
async fn attempts_that_failed_are_events_of_the_span() {
    let kept = Kept::new();
    stubborn::job().args(()).sink(kept.telemetry()).run().await.unwrap();

    let spans = kept.spans();
    let step = &spans[0];
    assert_eq!(attribute(step, "fanfold.attempt"), "3");
    let events: Vec<_> = step.events.iter().map(|event| event.name.as_ref()).collect();
    assert_eq!(events, ["attempt_failed", "attempt_failed"]);
    assert!(step.start_time <= step.events[0].timestamp && step.events[1].timestamp <= step.end_time);
}

#[tokio::test]
async fn steps_are_counted_whether_they_have_a_span_or_not() {
    let kept = Kept::new();
    let telemetry = kept.telemetry().spans_per_second(1);
    failing::job().args((3,)).sink(telemetry).run().await.unwrap_err();

    let expected = [
        ("add_up upstream_failed", 1),
        ("count succeeded", 1),
        ("double succeeded", 3),
        ("not_two failed", 1),
        ("not_two succeeded", 2),
    ];
    let expected = expected.map(|(words, steps)| (words.to_owned(), steps));
    assert_eq!(kept.counted("fanfold.steps"), BTreeMap::from(expected));
}
