//! `list` and `graph`: what the program has.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use clap::{Args, ValueEnum};

use super::problem::Problem;
use super::{jobs, output};
use crate::define::{ArgDef, ArgForm, JobDef};
use crate::exit;
use crate::graph::GraphFormat;

/// The flags of `list`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// The flags of `graph`.
#[derive(Debug, Args)]
pub(super) struct GraphFlags {
    /// The job
    #[arg(value_name = "JOB")]
    job: String,
    /// How it is printed [default: text on a terminal, else mermaid]
    #[arg(long, value_name = "FORMAT")]
    format: Option<FormatFlag>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatFlag {
    /// A Mermaid flow chart, for Markdown pages
    Mermaid,
    /// The language of Graphviz
    Dot,
    /// A document for programs
    Json,
    /// An indented outline
    Text,
    /// A picture, light or dark as the reader has it
    Svg,
}

/// Prints the jobs, each with its first doc line and its arguments.
pub(super) fn list(flags: &Flags) -> Result<u8, Problem> {
    jobs::check_registry()?;
    let all = crate::define::jobs();
    let text = if flags.json { as_json(&all) } else { as_text(&all) };
    output::print(text.as_bytes())?;
    Ok(exit::SUCCESS)
}

/// Prints the graph of a job.
pub(super) fn graph(flags: &GraphFlags) -> Result<u8, Problem> {
    let job = jobs::find(&flags.job)?;
    let graph = crate::check::build(job).map_err(|error| Problem::Program(error.to_string()))?;
    let format = match flags.format {
        Some(FormatFlag::Mermaid) => GraphFormat::Mermaid,
        Some(FormatFlag::Dot) => GraphFormat::Dot,
        Some(FormatFlag::Json) => GraphFormat::Json,
        Some(FormatFlag::Text) => GraphFormat::Text,
        Some(FormatFlag::Svg) => svg()?,
        None if std::io::stdout().is_terminal() => GraphFormat::Text,
        None => GraphFormat::Mermaid,
    };
    output::print(graph.print(format).as_bytes())?;
    Ok(exit::SUCCESS)
}

#[cfg(feature = "ui")]
fn svg() -> Result<GraphFormat, Problem> {
    Ok(GraphFormat::Svg)
}

#[cfg(not(feature = "ui"))]
fn svg() -> Result<GraphFormat, Problem> {
    let problem = "this program was built without pictures of graphs\n\
                   help: add the feature `ui` of fanfold, or use `--format mermaid` or `--format dot`";
    Err(Problem::Usage(problem.to_owned()))
}

fn as_text(all: &[&'static JobDef]) -> String {
    let width = all.iter().map(|job| job.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for job in all {
        let _ = writeln!(text, "{:width$}  {}", job.name, jobs::first_paragraph(job.doc));
        let arguments: Vec<_> = job.args.iter().map(argument).collect();
        if !arguments.is_empty() {
            let _ = writeln!(text, "{:width$}  {}", "", arguments.join(" "));
        }
    }
    text
}

/// `--to <char>`, in brackets where it may be left out.
fn argument(arg: &ArgDef) -> String {
    let flag = format!("--{}", jobs::flag_name(arg));
    let name = jobs::value_type(arg);
    let optional = arg.default.is_some();
    match arg.form {
        ArgForm::Switch => format!("[{flag}]"),
        ArgForm::Secret => format!("{}=…", jobs::variable(arg)),
        ArgForm::Repeated => format!("[{flag} <{name}>]…"),
        ArgForm::Optional => format!("[{flag} <{name}>]"),
        ArgForm::Value if optional => format!("[{flag} <{name}>]"),
        ArgForm::Value => format!("{flag} <{name}>"),
    }
}

fn as_json(all: &[&'static JobDef]) -> String {
    let jobs: Vec<_> = all
        .iter()
        .map(|job| {
            let arguments: Vec<_> = job.args.iter().map(argument_json).collect();
            serde_json::json!({
                "name": job.name,
                "doc": job.doc,
                "at": format!("{}:{}", job.file, job.line),
                "arguments": arguments,
            })
        })
        .collect();
    let document = serde_json::json!({ "version": 1, "jobs": jobs });
    format!("{}\n", serde_json::to_string_pretty(&document).unwrap_or_default())
}

fn argument_json(arg: &ArgDef) -> serde_json::Value {
    serde_json::json!({
        "name": arg.name,
        "doc": arg.doc,
        "type": jobs::value_type(arg),
        "form": form(arg.form),
        "flag": (arg.form != ArgForm::Secret).then(|| format!("--{}", jobs::flag_name(arg))),
        "variable": jobs::variable(arg),
        "choices": arg.choices,
        "default": arg.default.map(|default| (arg.show)(&default())),
    })
}

fn form(form: ArgForm) -> &'static str {
    match form {
        ArgForm::Switch => "switch",
        ArgForm::Value => "value",
        ArgForm::Optional => "optional",
        ArgForm::Repeated => "repeated",
        ArgForm::Secret => "secret",
    }
}
