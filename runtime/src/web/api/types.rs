//! What the page is told, and what it may ask for: the types of the data API.
//!
//! Every answer is bounded, whatever the size of the run. Times are seconds since the run began, unless
//! they are said to be a time of day: then seconds since 1970. Names and texts are data of the user's, as
//! they are: whoever shows them makes text of them. `runtime/web/openapi.json` is made from this file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why a request was not answered.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Refusal {
    /// What is wrong.
    pub(crate) error: String,
    /// What to do.
    pub(crate) help: Option<String>,
}

/// How many steps stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct StepCounts {
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) upstream_failed: u64,
    pub(crate) skipped: u64,
    pub(crate) cancelled: u64,
    pub(crate) running: u64,
    pub(crate) waiting: u64,
}

/// How a run stands: `running`, `interrupted`, `succeeded`, `failed`, `cancelled`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunStanding {
    Running,
    Interrupted,
    Succeeded,
    Failed,
    Cancelled,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepStanding {
    Succeeded,
    Failed,
    UpstreamFailed,
    Skipped,
    Cancelled,
    Running,
    Waiting,
}

/// An argument of a run.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Argument {
    pub(crate) name: String,
    /// Its value as text.
    pub(crate) value: String,
    /// Whether it is what the job takes where nothing is said; `null` where the job is not known.
    pub(crate) is_default: Option<bool>,
}

/// A run in a list.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Run {
    pub(crate) id: String,
    /// So much of its id as tells it apart.
    pub(crate) short: String,
    pub(crate) job: String,
    pub(crate) state: RunStanding,
    /// Its arguments; secret ones are not among them.
    pub(crate) args: Vec<Argument>,
    /// The time of day at which it began.
    pub(crate) started: f64,
    /// How long it took, or has taken, in seconds.
    pub(crate) took: f64,
    pub(crate) steps: StepCounts,
    /// The run that it is a rerun of.
    pub(crate) parent: Option<RunLink>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// A run that is named.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct RunLink {
    pub(crate) id: String,
    pub(crate) short: String,
    /// `null` if it is not there any more.
    pub(crate) state: Option<RunStanding>,
}

/// A page of runs, newest first.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct RunPage {
    pub(crate) runs: Vec<Run>,
    /// What `after` of the next page is; `null` if there is none.
    pub(crate) next: Option<String>,
    /// What is wrong with runs that cannot be read and may belong here; at most 20.
    pub(crate) damaged: Vec<String>,
    /// The jobs that have runs or are in the program, for the filter.
    pub(crate) jobs: Vec<String>,
    /// The server's time of day.
    pub(crate) now: f64,
}

/// Everything on a run but its single steps.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct RunDetail {
    pub(crate) run: Run,
    /// The last commit that this answer knows of.
    pub(crate) seq: u64,
    /// The server's time of day.
    pub(crate) now: f64,
    /// Seconds at work so far: the time of the last event.
    pub(crate) elapsed: f64,
    /// How often it was begun or resumed.
    pub(crate) sessions: u32,
    /// Why it is being cancelled, if it is.
    pub(crate) cancelling: Option<String>,
    /// Who drives it, or drove it last.
    pub(crate) holder: String,
    /// The names of secret arguments.
    pub(crate) secrets: Vec<String>,
    /// The limits that it runs under: `max_concurrent`, `order`, `fail_fast`, pools.
    pub(crate) limits: BTreeMap<String, String>,
    /// Reruns of it, newest first; at most 20.
    pub(crate) children: Vec<RunLink>,
    /// The ops, in the order of the graph.
    pub(crate) ops: Vec<Op>,
    /// The failures by cause, at most 50.
    pub(crate) failures: Vec<FailureGroup>,
    /// How many failures are in no group of this answer.
    pub(crate) other_failures: u64,
    /// Steps that run now, longest first; at most 20.
    pub(crate) running: Vec<RunningNow>,
    /// The slowest steps, slowest first.
    pub(crate) slowest: Vec<Slow>,
    /// What the buttons do, as command lines.
    pub(crate) commands: Commands,
    /// Whether the program that serves the page has the job, so that it can resume and rerun it.
    pub(crate) has_job: bool,
}

/// An op of a run.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Op {
    /// The number of its node, as `timeline`, `graph` and live messages have it.
    pub(crate) node: u32,
    pub(crate) name: String,
    /// `op`, `fold` or `zip`.
    pub(crate) kind: String,
    /// How many fan-outs it lies in.
    pub(crate) depth: u32,
    /// Whether it is the first of its fan-out.
    pub(crate) first: bool,
    /// The doc comment of its function, where the program has it.
    pub(crate) doc: String,
    /// The pool whose limit its steps count against, and that limit.
    pub(crate) pool: Option<String>,
    /// How many attempts may follow the first.
    pub(crate) max_retries: u32,
    #[serde(flatten)]
    pub(crate) now: OpNow,
}

/// How the steps of an op stand: what a live message has of each op that changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct OpNow {
    pub(crate) counts: StepCounts,
    /// How many steps there are, as far as is known.
    pub(crate) known: u64,
    /// Whether `known` may still rise.
    pub(crate) growing: bool,
    /// How many items it has given, if it gives any.
    pub(crate) items: Option<u64>,
    /// How many wait for their next attempt.
    pub(crate) retrying: u64,
    /// How many attempts were followed by another.
    pub(crate) retries: u64,
    /// How many were copied from another run.
    pub(crate) reused: u64,
    /// How many steps' threads did not return.
    pub(crate) left_behind: u64,
    /// Seconds that half of the attempts did not exceed; `null` before the first has ended.
    pub(crate) p50: Option<f64>,
    pub(crate) p95: Option<f64>,
    pub(crate) max: Option<f64>,
    /// Seconds of all attempts together.
    pub(crate) total: f64,
    /// The step that has run longest.
    pub(crate) oldest: Option<RunningNow>,
}

/// Failures with one cause.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct FailureGroup {
    pub(crate) op: String,
    pub(crate) node: u32,
    /// The first line of the error, with its numbers and keys blanked.
    pub(crate) pattern: String,
    /// The first error, whole.
    pub(crate) error: Error,
    pub(crate) count: u64,
    /// How many attempts the first had.
    pub(crate) attempts: u32,
    pub(crate) first_at: f64,
    pub(crate) last_at: f64,
    /// Names of some of the steps; at most 3.
    pub(crate) examples: Vec<String>,
}

/// An error with what it came from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Error {
    pub(crate) message: String,
    /// What it came from, the nearest first; the place of a panic is among them.
    pub(crate) causes: Vec<String>,
    /// `error`, `panic`, `timeout` and so on.
    pub(crate) kind: String,
}

/// A step that runs now.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct RunningNow {
    pub(crate) step: String,
    pub(crate) attempt: u32,
    pub(crate) started: f64,
}

/// A step that took long.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Slow {
    pub(crate) step: String,
    pub(crate) took: f64,
}

/// What the buttons of a run do, as command lines.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Commands {
    pub(crate) show: String,
    pub(crate) resume: String,
    pub(crate) rerun: String,
    pub(crate) cancel: String,
    pub(crate) logs: String,
    pub(crate) export: String,
}

/// What a live message tells: no more than a screen of it, and only what changed since the one before.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Live {
    pub(crate) seq: u64,
    /// The server's time of day.
    pub(crate) now: f64,
    pub(crate) state: RunStanding,
    pub(crate) elapsed: f64,
    /// How long it took, or has taken, in seconds.
    pub(crate) took: f64,
    pub(crate) cancelling: Option<String>,
    pub(crate) steps: StepCounts,
    /// The ops that changed, by their node.
    pub(crate) ops: BTreeMap<u32, OpNow>,
    /// Steps that run now, longest first; at most 20.
    pub(crate) running: Vec<RunningNow>,
    /// Groups of failures that are new or grew; at most 20.
    pub(crate) failures: Vec<FailureGroup>,
    /// Whether there is more that changed: the next message has it.
    pub(crate) more: bool,
}

/// A page of steps.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct StepPage {
    /// How many steps the filter lets through.
    pub(crate) total: u64,
    /// The place in the result of the first of `steps`; the `after` of the next page is this and their
    /// number.
    pub(crate) after: u64,
    /// The last commit that this answer knows of.
    pub(crate) seq: u64,
    pub(crate) steps: Vec<StepRow>,
}

/// A step in a table.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct StepRow {
    /// Its name: `resize[a.jpg]`.
    pub(crate) step: String,
    pub(crate) op: String,
    /// Its keys, outermost first.
    pub(crate) keys: Vec<String>,
    pub(crate) state: StepStanding,
    /// How many attempts there were; 0 if it was not run.
    pub(crate) attempts: u32,
    /// When its last attempt began.
    pub(crate) started: Option<f64>,
    pub(crate) took: Option<f64>,
    /// Whether what it gave was copied from another run.
    pub(crate) reused: bool,
    /// Why it failed, or which step failed that it needed: one line.
    pub(crate) error: Option<String>,
    /// What it gave, cut to a line.
    pub(crate) preview: Option<String>,
}

/// All that is recorded of a step.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Step {
    pub(crate) step: String,
    pub(crate) op: String,
    pub(crate) keys: Vec<String>,
    pub(crate) doc: String,
    pub(crate) state: StepStanding,
    /// Why it stands so, where that is not plain: what it waits for, which step failed that it needed.
    pub(crate) why: Option<Why>,
    /// What happened to it, in order.
    pub(crate) turns: Vec<Turn>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) metadata: Vec<Note>,
    /// How far it said that it is: so many of so many, 0 for an unknown number.
    pub(crate) progress: Option<(u64, u64)>,
    /// Steps that it needs, at most 20 of each op.
    pub(crate) upstream: Vec<Neighbours>,
    /// Steps that need it, at most 20 of each op.
    pub(crate) downstream: Vec<Neighbours>,
    /// How many lines it logged are kept.
    pub(crate) log_lines: u64,
    /// What it takes to run it again, as a command line.
    pub(crate) rerun: String,
    /// What it takes to see it in a terminal.
    pub(crate) show: String,
    /// The last commit that this answer knows of.
    pub(crate) seq: u64,
}

/// Why a step stands as it does.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Why {
    /// In words: `waits for 3 of 12 steps of clean`, `waits for pool api (3 of 3 in use)`.
    pub(crate) text: String,
    /// Steps that it waits for, or that failed; at most 20.
    pub(crate) steps: Vec<StepLink>,
    /// When it goes on by itself: a retry that is due then.
    pub(crate) due: Option<f64>,
}

/// A step that is named.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct StepLink {
    pub(crate) step: String,
    pub(crate) state: StepStanding,
}

/// Steps of one op that are near a step.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Neighbours {
    pub(crate) op: String,
    /// How many there are in all.
    pub(crate) total: u64,
    pub(crate) steps: Vec<StepLink>,
}

/// Something that happened to a step.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Turn {
    pub(crate) at: f64,
    /// `running`, `succeeded`, `failed`, `retrying`, `not_run`, `reused`, `remade`, `superseded`, `resumed`.
    pub(crate) what: String,
    /// Which attempt; 0 where there was none.
    pub(crate) attempt: u32,
    pub(crate) started: Option<f64>,
    pub(crate) took: Option<f64>,
    pub(crate) error: Option<Error>,
    /// When the next attempt was due.
    pub(crate) due: Option<f64>,
    /// Whether its thread did not return.
    pub(crate) left_behind: bool,
}

/// Something that a step read.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Input {
    /// The step that gave it, or the argument or the fan-out that it came by.
    pub(crate) from: String,
    /// The step to look at; `null` for what no single step gave.
    pub(crate) step: Option<StepLink>,
    pub(crate) value: Option<Shown>,
}

/// Something that a step gave.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) type_name: String,
    /// Whether it gives a number of items.
    pub(crate) dynamic: bool,
    /// How many items it gave.
    pub(crate) items: Option<u64>,
    /// Whether its values are never recorded.
    pub(crate) transient: bool,
    pub(crate) value: Option<Shown>,
}

/// A value, as far as it is shown.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Shown {
    /// JSON; cut after 64 KiB, and then not whole.
    pub(crate) json: String,
    /// How many bytes it has.
    pub(crate) bytes: u64,
    pub(crate) cut: bool,
}

/// Something that an op said of its step.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Note {
    /// The output that it is about; `null` for the step.
    pub(crate) output: Option<String>,
    pub(crate) name: String,
    /// `int`, `float`, `text`, `markdown`, `url`, `table` (`{columns, rows}`), `json`.
    pub(crate) kind: String,
    #[cfg_attr(test, schema(value_type = Object))]
    pub(crate) value: Value,
}

/// What happened in a span of time, lane by lane: one for each op, in the order of the graph.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Timeline {
    /// `buckets`, or `steps` where so few are seen that each is a bar.
    pub(crate) tier: String,
    /// The span, in microseconds since the run began.
    pub(crate) from_us: u64,
    pub(crate) to_us: u64,
    /// The time of the run's last event.
    pub(crate) end_us: u64,
    /// Of each bucket; 0 for single steps.
    pub(crate) width_us: u64,
    /// Spans of more than 20 times the median in which nothing ran, `[from, to]`: to be folded.
    pub(crate) gaps: Vec<(u64, u64)>,
    pub(crate) lanes: Vec<Lane>,
    pub(crate) seq: u64,
}

/// The steps of one op on a [`Timeline`], as columns: those of `buckets` or those of `steps`.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Lane {
    pub(crate) node: u32,
    pub(crate) name: String,
    /// The most steps that were active at once in one bucket of the run's whole time.
    pub(crate) peak: u64,
    /// Buckets in which something happened, by their place.
    pub(crate) bucket: Vec<u32>,
    /// How many steps were active in it.
    pub(crate) active: Vec<u32>,
    /// How many ended in it.
    pub(crate) ended: Vec<u32>,
    /// The worst state that a step in it came to, as its place in [`StepCounts`].
    pub(crate) worst: Vec<u8>,
    /// Names of single steps.
    pub(crate) step: Vec<String>,
    pub(crate) start_us: Vec<u64>,
    pub(crate) took_us: Vec<u64>,
    /// Their states, as places in [`StepCounts`].
    pub(crate) state: Vec<u8>,
    pub(crate) attempts: Vec<u32>,
}

/// A page of what happened: events and log lines by time.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct EventPage {
    /// Oldest first.
    pub(crate) events: Vec<EventRow>,
    /// `before` of the page of older ones; `null` if there are none.
    pub(crate) older: Option<String>,
    /// `after` of the page of newer ones; also where to ask for those that are yet to come.
    pub(crate) newer: String,
    /// How far a search has come, from 0 to 1: fewer hits than asked for, and not yet all looked at.
    pub(crate) looked_at: f64,
}

/// An event or a log line.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct EventRow {
    pub(crate) at: f64,
    /// The name of its kind, as in `--json`; `log` for a line of a log.
    pub(crate) kind: String,
    /// Of a log line: `error`, `warn`, `info`, `debug`, `trace`.
    pub(crate) level: Option<String>,
    pub(crate) step: Option<String>,
    pub(crate) attempt: Option<u32>,
    /// In words.
    pub(crate) text: String,
    /// Of a log line: who said it, and with which fields.
    pub(crate) target: Option<String>,
    #[cfg_attr(test, schema(value_type = Object))]
    pub(crate) fields: Option<Value>,
}

/// The jobs of the program.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct JobList {
    pub(crate) jobs: Vec<Job>,
    /// The server's time of day.
    pub(crate) now: f64,
}

/// A job.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) doc: String,
    /// `src/jobs.rs:12`; empty for a job that only has runs.
    pub(crate) at: String,
    /// Its last runs, newest first; at most 50.
    pub(crate) last: Vec<RunBar>,
    /// Median of the seconds that its last runs that succeeded took.
    pub(crate) median: Option<f64>,
}

/// A run as a bar: how long, and what became of it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct RunBar {
    pub(crate) id: String,
    pub(crate) state: RunStanding,
    pub(crate) started: f64,
    pub(crate) took: f64,
}

/// A job with what is needed to look at it and to launch it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct JobDetail {
    pub(crate) job: Job,
    /// The JSON Schema of an object of its arguments: `properties` in the order of the function, with
    /// `title`, `description`, `type`, `enum`, `default`, `format`; secrets are `writeOnly`.
    #[cfg_attr(test, schema(value_type = Object))]
    pub(crate) schema: Value,
    /// The names of the arguments in their order.
    pub(crate) order: Vec<String>,
    /// The command line of a launch without arguments, to which flags are added.
    pub(crate) command: String,
    /// What limits are where nothing is said.
    pub(crate) limits: Limits,
    pub(crate) pools: BTreeMap<String, String>,
    pub(crate) graph: GraphView,
}

/// Limits that a launch may set; what is `null` is as the job says.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) max_concurrent: Option<u32>,
    /// `depth_first` or `breadth_first`.
    pub(crate) order: Option<String>,
    pub(crate) fail_fast: Option<bool>,
    /// As flags have them: `api` to `3` or `10/s`.
    pub(crate) pools: BTreeMap<String, String>,
}

/// A drawing of a graph: where things are, in pixels, without what stands in them.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct GraphView {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) nodes: Vec<GraphNode>,
    /// Fan-outs, each after the one around it.
    pub(crate) boxes: Vec<GraphBox>,
    pub(crate) edges: Vec<GraphEdge>,
}

/// A node of a drawing.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct GraphNode {
    pub(crate) node: u32,
    pub(crate) name: String,
    /// `op`, `emitter`, `fold`, `zip`, or `group`: a sub-graph that is folded.
    pub(crate) kind: String,
    /// Small words: `retry 3`, `pool api`.
    pub(crate) tags: Vec<String>,
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) w: f64,
    pub(crate) h: f64,
}

/// The box around a fan-out.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct GraphBox {
    pub(crate) scope: u32,
    /// The node that opens it.
    pub(crate) opened_by: u32,
    pub(crate) label: String,
    pub(crate) depth: u32,
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) w: f64,
    pub(crate) h: f64,
}

/// An edge of a drawing.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct GraphEdge {
    pub(crate) from: u32,
    pub(crate) to: u32,
    /// `value`, `item`, `collect` (drawn double) or `after` (drawn dashed).
    pub(crate) way: String,
    /// Two that are not above each other are joined by a curve with upright ends: it touches nothing then.
    pub(crate) points: Vec<(f64, f64)>,
}

/// Asks for a run.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LaunchRequest {
    /// Arguments by name; what is left out has its default.
    #[cfg_attr(test, schema(value_type = Object))]
    pub(crate) args: serde_json::Map<String, Value>,
    /// Secret arguments by name: they are given to the new process alone, and recorded nowhere.
    pub(crate) secrets: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) limits: Limits,
}

/// Asks for a run to go on.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ResumeRequest {
    pub(crate) secrets: BTreeMap<String, String>,
    pub(crate) limits: Limits,
}

/// Asks for a run to be run again.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RerunRequest {
    /// An expression as `--select` takes it; `null` for all.
    pub(crate) select: Option<String>,
    pub(crate) secrets: BTreeMap<String, String>,
    pub(crate) limits: Limits,
}

/// Asks for a run to be cancelled.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CancelRequest {
    pub(crate) reason: Option<String>,
}

/// What became of a request to begin something, or, with `dry=1`, what would.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Begun {
    /// The run; `null` where nothing was begun.
    pub(crate) run: Option<String>,
    /// How many steps would run, as far as is known beforehand.
    pub(crate) steps: Option<u64>,
    /// How many would be taken from the run before.
    pub(crate) reused: Option<u64>,
    /// Whether it may be more or fewer.
    pub(crate) unknown: bool,
    /// In words.
    pub(crate) text: String,
    /// The same as a command line.
    pub(crate) command: String,
}
