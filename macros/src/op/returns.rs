//! What an op returns: read from the form in which it is written.
//!
//! The form picks a branch; expanded code then makes the type confirm it, once.

use proc_macro2::Span;
use syn::Type;
use syn::spanned::Spanned as _;

use super::attr::{Attr, Keys};
use super::forms::{Container, Items, container, holds_dynamic_outputs, is_future};
use crate::report::Report;
use crate::signature::Function;
use crate::types::{borrows, error_of, inside, is_named, plain, written};

/// What an op returns.
pub(super) struct Returns {
    /// Inside a `Result` with this error.
    pub(super) error: Option<Type>,
    /// Inside an `Option` that means "nothing".
    pub(super) optional: bool,
    pub(super) kind: Kind,
    /// Where it is written.
    pub(super) span: Span,
}

pub(super) enum Kind {
    /// No value.
    Nothing,
    /// One value.
    One(Type),
    /// Keyed items.
    Dynamic { items: Items, value: Type },
    /// Several outputs at the end.
    Outputs(Type),
    /// Several outputs as they come.
    OutputItems { items: Items, item: Type },
}

const DYNAMIC_FORMS: &str = "help: write `Vec<DynamicOutput<T>>`, `impl Iterator<Item = DynamicOutput<T>>`, \
    `Box<dyn Iterator<Item = DynamicOutput<T>> + Send>` or `impl Stream<Item = DynamicOutput<T>>`\n\
    note: each item, and the whole, may be a `Result`";

impl Returns {
    pub(super) fn read(function: &Function, attr: &Attr, report: &mut Report) -> Option<Self> {
        let Some(whole) = function.returns() else { return nothing(function, attr, report) };
        if is_future(whole) && function.sig.asyncness.is_none() {
            report.at(
                whole,
                "an op does not return a future\n\nhelp: write `async fn`, and the type of the value",
            );
            return None;
        }
        let (error, inner) = peel_result(whole, report)?;
        let many = attr.dynamic.is_some() || attr.outputs;
        let option = inside(inner, "Option").filter(|_| attr.optional.is_some() || (many && !attr.outputs));
        if let (Some(optional), None, false) = (attr.optional, option, attr.outputs) {
            report.at_span(
                optional,
                format!(
                    "`optional` needs an `Option`, and `{}` returns `{}`",
                    function.name(),
                    written(&inner)
                ),
            );
            return None;
        }
        let kind = kind(function, attr, option.unwrap_or(inner), report)?;
        Some(Self { error, optional: option.is_some(), kind, span: whole.span() })
    }
}

/// No return type at all.
fn nothing(function: &Function, attr: &Attr, report: &mut Report) -> Option<Returns> {
    let marked = if attr.dynamic.is_some() {
        "dynamic_out"
    } else if attr.outputs {
        "outputs"
    } else if attr.optional.is_some() {
        "optional"
    } else {
        return Some(Returns {
            error: None,
            optional: false,
            kind: Kind::Nothing,
            span: function.sig.ident.span(),
        });
    };
    let help = if marked == "dynamic_out" { format!("\n\n{DYNAMIC_FORMS}") } else { String::new() };
    report.at(
        &function.sig.ident,
        format!("`{}` is marked `{marked}`, and returns nothing{help}", function.name()),
    );
    None
}

/// The error if it is a `Result`, and what is inside.
fn peel_result<'ty>(ty: &'ty Type, report: &mut Report) -> Option<(Option<Type>, &'ty Type)> {
    if !is_named(ty, "Result") {
        return Some((None, ty));
    }
    if let Some(inner) = inside(ty, "Result") {
        return Some((Some(error_of(ty)), plain(inner)));
    }
    report.at(ty, "the value and the error of an op are written out\n\nhelp: write `Result<T, E>`, or `Result<(), E>` for no value");
    None
}

fn kind(function: &Function, attr: &Attr, ty: &Type, report: &mut Report) -> Option<Kind> {
    let name = function.name();
    if let Some(keys) = &attr.dynamic {
        let Some((container, item)) = container(ty, report)? else {
            report.at(
                ty,
                format!(
                    "`{name}` is marked `dynamic_out`, and `{}` is not a dynamic return\n\n{DYNAMIC_FORMS}",
                    written(ty)
                ),
            );
            return None;
        };
        return dynamic(&name, keys, container, item, report);
    }
    if attr.outputs {
        return Some(match container(ty, report)? {
            Some((container, item)) => {
                let inner = inside(item, "Result");
                let items = Items { container, error: inner.map(|_| error_of(item)) };
                Kind::OutputItems { items, item: inner.unwrap_or(item).clone() }
            }
            None => Kind::Outputs(ty.clone()),
        });
    }
    one(&name, ty, report)
}

fn dynamic(name: &str, keys: &Keys, container: Container, item: &Type, report: &mut Report) -> Option<Kind> {
    let (error, inner) = peel_result(item, report)?;
    let items = Items { container, error };
    let value = match keys {
        Keys::Given => match inside(inner, "DynamicOutput") {
            Some(value) => value,
            None => {
                report.at(
                    item,
                    format!(
                        "the items of `{name}` have no mapping key\n\nhelp: write `DynamicOutput<{}>`, or `#[op(dynamic_out(by_index))]`",
                        written(inner)
                    ),
                );
                return None;
            }
        },
        Keys::ByIndex | Keys::Of(_) if is_named(inner, "DynamicOutput") => {
            report.at(item, format!("the items of `{name}` have keys already\n\nhelp: write `#[op(dynamic_out)]`, or leave `DynamicOutput` out"));
            return None;
        }
        Keys::ByIndex | Keys::Of(_) => inner,
    };
    owned(value, report)?;
    Some(Kind::Dynamic { items, value: value.clone() })
}

fn one(name: &str, ty: &Type, report: &mut Report) -> Option<Kind> {
    if holds_dynamic_outputs(ty) {
        report.at(
            ty,
            format!(
                "`{name}` returns dynamic outputs, and is not marked so\n\nhelp: write `#[op(dynamic_out)]`"
            ),
        );
        return None;
    }
    if matches!(plain(ty), Type::ImplTrait(_)) {
        report.at(ty, format!("the value of `{name}` needs a type with a name: it cannot be `impl Trait`\n\nhelp: collect it, and write `Vec<T>`"));
        return None;
    }
    if matches!(plain(ty), Type::Tuple(unit) if unit.elems.is_empty()) {
        return Some(Kind::Nothing);
    }
    owned(ty, report)?;
    Some(Kind::One(ty.clone()))
}

/// Reports a value that borrows.
fn owned(ty: &Type, report: &mut Report) -> Option<()> {
    if borrows(ty) {
        report.at(ty, "the value of an op owns what it holds\n\nhelp: write `String` for `&str`, `Vec<T>` for `&[T]`, `T` for `&T`");
        return None;
    }
    Some(())
}
