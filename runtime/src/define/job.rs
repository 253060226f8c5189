//! The row of a job.

use std::fmt;

use crate::graph::build::Raw;
use crate::options::JobOptions;
use crate::run::RunReport;
use crate::value::{AnyValue, TypeInfo};

use super::BoxFuture;

/// A job: a function that says how ops fit together.
#[derive(Debug)]
pub struct JobDef {
    /// Its name.
    pub name: &'static str,
    /// The path of the module that it stands in.
    pub module: &'static str,
    /// The file that it stands in.
    pub file: &'static str,
    /// The line of its name.
    pub line: u32,
    /// Its doc comment.
    pub doc: &'static str,
    /// Its arguments, in order.
    pub args: &'static [ArgDef],
    /// What it gives, in order; an entry for each handle that its body returns.
    pub results: &'static [ResultDef],
    /// How its runs are run.
    pub options: JobOptions,
    /// Called when a run has succeeded.
    pub on_success: Option<Hook>,
    /// Called when a run has failed.
    pub on_failure: Option<Hook>,
    /// Runs the job's body and gives the handles that it returned. Called while a graph is built.
    pub build: fn() -> Vec<Raw>,
    /// Whether the program is built with `panic = "abort"`, so that a panic ends it.
    pub panic_aborts: bool,
}

/// One of the values that a job gives.
pub struct ResultDef {
    /// Its type; that of `()` for a `Done`.
    pub info: TypeInfo,
    /// The value as a `T` of that type: a list may have been gathered.
    pub read: fn(AnyValue) -> AnyValue,
}

impl fmt::Debug for ResultDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.info.fmt(f)
    }
}

/// A function that is told how a run ended.
#[derive(Clone, Copy)]
pub struct Hook(pub fn(RunReport) -> BoxFuture<()>);

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

/// One argument of a job: a typed flag, and a key of its config.
pub struct ArgDef {
    /// Its name; the flag is this with `-` for `_`.
    pub name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// Its type.
    pub info: TypeInfo,
    /// Its value when none is given.
    pub default: Option<fn() -> AnyValue>,
    /// How it is written as a flag.
    pub form: ArgForm,
    /// The values of a unit enum; empty for any other type.
    pub choices: &'static [&'static str],
    /// Its value from the texts given with its flag.
    pub from_texts: fn(&[String]) -> Result<AnyValue, String>,
    /// Its value from JSON (`--args`, or a config file).
    pub from_json: fn(&serde_json::Value) -> Result<AnyValue, String>,
    /// Its value as JSON that `from_json` reads back; `null` for a secret ([`ArgForm::Secret`]), which is
    /// to be given again.
    pub to_json: fn(&AnyValue) -> serde_json::Value,
    /// Its value as text for people.
    pub show: fn(&AnyValue) -> String,
}

impl fmt::Debug for ArgDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArgDef").field("name", &self.name).field("info", &self.info).finish_non_exhaustive()
    }
}

/// How an argument is written as a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgForm {
    /// `--flag`, or nothing.
    Switch,
    /// `--name value`.
    Value,
    /// `--name value`, or nothing.
    Optional,
    /// `--name value`, any number of times.
    Repeated,
    /// Never on the command line: from the environment or a file.
    Secret,
}
