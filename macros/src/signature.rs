//! A function as its macro sees it: attributes, signature, and the body as tokens, so that rustc
//! alone speaks of mistakes in the body.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, FnArg, Ident, Pat, PatType, ReturnType, Signature, Type, Visibility};

use crate::report::Report;

/// A function.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let sig = input.parse()?;
        match input.parse()? {
            TokenTree::Group(body) if input.is_empty() => Ok(Self { attrs, vis, sig, body }),
            other => Err(syn::Error::new(other.span(), "expected the function's body")),
        }
    }
}

impl Function {
    /// The function, or a report that `macro_name` cannot stand here.
    pub(crate) fn parse_for(macro_name: &str, item: TokenStream, report: &mut Report) -> Option<Self> {
        let at = crate::args::span_of(&item);
        let function = syn::parse2(item).ok();
        if function.is_none() {
            report.at_span(at, format!("{macro_name} stands on a function"));
        }
        function
    }

    /// The name as text.
    pub(crate) fn name(&self) -> String {
        syn::ext::IdentExt::unraw(&self.sig.ident).to_string()
    }

    /// The type that it returns; none for `()`.
    pub(crate) fn returns(&self) -> Option<&Type> {
        match &self.sig.output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => match &**ty {
                Type::Tuple(unit) if unit.elems.is_empty() => None,
                ty => Some(ty),
            },
        }
    }

    /// The text of its doc comments, one line a line.
    pub(crate) fn doc_text(&self) -> String {
        doc_text(&self.attrs)
    }

    /// Reports what no function of ours can be: a method, generic, unsafe, foreign.
    pub(crate) fn check_kind(&self, what: &str, report: &mut Report) {
        let sig = &self.sig;
        if let Some(FnArg::Receiver(receiver)) = sig.inputs.first() {
            report.at(receiver, format!("{what} is a free function: it has no `self`"));
        }
        if let syn::Safety::Unsafe(token) = &sig.safety {
            report.at(token, format!("{what} cannot be `unsafe`"));
        }
        if let Some(abi) = &sig.abi {
            report.at(abi, format!("{what} cannot have an ABI of its own"));
        }
        if let Some(token) = &sig.constness {
            report.at(token, format!("{what} cannot be `const`"));
        }
        if let Some(variadic) = &sig.variadic {
            report.at(variadic, format!("{what} cannot be variadic"));
        }
    }

    /// Reports parameters of type or value: an op and a job are one thing, registered once.
    pub(crate) fn check_generics(&self, what: &str, report: &mut Report) {
        for param in &self.sig.generics.params {
            let kind = match param {
                syn::GenericParam::Lifetime(_) => continue,
                syn::GenericParam::Type(_) => "type",
                syn::GenericParam::Const(_) => "const",
            };
            report.at(
                param,
                format!(
                    "{what} cannot be generic over a {kind}\n\nnote: it is registered once, under its name\n\
                     help: write one function for each type, and let them call a generic one"
                ),
            );
        }
    }

    /// Its parameters, without a receiver.
    pub(crate) fn params(&self) -> impl Iterator<Item = &PatType> {
        self.sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(param) => Some(param),
            FnArg::Receiver(_) => None,
        })
    }

    /// The function as it was written, without the attributes of ours on its parameters.
    pub(crate) fn as_written(&self) -> TokenStream {
        let Self { attrs, vis, body, .. } = self;
        let sig = self.signature_without_marks();
        quote!(#(#attrs)* #vis #sig #body)
    }

    /// The signature without the attributes of ours on parameters.
    pub(crate) fn signature_without_marks(&self) -> Signature {
        let mut sig = self.sig.clone();
        for input in &mut sig.inputs {
            if let FnArg::Typed(param) = input {
                param.attrs.retain(|attr| !is_mark(attr));
            }
        }
        sig
    }

    /// The attributes that speak to the function's callers: docs, `deprecated`, `must_use`.
    pub(crate) fn outer_attrs(&self) -> impl Iterator<Item = &Attribute> {
        self.attrs.iter().filter(|attr| is_outward(attr) || is_lint_level(attr))
    }

    /// The attributes that speak of its body.
    pub(crate) fn inner_attrs(&self) -> impl Iterator<Item = &Attribute> {
        self.attrs.iter().filter(|attr| !is_outward(attr))
    }
}

fn is_outward(attr: &Attribute) -> bool {
    ["doc", "deprecated", "must_use"].iter().any(|name| attr.path().is_ident(name))
}

/// Not `expect`, which would be unfulfilled on one of two functions.
fn is_lint_level(attr: &Attribute) -> bool {
    ["allow", "warn", "deny", "forbid"].iter().any(|name| attr.path().is_ident(name))
}

/// Whether the attribute is one of ours on a parameter.
pub(crate) fn is_mark(attr: &Attribute) -> bool {
    ["arg", "resource", "transient", "doc"].iter().any(|name| attr.path().is_ident(name))
}

/// The text of doc comments, one line a line, without the blank that follows `///`.
pub(crate) fn doc_text(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter(|attr| attr.path().is_ident("doc")).filter_map(|attr| {
        let value = &attr.meta.require_name_value().ok()?.value;
        match crate::options::literal(value)? {
            syn::Lit::Str(text) => Some(text.value()),
            _ => None,
        }
    });
    let lines: Vec<String> =
        lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned()).collect();
    lines.join("\n").trim().to_owned()
}

/// The name that a parameter's pattern gives; none for `_`.
pub(crate) fn param_name<'param>(
    param: &'param PatType,
    what: &str,
    report: &mut Report,
) -> Option<&'param Ident> {
    match &*param.pat {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => Some(&name.ident),
        Pat::Wild(_) => None,
        pattern => {
            report.at(
                pattern.to_token_stream(),
                format!(
                    "a parameter of {what} is a name\n\nhelp: take it apart in the body: `let {} = …;`",
                    quote!(#pattern)
                ),
            );
            None
        }
    }
}

/// Where the macro's own tokens stand that are about something the user wrote: errors point there,
/// and lints leave them alone.
pub(crate) fn at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// A path expression that stands over all of `ty`, as if the user had written it: where it holds the
/// one obligation of a type, rustc underlines the type and speaks of no macro. `path` is given the
/// span of its tokens.
pub(crate) fn over(ty: &impl ToTokens, path: impl FnOnce(Span) -> TokenStream) -> TokenStream {
    let tokens = ty.to_token_stream();
    let first = crate::args::span_of(&tokens);
    let last = tokens.into_iter().last().map_or(first, |token| token.span());
    // What is underlined goes from the start of a path to its end: starts stand at the first token.
    let mut at_start = true;
    let place = |mut token: TokenTree| {
        let is_colon = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ':');
        if at_start {
            token.set_span(first);
        }
        at_start = if is_colon { at_start } else { matches!(token, TokenTree::Punct(_)) };
        token
    };
    path(last).into_iter().map(place).collect()
}

/// The error of an op or a resource, in the local `error`, as an `OpError`; blamed on its type.
pub(crate) fn op_error(ty: &syn::Type) -> TokenStream {
    let shown = over(ty, |span| quote_spanned!(span=> ::fanfold::__private::Failure::shown));
    quote!(::core::result::Result::Err((&&&&::fanfold::__private::Caught(&error)).op_error(#shown)))
}
