//! The options of `#[job(…)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, Path};

use crate::args::{Arg, Args, Known};
use crate::limits;
use crate::options;
use crate::report::Report;

const KNOWN: &[Known] = &[
    Known::new("name", "name = \"nightly\""),
    Known::new("max_concurrent", "max_concurrent = 4"),
    Known::new("order", "order = \"breadth_first\""),
    Known::new("pools", "pools(api = 3, web(max = 8, rate = \"10/s\"))"),
    Known::new("tag_limits", "tag_limits(team(data = 3))"),
    Known::new("fail_fast", "fail_fast"),
    Known::new("retry", "retry(max = 3, delay = \"500ms\")"),
    Known::new("on_success", "on_success = notify"),
    Known::new("on_failure", "on_failure = notify"),
];

/// What the attribute says.
pub(super) struct Attr {
    /// The job's name, if it is not the function's.
    pub(super) name: Option<String>,
    /// The fields of `JobOptions` that were said.
    pub(super) options: Vec<TokenStream>,
    pub(super) on_success: Option<Path>,
    pub(super) on_failure: Option<Path>,
}

impl Attr {
    pub(super) fn parse(tokens: TokenStream, report: &mut Report) -> Self {
        let args = Args::parse("`#[job]`", KNOWN, tokens, report);
        Self {
            name: args.read("name", report, job_name),
            options: job_options(&args, report),
            on_success: args.read("on_success", report, hook),
            on_failure: args.read("on_failure", report, hook),
        }
    }
}

/// A name that can be typed at a terminal as one word.
fn job_name(arg: &Arg) -> syn::Result<String> {
    let name = options::text(arg)?;
    let bad = |c: char| c.is_control() || c.is_whitespace();
    if name.chars().any(bad) || name.starts_with('-') {
        return Err(arg.error("a job's name is one word, which does not begin with `-`"));
    }
    Ok(name)
}

fn hook(arg: &Arg) -> syn::Result<Path> {
    match arg.value()? {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path.clone()),
        _ => {
            Err(arg.error(&format!("`{}` takes the name of a function that takes a `&RunReport`", arg.name)))
        }
    }
}

fn job_options(args: &Args, report: &mut Report) -> Vec<TokenStream> {
    let mut fields = Vec::new();
    if let Some(max) = args.read("max_concurrent", report, |arg| limits::positive(arg.value()?)) {
        fields.push(quote!(max_concurrent: ::core::option::Option::Some(#max)));
    }
    let orders = [("depth_first", quote!(DepthFirst)), ("breadth_first", quote!(BreadthFirst))];
    if let Some(order) = args.read("order", report, |arg| options::one_of(arg, &orders)) {
        fields.push(quote!(order: ::core::option::Option::Some(::fanfold::Order::#order)));
    }
    if let Some(pools) = args.get("pools").and_then(|arg| limits::pools(arg, report)) {
        fields.push(quote!(pools: #pools));
    }
    if let Some(limits) = args.get("tag_limits").and_then(|arg| limits::tag_limits(arg, report)) {
        fields.push(quote!(tag_limits: #limits));
    }
    if let Some(fail_fast) = args.read("fail_fast", report, options::switch) {
        fields.push(quote!(fail_fast: #fail_fast));
    }
    if let Some(retry) = args.get("retry").and_then(|arg| options::retry(arg, report)) {
        fields.push(quote!(retry: ::core::option::Option::Some(#retry)));
    }
    fields
}
