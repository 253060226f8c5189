//! The parameters of an op: what it reads, its context, its resources.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt as _;
use syn::{Ident, PatType, Type};

use crate::report::Report;
use crate::signature::{self, Function};
use crate::types::{borrows, inside, is_named, plain, written};

/// One parameter.
pub(super) enum Param {
    /// `ctx: &OpContext`.
    Context,
    /// `#[resource] db: &Db` or `Arc<Db>`.
    Resource { ty: Box<Type>, shared: bool },
    /// A value that the op reads.
    Input(Box<Input>),
}

/// A value that the op reads.
pub(super) struct Input {
    /// Its name in the thin function.
    pub(super) name: Ident,
    /// Its name for people.
    pub(super) label: String,
    /// How the parameter reads it.
    pub(super) read: Read,
    /// The type that flows along the edge: `String` for `&str`.
    pub(super) ty: TokenStream,
    /// The parameter's type for people.
    pub(super) written: String,
    /// Marked `#[transient]`: the value is never recorded.
    pub(super) transient: bool,
    /// The type as it was written.
    pub(super) given: Type,
}

/// How a parameter reads its value.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Read {
    /// `T`: for its own.
    Owned,
    /// `&T`.
    Lent,
    /// `Arc<T>`.
    Shared,
    /// `Vec<Arc<T>>`, `Option<Arc<T>>`: each part shared.
    Parts,
}

/// Reads all parameters; those that cannot be are reported.
pub(super) fn read(function: &Function, report: &mut Report) -> Vec<Param> {
    let params = function.params().enumerate();
    params.filter_map(|(index, param)| read_one(index, param, report)).collect()
}

fn read_one(index: usize, param: &PatType, report: &mut Report) -> Option<Param> {
    let name = signature::param_name(param, "an op", report).cloned();
    for attr in param.attrs.iter().filter(|attr| attr.path().is_ident("arg")) {
        report.at(attr, "`#[arg]` stands on the parameters of a job, not of an op");
    }
    if param.attrs.iter().any(|attr| attr.path().is_ident("resource")) {
        return resource(&param.ty, report);
    }
    let ty = plain(&param.ty);
    if let Some(context) = context(ty, report) {
        return Some(context);
    }
    let (read, flows) = edge(ty, report)?;
    let input = Input {
        label: name.as_ref().map_or_else(|| format!("input_{index}"), |name| name.unraw().to_string()),
        name: thin_name(name, index),
        read,
        written: written(&ty),
        transient: param.attrs.iter().any(|attr| attr.path().is_ident("transient")),
        given: ty.clone(),
        ty: flows,
    };
    Some(Param::Input(Box::new(input)))
}

/// The user's name, as if the macro had written it: a `_unused` of theirs is used here.
fn thin_name(name: Option<Ident>, index: usize) -> Ident {
    match name {
        Some(mut name) => {
            name.set_span(signature::at(name.span()));
            name
        }
        None => format_ident!("input_{index}", span = Span::call_site()),
    }
}

fn context(ty: &Type, report: &mut Report) -> Option<Param> {
    match ty {
        Type::Reference(reference) if is_named(&reference.elem, "OpContext") => {
            if reference.mutability.is_some() {
                report.at(ty, "an op's context is shared\n\nhelp: write `&OpContext`");
            }
            Some(Param::Context)
        }
        ty if is_named(ty, "OpContext") => {
            report.at(ty, "an op's context is lent to it\n\nhelp: write `&OpContext`");
            Some(Param::Context)
        }
        _ => None,
    }
}

fn resource(ty: &Type, report: &mut Report) -> Option<Param> {
    let (ty, shared) = match plain(ty) {
        Type::Reference(reference) if reference.mutability.is_none() => ((*reference.elem).clone(), false),
        ty => match inside(ty, "Arc") {
            Some(inner) => (inner.clone(), true),
            None => {
                let name = written(&ty).replace("&mut ", "");
                report.at(
                    ty,
                    format!("a resource is shared by all steps\n\nhelp: write `&{name}` or `Arc<{name}>`"),
                );
                return None;
            }
        },
    };
    Some(Param::Resource { ty: Box::new(ty), shared })
}

/// How a parameter's type reads its value, and the type that flows along the edge.
fn edge(ty: &Type, report: &mut Report) -> Option<(Read, TokenStream)> {
    let (read, flows) = match ty {
        Type::Reference(reference) => {
            if let Some(mutability) = reference.mutability {
                report.at(
                    mutability,
                    "an op cannot change what other steps read\n\nhelp: take it by value, and give the changed value back",
                );
                return None;
            }
            (Read::Lent, unsized_owner(plain(&reference.elem)))
        }
        Type::ImplTrait(_) => {
            report.at(
                ty,
                "a parameter of an op has one type: it cannot be `impl Trait`\n\nnote: the op is registered once, under its name",
            );
            return None;
        }
        ty => match shared_parts(ty) {
            Some(parts) => parts,
            None => (Read::Owned, quote!(#ty)),
        },
    };
    let owned = syn::parse2::<Type>(flows.clone()).ok();
    if owned.is_some_and(|owned| borrows(&owned)) {
        report.at(
            ty,
            "a parameter of an op cannot borrow inside its type\n\nhelp: write `T`, `&T`, `Arc<T>`, `Option<T>` or `Option<Arc<T>>`, where `T` owns what it holds",
        );
        return None;
    }
    Some((read, flows))
}

/// The type that owns what `&str`, `&[T]` and `&Path` lend.
fn unsized_owner(lent: &Type) -> TokenStream {
    match lent {
        Type::Slice(slice) => {
            let element = &slice.elem;
            quote!(::std::vec::Vec<#element>)
        }
        Type::Path(path) if path.path.is_ident("str") => quote!(::std::string::String),
        ty if is_named(ty, "Path") => quote!(::std::path::PathBuf),
        ty => quote!(#ty),
    }
}

/// `Arc<T>`, `Vec<Arc<T>>` and `Option<Arc<T>>`.
fn shared_parts(ty: &Type) -> Option<(Read, TokenStream)> {
    if let Some(inner) = inside(ty, "Arc") {
        return Some((Read::Shared, unsized_owner(inner)));
    }
    for (outer, path) in [("Vec", quote!(::std::vec::Vec)), ("Option", quote!(::core::option::Option))] {
        if let Some(part) = inside(ty, outer).and_then(|inner| inside(inner, "Arc")) {
            return Some((Read::Parts, quote!(#path<#part>)));
        }
    }
    None
}
