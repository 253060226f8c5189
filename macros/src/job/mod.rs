//! `#[job]`: a body that is run once to build a graph, and the row that registers it.

mod attr;
mod expand;
mod params;

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::Type;
use syn::spanned::Spanned as _;

use crate::report::Report;
use crate::signature::Function;
use crate::types::{inside, is_named, plain, written};
use attr::Attr;
use params::Arg;

/// A job without a mistake in it.
struct Job {
    function: Function,
    attr: Attr,
    args: Vec<Arg>,
    results: Results,
}

/// What a job gives: one value, or a tuple of them.
struct Results {
    parts: Vec<Part>,
    /// Written as a tuple, so that one part is a tuple too.
    tuple: bool,
}

/// One of the handles that a job returns.
enum Part {
    /// `Out<T>`.
    Out(Box<Type>),
    /// `Done`.
    Done,
}

/// Expands `#[job(…)]`.
pub(crate) fn job(attr: TokenStream, item: TokenStream) -> TokenStream {
    Report::around(|report| {
        let Some(function) = Function::parse_for("`#[job]`", item.clone(), report) else { return item };
        let attr = Attr::parse(attr, report);
        check_kind(&function, report);
        let args = params::read(&function, report);
        let results = results(&function, report);
        match (results, report.is_clean()) {
            (Some(results), true) => expand::expand(&Job { function, attr, args, results }),
            (results, _) => stand_in(&function, results.is_some()),
        }
    })
}

fn check_kind(function: &Function, report: &mut Report) {
    if let Some(token) = &function.sig.asyncness {
        report.at(
            token,
            "a job cannot be `async`: its body only says how ops fit together\n\nhelp: remove `async`; ops may be `async`",
        );
    }
    function.check_kind("a job", report);
    function.check_generics("a job", report);
}

/// What the job's return type says.
fn results(function: &Function, report: &mut Report) -> Option<Results> {
    let Some(ty) = function.returns() else { return Some(Results { parts: Vec::new(), tuple: true }) };
    match plain(ty) {
        Type::Tuple(tuple) => {
            let parts: Vec<_> = tuple.elems.iter().map(|elem| part(elem, report)).collect();
            Some(Results { parts: parts.into_iter().collect::<Option<_>>()?, tuple: true })
        }
        ty => Some(Results { parts: vec![part(ty, report)?], tuple: false }),
    }
}

fn part(ty: &Type, report: &mut Report) -> Option<Part> {
    if let Some(value) = inside(ty, "Out") {
        return Some(Part::Out(Box::new(value.clone())));
    }
    if is_named(ty, "Done") {
        return Some(Part::Done);
    }
    let help = match inside(ty, "DynamicOut") {
        Some(value) => format!("help: collect it, and write `Out<Vec<{}>>`", written(value)),
        None => {
            format!("help: a job gives handles: write `Out<{}>`, `Done`, or a tuple of these", written(ty))
        }
    };
    report.at(ty, format!("a job cannot return `{}`\n\n{help}", written(ty)));
    None
}

/// A job with a mistake: `name::job()` exists, and the body is still checked if it can return what the
/// signature says.
fn stand_in(function: &Function, check_body: bool) -> TokenStream {
    let (vis, ident) = (&function.vis, &function.sig.ident);
    let attrs = function.inner_attrs();
    let body = if check_body { function.body.to_token_stream() } else { quote!({ ::core::unreachable!() }) };
    let mut sig = function.signature_without_marks();
    sig.ident = syn::Ident::new("__body", ident.span());
    quote! {
        #[allow(non_camel_case_types, reason = "it has the name of a function")]
        #vis enum #ident {}

        #[allow(unused, reason = "the job does not compile")]
        impl #ident {
            #vis fn job() -> ::fanfold::Wrong {
                ::core::unreachable!()
            }

            #(#attrs)*
            #sig #body
        }
    }
}

/// Where a result's type stands.
fn span_of(part: &Part) -> proc_macro2::Span {
    match part {
        Part::Out(ty) => ty.span(),
        Part::Done => proc_macro2::Span::call_site(),
    }
}
