//! The values of a job's arguments: flag before environment before `--args` before file before
//! default; a secret that is nowhere is asked for.

use std::collections::BTreeMap;

use clap::ArgMatches;
use clap::parser::ValueSource;
use serde_json::Value;

use super::config::Config;
use super::jobs::{first_paragraph, flag_name, value_type, variable};
use super::problem::{Problem, nearest};
use super::prompt::Prompt;
use crate::define::{ArgDef, ArgForm, JobDef};
use crate::value::AnyValue;

/// What the environment says of a variable.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Where values come from, besides flags and defaults.
pub(super) struct Sources<'a> {
    pub(super) matches: &'a ArgMatches,
    pub(super) environment: Environment<'a>,
    pub(super) json: BTreeMap<String, Value>,
    pub(super) config: &'a Config,
    /// Asks for a secret, where somebody can be asked.
    pub(super) prompt: Option<Prompt>,
}

/// Reads `--args`.
pub(super) fn json_arguments(text: &str, job: &JobDef) -> Result<BTreeMap<String, Value>, Problem> {
    let wrong = |message: String| Problem::Usage(format!("`--args`: {message}"));
    let object: serde_json::Map<String, Value> = serde_json::from_str(text).map_err(|error| {
        wrong(format!("expected a JSON object such as '{{\"name\": \"value\"}}': {error}"))
    })?;
    let mut arguments = BTreeMap::new();
    for (key, value) in object {
        let name = key.replace('-', "_");
        let Some(arg) = job.args.iter().find(|arg| arg.name == name) else {
            let near = nearest(&name, job.args.iter().map(|arg| arg.name));
            let near = near.map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
            return Err(wrong(format!("job `{}` has no argument `{key}`{near}", job.name)));
        };
        if arg.form == ArgForm::Secret {
            return Err(secret_given(&format!("`--args`: `{name}`"), arg));
        }
        if arguments.insert(name, value).is_some() {
            return Err(wrong(format!("the argument `{key}` is given twice: keep one")));
        }
    }
    Ok(arguments)
}

/// A secret that was given on the command line, where every user of the machine can read it.
pub(super) fn secret_given(what: &str, secret: &ArgDef) -> Problem {
    Problem::Usage(format!(
        "{what} is secret, and never given on the command line: set {} in the environment, or write `{}` in a config file",
        variable(secret),
        secret.name
    ))
}

/// The value of each argument, in order; an error names all that are missing.
pub(super) fn values(job: &JobDef, sources: &Sources<'_>) -> Result<Vec<AnyValue>, Problem> {
    let mut values = job.args.iter().map(|arg| value(arg, sources)).collect::<Result<Vec<_>, _>>()?;
    let missing = |(arg, value): (&'static ArgDef, &Option<AnyValue>)| value.is_none().then_some(arg);
    // Nobody is asked for a secret of a run that cannot begin.
    if let Some(prompt) = sources.prompt
        && job.args.iter().zip(&values).filter_map(missing).all(|arg| arg.form == ArgForm::Secret)
    {
        for (arg, value) in job.args.iter().zip(&mut values).filter(|(_, value)| value.is_none()) {
            *value = asked(arg, prompt)?;
        }
    }
    let missing: Vec<_> = job.args.iter().zip(&values).filter_map(missing).map(missing_text).collect();
    if missing.is_empty() {
        return Ok(values.into_iter().flatten().collect());
    }
    Err(Problem::Usage(format!("job `{}` needs a value for\n  {}", job.name, missing.join("\n  "))))
}

/// The secret arguments of a job whose run goes on: from the environment, or asked for. The record has
/// the others.
pub(super) fn secrets(
    job: &JobDef,
    environment: Environment<'_>,
    prompt: Option<Prompt>,
) -> Result<BTreeMap<&'static str, AnyValue>, Problem> {
    let mut secrets = BTreeMap::new();
    for arg in job.args.iter().filter(|arg| arg.form == ArgForm::Secret) {
        let variable = variable(arg);
        let value = match (environment(&variable), prompt) {
            (Some(text), _) => Some((arg.from_texts)(&[text]).map_err(|why| wrong(arg, &variable, &why))?),
            (None, Some(prompt)) => asked(arg, prompt)?,
            (None, None) => None,
        };
        // One that may be left out reads nothing as a value.
        let value = value.or_else(|| (arg.from_texts)(&[]).ok());
        secrets.extend(value.map(|value| (arg.name, value)));
    }
    Ok(secrets)
}

fn asked(arg: &ArgDef, prompt: Prompt) -> Result<Option<AnyValue>, Problem> {
    let Some(text) = prompt(arg)? else { return Ok(None) };
    (arg.from_texts)(&[text]).map(Some).map_err(|message| wrong(arg, "at the prompt", &message))
}

fn wrong(arg: &ArgDef, place: &str, message: &str) -> Problem {
    Problem::Usage(format!("{place}: `{}` takes `{}`: {message}", arg.name, value_type(arg)))
}

fn value(arg: &ArgDef, sources: &Sources<'_>) -> Result<Option<AnyValue>, Problem> {
    let wrong = |place: &str, message: String| wrong(arg, place, &message);
    if let Some(texts) = flag_texts(arg, sources.matches) {
        let place = format!("--{}", flag_name(arg));
        return (arg.from_texts)(&texts).map(Some).map_err(|message| wrong(&place, message));
    }
    let variable = variable(arg);
    if let Some(text) = (sources.environment)(&variable) {
        return (arg.from_texts)(&[text]).map(Some).map_err(|message| wrong(&variable, message));
    }
    if let Some(value) = sources.json.get(arg.name) {
        return (arg.from_json)(value).map(Some).map_err(|message| wrong("--args", message));
    }
    if let Some(placed) = sources.config.args.get(arg.name) {
        return (arg.from_json)(&placed.value).map(Some).map_err(|message| wrong(&placed.place, message));
    }
    left_out(arg).map_err(|message| wrong("left out", message))
}

/// The value of an argument of which nothing is said; `None` where something must be.
pub(crate) fn left_out(arg: &ArgDef) -> Result<Option<AnyValue>, String> {
    if let Some(default) = arg.default {
        return Ok(Some(default()));
    }
    let nothing: &[String] = match arg.form {
        ArgForm::Switch => &["false".to_owned()],
        ArgForm::Optional | ArgForm::Repeated => &[],
        ArgForm::Value => return Ok(None),
        // One that may be left out reads nothing as a value; any other refuses it.
        ArgForm::Secret => return Ok((arg.from_texts)(&[]).ok()),
    };
    (arg.from_texts)(nothing).map(Some)
}

fn flag_texts(arg: &ArgDef, matches: &ArgMatches) -> Option<Vec<String>> {
    if arg.form == ArgForm::Secret || matches.value_source(arg.name) != Some(ValueSource::CommandLine) {
        return None;
    }
    Some(matches.get_many::<String>(arg.name)?.cloned().collect())
}

fn missing_text(arg: &ArgDef) -> String {
    let doc = first_paragraph(arg.doc);
    let doc = if doc.is_empty() { doc } else { format!("  {doc}") };
    let how = match arg.form {
        ArgForm::Secret => format!("{}=… (environment), or `{}` in a config file", variable(arg), arg.name),
        _ => format!("--{} <{}>", flag_name(arg), value_type(arg)),
    };
    format!("{how}{doc}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;
    use crate::cli::jobs;
    use crate::report::fixture::{LETTERS, LETTERS_ROW};

    fn read(line: &[&str], environment: fn(&str) -> Option<String>, json: &str, config: &Config) -> String {
        let matches = jobs::command(&LETTERS).try_get_matches_from([&["letters"], line].concat()).unwrap();
        let json = json_arguments(json, &LETTERS).unwrap();
        let sources = Sources { matches: &matches, environment: &environment, json, config, prompt: None };
        match values(&LETTERS, &sources) {
            Ok(values) => LETTERS.args.iter().zip(&values).map(|(arg, value)| (arg.show)(value)).collect(),
            Err(problem) => problem.to_string(),
        }
    }

    #[test]
    fn a_flag_beats_the_environment_beats_json_beats_the_file_beats_the_default() {
        let none: fn(&str) -> Option<String> = |_| None;
        let some: fn(&str) -> Option<String> = |name| (name == "FANFOLD_ARG_FROM").then(|| "e".to_owned());
        let empty = Config::default();
        let mut file = Config::default();
        let placed = super::super::config::Placed { value: Value::from("c"), place: "run.toml:1:8".into() };
        file.args.insert("from".into(), placed);
        assert_eq!(read(&[], none, "{}", &empty), "az");
        assert_eq!(read(&[], none, "{}", &file), "cz");
        assert_eq!(read(&[], none, r#"{"from": "j"}"#, &file), "jz");
        assert_eq!(read(&[], some, r#"{"from": "j"}"#, &file), "ez");
        assert_eq!(read(&["--from", "f"], some, r#"{"from": "j"}"#, &file), "fz");
    }

    #[test]
    fn a_wrong_value_names_its_place_and_type() {
        let none: fn(&str) -> Option<String> = |_| None;
        let wrong = read(&[], none, r#"{"to": 7}"#, &Config::default());
        assert!(wrong.starts_with("--args: `to` takes `char`: invalid type: integer `7`"), "{wrong}");
        let unknown = json_arguments(r#"{"form": "a"}"#, &LETTERS).unwrap_err().to_string();
        assert_eq!(unknown, "`--args`: job `letters` has no argument `form`: did you mean `from`?");
    }

    #[test]
    fn a_secret_that_is_nowhere_is_asked_for_and_only_if_nothing_else_is_missing() {
        const fn arg<T: crate::JobArg>(name: &'static str) -> ArgDef {
            ArgDef { name, ..<crate::__private::Flag as crate::__private::Reads<T>>::ARG }
        }
        static ALONE: JobDef = JobDef { args: &[arg::<Secret<u8>>("pin")], ..LETTERS_ROW };
        static BOTH: JobDef = JobDef { args: &[arg::<Secret<u8>>("pin"), arg::<u8>("n")], ..LETTERS_ROW };
        let read = |job: &'static JobDef, prompt: Option<Prompt>| {
            let matches = jobs::command(job).try_get_matches_from(["letters"]).unwrap();
            let (json, config) = (BTreeMap::new(), Config::default());
            let sources =
                Sources { matches: &matches, environment: &|_| None, json, config: &config, prompt };
            let values = values(job, &sources).map_err(|problem| problem.to_string())?;
            Ok::<_, String>(values[0].downcast_ref::<Secret<u8>>().map(|pin| *pin.expose()))
        };
        assert_eq!(read(&ALONE, Some(|_| Ok(Some("7".to_owned())))), Ok(Some(7)));
        let wrong = read(&ALONE, Some(|_| Ok(Some("hunter2".to_owned())))).unwrap_err();
        assert!(wrong.starts_with("at the prompt: `pin` takes") && !wrong.contains("hunter2"), "{wrong}");
        for (job, prompt) in [(&ALONE, None), (&ALONE, Some((|_| Ok(None)) as Prompt))] {
            assert!(read(job, prompt).unwrap_err().contains("FANFOLD_ARG_PIN"));
        }
        let missing = read(&BOTH, Some(|_| panic!("it was asked for"))).unwrap_err();
        assert!(missing.contains("FANFOLD_ARG_PIN") && missing.contains("--n <u8>"), "{missing}");
    }
}
