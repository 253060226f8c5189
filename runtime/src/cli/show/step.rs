//! `show RUN STEP`: all that is recorded of one step.

use std::fmt::Write as _;
#[cfg(feature = "ui")]
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::steps::state;
use super::{View, pretty};
use crate::cli::logs::{line_text, lines_of};
use crate::cli::problem::{Problem, nearest};
use crate::context::{Metadata, Note, Notes};
#[cfg(feature = "ui")]
use crate::event::StepState;
use crate::given::{Given, given};
use crate::record::ReadError;
use crate::record::reader::{Told, Turn};
use crate::report::turns::turn_text;
use crate::report::words::{clock, counted, pretty_json, safe_lines};
use crate::step::StepName;
use crate::store::Standing;
use crate::text::safe;

/// How much of a value is shown, in bytes.
const SHOWN: usize = 64 * 1024;

/// How many lines of its log are shown: the last.
const LINES: usize = 10;

/// What is known of a step, with the values that it gave.
struct Known {
    name: String,
    told: Told,
    outputs: Vec<(String, Option<String>)>,
    notes: Notes,
}

fn known(view: &View<'_>, name: &str) -> Result<Known, Problem> {
    let reader = view.reader;
    let parsed: StepName = name.parse().map_err(|error| Problem::Usage(format!("{error}")))?;
    let told = reader.step(&parsed)?.ok_or_else(|| none(view, &parsed))?;
    let shape = reader.shape();
    let given = given(shape.node(told.step.node), &told.record);
    let Given { outputs, notes } = given.map_err(|error| Problem::Store(error.to_string()))?;
    let text = |json: Vec<u8>| String::from_utf8_lossy(&json).into_owned();
    let recorded = outputs.into_iter().filter(|(output, _)| !output.dynamic);
    let recorded = recorded.filter_map(|(output, value)| Some((output, value?)));
    let outputs = recorded.map(|(output, value)| Ok((output.name.clone(), reader.value(value)?.map(text))));
    let outputs = outputs.collect::<Result<_, ReadError>>()?;
    Ok(Known { name: told.step.name(shape).to_string(), told, outputs, notes })
}

fn none(view: &View<'_>, name: &StepName) -> Problem {
    let (shape, run) = (view.reader.shape(), &view.reader.row().id);
    let ops = || shape.steps().map(|node| &*shape.node(node).name);
    let wrong = safe(&name.to_string()).into_owned();
    if ops().any(|op| op == name.op()) {
        let op = safe(name.op());
        let list = view.again.command(&format!("show {} --steps --op {op}", view.again.short(run)));
        return Problem::Usage(format!("run {run} has no step `{wrong}`: `{list}` lists those of `{op}`"));
    }
    let near = nearest(name.op(), ops()).map(|near| format!(": did you mean `{}`?", safe(near)));
    Problem::Usage(format!("run {run} has no step `{wrong}`{}", near.unwrap_or_default()))
}

/// Why the step waits, as the page tells it.
#[cfg(feature = "ui")]
fn waits(view: &View<'_>, told: &Told) -> Result<Option<String>, Problem> {
    if told.standing(view.reader.row().standing) != StepState::Waiting {
        return Ok(None);
    }
    let id = &view.reader.row().id;
    let run = crate::index::OpenRun::open(Arc::clone(view.again.store()), id)?;
    let resume = view.again.command(&format!("resume {}", view.again.short(id)));
    Ok(crate::web::api::step::why_waiting(&run, told, &resume))
}

/// Nothing: the index of a run's steps, which tells it, is built with the page.
#[cfg(not(feature = "ui"))]
fn waits(_: &View<'_>, _: &Told) -> Result<Option<String>, Problem> {
    Ok(None)
}

pub(super) fn text(view: &View<'_>, name: &str) -> Result<String, Problem> {
    let Known { name, told, outputs, notes } = known(view, name)?;
    let (paint, shape) = (view.paint, view.reader.shape());
    let is_over = matches!(view.reader.row().standing, Standing::Ended(_));
    let stands = match told.state {
        None if is_over => "not part of this run: nothing that was run again needed it".to_owned(),
        _ => state(told.standing(view.reader.row().standing), paint),
    };
    let mut text = format!("   {}  {stands}", paint.strong(&safe(&name)));
    if let Some(cause) = &told.cause {
        let _ = write!(text, ", as {} failed", safe(&cause.name(shape).to_string()));
    }
    let _ = writeln!(text, "\n   of run {} of job {}", view.reader.row().id, safe(&shape.job));
    if let Some(why) = waits(view, &told)? {
        let _ = writeln!(text, "   {}", safe(&why));
    }
    if view.summary.gives_items(told.step.node) && told.step.path.depth() == 0 {
        let items = view.summary.items(told.step.node);
        let _ = writeln!(text, "   gave {}", counted(items, "item", "items"));
    }
    for (at, turn) in &told.turns {
        let turn = safe_lines(&turn_text(turn)).replace('\n', "\n             ");
        let _ = writeln!(text, "   {}  {turn}", clock(*at));
    }
    for (name, value) in &outputs {
        let _ = writeln!(text, "\n   {}\n{}", paint.dim(&safe(name)), value_text(value.as_deref()));
    }
    for note in &notes.metadata {
        let _ = writeln!(text, "\n   {}", note_text(note));
    }
    if let Some((done, of)) = notes.progress {
        let of = if of == 0 { String::new() } else { format!(" of {of}") };
        let _ = writeln!(text, "\n   progress: {done}{of}");
    }
    let lines = lines_of(view.reader, &told.step, LINES)?;
    if !lines.is_empty() {
        let _ = writeln!(text, "\n   {}", paint.dim("last lines of its log"));
    }
    for line in lines {
        let _ = writeln!(text, "   {}", line_text(&line, None, paint));
    }
    Ok(text)
}

/// A value as lines, cut if it is long.
fn value_text(value: Option<&str>) -> String {
    let Some(json) = value else { return "   nothing, or nothing that is recorded".to_owned() };
    let end = json.floor_char_boundary(SHOWN);
    let shown = if end < json.len() { json[..end].to_owned() } else { pretty_json(json) };
    let lines: Vec<_> = shown.lines().map(|line| format!("   {}", safe(line))).collect();
    let cut = if end < json.len() {
        format!("\n   … cut: it has {} bytes, and --json shows all", json.len())
    } else {
        String::new()
    };
    format!("{}{cut}", lines.join("\n"))
}

fn note_text(note: &Note) -> String {
    let of = note.output.as_deref().map(|output| format!("{}: ", safe(output))).unwrap_or_default();
    let value = match &note.value {
        Metadata::Int(int) => int.to_string(),
        Metadata::Float(float) => float.to_string(),
        Metadata::Text(text) | Metadata::Markdown(text) | Metadata::Url(text) => {
            safe_lines(text).replace('\n', "\n     ")
        }
        Metadata::Table { columns, rows } => table(columns, rows),
        Metadata::Json(value) => safe_lines(&pretty_json(&value.to_string())).replace('\n', "\n     "),
    };
    format!("{of}{} = {value}", safe(&note.name))
}

fn table(titles: &[String], rows: &[Vec<Value>]) -> String {
    let cell = |value: &Value| match value {
        Value::String(text) => safe(text).into_owned(),
        other => safe(&other.to_string()).into_owned(),
    };
    let mut cells = vec![titles.iter().map(|title| safe(title).into_owned()).collect::<Vec<_>>()];
    cells.extend(rows.iter().map(|row| row.iter().map(cell).collect()));
    format!("\n{}", crate::cli::columns::columns(&cells)).trim_end().replace('\n', "\n     ")
}

pub(super) fn json(view: &View<'_>, name: &str) -> Result<String, Problem> {
    let Known { name, told, outputs, notes } = known(view, name)?;
    let shape = view.reader.shape();
    let turns: Vec<_> = told.turns.iter().map(|(at, turn)| turn_json(*at, turn)).collect();
    let head = json!({
        "version": 1,
        "run": view.reader.row().id,
        "job": shape.job,
        "step": name,
        "op": shape.node(told.step.node).name,
        "state": told.standing(view.reader.row().standing),
        "cause": told.cause.as_ref().map(|cause| cause.name(shape).to_string()),
        "turns": turns,
        "metadata": notes.metadata,
        "progress": notes.progress,
    });
    // The values stay as they were written.
    let outputs = outputs.into_iter().map(|(name, value)| {
        let value = value.and_then(|json| RawValue::from_string(json).ok());
        (name, value)
    });
    let outputs: Vec<_> = outputs.collect();
    let text = pretty(&head);
    let values = outputs.iter().map(|(name, value)| {
        let value = value.as_ref().map_or("null", |value| value.get());
        format!("{}:{value}", Value::from(name.as_str()))
    });
    let values = pretty_json(&format!("{{{}}}", values.collect::<Vec<_>>().join(",")));
    let open = text.trim_end().strip_suffix('}').unwrap_or(&text).trim_end().to_owned();
    Ok(format!("{open},\n  \"outputs\": {}\n}}\n", values.replace('\n', "\n  ")))
}

fn turn_json(at: Duration, turn: &Turn) -> Value {
    let mut fields = match turn {
        Turn::Started { attempt } => json!({ "what": "started", "attempt": attempt }),
        Turn::Ended { attempt, started, took, error, due, left_behind } => json!({
            "what": if error.is_none() { "succeeded" } else { "failed" },
            "attempt": attempt,
            "started": started.as_secs_f64(),
            "took": took.as_secs_f64(),
            "error": error.as_deref(),
            "due": due.map(|due| due.as_secs_f64()),
            "left_behind": left_behind,
        }),
        Turn::NotRun { state } => json!({ "what": state }),
        Turn::Reused => json!({ "what": "reused" }),
        Turn::Remade => json!({ "what": "remade" }),
        Turn::Superseded => json!({ "what": "superseded" }),
        Turn::Resumed => json!({ "what": "resumed" }),
    };
    fields["at"] = at.as_secs_f64().into();
    fields
}
