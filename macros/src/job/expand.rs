//! From the model of a job to tokens.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned as _;

use super::{Job, Part, span_of};
use crate::options::option;
use crate::signature::{at, over};

pub(super) fn expand(job: &Job) -> TokenStream {
    let named = job.named_type();
    let registration = job.registration();
    quote!(#named #registration)
}

impl Job {
    /// The type that has the job's name: `letters::job()`, and the user's body.
    fn named_type(&self) -> TokenStream {
        let function = &self.function;
        let (vis, ident) = (&function.vis, &function.sig.ident);
        let docs = function.attrs.iter().filter(|attr| attr.path().is_ident("doc"));
        let attrs = function.inner_attrs();
        let body = &function.body;
        let mut sig = function.signature_without_marks();
        sig.ident = syn::Ident::new("__body", ident.span());
        let args: Vec<_> = self.args.iter().map(|arg| &arg.ty).collect();
        let places = (0..args.len()).map(syn::Index::from);
        let erase = if args.is_empty() {
            quote!(|()| ::std::vec::Vec::new())
        } else {
            quote!(|args: (#(#args,)*)| ::std::vec![#(::fanfold::__private::default(args.#places)),*])
        };
        let (results, read) = (self.result_type(), self.read());
        quote! {
            #(#docs)*
            #[allow(non_camel_case_types, reason = "it has the name of a function")]
            #vis enum #ident {}

            impl #ident {
                /// The job, to be looked at, tested, or run from a program.
                #[must_use]
                #[allow(dead_code, reason = "the binary finds the job in the registry")]
                #vis fn job() -> ::fanfold::Job<(#(#args,)*), #results> {
                    #[allow(unused_imports, reason = "which of them is needed depends on the types")]
                    use ::fanfold::__private::rungs::*;
                    ::fanfold::Job::new(
                        <Self as ::fanfold::__private::JobRow>::def(),
                        #erase,
                        #read,
                    )
                }

                #(#attrs)*
                #[allow(clippy::needless_pass_by_value, reason = "a job's signature says what its arguments are")]
                #sig #body
            }
        }
    }

    /// The type that a caller gets.
    fn result_type(&self) -> TokenStream {
        let parts = self.results.parts.iter().map(|part| match part {
            Part::Out(ty) => quote!(#ty),
            Part::Done => quote!(()),
        });
        if self.results.tuple { quote!((#(#parts,)*)) } else { quote!(#(#parts)*) }
    }

    /// The function that gives the results their types.
    fn read(&self) -> TokenStream {
        if self.results.parts.is_empty() {
            return quote!(|_| {});
        }
        let parts = self.results.parts.iter().map(|part| match part {
            Part::Out(ty) => quote! {
                (&&::fanfold::__private::JobResult::<#ty>::new()).own(::fanfold::__private::next(&mut values))
            },
            Part::Done => quote!(::core::mem::drop(::fanfold::__private::next(&mut values))),
        });
        let parts = if self.results.tuple { quote!((#(#parts,)*)) } else { quote!(#(#parts)*) };
        quote! {
            |values| {
                let mut values = values.into_iter();
                #parts
            }
        }
    }

    fn registration(&self) -> TokenStream {
        let function = &self.function;
        let ident = &function.sig.ident;
        let row = self.row();
        quote! {
            const _: () = {
                #[allow(unused_imports, reason = "which of them is needed depends on the types")]
                use ::fanfold::__private::rungs::*;

                #[allow(clippy::needless_update, reason = "all options may have been said")]
                static __JOB: ::fanfold::__private::JobDef = #row;

                impl ::fanfold::__private::JobRow for #ident {
                    fn def() -> &'static ::fanfold::__private::JobDef {
                        &__JOB
                    }
                }

                ::fanfold::__private::inventory::submit!(::fanfold::__private::RegisteredJob(&__JOB));
            };
        }
    }

    fn row(&self) -> TokenStream {
        let function = self.function.name();
        let name = self.attr.name.as_deref().unwrap_or(&function);
        let ident = &self.function.sig.ident;
        let doc = self.function.doc_text();
        let args = self.args.iter().map(arg_row);
        let handles = (0_u32..).zip(&self.args).map(|(index, arg)| {
            let ty = &arg.ty;
            quote!(::fanfold::__private::argument::<#ty>(#index, ::fanfold::__private::Info::<#ty>::INFO))
        });
        let results = self.results.parts.iter().map(result_row);
        let options = crate::options::said(&quote!(::fanfold::JobOptions), &self.attr.options);
        let on_success = option(self.attr.on_success.as_ref().map(hook));
        let on_failure = option(self.attr.on_failure.as_ref().map(hook));
        quote! {
            ::fanfold::__private::JobDef {
                name: #name,
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                doc: #doc,
                args: &[#(#args),*],
                results: &[#(#results),*],
                options: #options,
                on_success: #on_success,
                on_failure: #on_failure,
                build: || ::fanfold::__private::returned(#ident::__body(#(#handles),*)),
                panic_aborts: ::core::cfg!(panic = "abort"),
            }
        }
    }
}

fn arg_row(arg: &super::Arg) -> TokenStream {
    let super::Arg { name, doc, ty, default } = arg;
    let default = option(default.as_ref().map(|value| {
        quote! {
            || {
                let value: #ty = #value;
                ::fanfold::__private::default(value)
            }
        }
    }));
    let row = over(
        ty,
        |span| quote_spanned!(span=> <::fanfold::__private::Flag as ::fanfold::__private::Reads<#ty>>::ARG),
    );
    quote! {
        ::fanfold::__private::ArgDef {
            name: #name,
            doc: #doc,
            info: ::fanfold::__private::Info::<#ty>::INFO,
            default: #default,
            ..#row
        }
    }
}

fn result_row(part: &Part) -> TokenStream {
    match part {
        Part::Out(ty) => quote_spanned! {at(span_of(part))=>
            ::fanfold::__private::ResultDef {
                info: ::fanfold::__private::Info::<#ty>::INFO,
                read: |value| (&&&&&::fanfold::__private::Take::<#ty>::new())
                    .shared(&mut ::core::option::Option::Some(value), ::fanfold::__private::downcast),
            }
        },
        Part::Done => quote! {
            ::fanfold::__private::ResultDef {
                info: ::fanfold::__private::Info::<()>::INFO,
                read: |value| value,
            }
        },
    }
}

/// A function of the user's that is told how a run ended, `async` or not.
fn hook(function: &Path) -> TokenStream {
    quote_spanned! {at(function.span())=>
        ::fanfold::__private::Hook(|report| ::std::boxed::Box::pin(async move {
            ::fanfold::__private::Hooked(#function(&report)).ended().await;
        }))
    }
}
