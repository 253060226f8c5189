//! What an op returns: read from the form in which it is written.
//!
//! The form picks a branch; expanded code then makes the type confirm it, once.

use proc_macro2::Span;
use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::{Type, TypeParamBound};

use super::attr::{Attr, Keys};
use crate::report::Report;
use crate::signature::Function;
use crate::types::{borrows, inside, is_named, item_of, last_segment, plain, written};

/// What an op returns.
pub(super) struct Returns {
    /// Inside a `Result`.
    pub(super) fallible: bool,
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

/// A container of items.
pub(super) struct Items {
    pub(super) container: Container,
    /// Each item is a `Result`.
    pub(super) fallible: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Container {
    List,
    Iterator,
    BoxedIterator,
    Stream,
    BoxedStream,
}

impl Container {
    pub(super) fn is_stream(self) -> bool {
        matches!(self, Self::Stream | Self::BoxedStream)
    }
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
        let (fallible, inner) = peel_result(whole, report)?;
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
        Some(Self { fallible, optional: option.is_some(), kind, span: whole.span() })
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
            fallible: false,
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

/// Whether it is a `Result`, and what is inside.
fn peel_result<'ty>(ty: &'ty Type, report: &mut Report) -> Option<(bool, &'ty Type)> {
    if !is_named(ty, "Result") {
        return Some((false, ty));
    }
    if let Some(inner) = inside(ty, "Result") {
        return Some((true, plain(inner)));
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
                let items = Items { container, fallible: inner.is_some() };
                Kind::OutputItems { items, item: inner.unwrap_or(item).clone() }
            }
            None => Kind::Outputs(ty.clone()),
        });
    }
    one(&name, ty, report)
}

fn dynamic(name: &str, keys: &Keys, container: Container, item: &Type, report: &mut Report) -> Option<Kind> {
    let (fallible, inner) = peel_result(item, report)?;
    let items = Items { container, fallible };
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

/// The container and the type of its items; `None` inside for any other type.
fn container<'ty>(ty: &'ty Type, report: &mut Report) -> Option<Option<(Container, &'ty Type)>> {
    let found = match plain(ty) {
        Type::ImplTrait(opaque) => of_bounds(&opaque.bounds, Container::Iterator, Container::Stream),
        ty => {
            let boxed =
                inside(ty, "Box").or_else(|| inside(ty, "Pin").and_then(|inner| inside(inner, "Box")));
            match boxed.map(plain) {
                Some(Type::TraitObject(object)) => {
                    let found = of_bounds(&object.bounds, Container::BoxedIterator, Container::BoxedStream);
                    if found.is_some() && !has_bound(&object.bounds, "Send") {
                        report.at(
                            object.bounds.last().to_token_stream(),
                            "the items of an op are made on another thread: it must be `Send`\n\nhelp: add `+ Send`",
                        );
                        return None;
                    }
                    found
                }
                _ => inside(ty, "Vec")
                    .map(|item| (Container::List, item))
                    .or_else(|| inside(ty, "BoxStream").map(|item| (Container::BoxedStream, item))),
            }
        }
    };
    Some(found.map(|(container, item)| (container, plain(item))))
}

type Bounds = syn::punctuated::Punctuated<TypeParamBound, syn::Token![+]>;

fn of_bounds(bounds: &Bounds, iterator: Container, stream: Container) -> Option<(Container, &Type)> {
    let iterates = item_of(bounds, "Iterator").map(|item| (iterator, item));
    iterates.or_else(|| item_of(bounds, "Stream").map(|item| (stream, item)))
}

fn has_bound(bounds: &Bounds, name: &str) -> bool {
    bounds.iter().any(|bound| matches!(bound, TypeParamBound::Trait(bound) if bound.path.segments.last().is_some_and(|last| last.ident == name)))
}

/// Whether `DynamicOutput` stands anywhere in the type.
fn holds_dynamic_outputs(ty: &Type) -> bool {
    fn within(tokens: proc_macro2::TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Ident(ident) => ident == "DynamicOutput",
            proc_macro2::TokenTree::Group(group) => within(group.stream()),
            _ => false,
        })
    }
    within(ty.to_token_stream())
}

/// Whether the type is a future, as it is usually written.
fn is_future(ty: &Type) -> bool {
    let is_named_future = |bounds: &Bounds| has_bound(bounds, "Future");
    match plain(ty) {
        Type::ImplTrait(opaque) => is_named_future(&opaque.bounds),
        ty if last_segment(ty)
            .is_some_and(|last| last.ident == "BoxFuture" || last.ident == "LocalBoxFuture") =>
        {
            true
        }
        ty => {
            let boxed =
                inside(ty, "Pin").and_then(|inner| inside(inner, "Box")).or_else(|| inside(ty, "Box"));
            matches!(boxed.map(plain), Some(Type::TraitObject(object)) if is_named_future(&object.bounds))
        }
    }
}
