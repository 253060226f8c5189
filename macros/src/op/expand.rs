//! From the model of an op to tokens: a thin function that gives handles, a twin in the type
//! namespace that holds the user's function, and one registered row.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::FnArg;

use super::Op;
use super::attr::Keys;
use super::params::{Input, Param, Read};
use super::returns::{Container, Items, Kind};
use crate::signature::{at, over};

pub(super) fn expand(op: &Op) -> TokenStream {
    let function = op.thin_function();
    let twin = op.twin();
    let registration = op.registration();
    quote!(#function #twin #registration)
}

impl Op {
    fn inputs(&self) -> impl Iterator<Item = &Input> {
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
    fn user_function(&self) -> syn::Ident {
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
        let body = match (self.returns.fallible, self.returns.optional) {
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

    fn row(&self) -> TokenStream {
        let function = self.function.name();
        let name = self.attr.name.as_deref().unwrap_or(&function);
        let doc = self.function.doc_text();
        let params = self.inputs().map(|input| {
            let Input { ty, written, read, .. } = input;
            let name = &input.label;
            let owned = *read == Read::Owned;
            quote! {
                ::fanfold::__private::ParamDef {
                    name: #name,
                    type_name: #written,
                    optional: ::fanfold::__private::Kind::<#ty>::OPTIONAL,
                    owned: #owned,
                }
            }
        });
        let resources = self.params.iter().filter_map(|param| match param {
            Param::Resource { ty, .. } => Some(resource_use(ty)),
            _ => None,
        });
        let outputs = self.outputs();
        let fields = &self.attr.options;
        let run = match &self.returns.kind {
            Kind::Dynamic { .. } | Kind::Outputs(_) | Kind::OutputItems { .. } => quote!(Emitter),
            Kind::Nothing | Kind::One(_) if self.function.sig.asyncness.is_some() => quote!(Async),
            Kind::Nothing | Kind::One(_) => quote!(Sync),
        };
        quote! {
            ::fanfold::__private::OpDef {
                name: #name,
                module: ::core::module_path!(),
                function: #function,
                file: ::core::file!(),
                line: ::core::line!(),
                doc: #doc,
                params: &[#(#params),*],
                outputs: #outputs,
                resources: &[#(#resources),*],
                options: ::fanfold::OpOptions { #(#fields,)* ..::fanfold::OpOptions::DEFAULT },
                run: ::fanfold::__private::Run::#run(__run),
            }
        }
    }

    fn outputs(&self) -> TokenStream {
        let (value, kind) = match &self.returns.kind {
            Kind::Nothing => return quote!(&[]),
            Kind::Outputs(set) => return quote!(::fanfold::__private::Set::<#set>::OUTPUTS),
            Kind::OutputItems { item, .. } => {
                let set = set_of(item, self.returns.span);
                return quote!(<#set as ::fanfold::__private::OutputsOf>::OUTPUTS);
            }
            Kind::One(value) => (value, quote!(Single)),
            Kind::Dynamic { value, .. } => (value, quote!(Dynamic)),
        };
        let info = if self.attr.transient {
            quote!(<::fanfold::__private::Info<#value> as ::fanfold::__private::InfoAny>::INFO)
        } else {
            quote!(::fanfold::__private::Info::<#value>::INFO)
        };
        let optional = self.returns.optional;
        quote! {
            &[::fanfold::__private::OutputDef {
                name: "result",
                kind: ::fanfold::__private::OutputKind::#kind,
                info: #info,
                optional: #optional,
            }]
        }
    }

    /// Refuses an alias of `Result` under another name: its error would be taken for a value.
    fn not_a_hidden_result(&self) -> Option<TokenStream> {
        let Kind::One(value @ syn::Type::Path(_)) = &self.returns.kind else { return None };
        if self.returns.fallible {
            return None;
        }
        let message = format!(
            "`{}` returns a `Result` under another name, so that its errors would pass for values: write `Result<T, E>`",
            self.function.name()
        );
        let span = at(self.returns.span);
        Some(quote_spanned! {span=>
            const _: () = ::core::assert!(!::fanfold::__private::Kind::<#value>::RESULT, #message);
        })
    }

    /// The function that the engine calls.
    fn run(&self) -> TokenStream {
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
        let caught = self.returns.fallible.then(|| {
            quote_spanned! {span=>
                let given = match given {
                    ::core::result::Result::Ok(given) => given,
                    ::core::result::Result::Err(error) => {
                        return ::core::result::Result::Err((&&&&::fanfold::__private::Caught(&error)).op_error());
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
        let (op, mode) = (&self.function.sig.ident, mode(self.attr.transient));
        let given = match &self.returns.kind {
            Kind::Nothing => quote_spanned! {span=>
                let () = given;
                ::core::result::Result::Ok(::fanfold::__private::Outputs::None)
            },
            Kind::One(value) => {
                let give = over(
                    value,
                    |span| quote_spanned!(span=> ::fanfold::__private::Give::<#mode, #op, #value>::one),
                );
                quote_spanned!(span=> ::core::result::Result::Ok(#give(given)))
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
                let erase = over(
                    value,
                    |span| quote_spanned!(span=> <#mode as ::fanfold::__private::Gives<#op, #value>>::erased),
                );
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
    let convert = if items.fallible {
        quote_spanned! {span=>
            move |item: ::core::result::Result<#item, _>| match item {
                ::core::result::Result::Ok(item) => ::core::result::Result::Ok(#keyed),
                ::core::result::Result::Err(error) => {
                    ::core::result::Result::Err((&&&&::fanfold::__private::Caught(&error)).op_error())
                }
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
    let mode = mode(*transient);
    let typed =
        over(given, |span| quote_spanned!(span=> <#mode as ::fanfold::__private::Takes<#op, #ty>>::typed));
    let take = match read {
        Read::Owned => {
            let recorded = quote!(::fanfold::__private::Recorded);
            let own = over(
                given,
                |span| quote_spanned!(span=> <#recorded as ::fanfold::__private::Copies<#op, #ty>>::own),
            );
            quote!(owned(&mut inputs[#slot], #typed, #own))
        }
        Read::Lent | Read::Shared => quote!(shared(&mut inputs[#slot], #typed)),
        Read::Parts => quote!(parts(&mut inputs[#slot], #typed)),
    };
    quote!(let #name = (&&&&&::fanfold::__private::Take::<#ty>::new()).#take;)
}

fn mode(transient: bool) -> TokenStream {
    if transient { quote!(::fanfold::__private::Transient) } else { quote!(::fanfold::__private::Recorded) }
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

fn set_of(item: &syn::Type, span: Span) -> TokenStream {
    quote_spanned!(at(span)=> <#item as ::fanfold::__private::OutputsItem>::Set)
}

/// A resource that an op or another resource takes.
pub(crate) fn resource_use(ty: &syn::Type) -> TokenStream {
    quote! {
        ::fanfold::__private::ResourceUse {
            type_id: ::core::any::TypeId::of::<#ty>,
            type_name: ::core::any::type_name::<#ty>,
        }
    }
}
