//! `#[resource]`: a function that builds what ops share.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned as _;

use crate::args::Args;
use crate::report::Report;
use crate::signature::{Function, at, op_error};
use crate::types::{error_of, inside, is_named, plain, written};

/// Expands `#[resource]`.
pub(crate) fn resource(attr: TokenStream, item: TokenStream) -> TokenStream {
    Report::around(|report| {
        let Some(function) = Function::parse_for("`#[resource]`", item.clone(), report) else { return item };
        Args::parse("`#[resource]`", &[], attr, report);
        function.check_kind("a resource", report);
        function.check_generics("a resource", report);
        let needs = needs(&function, report);
        let returned = returned(&function, report);
        let written = function.as_written();
        match (returned, report.is_clean()) {
            (Some((error, ty)), true) => {
                let registration = registration(&function, &needs, error, ty);
                quote!(#written #registration)
            }
            _ => written,
        }
    })
}

/// A resource that this one is built from.
struct Need {
    ty: Type,
    shared: bool,
}

fn needs(function: &Function, report: &mut Report) -> Vec<Need> {
    let need = |ty: &Type| match plain(ty) {
        Type::Reference(reference) if reference.mutability.is_none() => {
            Some(Need { ty: (*reference.elem).clone(), shared: false })
        }
        ty => inside(ty, "Arc").map(|inner| Need { ty: inner.clone(), shared: true }),
    };
    let mut needs = Vec::new();
    for param in function.params() {
        match need(&param.ty) {
            Some(need) => needs.push(need),
            None => {
                let name = written(&param.ty);
                let message = "a resource is built from other resources only";
                report.at(&param.ty, format!("{message}\n\nhelp: write `&{name}` or `Arc<{name}>`, and a `#[resource]` function that gives one"));
            }
        }
    }
    needs
}

/// The error if it is a `Result`, and the type of the resource.
fn returned<'function>(
    function: &'function Function,
    report: &mut Report,
) -> Option<(Option<Type>, &'function Type)> {
    let Some(ty) = function.returns() else {
        report.at(
            &function.sig.ident,
            format!("`{}` returns nothing: a resource function gives the resource", function.name()),
        );
        return None;
    };
    if is_named(ty, "Result") {
        if let Some(inner) = inside(ty, "Result") {
            return Some((Some(error_of(ty)), inner));
        }
        report.at(ty, "the resource and its error are written out\n\nhelp: write `Result<T, E>`");
        return None;
    }
    Some((None, ty))
}

fn registration(function: &Function, needs: &[Need], error: Option<Type>, ty: &Type) -> TokenStream {
    let name = function.name();
    let ident = &function.sig.ident;
    let uses = needs.iter().map(|need| crate::op::resource_use(&need.ty));
    let span = at(ty.span());
    let mut takes = Vec::new();
    let mut args = Vec::new();
    for (index, need) in needs.iter().enumerate() {
        let Need { ty, shared } = need;
        let input = format_ident!("input_{index}");
        takes.push(quote!(let #input = ::fanfold::__private::downcast::<#ty>(::std::sync::Arc::clone(&inputs[#index]));));
        args.push(if *shared { quote!(#input) } else { quote!(&#input) });
    }
    let wait = function.sig.asyncness.map(|_| quote!(.await));
    let caught = error.map(|error| {
        let error = op_error(&error);
        quote! {
            let given = match given {
                ::core::result::Result::Ok(given) => given,
                ::core::result::Result::Err(error) => {
                    return #error;
                }
            };
        }
    });
    let built = quote_spanned!(span=> ::fanfold::__private::built::<#ty>(given));
    quote! {
        const _: () = {
            #[allow(unused_imports, reason = "which of them is needed depends on the types")]
            use ::fanfold::__private::rungs::*;

            static __RESOURCE: ::fanfold::__private::ResourceDef = ::fanfold::__private::ResourceDef {
                name: #name,
                file: ::core::file!(),
                line: ::core::line!(),
                type_id: ::core::any::TypeId::of::<#ty>,
                type_name: ::core::any::type_name::<#ty>,
                resources: &[#(#uses),*],
                #[allow(unused_variables, reason = "it may be built from nothing")]
                build: |inputs| ::std::boxed::Box::pin(async move {
                    #(#takes)*
                    let given = #ident(#(#args),*)#wait;
                    #caught
                    ::core::result::Result::Ok(#built)
                }),
            };

            ::fanfold::__private::inventory::submit!(::fanfold::__private::RegisteredResource(&__RESOURCE));
        };
    }
}
