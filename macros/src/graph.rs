//! `#[graph]`: a function over handles whose steps are named under it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{FnArg, GenericParam, Token, Type, TypeParamBound, parse_quote};

use crate::args::{Args, Known};
use crate::report::Report;
use crate::signature::Function;

const KNOWN: &[Known] = &[Known::new("name", "name = \"clean\"")];

/// Expands `#[graph]`.
pub(crate) fn graph(attr: TokenStream, item: TokenStream) -> TokenStream {
    Report::around(|report| {
        let Some(mut function) = Function::parse_for("`#[graph]`", item.clone(), report) else { return item };
        let args = Args::parse("`#[graph]`", KNOWN, attr, report);
        let name = args.read("name", report, crate::options::text).unwrap_or_else(|| function.name());
        if let Some(token) = &function.sig.asyncness {
            report.at(
                token,
                "a graph cannot be `async`: its body only says how ops fit together\n\nhelp: remove `async`; ops may be `async`",
            );
        }
        function.check_kind("a graph", report);
        add_bounds(&mut function);
        expand(&function, &name)
    })
}

fn expand(function: &Function, name: &str) -> TokenStream {
    let Function { attrs, vis, sig, body } = function;
    let guard = Ident::new("guard", Span::mixed_site());
    let body = body.stream();
    quote! {
        #(#attrs)*
        #vis #sig {
            let #guard = ::fanfold::__private::enter(#name);
            #body
        }
    }
}

/// Whoever writes `impl Input<i64>` means one value: what ops ask for beside `Input` is added.
fn add_bounds(function: &mut Function) {
    for input in &mut function.sig.inputs {
        if let FnArg::Typed(param) = input
            && let Type::ImplTrait(opaque) = &mut *param.ty
        {
            add_single(&mut opaque.bounds);
        }
    }
    for param in &mut function.sig.generics.params {
        if let GenericParam::Type(param) = param {
            add_single(&mut param.bounds);
        }
    }
}

fn add_single(bounds: &mut Punctuated<TypeParamBound, Token![+]>) {
    let is_input = |bound: &TypeParamBound| matches!(bound, TypeParamBound::Trait(bound) if bound.path.segments.last().is_some_and(|last| last.ident == "Input"));
    if bounds.iter().any(is_input) {
        bounds.push(parse_quote!(::fanfold::__private::Single));
    }
}
