//! One event a line, as JSON, for programs.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serializer as _;
use serde::ser::SerializeMap as _;
use serde_json::value::RawValue;

use crate::define::{OutputKind, Outputs};
use crate::event::{Batch, EVENT_VERSION, Event, EventKind, StepRef, StepState};
use crate::graph::{Graph, NodeId};
use crate::record;
use crate::record::values::StoredValue;
use crate::run::{RunReport, Sink};
use crate::shape::Shape;
use crate::step::Path;
use crate::summary::Summary;
use crate::text::hex;
use crate::value::{AnyValue, TypeInfo};

/// How much is written at once, in bytes, while a batch has more: enough that writing costs little,
/// little enough that a batch of many events does not fill memory.
const PIECE: usize = 1 << 20;

/// Writes each event of a run as one line of JSON.
///
/// # The vocabulary
/// Every line is an object whose first fields are `version` ([`EVENT_VERSION`]), `event` and `at`,
/// the seconds since the run began. All durations are seconds, too. A step is named in full,
/// `step`, and by its op, `op`; the name parses as a [`StepName`](crate::StepName). An error is an object of
/// `message`, `causes` and `kind`. A value too large for the log is `{"blob": …, "bytes": …}`.
///
/// | `event` | further fields |
/// |---|---|
/// | `run_started` | `run`, `job`, `started` (seconds since 1970), `args` |
/// | `step_started` | `attempt`; short steps that ran in one batch have none |
/// | `step_succeeded` | `attempt`, `started`, `took`, and `outputs` where values are kept |
/// | `attempt_failed` | `attempt`, `started`, `took`, `error`, `due` |
/// | `step_failed` | `attempt`, `started`, `took`, `error`, `left_behind` |
/// | `step_reused` | none: a rerun took what the step gave from the run that is run again |
/// | `step_remade` | none: it had succeeded, and runs again, as its value is never recorded |
/// | `step_not_run` | `state` (`skipped`, `upstream_failed`, `cancelled`), and `cause` if a step was |
/// | `item_yielded` | `output`, `key`; `step` may be a held list, `hold(op)`, which is no step |
/// | `fan_out_closed` | `output`, `items` |
/// | `item_moved` | `output`, `key`, `index`: an equal item was given at another place |
/// | `item_superseded` | `output`, `key` |
/// | `run_resumed` | `resumed` (seconds since 1970), `in_hand` (steps that ran when the process died); what has not succeeded has no state any more |
/// | `run_cancelling` | `reason` |
/// | `run_ended` | `state` |
/// | `result` | the last line: `run`, `job`, `state`, `steps` (how many in each state), `outputs` |
///
/// The version rises when a kind or a field changes its meaning or goes away. New kinds and fields
/// do not raise it: a reader passes over what it does not know.
#[derive(Debug)]
pub struct JsonLines<W> {
    out: W,
    graph: Option<Arc<Graph>>,
    buffer: Vec<u8>,
    failed: Option<io::Error>,
}

impl<W: Write> JsonLines<W> {
    /// Writes to `out`: the lines of a batch of events at once, unless they are more than a mebibyte.
    pub fn new(out: W) -> Self {
        Self { out, graph: None, buffer: Vec::new(), failed: None }
    }

    /// Writes the last line: how the run ended, and what the job gave.
    ///
    /// # Errors
    /// It could not be written, or a line before it could not.
    pub fn result(mut self, report: &RunReport) -> io::Result<W> {
        write_result(&mut self.buffer, report)?;
        self.flush();
        match self.failed {
            Some(error) => Err(error),
            None => Ok(self.out),
        }
    }

    /// After the first error nothing more is written: a line that is missing in the middle would
    /// be worse than a stream that ends.
    fn flush(&mut self) {
        if self.failed.is_none() {
            self.failed = self.out.write_all(&self.buffer).and_then(|()| self.out.flush()).err();
        }
        self.buffer.clear();
    }
}

impl<W: Write + Send> Sink for JsonLines<W> {
    fn begins(&mut self, graph: &Arc<Graph>, _: &Summary) {
        self.graph = Some(Arc::clone(graph));
    }

    fn events(&mut self, shape: &Shape, batch: &Batch) {
        self.write_all(shape, batch);
    }
}

impl<W: Write> JsonLines<W> {
    /// Writes the events of a recorded run, and says at once whether that was possible.
    pub(crate) fn lines(&mut self, shape: &Shape, batch: &Batch) -> io::Result<()> {
        self.write_all(shape, batch);
        self.failed.take().map_or(Ok(()), Err)
    }

    fn write_all(&mut self, shape: &Shape, batch: &Batch) {
        let graph = self.graph.clone();
        let told = Told { shape, graph: graph.as_deref(), batch };
        for event in &batch.events {
            if let Err(error) = write_event(&mut self.buffer, told, event) {
                self.failed.get_or_insert(error);
            }
            if self.buffer.len() >= PIECE {
                self.flush();
            }
        }
        self.flush();
    }
}

/// What events are told by.
#[derive(Clone, Copy)]
struct Told<'a> {
    shape: &'a Shape,
    /// Known while the run goes on, and needed for values that are not recorded.
    graph: Option<&'a Graph>,
    batch: &'a Batch,
}

/// The fields of one line.
struct Line<'a> {
    map: serde_json::ser::Compound<'a, &'a mut Vec<u8>, serde_json::ser::CompactFormatter>,
}

type Written = Result<(), serde_json::Error>;

fn write_event(buffer: &mut Vec<u8>, told: Told<'_>, event: &Event) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::new(&mut *buffer);
    let mut line = Line { map: serializer.serialize_map(None)? };
    line.set("version", &EVENT_VERSION)?;
    line.set("event", event.kind.name())?;
    line.seconds("at", event.at)?;
    line.fields(told, &event.kind)?;
    line.map.end()?;
    buffer.push(b'\n');
    Ok(())
}

impl Line<'_> {
    fn set(&mut self, name: &str, value: &(impl serde::Serialize + ?Sized)) -> Written {
        self.map.serialize_entry(name, value)
    }

    fn seconds(&mut self, name: &str, duration: Duration) -> Written {
        self.set(name, &duration.as_secs_f64())
    }

    fn step(&mut self, shape: &Shape, step: &StepRef) -> Written {
        self.set("step", &step.name(shape).to_string())?;
        self.set("op", &*shape.node(step.node).name)
    }

    fn attempt(&mut self, attempt: u32, started: Duration, took: Duration) -> Written {
        self.set("attempt", &attempt)?;
        self.seconds("started", started)?;
        self.seconds("took", took)
    }

    fn item(&mut self, shape: &Shape, step: &StepRef, output: u16, item: &Path) -> Written {
        self.step(shape, step)?;
        self.set("output", output_name(shape, step.node, output))?;
        self.set("key", &item.key())
    }

    fn fields(&mut self, told: Told<'_>, kind: &EventKind) -> Written {
        let shape = told.shape;
        match kind {
            EventKind::RunStarted { run, started, args } => {
                self.set("run", &**run)?;
                self.set("job", &shape.job)?;
                self.seconds("started", since_1970(*started))?;
                let args: serde_json::Map<_, _> =
                    args.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
                self.set("args", &args)
            }
            EventKind::RunResumed { resumed, in_hand } => {
                self.seconds("resumed", since_1970(*resumed))?;
                let names: Vec<_> = in_hand.iter().map(|step| step.name(shape).to_string()).collect();
                self.set("in_hand", &names)
            }
            EventKind::StepReused { step, .. } | EventKind::StepRemade { step } => self.step(shape, step),
            EventKind::StepStarted { step, attempt } => {
                self.step(shape, step)?;
                self.set("attempt", attempt)
            }
            EventKind::StepSucceeded { step, attempt, started, took, outputs, record } => {
                self.step(shape, step)?;
                self.attempt(*attempt, *started, *took)?;
                let values = match (outputs, told.graph) {
                    (Some(outputs), Some(graph)) => Some(output_values(graph, step.node, outputs)),
                    _ => recorded_values(shape, step.node, told.batch.data(*record)),
                };
                match values {
                    Some(values) => self.set("outputs", &values),
                    None => Ok(()),
                }
            }
            EventKind::AttemptFailed { step, attempt, started, took, error, due } => {
                self.step(shape, step)?;
                self.attempt(*attempt, *started, *took)?;
                self.set("error", &**error)?;
                self.seconds("due", *due)
            }
            EventKind::StepFailed { step, attempt, started, took, error, left_behind } => {
                self.step(shape, step)?;
                self.attempt(*attempt, *started, *took)?;
                self.set("error", &**error)?;
                self.set("left_behind", left_behind)
            }
            EventKind::StepNotRun { step, state, cause } => {
                self.step(shape, step)?;
                self.set("state", state)?;
                match cause {
                    Some(cause) => self.set("cause", &cause.name(shape).to_string()),
                    None => Ok(()),
                }
            }
            EventKind::ItemYielded { step, output, item, .. } => self.item(shape, step, *output, item),
            EventKind::ItemMoved { step, output, item, index } => {
                self.item(shape, step, *output, item)?;
                self.set("index", index)
            }
            EventKind::ItemSuperseded { step, output, item, .. } => self.item(shape, step, *output, item),
            EventKind::FanOutClosed { step, output, items } => {
                self.step(shape, step)?;
                self.set("output", output_name(shape, step.node, *output))?;
                self.set("items", items)
            }
            EventKind::RunCancelling { reason } => self.set("reason", reason),
            EventKind::RunEnded { state } => self.set("state", state),
        }
    }
}

fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn output_name(shape: &Shape, node: NodeId, output: u16) -> &str {
    let outputs = &shape.node(node).outputs;
    outputs.get(usize::from(output)).map_or("result", |output| &output.name)
}

/// Values by name; `None` for nothing.
struct Values<'a>(Vec<(&'a str, Option<Box<RawValue>>)>);

impl serde::Serialize for Values<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The single outputs of a step as they are recorded; `None` where nothing is.
fn recorded_values<'a>(shape: &'a Shape, node: NodeId, record: &[u8]) -> Option<Values<'a>> {
    if record.is_empty() {
        return None;
    }
    let parts = record::values::read(record).ok()?;
    let outputs = shape.node(node).outputs.iter().zip(parts.values);
    let singles = outputs.filter(|(output, _)| !output.dynamic);
    let values = singles.map(|(output, value)| {
        let json = match value {
            StoredValue::Json(text) => std::str::from_utf8(text).ok().map(str::to_owned),
            StoredValue::Blob { hash, len } => {
                Some(serde_json::json!({ "blob": hex(&hash), "bytes": len }).to_string())
            }
            StoredValue::Nothing | StoredValue::Transient => None,
        };
        (output.name.as_str(), json.and_then(|json| RawValue::from_string(json).ok()))
    });
    Some(Values(values.collect()))
}

/// The single outputs of a step by name, as the run that goes on has them.
fn output_values<'a>(graph: &'a Graph, node: NodeId, outputs: &Outputs) -> Values<'a> {
    let values = match outputs {
        Outputs::None => &[],
        Outputs::One(value) => std::slice::from_ref(value),
        Outputs::Many(values) => values.as_slice(),
    };
    let defs = graph.node(node).op().map_or(&[][..], |op| op.outputs);
    let alone = matches!(outputs, Outputs::One(_));
    let defs = defs.iter().filter(|output| output.kind == OutputKind::Single || !alone);
    let values = defs.zip(values).filter(|(output, _)| output.kind == OutputKind::Single);
    let values = values.map(|(output, value)| {
        let json = value.as_ref().and_then(|value| encoded(output.info, value));
        let json = json.and_then(|text| String::from_utf8(text).ok());
        (output.name, json.and_then(|json| RawValue::from_string(json).ok()))
    });
    Values(values.collect())
}

/// What a job gave, as JSON, in order; `None` for what has no value or is never recorded.
pub(crate) fn results(report: &RunReport) -> impl Iterator<Item = Option<String>> {
    report.graph.job.results.iter().zip(&report.outputs).map(|(result, value)| {
        let value = (result.read)(AnyValue::clone(value.as_ref()?));
        String::from_utf8(encoded(result.info, &value)?).ok()
    })
}

/// A value as JSON; `None` for one that is never recorded.
fn encoded(info: TypeInfo, value: &AnyValue) -> Option<Vec<u8>> {
    info.text(value)?.ok()
}

fn write_result(buffer: &mut Vec<u8>, report: &RunReport) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::new(&mut *buffer);
    let mut line = Line { map: serializer.serialize_map(None)? };
    line.set("version", &EVENT_VERSION)?;
    line.set("event", "result")?;
    line.seconds("at", report.elapsed)?;
    line.set("run", &report.run_id)?;
    line.set("job", report.job)?;
    line.set("state", &report.state)?;
    let steps: Vec<_> = StepState::ALL
        .into_iter()
        .map(|state| (state, report.summary.total(&report.shape, state)))
        .filter(|(_, steps)| *steps > 0)
        .collect();
    line.set("steps", &Counts(steps))?;
    let outputs = results(report).map(|text| text.and_then(|text| RawValue::from_string(text).ok()));
    line.set("outputs", &outputs.collect::<Vec<_>>())?;
    line.map.end()?;
    buffer.push(b'\n');
    Ok(())
}

struct Counts(Vec<(StepState, u64)>);

impl serde::Serialize for Counts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(state, steps)| (state, steps)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;
    use expect_test::expect;

    #[test]
    fn recorded_values_are_told_as_they_were_written() {
        use crate::record::values::{StoredValue, write_value};
        let shape = fixture::shape();
        let mut data = Vec::new();
        write_value(&mut data, StoredValue::Json(br#"{"z":1,"a":12345678901234567890123}"#));
        let mut event = fixture::succeeded(fixture::step(&shape, "merge", None), 20, 5);
        if let EventKind::StepSucceeded { record, .. } = &mut event.kind {
            record.len = u32::try_from(data.len()).unwrap();
        }
        let mut lines = JsonLines::new(Vec::new());
        lines.events(&shape, &Batch { events: vec![event], data });
        let text = String::from_utf8(lines.out).unwrap();
        assert!(
            text.ends_with("\"outputs\":{\"result\":{\"z\":1,\"a\":12345678901234567890123}}}\n"),
            "{text}"
        );
    }

    #[test]
    fn one_event_a_line_version_first() {
        let (shape, events) = fixture::failing_letters();
        let mut lines = JsonLines::new(Vec::new());
        lines.events(&shape, &Batch { events, ..Batch::default() });
        let text = String::from_utf8(lines.out).unwrap();
        expect![[r#"
            {"version":1,"event":"run_started","at":0.0,"run":"7k2m","job":"letters","started":1800000000.0,"args":{"from":"a","to":"z"}}
            {"version":1,"event":"step_started","at":0.0,"step":"load_pieces","op":"load_pieces","attempt":1}
            {"version":1,"event":"item_yielded","at":0.01,"step":"load_pieces","op":"load_pieces","output":"result","key":"a"}
            {"version":1,"event":"step_succeeded","at":0.02,"step":"clean[a]","op":"clean","attempt":1,"started":0.015,"took":0.005}
            {"version":1,"event":"step_started","at":0.03,"step":"compute_piece[a]","op":"compute_piece","attempt":1}
            {"version":1,"event":"item_yielded","at":0.01,"step":"load_pieces","op":"load_pieces","output":"result","key":"b"}
            {"version":1,"event":"step_succeeded","at":0.02,"step":"clean[b]","op":"clean","attempt":1,"started":0.015,"took":0.005}
            {"version":1,"event":"step_started","at":0.03,"step":"compute_piece[b]","op":"compute_piece","attempt":1}
            {"version":1,"event":"item_yielded","at":0.01,"step":"load_pieces","op":"load_pieces","output":"result","key":"c"}
            {"version":1,"event":"step_succeeded","at":0.02,"step":"clean[c]","op":"clean","attempt":1,"started":0.015,"took":0.005}
            {"version":1,"event":"step_started","at":0.03,"step":"compute_piece[c]","op":"compute_piece","attempt":1}
            {"version":1,"event":"step_succeeded","at":0.4,"step":"compute_piece[a]","op":"compute_piece","attempt":1,"started":0.03,"took":0.37}
            {"version":1,"event":"attempt_failed","at":0.5,"step":"compute_piece[b]","op":"compute_piece","attempt":1,"started":0.03,"took":0.47,"error":{"message":"api time out after 470 ms","causes":[],"kind":"op"},"due":2.5}
            {"version":1,"event":"fan_out_closed","at":0.6,"step":"load_pieces","op":"load_pieces","output":"result","items":3}
            {"version":1,"event":"step_succeeded","at":0.6,"step":"load_pieces","op":"load_pieces","attempt":1,"started":0.0,"took":0.6}
            {"version":1,"event":"step_succeeded","at":0.9,"step":"compute_piece[c]","op":"compute_piece","attempt":1,"started":0.03,"took":0.87}
            {"version":1,"event":"step_failed","at":3.0,"step":"compute_piece[b]","op":"compute_piece","attempt":3,"started":2.5,"took":0.5,"error":{"message":"api time out after 500 ms","causes":[],"kind":"op"},"left_behind":false}
            {"version":1,"event":"step_not_run","at":3.0,"step":"merge","op":"merge","state":"upstream_failed","cause":"compute_piece[b]"}
            {"version":1,"event":"run_ended","at":3.001,"state":"failed"}
        "#]].assert_eq(&text);
    }
}
