//! `#[derive(JobArg)]`: an enum without fields as an argument of a job.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;
use syn::{Data, DeriveInput, Fields, Ident};

use crate::report::Report;

/// Expands `#[derive(JobArg)]`.
pub(crate) fn job_arg(item: TokenStream) -> TokenStream {
    Report::around(|report| {
        let Some(input) = report.ok(syn::parse2::<DeriveInput>(item)) else { return TokenStream::new() };
        let variants = variants(&input, report);
        if report.is_clean() { expand(&input.ident, &variants) } else { stand_in(&input) }
    })
}

/// The variants; what is not an enum without fields is reported.
fn variants(input: &DeriveInput, report: &mut Report) -> Vec<Ident> {
    const HELP: &str = "help: implement `fanfold::JobArg` for it, to say how it is read from text";
    if !input.generics.params.is_empty() {
        report.at(&input.generics, "`#[derive(JobArg)]` is for types without parameters");
    }
    let Data::Enum(data) = &input.data else {
        report.at(&input.ident, format!("`#[derive(JobArg)]` is for enums without fields\n\n{HELP}"));
        return Vec::new();
    };
    if data.variants.is_empty() {
        report.at(&input.ident, "an enum without variants has no value to give");
    }
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            let fields = variant.fields.to_token_stream();
            report.at(fields, format!("`#[derive(JobArg)]` is for enums without fields\n\n{HELP}"));
        }
    }
    data.variants
        .iter()
        .filter(|variant| matches!(variant.fields, Fields::Unit))
        .map(|variant| variant.ident.clone())
        .collect()
}

fn expand(ident: &Ident, variants: &[Ident]) -> TokenStream {
    let words: Vec<_> = variants.iter().map(|variant| kebab(&variant.unraw().to_string())).collect();
    let expected =
        format!("expected {}", words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "));
    quote! {
        #[automatically_derived]
        impl ::fanfold::JobArg for #ident {
            const CHOICES: &'static [&'static str] = &[#(#words),*];

            fn from_text(text: &str) -> ::core::result::Result<Self, ::std::string::String> {
                match text {
                    #(#words => ::core::result::Result::Ok(Self::#variants),)*
                    other => ::core::result::Result::Err(::std::format!("{}, not `{other}`", #expected)),
                }
            }

            fn from_json(json: &::fanfold::__private::Json) -> ::core::result::Result<Self, ::std::string::String> {
                match json.as_str() {
                    ::core::option::Option::Some(text) => Self::from_text(text),
                    ::core::option::Option::None => ::core::result::Result::Err(::std::string::String::from(#expected)),
                }
            }

            fn show(&self) -> ::std::string::String {
                let word = match *self {
                    #(Self::#variants => #words,)*
                };
                ::std::string::String::from(word)
            }
        }
    }
}

/// A type with a mistake: jobs that take it give no second error.
fn stand_in(input: &DeriveInput) -> TokenStream {
    let ident = &input.ident;
    let (generics, types, clause) = input.generics.split_for_impl();
    quote! {
        impl #generics ::fanfold::JobArg for #ident #types #clause {
            fn from_text(_: &str) -> ::core::result::Result<Self, ::std::string::String> {
                ::core::unreachable!()
            }

            fn from_json(_: &::fanfold::__private::Json) -> ::core::result::Result<Self, ::std::string::String> {
                ::core::unreachable!()
            }

            fn show(&self) -> ::std::string::String {
                ::core::unreachable!()
            }
        }
    }
}

/// `DepthFirst` as `depth-first`.
fn kebab(name: &str) -> String {
    let mut word = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.extend(character.to_lowercase().filter(|c| *c != '_'));
    }
    word
}
