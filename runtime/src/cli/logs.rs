//! `logs`: what the steps of a run logged.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::output::print;
use super::problem::Problem;
use super::store::StoreFlags;
use super::which::which;
use crate::event::StepRef;
use crate::exit;
use crate::record::Reader;
use crate::report::paint::Paint;
use crate::report::words::clock;
use crate::step::StepName;
use crate::store::{LogFilter, LogRow, Standing};
use crate::text::safe;

/// How many lines are read at once.
const CHUNK: usize = 1_000;

/// How often it is looked for new lines while the run goes on.
const LOOK: Duration = Duration::from_millis(200);

/// The flags of `logs`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// The run: the beginning of its id, or `last` [default: last]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// Lines of this step, such as `resize[a.jpg]`, or of all steps of an op
    #[arg(value_name = "STEP")]
    step: Option<String>,
    /// Lines of this level and of worse ones
    #[arg(long, value_name = "LEVEL", default_value = "trace")]
    level: LevelFlag,
    /// Go on until the run has ended
    #[arg(long, short)]
    follow: bool,
    /// One line as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LevelFlag {
    Error = 1,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Prints the lines that were asked for, in the order in which they were written.
pub(super) fn logs(flags: &Flags) -> Result<u8, Problem> {
    let store = flags.store.reading()?;
    let run = which(&store, flags.run.as_deref())?;
    let mut reader = Reader::open(Arc::clone(&store), &run.id)?;
    let filter = filter(&reader, flags)?;
    let (paint, mut names, mut after) = (Paint::for_stdout(), Names::default(), 0);
    loop {
        // Asked before the lines are: what a run wrote before its end is not missed.
        let goes_on = flags.follow && reader.row().standing == Standing::Running;
        loop {
            let lines = store.logs(&run.id, &filter, after, CHUNK)?;
            let Some(last) = lines.last() else { break };
            after = last.number;
            names.learn(&reader, &lines)?;
            print(text(&lines, &names, flags.json, paint).as_bytes())?;
        }
        if !goes_on {
            return Ok(exit::SUCCESS);
        }
        std::thread::sleep(LOOK);
        reader.refresh()?;
    }
}

fn filter(reader: &Reader, flags: &Flags) -> Result<LogFilter, Problem> {
    let mut filter = LogFilter { level: flags.level as u8, ..LogFilter::default() };
    let Some(step) = &flags.step else { return Ok(filter) };
    let name: StepName = step.parse().map_err(|error| Problem::Usage(format!("{error}")))?;
    let shape = reader.shape();
    let node = shape.steps().find(|node| *shape.node(*node).name == *name.op());
    let Some(node) = node else {
        let ops: Vec<_> = shape.steps().map(|node| &*shape.node(node).name).collect();
        let none = format!("job `{}` has no steps", shape.job);
        return Err(Problem::Usage(super::problem::unknown("op", &safe(name.op()), ops, &none)));
    };
    if name.keys().is_empty() {
        filter.node = Some(node.0);
        return Ok(filter);
    }
    let told = reader.step(&name)?.ok_or_else(|| {
        let (run, name) = (&reader.row().id, name.to_string());
        Problem::Usage(format!("run {run} has no step `{}`: `show {run} --steps` lists them", safe(&name)))
    })?;
    filter.step = Some((told.step.path.number(), node.0));
    Ok(filter)
}

/// The names of the steps that lines are of.
#[derive(Default)]
struct Names(HashMap<(u32, u32), String>);

impl Names {
    fn learn(&mut self, reader: &Reader, lines: &[LogRow]) -> Result<(), Problem> {
        let unknown = lines.iter().map(|line| (line.item, line.node));
        let unknown: BTreeSet<_> = unknown.filter(|step| !self.0.contains_key(step)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        // A run of a million steps has as many names; those of the last lines are enough.
        if self.0.len() > 100 * CHUNK {
            self.0.clear();
        }
        for (numbers, step) in reader.step_refs(&unknown)? {
            self.0.insert(numbers, step.name(reader.shape()).to_string());
        }
        Ok(())
    }

    fn of(&self, line: &LogRow) -> &str {
        self.0.get(&(line.item, line.node)).map_or("", String::as_str)
    }
}

/// The last lines of a step's log.
pub(super) fn lines_of(reader: &Reader, step: &StepRef, most: usize) -> Result<Vec<LogRow>, Problem> {
    let filter = LogFilter { step: Some((step.path.number(), step.node.0)), ..LogFilter::default() };
    let (mut last, mut after) = (Vec::new(), 0);
    loop {
        let mut lines = reader.store().logs(&reader.row().id, &filter, after, CHUNK)?;
        let Some(end) = lines.last() else { return Ok(last) };
        after = end.number;
        last.append(&mut lines);
        last.drain(..last.len().saturating_sub(most));
    }
}

fn text(lines: &[LogRow], names: &Names, json: bool, paint: Paint) -> String {
    let line = |line: &LogRow| match json {
        true => line_json(line, names.of(line)),
        false => line_text(line, Some(names.of(line)), paint),
    };
    lines.iter().map(|row| format!("{}\n", line(row))).collect()
}

/// `00:01:24   WARN resize[a.jpg]  it is late  tries=3`.
pub(super) fn line_text(line: &LogRow, step: Option<&str>, paint: Paint) -> String {
    let level = match line.level {
        1 => paint.bad("ERROR"),
        2 => paint.warn(" WARN"),
        3 => paint.dim(" INFO"),
        4 => paint.dim("DEBUG"),
        _ => paint.dim("TRACE"),
    };
    let at = clock(Duration::from_micros(line.at));
    let step = step.map(|step| format!("{}  ", paint.strong(&safe(step)))).unwrap_or_default();
    let attempt = if line.attempt > 1 { format!("(attempt {}) ", line.attempt) } else { String::new() };
    let indent = "\n                ";
    let text = line.text.lines().map(safe).collect::<Vec<_>>().join(indent);
    format!("{at}  {level}  {step}{attempt}{text}{}", fields(&line.fields))
}

/// `  tries=3 of="x"`.
fn fields(json: &str) -> String {
    let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).unwrap_or_default();
    let fields = fields.iter().map(|(name, value)| format!("{}={}", safe(name), safe(&value.to_string())));
    let fields = fields.collect::<Vec<_>>().join(" ");
    if fields.is_empty() { fields } else { format!("  {fields}") }
}

fn line_json(line: &LogRow, step: &str) -> String {
    let fields: serde_json::Value = serde_json::from_str(&line.fields).unwrap_or_default();
    serde_json::json!({
        "version": 1,
        "number": line.number,
        "at": Duration::from_micros(line.at).as_secs_f64(),
        "level": line.level_name(),
        "step": step,
        "attempt": line.attempt,
        "target": line.target,
        "text": line.text,
        "fields": fields,
    })
    .to_string()
}
