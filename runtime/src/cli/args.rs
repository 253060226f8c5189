//! The command line, made of fixed commands and of the program's jobs.

use std::ffi::OsString;

use clap::builder::styling::{AnsiColor, Styles};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Args as _, Command};
use clap_complete::Shell;

use super::problem::{Problem, unknown};
use super::{cancel, doctor, export, jobs, list, logs, output, prune, resume, runs, show, ui, values};
use crate::define::{ArgForm, JobDef};
use crate::exit;

/// Reads the command line; gives the command that it was read with, too.
pub(super) fn read(words: impl IntoIterator<Item = OsString>) -> Result<(Command, ArgMatches), Problem> {
    let words: Vec<_> = words.into_iter().collect();
    if words.get(1).is_some_and(|word| word == "run") {
        jobs::check_registry()?;
    }
    let mut all = crate::define::jobs();
    // Two of one name are told where a job is asked for; help and completions go on.
    all.dedup_by_key(|job| job.name);
    let command = command(&program_name(words.first()), &all);
    match command.clone().try_get_matches_from(words) {
        Ok(matches) => {
            choose_colors(&matches);
            Ok((command, matches))
        }
        Err(error) => Err(in_our_words(error, &all)),
    }
}

/// `--color`, for everything that is written from here on; `auto` is what `NO_COLOR`,
/// `CLICOLOR_FORCE` and the terminal say.
fn choose_colors(matches: &ArgMatches) {
    match matches.get_one::<String>("color").map(String::as_str) {
        Some("always") => anstream::ColorChoice::Always.write_global(),
        Some("never") => anstream::ColorChoice::Never.write_global(),
        _ => {}
    }
}

fn program_name(first: Option<&OsString>) -> String {
    first
        .and_then(|path| std::path::Path::new(path).file_stem())
        .map_or_else(|| "jobs".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn command(name: &str, all: &[&'static JobDef]) -> Command {
    let run = Command::new("run")
        .about("Run a job")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand_value_name("JOB")
        .subcommand_help_heading("Jobs")
        .disable_help_subcommand(true)
        .subcommands(all.iter().map(|job| jobs::command(job)));
    let shell = Arg::new("shell")
        .value_name("SHELL")
        .help("The shell to write it for")
        .required(true)
        .value_parser(clap::value_parser!(Shell));
    let styles = Styles::styled()
        .header(AnsiColor::Green.on_default().bold())
        .usage(AnsiColor::Green.on_default().bold())
        .literal(AnsiColor::Cyan.on_default().bold())
        .placeholder(AnsiColor::Cyan.on_default());
    Command::new(name.to_owned())
        .about("Runs the jobs of this program")
        .version(concat!("(fanfold ", env!("CARGO_PKG_VERSION"), ")"))
        .styles(styles)
        .arg(color_flag())
        .after_help(ENVIRONMENT)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommand(
            list::Flags::augment_args(Command::new("list")).about("List the jobs and their arguments"),
        )
        .subcommand(run)
        .subcommand(resume::Flags::augment_args(Command::new("resume")).about("Go on with a run"))
        .subcommand(
            resume::RerunFlags::augment_args(Command::new("rerun"))
                .about("Run steps of a run again, as a new run"),
        )
        .subcommand(runs::Flags::augment_args(Command::new("runs")).about("List the runs that were recorded"))
        .subcommand(show::Flags::augment_args(Command::new("show")).about("Show a run, or one of its steps"))
        .subcommand(logs::Flags::augment_args(Command::new("logs")).about("Print what steps logged"))
        .subcommand(
            export::Flags::augment_args(Command::new("export")).about("Write a run for other programs"),
        )
        .subcommand(cancel::Flags::augment_args(Command::new("cancel")).about("Ask a run to stop"))
        .subcommand(prune::Flags::augment_args(Command::new("prune")).about("Remove runs that nobody needs"))
        .subcommand(doctor::Flags::augment_args(Command::new("doctor")).about("Look for what is wrong"))
        .subcommand(ui::Flags::augment_args(Command::new("ui")).about("Serve a page of the runs"))
        .subcommand(list::GraphFlags::augment_args(Command::new("graph")).about("Print the graph of a job"))
        .subcommand(
            Command::new("completions")
                .about("Print a script that completes commands, jobs and flags")
                .arg(shell),
        )
}

/// What the environment says to every command.
const ENVIRONMENT: &str = "\
Environment:
  FANFOLD_LOG       Which logs are shown and recorded: `debug`, or `warn,my_crate=trace` [default: info]
  FANFOLD_HOME      The folder that runs are recorded in [default: .fanfold]
  FANFOLD_PROGRESS  How progress is shown, as --progress
  FANFOLD_ARG_NAME  The argument `name` of the job that is run
  FANFOLD_UI_TOKEN  The token that opens the page; a new secret each time if there is none
  NO_COLOR          No colours; CLICOLOR_FORCE for colours in spite of a pipe";

fn color_flag() -> Arg {
    Arg::new("color")
        .long("color")
        .global(true)
        .value_name("WHEN")
        .help("When to write in colours")
        .default_value("auto")
        .value_parser(["auto", "always", "never"])
}

/// What clap says, but for what we know better: an unknown subcommand of `run` is an unknown job.
fn in_our_words(error: clap::Error, all: &[&'static JobDef]) -> Problem {
    if let Some(secret) = secret_flag(&error, all) {
        return secret;
    }
    let wrong = match (error.kind(), error.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::InvalidSubcommand, Some(ContextValue::String(wrong))) => wrong.clone(),
        _ => return Problem::CommandLine(error),
    };
    let usage = match error.get(ContextKind::Usage) {
        Some(ContextValue::StyledStr(usage)) => usage.to_string(),
        _ => String::new(),
    };
    if !usage.contains(" run ") {
        return Problem::CommandLine(error);
    }
    Problem::Usage(unknown("job", &wrong, all.iter().map(|job| job.name), "the program has no jobs"))
}

/// A secret given as a flag: clap does not know it.
fn secret_flag(error: &clap::Error, all: &[&'static JobDef]) -> Option<Problem> {
    let Some(ContextValue::String(wrong)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = wrong.strip_prefix("--")?;
    let secrets = all.iter().flat_map(|job| job.args).filter(|arg| arg.form == ArgForm::Secret);
    let secret = secrets.into_iter().find(|arg| jobs::flag_name(arg) == name)?;
    Some(values::secret_given(&format!("`{wrong}`"), secret))
}

/// Prints the completion script of a shell.
pub(super) fn completions(mut command: Command, matches: &ArgMatches) -> Result<u8, Problem> {
    let mut script = Vec::new();
    if let Some(shell) = matches.get_one::<Shell>("shell") {
        let name = command.get_name().to_owned();
        clap_complete::generate(*shell, &mut command, name, &mut script);
    }
    output::print(&script)?;
    Ok(exit::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::LETTERS;

    #[test]
    fn the_command_is_whole() {
        command("letters", &[&LETTERS]).debug_assert();
    }
}
