//! The program's jobs: each a subcommand of `run`, with its arguments as flags.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Args as _, Command, ValueHint};

use super::flags::RunFlags;
use super::problem::{Problem, unknown};
use crate::define::{ArgDef, ArgForm, JobDef};

/// The job of a name.
pub(super) fn find(name: &str) -> Result<&'static JobDef, Problem> {
    check_registry()?;
    let all = crate::define::jobs();
    all.iter().find(|job| job.name == name).copied().ok_or_else(|| {
        Problem::Usage(unknown("job", name, all.iter().map(|job| job.name), "the program has no jobs"))
    })
}

/// Whether there are jobs, each with a name of its own.
pub(super) fn check_registry() -> Result<(), Problem> {
    crate::check::registry().map_err(|error| Problem::Program(error.to_string()))
}

/// A job as a subcommand.
pub(super) fn command(job: &'static JobDef) -> Command {
    let heading = format!("Arguments of {}", job.name);
    let arguments = job.args.iter().filter(|arg| arg.form != ArgForm::Secret).map(flag);
    let command = Command::new(job.name).next_help_heading(heading).args(arguments);
    // The doc comment of the flags would be taken for the job's, so the job's comes after.
    RunFlags::augment_args(command)
        .about(first_paragraph(job.doc))
        .long_about(job.doc.trim().to_owned())
        .after_help(other_sources(job))
}

/// Where arguments come from, besides flags.
fn other_sources(job: &JobDef) -> String {
    let Some(first) = job.args.first() else { return String::new() };
    let mut text = format!(
        "An argument also comes from the environment ({}), from --args and from --config:\n\
         the first that has it wins, a flag before all.",
        variable(first)
    );
    let secrets: Vec<_> = job.args.iter().filter(|arg| arg.form == ArgForm::Secret).collect();
    if !secrets.is_empty() {
        text.push_str("\n\nSecrets, never given as flags:");
    }
    for secret in secrets {
        text.push_str(format!("\n  {}  {}", variable(secret), first_paragraph(secret.doc)).trim_end());
    }
    text
}

/// The variable of the environment that an argument is read from.
pub(crate) fn variable(arg: &ArgDef) -> String {
    format!("FANFOLD_ARG_{}", arg.name.to_uppercase())
}

/// The flag of an argument, without its dashes.
pub(crate) fn flag_name(arg: &ArgDef) -> String {
    arg.name.replace('_', "-")
}

/// The name of an argument's type, without the modules that it lies in.
pub(crate) fn type_name(arg: &ArgDef) -> String {
    let whole = (arg.info.name)();
    let mut short = String::new();
    let mut word = String::new();
    for character in whole.chars() {
        if character.is_alphanumeric() || matches!(character, '_' | ':') {
            word.push(character);
        } else {
            short.push_str(word.rsplit("::").next().unwrap_or_default());
            word.clear();
            short.push(character);
        }
    }
    short + word.rsplit("::").next().unwrap_or_default()
}

/// The type of one value of an argument: of what may be left out or repeated, the inner type.
pub(crate) fn value_type(arg: &ArgDef) -> String {
    let name = type_name(arg);
    let inner = ["Option<", "Vec<"].iter().find_map(|outer| name.strip_prefix(outer)?.strip_suffix('>'));
    inner.unwrap_or(&name).to_owned()
}

fn flag(arg: &'static ArgDef) -> Arg {
    let name = flag_name(arg);
    let mut help = first_paragraph(arg.doc);
    if let Some(default) = arg.default
        && arg.form != ArgForm::Switch
    {
        let shown = (arg.show)(&default());
        help = format!("{help}{}[default: {shown}]", if help.is_empty() { "" } else { " " });
    }
    let mut flag = Arg::new(arg.name).long(name).help(help).value_name(value_type(arg));
    if value_type(arg) == "PathBuf" {
        flag = flag.value_hint(ValueHint::AnyPath);
    }
    if arg.name.contains('_') {
        flag = flag.alias(arg.name);
    }
    if !arg.choices.is_empty() {
        flag = flag.value_parser(PossibleValuesParser::new(arg.choices));
    } else {
        flag = flag
            .value_parser(move |text: &str| (arg.from_texts)(&[text.to_owned()]).map(|_| text.to_owned()));
    }
    match arg.form {
        ArgForm::Switch => flag
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_name("BOOL")
            .hide_possible_values(true),
        ArgForm::Repeated => flag.action(ArgAction::Append).allow_negative_numbers(true),
        ArgForm::Value | ArgForm::Optional | ArgForm::Secret => flag.allow_negative_numbers(true),
    }
}

/// The first paragraph of a doc comment, on one line.
pub(crate) fn first_paragraph(doc: &str) -> String {
    let lines = doc.trim().lines().map(str::trim).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}
