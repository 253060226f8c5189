//! The forms in which many items are written: which container, and the type of its items.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Type, TypeParamBound};

use crate::report::Report;
use crate::types::{inside, item_of, last_segment, plain};

/// A container of items.
pub(super) struct Items {
    pub(super) container: Container,
    /// Each item is a `Result` with this error.
    pub(super) error: Option<Type>,
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

/// The container and the type of its items; `None` inside for any other type.
pub(super) fn container<'ty>(ty: &'ty Type, report: &mut Report) -> Option<Option<(Container, &'ty Type)>> {
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
pub(super) fn holds_dynamic_outputs(ty: &Type) -> bool {
    fn within(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == "DynamicOutput",
            TokenTree::Group(group) => within(group.stream()),
            _ => false,
        })
    }
    within(ty.to_token_stream())
}

/// Whether the type is a future, as it is usually written.
pub(super) fn is_future(ty: &Type) -> bool {
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
