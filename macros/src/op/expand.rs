//! From the model of an op to tokens: a thin function that gives handles, a twin in the type
//! namespace that holds the user's function, and one registered row.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::FnArg;

use super::Op;
use super::attr::Keys;
use super::forms::Container;
use super::params::{Input, Param};
use super::returns::Kind;
use crate::signature::{at, over};

pub(super) fn expand(op: &Op) -> TokenStream {
    let function = op.thin_function();
    let twin = op.twin();
    let registration = op.registration();
    quote!(#function #twin #registration)
}

impl Op {
    pub(super) fn inputs(&self) -> impl Iterator<Item = &Input> {
        self.params.iter().filter_map(|param| match param {
            Param::Input(input) => Some(&**input),
            _ => None,
        })
    }

    /// The function that a job's body calls.
    fn thin_function(&self) -> TokenStream {
        let attrs = self.function.outer_attrs();
        let (vis, ident) = (&self.function.vis, &self.function.sig.ident);
        let handle = handle(&self.returns.kind, self.returns.span);
        let names: Vec<_> = self.inputs().map(|input| &input.name).collect();
        let types: Vec<_> = self.inputs().map(|input| &input.ty).collect();
        let bounds = self.inputs().map(|Input { ty, given, .. }| {
            over(given, |span| quote_spanned!(span=> impl ::fanfold::__private::Single + ::fanfold::__private::Input<#ty>))
        });
        quote! {
            #(#attrs)*
            #[track_caller]
            #vis fn #ident(#(#names: #bounds),*) -> #handle {
                #[allow(unused_imports, reason = "which of them is needed depends on the types")]
                use ::fanfold::__private::rungs::*;
                ::fanfold::__private::call::<#ident, _, _>([
                    #(::fanfold::__private::Input::into_raw(#names, ::fanfold::__private::Erase::<#types>::ERASE)),*
                ])
            }
        }
    }

    /// The type that has the op's name, with the user's function as `call`.
    fn twin(&self) -> TokenStream {
        let (vis, ident) = (&self.function.vis, &self.function.sig.ident);
        let attrs = self.function.inner_attrs();
        let body = &self.function.body;
        let mut sig = self.function.signature_without_marks();
        let checked = self.checked_call();
        sig.ident = self.user_function();
        let visible = if checked.is_some() { None } else { Some(vis) };
        quote! {
            #[doc(hidden)]
            #[allow(non_camel_case_types, reason = "it is the twin of a function")]
            #vis enum #ident {}

            #[allow(
                clippy::needless_pass_by_value,
                clippy::trivially_copy_pass_by_ref,
                clippy::unnecessary_wraps,
                clippy::unused_async,
                clippy::must_use_candidate,
                clippy::missing_errors_doc,
                clippy::missing_panics_doc,
                clippy::ptr_arg,
                reason = "an op's signature says how it stands in a graph"
            )]
            impl #ident {
                #(#attrs)*
                #visible #sig #body
                #checked
            }
        }
    }

    /// The name under which the user's function stands in the twin.
    pub(super) fn user_function(&self) -> syn::Ident {
        let name = if self.check_form().is_some() { "__unchecked" } else { "call" };
        syn::Ident::new(name, self.function.sig.ident.span())
    }

    /// How the keys of a direct call are checked; `None` where there are none to check.
    fn check_form(&self) -> Option<Container> {
        match (&self.returns.kind, &self.attr.dynamic) {
            (Kind::Dynamic { items, .. }, Some(Keys::Given)) => Some(items.container),
            _ => None,
        }
    }

    /// `call` of an op whose keys are checked.
    fn checked_call(&self) -> Option<TokenStream> {
        let container = self.check_form()?;
        let vis = &self.function.vis;
        let mut sig = self.function.signature_without_marks();
        sig.ident = syn::Ident::new("call", sig.ident.span());
        let mut names = Vec::new();
        for (index, input) in sig.inputs.iter_mut().enumerate() {
            if let FnArg::Typed(param) = input {
                let name = format_ident!("input_{index}");
                *param.pat = syn::Pat::Verbatim(quote!(#name));
                param.attrs.clear();
                names.push(name);
            }
        }
        let op = self.function.name();
        let wait = sig.asyncness.map(|_| quote!(.await));
        let check = |items: TokenStream| match container {
            Container::List => quote!(::fanfold::__private::check_all(#op, #items)),
            Container::Iterator => quote!(::fanfold::__private::Checked::new(#op, #items)),
            Container::BoxedIterator => {
                quote!(::std::boxed::Box::new(::fanfold::__private::Checked::new(#op, #items)))
            }
            Container::Stream => quote!(::fanfold::__private::CheckedStream::new(#op, #items)),
            Container::BoxedStream => {
                quote!(::std::boxed::Box::pin(::fanfold::__private::CheckedStream::new(#op, #items)))
            }
        };
        let call = quote!(Self::__unchecked(#(#names),*)#wait);
        let body = match (self.returns.error.is_some(), self.returns.optional) {
            (false, false) => check(call),
            (true, true) => {
                let checked = check(quote!(items));
                quote!(::core::result::Result::Ok(#call?.map(|items| #checked)))
            }
            (fallible, _) => {
                let checked = check(quote!(items));
                let mapped = if fallible {
                    quote!(::core::result::Result::Ok)
                } else {
                    quote!(::core::option::Option::Some)
                };
                quote!({ let items = #call?; #mapped(#checked) })
            }
        };
        Some(quote!(#vis #sig { #body }))
    }

    /// The row, and what it points to.
    fn registration(&self) -> TokenStream {
        let ident = &self.function.sig.ident;
        let row = self.row();
        let run = self.run();
        let not_result = self.not_a_hidden_result();
        quote! {
            const _: () = {
                #[allow(unused_imports, reason = "which of them is needed depends on the types")]
                use ::fanfold::__private::rungs::*;

                #run
                #[allow(clippy::needless_update, reason = "all options may have been said")]
                static __OP: ::fanfold::__private::OpDef = #row;

                impl ::fanfold::__private::Op for #ident {
                    fn def() -> &'static ::fanfold::__private::OpDef {
                        &__OP
                    }
                }

                ::fanfold::__private::inventory::submit!(::fanfold::__private::RegisteredOp(&__OP));
                #not_result
            };
        }
    }

    /// The type of the value, if it could be an alias of `Result`.
    pub(super) fn may_hide_a_result(&self) -> Option<&syn::Type> {
        match &self.returns.kind {
            Kind::One(value @ syn::Type::Path(_)) if self.returns.error.is_none() => Some(value),
            _ => None,
        }
    }

    /// Refuses an alias of `Result` under another name: its error would be taken for a value.
    fn not_a_hidden_result(&self) -> Option<TokenStream> {
        let value = self.may_hide_a_result()?;
        let message = format!(
            "`{}` returns a `Result` under another name, so that its errors would pass for values: write `Result<T, E>`",
            self.function.name()
        );
        let span = at(self.returns.span);
        Some(quote_spanned! {span=>
            const _: () = ::core::assert!(!::fanfold::__private::Kind::<#value>::RESULT, #message);
        })
    }
}

/// The handle that a call gives.
pub(super) fn handle(kind: &Kind, span: Span) -> TokenStream {
    match kind {
        Kind::Nothing => quote!(::fanfold::Done),
        Kind::One(value) => quote!(::fanfold::Out<#value>),
        Kind::Dynamic { value, .. } => quote!(::fanfold::DynamicOut<#value>),
        Kind::Outputs(set) => {
            over(set, |span| quote_spanned!(span=> <#set as ::fanfold::__private::OutputsOf>::Handles))
        }
        Kind::OutputItems { item, .. } => {
            let set = set_of(item, span);
            quote!(<#set as ::fanfold::__private::OutputsOf>::Handles)
        }
    }
}

/// The set that an item is part of.
pub(super) fn set_of(item: &syn::Type, span: Span) -> TokenStream {
    quote_spanned!(at(span)=> <#item as ::fanfold::__private::OutputsItem>::Set)
}
