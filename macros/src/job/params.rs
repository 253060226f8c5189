//! The arguments of a job.

use syn::ext::IdentExt as _;
use syn::{Expr, PatType, Type};

use crate::args::{Args, Known};
use crate::report::Report;
use crate::signature::{self, Function};
use crate::types::{inside, written};

const KNOWN: &[Known] = &[Known::new("default", "default = 10")];

/// Flags of `run`, present or planned, that an argument would hide.
const RESERVED: &[&str] = &[
    "arg",
    "args",
    "color",
    "config",
    "engine",
    "fail_fast",
    "grace",
    "help",
    "json",
    "max_concurrent",
    "max_running",
    "no_fail_fast",
    "order",
    "pool",
    "progress",
    "quiet",
    "run_id",
    "seed",
    "select",
    "status_level",
    "store",
    "tag",
    "tag_limit",
    "ui",
    "verbose",
    "version",
];

/// One argument.
pub(super) struct Arg {
    pub(super) name: String,
    pub(super) doc: String,
    /// The type inside `Out<…>`.
    pub(super) ty: Type,
    pub(super) default: Option<Expr>,
}

/// Reads all arguments; those that cannot be are reported.
pub(super) fn read(function: &Function, report: &mut Report) -> Vec<Arg> {
    let params: Vec<_> = function.params().collect();
    params.into_iter().filter_map(|param| read_one(param, report)).collect()
}

fn read_one(param: &PatType, report: &mut Report) -> Option<Arg> {
    let default = default(param, report);
    let Some(name) = signature::param_name(param, "a job", report) else {
        if matches!(*param.pat, syn::Pat::Wild(_)) {
            report.at(&param.pat, "an argument of a job needs a name: it is its flag");
        }
        return None;
    };
    let text = name.unraw().to_string();
    if RESERVED.contains(&text.as_str()) {
        report.at(
            name,
            format!(
                "an argument cannot be named `{text}`: `--{}` is a flag of `run`, now or soon",
                text.replace('_', "-")
            ),
        );
    }
    let Some(ty) = inside(&param.ty, "Out") else {
        let help = format!("help: write `{text}: Out<{}>`", written(&param.ty));
        let message = "an argument of a job is a handle: its value is not known while the job is built";
        report.at(&param.ty, format!("{message}\n\n{help}"));
        return None;
    };
    Some(Arg { name: text, doc: signature::doc_text(&param.attrs), ty: ty.clone(), default })
}

fn default(param: &PatType, report: &mut Report) -> Option<Expr> {
    let mut default = None;
    for attr in &param.attrs {
        if attr.path().is_ident("resource") {
            report.at(attr, "a job takes no resources: the ops that need one take it");
        }
        if !attr.path().is_ident("arg") {
            continue;
        }
        let tokens = match &attr.meta {
            syn::Meta::List(list) => list.tokens.clone(),
            other => {
                report.at(other, "`#[arg]` says something\n\nhelp: write `#[arg(default = 10)]`");
                continue;
            }
        };
        let args = Args::parse("`#[arg]`", KNOWN, tokens, report);
        default = args.read("default", report, |arg| arg.value().cloned());
    }
    default
}
