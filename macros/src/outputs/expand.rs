//! From a set of outputs to tokens: what the engine reads, the struct of handles, the enum of items.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{DeriveInput, Ident};

use super::Output;
use crate::signature::over;

pub(super) fn expand(input: &DeriveInput, outputs: &[Output]) -> TokenStream {
    let set = outputs_of(input, outputs);
    let handles = handles(input, outputs);
    let items = items(input, outputs);
    quote!(#set #handles #items)
}

/// What the engine reads.
fn outputs_of(input: &DeriveInput, outputs: &[Output]) -> TokenStream {
    let set = &input.ident;
    let handles = handles_ident(input);
    let rows = outputs.iter().map(|output| {
        let Output { name, value, optional, .. } = output;
        let kind = if output.dynamic { quote!(Dynamic) } else { quote!(Single) };
        quote! {
            ::fanfold::__private::OutputDef {
                name: #name,
                kind: ::fanfold::__private::OutputKind::#kind,
                info: ::fanfold::__private::Info::<#value>::INFO,
                optional: #optional,
            }
        }
    });
    let given = outputs.iter().map(|output| {
        let Output { ident, value, dynamic, optional, given, .. } = output;
        let give = match (dynamic, optional) {
            (false, false) => quote!(one),
            (false, true) => quote!(maybe_one),
            (true, false) => quote!(items),
            (true, true) => quote!(maybe_items),
        };
        let erase = over(given, |span| quote_spanned!(span=> <::fanfold::__private::Recorded as ::fanfold::__private::Gives<#set, #value>>::erased));
        quote!(::fanfold::__private::Given::#give(self.#ident, #erase))
    });
    quote! {
        const _: () = {
            #[allow(unused_imports, reason = "which of them is needed depends on the types")]
            use ::fanfold::__private::rungs::*;

            #[automatically_derived]
            impl ::fanfold::__private::OutputsOf for #set {
                type Handles = #handles;
                const OUTPUTS: &'static [::fanfold::__private::OutputDef] = &[#(#rows),*];

                fn given(self) -> ::std::vec::Vec<::fanfold::__private::Given> {
                    ::std::vec![#(#given),*]
                }
            }
        };
    }
}

fn handles_ident(input: &DeriveInput) -> Ident {
    format_ident!("{}Outputs", input.ident)
}

fn handle(output: &Output) -> TokenStream {
    let value = &output.value;
    if output.dynamic { quote!(::fanfold::DynamicOut<#value>) } else { quote!(::fanfold::Out<#value>) }
}

/// The struct that a call of the op gives.
fn handles(input: &DeriveInput, outputs: &[Output]) -> TokenStream {
    let vis = &input.vis;
    let handles = handles_ident(input);
    let doc = format!("The handles of the outputs that [`{}`] names.", input.ident);
    let must_use = "outputs that nothing reads are computed for nothing: use one, or write `let _ =`";
    let fields = outputs.iter().map(|output| {
        let Output { ident, vis, docs, name, .. } = output;
        let handle = handle(output);
        let doc = format!("The output `{name}`.");
        let docs = if docs.is_empty() { quote!(#[doc = #doc]) } else { quote!(#(#docs)*) };
        quote!(#docs #vis #ident: #handle)
    });
    let idents: Vec<_> = outputs.iter().map(|output| &output.ident).collect();
    let types: Vec<_> = outputs.iter().map(handle).collect();
    quote! {
        #[doc = #doc]
        #[must_use = #must_use]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        #vis struct #handles {
            #(#fields,)*
        }

        ::fanfold::__call_options!(#handles);

        #[automatically_derived]
        impl ::core::convert::From<#handles> for (#(#types,)*) {
            fn from(handles: #handles) -> Self {
                (#(handles.#idents,)*)
            }
        }

        #[automatically_derived]
        impl ::fanfold::__private::Handles for #handles {
            fn raws(&self) -> ::std::vec::Vec<::fanfold::__private::Raw> {
                ::fanfold::__private::Handles::raws(&(#(self.#idents,)*))
            }
        }

        #[automatically_derived]
        impl ::fanfold::__private::FromRaws for #handles {
            fn from_raws(raws: ::std::vec::Vec<::fanfold::__private::Raw>) -> Self {
                let mut raws = raws.into_iter();
                Self { #(#idents: ::fanfold::__private::next_handle(&mut raws),)* }
            }
        }

        #[automatically_derived]
        impl ::fanfold::__private::MapBody for #handles {
            type Outputs = <(#(#types,)*) as ::fanfold::__private::MapBody>::Outputs;

            fn outputs(
                raws: &mut dyn ::core::iter::Iterator<Item = ::fanfold::__private::Raw>,
            ) -> Self::Outputs {
                <(#(#types,)*) as ::fanfold::__private::MapBody>::outputs(raws)
            }
        }
    }
}

/// The enum whose values a streaming op yields.
fn items(input: &DeriveInput, outputs: &[Output]) -> TokenStream {
    let (set, vis) = (&input.ident, &input.vis);
    let item = format_ident!("{}Item", set);
    let doc = format!("What an op that yields the outputs of [`{set}`] as they come may yield.");
    let variants: Vec<_> = outputs
        .iter()
        .map(|output| format_ident!("{}", camel(&output.name), span = output.ident.span()))
        .collect();
    let fields = outputs.iter().zip(&variants).map(|(output, variant)| {
        let value = &output.value;
        let (doc, field) = if output.dynamic {
            (format!("An item of the output `{}`.", output.name), quote!(::fanfold::DynamicOutput<#value>))
        } else {
            (format!("The value of the output `{}`.", output.name), quote!(#value))
        };
        quote!(#[doc = #doc] #variant(#field))
    });
    let arms = (0_u16..).zip(outputs).zip(&variants).map(|((index, output), variant)| {
        let Output { value, .. } = output;
        let emit = if output.dynamic { quote!(item) } else { quote!(one) };
        let erase = quote!(::fanfold::__private::Erase::<#value>::ERASE);
        quote!(Self::#variant(given) => ::fanfold::__private::Emitted::#emit(#index, given, #erase))
    });
    quote! {
        #[doc = #doc]
        #[allow(dead_code, reason = "an op may give its outputs at its end")]
        #vis enum #item {
            #(#fields,)*
        }

        #[automatically_derived]
        impl ::fanfold::__private::OutputsItem for #item {
            type Set = #set;

            fn emitted(self) -> ::fanfold::__private::Emitted {
                #[allow(unused_imports, reason = "which of them is needed depends on the types")]
                use ::fanfold::__private::rungs::*;
                match self {
                    #(#arms,)*
                }
            }
        }
    }
}

/// `by_index` as `ByIndex`.
fn camel(name: &str) -> String {
    name.split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters)
        })
        .collect()
}
