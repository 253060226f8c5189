//! What the page asks for, as a command line of this program: checked by what checks a command line that
//! was typed, and shown as somebody would type it.

use std::collections::BTreeMap;

use clap::{ArgMatches, Command, FromArgMatches as _};
use serde_json::{Map, Value};

use super::again::quoted;
use super::config::Config;
use super::flags::RunFlags;
use super::jobs::{self, flag_name, variable};
use super::options::run_options;
use super::problem::{Problem, unknown};
use super::resume::{self, RerunFlags, begin, expression};
use super::run::environment;
use super::values::{Sources, json_arguments, values};
use crate::define::{ArgDef, ArgForm, JobDef};
use crate::select::Expr;
use crate::web::api::types::{LaunchRequest, Limits, RerunRequest, ResumeRequest};

/// A command that can be carried out, as far as its words say.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Its words, after the program's name and without the store.
    pub(crate) words: Vec<String>,
    /// The same as somebody types it.
    pub(crate) shown: String,
    /// Variables of its environment, and those that it must not have. Secrets are given by it alone: a
    /// command line can be read by every user of the machine.
    pub(crate) environment: Vec<(String, Option<String>)>,
}

/// A new run of a job.
///
/// # Errors
/// An argument, a tag or a limit is wrong: in the words of the command line.
pub(crate) fn launch(job: &'static JobDef, request: &LaunchRequest) -> Result<Asked, Problem> {
    let rest = [tags(&request.tags), limits(&request.limits)].concat();
    let mut words = rest.clone();
    if !request.args.is_empty() {
        words.insert(0, format!("--args={}", Value::Object(request.args.clone())));
    }
    let matches = &matches(jobs::command(job), &words)?;
    let flags = RunFlags::from_arg_matches(matches)?;
    let graph = crate::check::build(job).map_err(|error| Problem::Program(error.to_string()))?;
    let json = flags.args.as_deref().map(|text| json_arguments(text, job)).transpose()?.unwrap_or_default();
    let environment = secrets(job, &request.secrets)?;
    let said = |name: &str| said(&environment, name);
    let shown = shown_arguments(job, &json);
    values(job, &Sources { matches, environment: &said, json, config: &Config::default(), prompt: None })?;
    run_options(&graph, &flags.limits, &Config::default())?;
    let shown = [vec!["run".to_owned(), job.name.to_owned()], shown, typed(&rest)].concat();
    words.splice(0..0, ["run".to_owned(), job.name.to_owned()]);
    Ok(Asked { words, shown: line(&shown), environment })
}

/// A run that goes on.
///
/// # Errors
/// A limit or a secret is wrong: in the words of the command line.
pub(crate) fn resume(run: &str, job: &'static JobDef, request: &ResumeRequest) -> Result<Asked, Problem> {
    let words = limits(&request.limits);
    let matches = matches(<resume::Flags as clap::Args>::augment_args(Command::new("resume")), &words)?;
    let flags = resume::Flags::from_arg_matches(&matches)?;
    let environment = secrets(job, &request.secrets)?;
    begin(job, &flags.limits, &|name| said(&environment, name), None)?;
    Ok(asked("resume", run, words, environment))
}

/// A run that is run again, and which of its steps.
///
/// # Errors
/// A limit, a secret or the selection is wrong: in the words of the command line.
pub(crate) fn rerun(
    run: &str,
    job: &'static JobDef,
    request: &RerunRequest,
) -> Result<(Asked, Option<Expr>), Problem> {
    let select = request.select.as_ref().map(|select| format!("--select={select}"));
    let words = [select.into_iter().collect(), limits(&request.limits)].concat();
    let matches = matches(<RerunFlags as clap::Args>::augment_args(Command::new("rerun")), &words)?;
    let flags = RerunFlags::from_arg_matches(&matches)?;
    let expr = expression(&flags.select).map_err(|error| Problem::Usage(error.to_string()))?;
    let environment = secrets(job, &request.secrets)?;
    begin(job, &flags.limits, &|name| said(&environment, name), None)?;
    Ok((asked("rerun", run, words, environment), expr))
}

fn asked(
    command: &str,
    run: &str,
    mut words: Vec<String>,
    environment: Vec<(String, Option<String>)>,
) -> Asked {
    let command = [command.to_owned(), run.to_owned()];
    let shown = line(&[command.to_vec(), typed(&words)].concat());
    words.splice(0..0, command);
    Asked { words, shown, environment }
}

/// Reads words as they would be read after the command.
fn matches(command: Command, words: &[String]) -> Result<ArgMatches, Problem> {
    let name = command.get_name().to_owned();
    Ok(command.try_get_matches_from(std::iter::once(name).chain(words.iter().cloned()))?)
}

/// Words as a shell reads them.
fn line(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

fn tags(tags: &BTreeMap<String, String>) -> Vec<String> {
    tags.iter().map(|(name, value)| format!("--tag={name}={value}")).collect()
}

fn limits(limits: &Limits) -> Vec<String> {
    let Limits { max_concurrent, order, fail_fast, pools } = limits;
    let mut words = Vec::new();
    words.extend(max_concurrent.map(|limit| format!("--max-concurrent={limit}")));
    words.extend(order.as_ref().map(|order| format!("--order={}", order.replace('_', "-"))));
    words.extend(fail_fast.map(|fails| if fails { "--fail-fast" } else { "--no-fail-fast" }.to_owned()));
    // `3, 10/s` are the two halves of one limit.
    let halves = pools.iter().flat_map(|(name, limit)| limit.split(',').map(move |half| (name, half.trim())));
    words.extend(halves.map(|(name, half)| format!("--pool={name}={half}")));
    words
}

/// `--flag=value` as people write it: in two words, where the second is not taken for a flag.
fn typed(words: &[String]) -> Vec<String> {
    let halves = |word: &String| match word.split_once('=') {
        Some((flag, value)) if !value.starts_with('-') => vec![flag.to_owned(), value.to_owned()],
        _ => vec![word.clone()],
    };
    words.iter().flat_map(halves).collect()
}

/// The environment that a process with these secrets has: its own arguments are not taken from that of
/// the page, but for secrets that nobody gave.
fn secrets(job: &JobDef, given: &BTreeMap<String, String>) -> Result<Vec<(String, Option<String>)>, Problem> {
    let is_secret = |arg: &&ArgDef| arg.form == ArgForm::Secret;
    let names = || job.args.iter().filter(is_secret).map(|arg| arg.name);
    if let Some(name) = given.keys().find(|name| !names().any(|known| known == *name)) {
        let none = format!("job `{}` has none", job.name);
        return Err(Problem::Usage(unknown("secret argument", name, names(), &none)));
    }
    let all = job.args.iter().filter(|arg| !is_secret(arg) || given.contains_key(arg.name));
    Ok(all.map(|arg| (variable(arg), given.get(arg.name).cloned())).collect())
}

/// What the environment of such a process says.
fn said(own: &[(String, Option<String>)], name: &str) -> Option<String> {
    match own.iter().find(|(known, _)| known == name) {
        Some((_, value)) => value.clone(),
        None => environment(name),
    }
}

/// Arguments as flags, those that are as they would be anyway left out; what no flag can say as `--args`.
fn shown_arguments(job: &JobDef, json: &BTreeMap<String, Value>) -> Vec<String> {
    let mut words = Vec::new();
    let mut others = Map::new();
    for (arg, value) in job.args.iter().filter_map(|arg| Some((arg, json.get(arg.name)?))) {
        if is_usual(arg, value) {
            continue;
        }
        match texts(value).filter(|texts| is_said_by(arg, value, texts)) {
            Some(texts) => words.extend(as_flags(arg, &texts)),
            None => _ = others.insert(arg.name.to_owned(), value.clone()),
        }
    }
    if !others.is_empty() {
        words.extend(["--args".to_owned(), Value::Object(others).to_string()]);
    }
    words
}

fn as_flags(arg: &ArgDef, texts: &[String]) -> Vec<String> {
    let flag = format!("--{}", flag_name(arg));
    match (arg.form, texts) {
        (ArgForm::Switch, [yes]) if yes == "true" => vec![flag],
        (ArgForm::Switch, texts) => texts.iter().map(|text| format!("{flag}={text}")).collect(),
        (_, texts) => typed(&texts.iter().map(|text| format!("{flag}={text}")).collect::<Vec<_>>()),
    }
}

/// Whether an argument is so where nothing is said.
fn is_usual(arg: &ArgDef, value: &Value) -> bool {
    let usual = match (arg.default, arg.form) {
        (Some(default), _) => Ok(default()),
        (None, ArgForm::Switch) => (arg.from_texts)(&["false".to_owned()]),
        (None, _) => (arg.from_texts)(&[]),
    };
    usual.is_ok_and(|usual| is_same(arg, value, (arg.to_json)(&usual)))
}

/// Whether flags with these texts give the same value.
fn is_said_by(arg: &ArgDef, value: &Value, texts: &[String]) -> bool {
    let said = (arg.from_texts)(texts);
    !texts.is_empty() && said.is_ok_and(|said| is_same(arg, value, (arg.to_json)(&said)))
}

fn is_same(arg: &ArgDef, value: &Value, other: Value) -> bool {
    (arg.from_json)(value).is_ok_and(|value| (arg.to_json)(&value) == other)
}

/// The texts that flags may have to say a value.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(all) => all.iter().map(text).collect(),
        one => Some(vec![text(one)?]),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;
    use crate::report::fixture::{LETTERS, LETTERS_ROW};

    const fn arg<T: crate::JobArg>(name: &'static str) -> ArgDef {
        ArgDef { name, ..<crate::__private::Flag as crate::__private::Reads<T>>::ARG }
    }

    static MANY: JobDef = JobDef {
        args: &[
            arg::<String>("text"),
            arg::<i64>("how_many"),
            arg::<bool>("dry"),
            arg::<Vec<String>>("name"),
            arg::<Option<String>>("note"),
            arg::<Secret<String>>("token"),
        ],
        ..LETTERS_ROW
    };

    fn shown(args: Value) -> String {
        let Value::Object(args) = args else { panic!("it is an object") };
        let secrets = BTreeMap::from([("token".to_owned(), "hunter2".to_owned())]);
        match launch(&MANY, &LaunchRequest { args, secrets, ..Default::default() }) {
            Ok(asked) => asked.shown,
            Err(problem) => problem.to_string(),
        }
    }

    #[test]
    fn a_command_line_says_the_same_whatever_the_values_are() {
        let all = serde_json::json!({
            "text": "it's $HOME", "how-many": -3, "dry": true, "name": ["-x", "a b", ""], "note": null,
        });
        assert_eq!(
            shown(all),
            r"run letters --text 'it'\''s $HOME' --how-many=-3 --dry --name=-x --name 'a b' --name ''"
        );
        let usual = serde_json::json!({ "text": "", "how_many": 7, "dry": false, "name": [] });
        assert_eq!(shown(usual), "run letters --text '' --how-many 7");
        let odd = serde_json::json!({ "text": "a\nb", "how_many": 7, "note": "" });
        assert_eq!(shown(odd), r"run letters --text 'a\nb' --how-many 7 --note ''");
    }

    #[test]
    fn the_words_are_read_as_what_was_asked_for_and_secrets_are_not_among_them() {
        let args = serde_json::json!({ "text": "a b", "how_many": -3, "name": ["x"] });
        let Value::Object(args) = args else { panic!("it is an object") };
        let request = LaunchRequest {
            args: args.clone(),
            secrets: BTreeMap::from([("token".to_owned(), "hunter2".to_owned())]),
            tags: BTreeMap::from([("team".to_owned(), "-red=1".to_owned())]),
            limits: Limits {
                max_concurrent: Some(3),
                order: Some("breadth_first".to_owned()),
                fail_fast: Some(false),
                pools: BTreeMap::from([("api".to_owned(), "3, 10/s".to_owned())]),
            },
        };
        let asked = launch(&MANY, &request).unwrap();
        let read = matches(jobs::command(&MANY), &asked.words[2..]).unwrap();
        let flags = RunFlags::from_arg_matches(&read).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&flags.args.unwrap()).unwrap(), Value::Object(args));
        assert_eq!(flags.tag, [("team".to_owned(), "-red=1".to_owned())]);
        assert_eq!((flags.limits.max_concurrent, flags.limits.no_fail_fast), (Some(3), true));
        assert_eq!(flags.limits.pool.len(), 2);
        let all = format!("{:?} {}", asked.words, asked.shown);
        assert!(!all.contains("hunter2"), "{all}");
        let token = ("FANFOLD_ARG_TOKEN".to_owned(), Some("hunter2".to_owned()));
        assert!(asked.environment.contains(&token));
        assert!(asked.environment.contains(&("FANFOLD_ARG_TEXT".to_owned(), None)));
        let pools = BTreeMap::from([("apis".to_owned(), "3".to_owned())]);
        let request = LaunchRequest { limits: Limits { pools, ..Default::default() }, ..request };
        let said = launch(&MANY, &request).unwrap_err().to_string();
        assert_eq!(said, "--pool: unknown pool `apis`: did you mean `api`?");
    }

    #[test]
    fn what_is_wrong_is_said_in_the_words_of_the_command_line() {
        let said = |args: Value| {
            let Value::Object(args) = args else { panic!("it is an object") };
            launch(&LETTERS, &LaunchRequest { args, ..Default::default() }).unwrap_err().to_string()
        };
        let wrong = said(serde_json::json!({ "to": 7 }));
        assert!(wrong.starts_with("--args: `to` takes `char`: invalid type: integer `7`"), "{wrong}");
        let unknown = said(serde_json::json!({ "form": "a" }));
        assert_eq!(unknown, "`--args`: job `letters` has no argument `form`: did you mean `from`?");
        let limits = Limits { max_concurrent: Some(0), ..Default::default() };
        let zero = launch(&LETTERS, &LaunchRequest { limits, ..Default::default() }).unwrap_err().to_string();
        assert!(zero.contains("a limit is at least 1"), "{zero}");
        let request = RerunRequest { select: Some("a[".to_owned()), ..Default::default() };
        assert!(rerun("7k2m", &LETTERS, &request).is_err());
    }
}
