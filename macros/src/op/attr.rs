//! The options of `#[op(…)]`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Expr, ExprClosure};

use crate::args::{Arg, Args, Given, Known};
use crate::options;
use crate::report::Report;

const KNOWN: &[Known] = &[
    Known::new("dynamic_out", "dynamic_out"),
    Known::new("outputs", "outputs"),
    Known::new("optional", "optional"),
    Known::new("streaming", "streaming = false"),
    Known::new("transient", "transient"),
    Known::new("name", "name = \"upper\""),
    Known::new("retry", "retry(max = 3, delay = \"500ms\")"),
    Known::new("timeout", "timeout = \"30s\""),
    Known::new("priority", "priority = 5"),
    Known::new("pool", "pool = \"api\""),
    Known::new("tags", "tags(team = \"data\")"),
];

const DYNAMIC: &[Known] = &[Known::new("by_index", "by_index"), Known::new("key", "key = |item| item.id")];

/// What the attribute says.
pub(super) struct Attr {
    /// `dynamic_out`, and how its items get their keys.
    pub(super) dynamic: Option<Keys>,
    /// `outputs`.
    pub(super) outputs: bool,
    /// `optional`, and where it was said.
    pub(super) optional: Option<Span>,
    /// Values are passed on and never recorded.
    pub(super) transient: bool,
    /// The steps' name, if it is not the function's.
    pub(super) name: Option<String>,
    /// The fields of `OpOptions` that were said.
    pub(super) options: Vec<TokenStream>,
}

/// Where the mapping keys come from.
pub(super) enum Keys {
    /// The op gives `DynamicOutput`s, which have keys.
    Given,
    /// 0, 1, 2, ….
    ByIndex,
    /// A closure over the value.
    Of(Box<ExprClosure>),
}

impl Attr {
    pub(super) fn parse(tokens: TokenStream, report: &mut Report) -> Self {
        let args = Args::parse("`#[op]`", KNOWN, tokens, report);
        let attr = Self {
            dynamic: args.get("dynamic_out").map(|arg| keys(arg, report)),
            outputs: args.flag("outputs", report),
            optional: args.get("optional").map(|arg| arg.name.span()),
            transient: args.flag("transient", report),
            name: args.read("name", report, step_name),
            options: op_options(&args, report),
        };
        args.flag("optional", report);
        attr.check(&args, report);
        attr
    }

    /// Options that contradict each other.
    fn check(&self, args: &Args, report: &mut Report) {
        if let (Some(outputs), true) = (args.get("outputs"), self.dynamic.is_some()) {
            report.at_span(
                outputs.name.span(),
                "`outputs` contradicts `dynamic_out`\n\nhelp: keep `outputs`; which of them are dynamic is said by their type, `Dynamic<T>`",
            );
        }
        if let (Some(optional), true) = (args.get("optional"), self.outputs) {
            report.at_span(
                optional.name.span(),
                "`optional` contradicts `outputs`\n\nhelp: mark the field that may be missing: `#[output(optional)] count: Option<i64>`",
            );
        }
        if let (Some(streaming), None, false) = (args.get("streaming"), &self.dynamic, self.outputs) {
            report.at_span(
                streaming.name.span(),
                "`streaming` without `dynamic_out`\n\nnote: it says when the items of a dynamic output start their copies",
            );
        }
    }
}

fn keys(arg: &Arg, report: &mut Report) -> Keys {
    let tokens = match &arg.given {
        Given::Nothing => return Keys::Given,
        Given::List(list) => list.stream(),
        Given::Value(_) => {
            report.error(arg.error("`dynamic_out` stands alone, or says where keys come from"));
            return Keys::Given;
        }
    };
    let args = Args::parse("`dynamic_out`", DYNAMIC, tokens, report);
    let by_index = args.flag("by_index", report);
    let key = args.read("key", report, key_closure);
    if let (Some(arg), true) = (args.get("key"), by_index) {
        report.at_span(arg.name.span(), "`key` contradicts `by_index`\n\nhelp: keep one of them");
    }
    match key {
        Some(closure) => Keys::Of(Box::new(closure)),
        // Whoever meant to give keys has items without.
        None if by_index || args.get("key").is_some() => Keys::ByIndex,
        None => Keys::Given,
    }
}

fn key_closure(arg: &Arg) -> syn::Result<ExprClosure> {
    match arg.value()? {
        Expr::Closure(closure) if closure.inputs.len() == 1 => Ok(closure.clone()),
        _ => Err(arg.error("`key` takes a closure over the value")),
    }
}

/// The name of steps: what a step's name can hold, and what separates its parts cannot.
fn step_name(arg: &Arg) -> syn::Result<String> {
    let name = options::text(arg)?;
    if name.chars().any(|c| c.is_control() || matches!(c, '[' | ']' | '\\' | '.')) {
        return Err(arg.error("a step's name has no `[`, `]`, `\\`, `.` or control characters"));
    }
    Ok(name)
}

fn op_options(args: &Args, report: &mut Report) -> Vec<TokenStream> {
    let mut fields = Vec::new();
    let mut some = |field: &str, value: Option<TokenStream>| {
        let field = quote::format_ident!("{field}");
        fields.extend(value.map(|value| quote!(#field: ::core::option::Option::Some(#value))));
    };
    some("retry", args.get("retry").and_then(|arg| options::retry(arg, report)));
    some(
        "timeout",
        args.read("timeout", report, options::duration).map(|timeout| options::duration_tokens(&timeout)),
    );
    let priorities = i64::from(i32::MIN)..=i64::from(i32::MAX);
    some(
        "priority",
        args.read("priority", report, |arg| options::whole(arg, priorities)).map(|number| quote!(#number)),
    );
    some("pool", args.read("pool", report, options::text).map(|pool| quote!(#pool)));
    if let Some(tags) = args.get("tags").and_then(|arg| options::pairs(arg, report)) {
        let tags = tags.iter().map(|(name, value)| quote!((#name, #value)));
        fields.push(quote!(tags: &[#(#tags),*]));
    }
    if let Some(streaming) = args.read("streaming", report, options::switch) {
        fields.push(quote!(streaming: #streaming));
    }
    fields
}
