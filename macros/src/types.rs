//! Types as they are written: what stands inside an `Option<…>`, whether they borrow.
//!
//! A name picks a form here; the expansion then makes the types confirm it.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, PathArguments, PathSegment, Type, TypeParamBound};

/// The type without the groups that macros and parentheses put around it.
pub(crate) fn plain(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => plain(&group.elem),
        Type::Paren(paren) => plain(&paren.elem),
        ty => ty,
    }
}

/// The last segment of a type that is a path.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match plain(ty) {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

/// Whether the type is a path that ends in `name`.
pub(crate) fn is_named(ty: &Type, name: &str) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == name)
}

/// The types in the angle brackets of a path's segment.
pub(crate) fn type_args(segment: &PathSegment) -> impl Iterator<Item = &Type> {
    let args = match &segment.arguments {
        PathArguments::AngleBracketed(args) => Some(args.args.iter()),
        _ => None,
    };
    args.into_iter().flatten().filter_map(|arg| match arg {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// The first type in the angle brackets of `name<…>`, if the type is that.
pub(crate) fn inside<'ty>(ty: &'ty Type, name: &str) -> Option<&'ty Type> {
    last_segment(ty).filter(|segment| segment.ident == name).and_then(|segment| type_args(segment).next())
}

/// The error in `Result<T, E>`; the whole type, where an alias leaves it out.
pub(crate) fn error_of(ty: &Type) -> Type {
    last_segment(ty).and_then(|segment| type_args(segment).nth(1)).unwrap_or(ty).clone()
}

/// The `Item` of the bound `name<Item = …>`, if it is among the bounds.
pub(crate) fn item_of<'ty>(
    bounds: impl IntoIterator<Item = &'ty TypeParamBound>,
    name: &str,
) -> Option<&'ty Type> {
    let segment = bounds.into_iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().filter(|segment| segment.ident == name),
        _ => None,
    })?;
    let PathArguments::AngleBracketed(args) = &segment.arguments else { return None };
    args.args.iter().find_map(|arg| match arg {
        GenericArgument::AssocType(item) if item.ident == "Item" => Some(&item.ty),
        _ => None,
    })
}

/// Whether a borrow stands anywhere inside the type; `&'static` is none.
pub(crate) fn borrows(ty: &Type) -> bool {
    borrows_within(ty.to_token_stream())
}

fn borrows_within(tokens: TokenStream) -> bool {
    let is_tick =
        |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(tick)) if tick.as_char() == '\'');
    let is_static =
        |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Ident(name)) if name == "static");
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let borrows = match token {
            TokenTree::Group(group) => borrows_within(group.stream()),
            // The lifetime that follows decides; without one it is not `'static`.
            TokenTree::Punct(punct) if punct.as_char() == '&' => !is_tick(tokens.peek()),
            TokenTree::Punct(punct) if punct.as_char() == '\'' => !is_static(tokens.peek()),
            _ => false,
        };
        if borrows {
            return true;
        }
    }
    false
}

/// The type as people write it: `Vec<DynamicOutput<String>>`.
pub(crate) fn written(ty: &impl ToTokens) -> String {
    let text = ty.to_token_stream().to_string();
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        let next = rest.chars().next();
        let glued = |c: char| matches!(c, '<' | '>' | ',' | ':' | '(' | ')' | '[' | ']' | ';');
        let after = out.chars().next_back();
        let keep = character != ' '
            || !(next.is_some_and(glued) || after.is_some_and(|c| matches!(c, '<' | '(' | '[' | '&' | ':')));
        if keep {
            out.push(character);
        }
    }
    out
}
