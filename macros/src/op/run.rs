//! The function that the engine calls: it takes the inputs, calls the user's function, and gives what
//! that returned.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::Op;
use super::attr::Keys;
use super::forms::Items;
use super::params::{Input, Param, Read};
use super::returns::Kind;
use crate::signature::{at, op_error, over};

impl Op {
    /// The function that the engine calls.
    pub(super) fn run(&self) -> TokenStream {
        let body = self.run_body();
        let emits =
            matches!(self.returns.kind, Kind::Dynamic { .. } | Kind::Outputs(_) | Kind::OutputItems { .. });
        let result = quote!(::core::result::Result<::fanfold::__private::Outputs, ::fanfold::OpError>);
        if !emits && self.function.sig.asyncness.is_none() {
            return quote! {
                #[allow(unused_variables, reason = "an op need not read its inputs and its context")]
                fn __run(inputs: &mut ::fanfold::__private::Inputs, ctx: &::fanfold::OpContext) -> #result {
                    #body
                }
            };
        }
        let emission = emits.then(|| quote!(emission: ::fanfold::__private::Emission,));
        quote! {
            #[allow(unused_mut, unused_variables, reason = "an op need not read its inputs and its context")]
            fn __run(
                mut inputs: ::std::vec::Vec<::core::option::Option<::fanfold::__private::AnyValue>>,
                ctx: ::fanfold::OpContext,
                #emission
            ) -> ::fanfold::__private::BoxFuture<#result> {
                ::std::boxed::Box::pin(async move {
                    let ctx = &ctx;
                    #body
                })
            }
        }
    }

    /// Takes the inputs, calls the user's function, gives what it returned.
    fn run_body(&self) -> TokenStream {
        let ident = &self.function.sig.ident;
        let call = self.user_function();
        let mut takes = Vec::new();
        let mut args = Vec::new();
        let mut slot = 0_usize;
        for param in &self.params {
            match param {
                Param::Context => args.push(quote!(ctx)),
                Param::Resource { ty, shared } => {
                    let resource = format_ident!("resource_{}", args.len());
                    takes.push(quote!(let #resource = ctx.resource::<#ty>();));
                    args.push(if *shared { quote!(#resource) } else { quote!(&#resource) });
                }
                Param::Input(input) => {
                    let name = format_ident!("input_{slot}");
                    takes.push(take(ident, input, &name, slot));
                    args.push(if input.read == Read::Lent { quote!(&#name) } else { quote!(#name) });
                    slot += 1;
                }
            }
        }
        let wait = self.function.sig.asyncness.map(|_| quote!(.await));
        let give = self.give();
        quote! {
            #(#takes)*
            let given = #ident::#call(#(#args),*)#wait;
            #give
        }
    }

    /// What is made of `given`, which the user's function returned.
    fn give(&self) -> TokenStream {
        let span = at(self.returns.span);
        let caught = self.returns.error.as_ref().map(|error| {
            let error = op_error(error);
            quote_spanned! {span=>
                let given = match given {
                    ::core::result::Result::Ok(given) => given,
                    ::core::result::Result::Err(error) => {
                        return #error;
                    }
                };
            }
        });
        let nothing = self.returns.optional.then(|| {
            quote_spanned! {span=>
                let ::core::option::Option::Some(given) = given else {
                    return ::core::result::Result::Ok(::fanfold::__private::Outputs::One(::core::option::Option::None));
                };
            }
        });
        let (op, transient) = (&self.function.sig.ident, self.attr.transient);
        let given = match &self.returns.kind {
            Kind::Nothing => quote_spanned! {span=>
                let () = given;
                ::core::result::Result::Ok(::fanfold::__private::Outputs::None)
            },
            Kind::One(value) => {
                let erased = over(value, |span| {
                    let mode = mode(transient, span);
                    let hidden = self
                        .may_hide_a_result()
                        .map(|ty| quote!(, { ::fanfold::__private::Kind::<#ty>::RESULT }));
                    quote_spanned!(span=> <#mode as ::fanfold::__private::Gives<#op, #value #hidden>>::erased)
                });
                quote_spanned! {span=>
                    let erased: fn(#value) -> ::fanfold::__private::AnyValue = #erased;
                    ::core::result::Result::Ok(::fanfold::__private::Outputs::One(::core::option::Option::Some(erased(given))))
                }
            }
            Kind::Outputs(set) => quote_spanned! {span=>
                ::fanfold::__private::Set::<#set>::emit(given, emission).await
            },
            Kind::OutputItems { items, item } => {
                let emit =
                    if items.container.is_stream() { quote!(emit_items_stream) } else { quote!(emit_items) };
                let convert = convert(&Keys::Given, items, &quote!(#item), span);
                quote_spanned!(span=> ::fanfold::__private::#emit::<_, #item>(given, #convert, emission).await)
            }
            Kind::Dynamic { items, value } => {
                let emit = if items.container.is_stream() { quote!(emit_stream) } else { quote!(emit) };
                let keys = self.attr.dynamic.as_ref().unwrap_or(&Keys::Given);
                let item = match keys {
                    Keys::Given => quote!(::fanfold::DynamicOutput<#value>),
                    Keys::ByIndex | Keys::Of(_) => quote!(#value),
                };
                let convert = convert(keys, items, &item, span);
                let erase = over(value, |span| {
                    let mode = mode(transient, span);
                    quote_spanned!(span=> <#mode as ::fanfold::__private::Gives<#op, #value>>::erased)
                });
                quote_spanned! {span=>
                    ::fanfold::__private::#emit(given, #convert, #erase, emission).await
                }
            }
        };
        quote!(#caught #nothing #given)
    }
}

/// The closure that makes a `Result<DynamicOutput<T>, OpError>` of an item as the op gave it.
fn convert(keys: &Keys, items: &Items, item: &TokenStream, span: Span) -> TokenStream {
    let keyed = match keys {
        Keys::Given => quote!(item),
        Keys::ByIndex => quote!(by_index.item(item)),
        Keys::Of(closure) => {
            let (input, body) = (&closure.inputs, &closure.body);
            quote!({
                let key: fn(&#item) -> ::fanfold::Key = |#input| ::fanfold::Key::new(#body);
                ::fanfold::DynamicOutput::new(key(&item), item)
            })
        }
    };
    let convert = if let Some(error) = &items.error {
        let error = op_error(error);
        quote_spanned! {span=>
            move |item: ::core::result::Result<#item, _>| match item {
                ::core::result::Result::Ok(item) => ::core::result::Result::Ok(#keyed),
                ::core::result::Result::Err(error) => #error,
            }
        }
    } else {
        quote_spanned!(span=> move |item: #item| ::core::result::Result::Ok(#keyed))
    };
    match keys {
        Keys::ByIndex => quote!({
            let mut by_index = ::fanfold::__private::ByIndex::default();
            #convert
        }),
        Keys::Given | Keys::Of(_) => convert,
    }
}

/// Takes one input out of its slot. The type's obligations are paths of their own, see [`over`].
fn take(op: &syn::Ident, input: &Input, name: &syn::Ident, slot: usize) -> TokenStream {
    let Input { ty, read, transient, given, .. } = input;
    let slot = Literal::usize_unsuffixed(slot);
    let typed = over(given, |span| {
        let mode = mode(*transient, span);
        quote_spanned!(span=> <#mode as ::fanfold::__private::Takes<#op, #ty>>::typed)
    });
    let take = match read {
        Read::Owned => {
            let own = over(
                given,
                |span| quote_spanned!(span=> <::fanfold::__private::Recorded as ::fanfold::__private::Copies<#op, #ty>>::own),
            );
            quote!(owned(&mut inputs[#slot], #typed, #own))
        }
        Read::Lent | Read::Shared => quote!(shared(&mut inputs[#slot], #typed)),
        Read::Parts => quote!(parts(&mut inputs[#slot], #typed)),
    };
    quote!(let #name = (&&&&&::fanfold::__private::Take::<#ty>::new()).#take;)
}

fn mode(transient: bool, span: Span) -> TokenStream {
    if transient {
        quote_spanned!(span=> ::fanfold::__private::Transient)
    } else {
        quote_spanned!(span=> ::fanfold::__private::Recorded)
    }
}
