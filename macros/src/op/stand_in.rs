//! What stands in the place of an op with a mistake, so that its uses give no errors of their own.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::expand::handle;
use super::returns::Returns;
use crate::signature::Function;

/// The function with the op's name, which takes anything; and the user's function, whose body rustc
/// still checks.
pub(super) fn expand(function: &Function, returns: Option<&Returns>) -> TokenStream {
    if function.sig.receiver().is_some() {
        // A method stands in an `impl`, where there is no room for anything else.
        return function.as_written();
    }
    let attrs = function.outer_attrs();
    let (vis, ident) = (&function.vis, &function.sig.ident);
    let handle =
        returns.map_or_else(|| quote!(::fanfold::Wrong), |returns| handle(&returns.kind, returns.span));
    let inputs = function.params().filter(|param| !is_given_by_the_engine(param)).count();
    let names = (0..inputs).map(|index| format_ident!("_input_{index}"));
    let thin = quote! {
        #(#attrs)*
        #[allow(unused, reason = "the op does not compile")]
        #vis fn #ident(#(#names: impl ::core::marker::Sized),*) -> #handle {
            ::core::unreachable!()
        }
    };
    if super::is_primitive(&function.name()) {
        return thin;
    }
    let inner = function.inner_attrs();
    let body = &function.body;
    let mut sig = function.signature_without_marks();
    sig.ident = syn::Ident::new("call", ident.span());
    quote! {
        #thin

        #[doc(hidden)]
        #[allow(non_camel_case_types, reason = "it is the twin of a function")]
        #vis enum #ident {}

        #[allow(unused, reason = "the op does not compile")]
        impl #ident {
            #(#inner)*
            #vis #sig #body
        }
    }
}

/// Whether a parameter is no input: a context or a resource.
fn is_given_by_the_engine(param: &syn::PatType) -> bool {
    let is_context = matches!(&*param.ty, syn::Type::Reference(reference) if crate::types::is_named(&reference.elem, "OpContext"));
    is_context
        || crate::types::is_named(&param.ty, "OpContext")
        || param.attrs.iter().any(|attr| attr.path().is_ident("resource"))
}
