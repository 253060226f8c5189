//! `#[derive(Outputs)]`: an op with several outputs, reached by name or unpacked in order.

mod expand;

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::{Attribute, Data, DeriveInput, Field, Fields, Ident, Type, Visibility};

use crate::args::{Args, Known};
use crate::report::Report;
use crate::types::inside;

const KNOWN: &[Known] = &[Known::new("optional", "optional")];

/// One output.
struct Output {
    ident: Ident,
    vis: Visibility,
    docs: Vec<Attribute>,
    name: String,
    dynamic: bool,
    optional: bool,
    /// The type of its value, or of an item's.
    value: Type,
    /// The field's type.
    given: Type,
}

/// Expands `#[derive(Outputs)]`.
pub(crate) fn outputs(item: TokenStream) -> TokenStream {
    Report::around(|report| {
        let Some(input) = report.ok(syn::parse2::<DeriveInput>(item)) else { return TokenStream::new() };
        let outputs = read(&input, report);
        if report.is_clean() { expand::expand(&input, &outputs) } else { TokenStream::new() }
    })
}

fn read(input: &DeriveInput, report: &mut Report) -> Vec<Output> {
    const HELP: &str = "help: write `struct Split { values: Dynamic<i64>, count: i64 }`";
    if !input.generics.params.is_empty() {
        report.at(
            &input.generics,
            "a set of outputs cannot be generic: the op that returns it is registered once",
        );
    }
    let fields = match &input.data {
        Data::Struct(data) => &data.fields,
        _ => {
            report.at(
                &input.ident,
                format!("a set of outputs is a struct: each field is one output\n\n{HELP}"),
            );
            return Vec::new();
        }
    };
    match fields {
        Fields::Named(named) if !named.named.is_empty() => {
            named.named.iter().filter_map(|field| output(field, report)).collect()
        }
        _ => {
            report.at(&input.ident, format!("an output needs a name: each field is one output\n\n{HELP}"));
            Vec::new()
        }
    }
}

fn output(field: &Field, report: &mut Report) -> Option<Output> {
    let ident = field.ident.clone()?;
    let mut optional = false;
    for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("output")) {
        let tokens = report.ok(attr.meta.require_list())?.tokens.clone();
        optional |= Args::parse("`#[output]`", KNOWN, tokens, report).flag("optional", report);
    }
    let items = |ty: &Type| {
        inside(ty, "Dynamic")
            .or_else(|| inside(ty, "Vec").and_then(|item| inside(item, "DynamicOutput")))
            .cloned()
    };
    let (dynamic, optional, value) = match (items(&field.ty), inside(&field.ty, "Option")) {
        (Some(item), _) if optional => {
            report.at(
                &field.ty,
                "an output that may give nothing is an `Option`\n\nhelp: write `Option<Dynamic<T>>`",
            );
            (true, true, item)
        }
        (Some(item), _) => (true, false, item),
        (None, Some(inner)) => match items(inner) {
            Some(item) => (true, true, item),
            None if optional => (false, true, inner.clone()),
            None => (false, false, field.ty.clone()),
        },
        (None, None) => {
            if optional {
                report.at(
                    &field.ty,
                    "an output that may give nothing is an `Option`\n\nhelp: write `Option<T>`",
                );
            }
            (false, optional, field.ty.clone())
        }
    };
    Some(Output {
        name: ident.unraw().to_string(),
        ident,
        vis: field.vis.clone(),
        docs: field.attrs.iter().filter(|attr| attr.path().is_ident("doc")).cloned().collect(),
        dynamic,
        optional,
        value,
        given: field.ty.clone(),
    })
}
