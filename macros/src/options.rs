//! What the values of options mean: durations, numbers, texts, retry policies, pools, tags.

use std::ops::RangeInclusive;
use std::time::Duration;

use proc_macro2::{Literal, Span, TokenStream};
use quote::quote;
use syn::parse::Parser as _;
use syn::{Expr, ExprLit, ExprUnary, Lit, UnOp};

use crate::args::{Arg, Args, Given, Known};
use crate::report::Report;

/// The text of a string literal.
pub(crate) fn text(arg: &Arg) -> syn::Result<String> {
    match literal(arg.value()?) {
        Some(Lit::Str(text)) if text.value().is_empty() => {
            Err(arg.error(&format!("`{}` is empty", arg.name)))
        }
        Some(Lit::Str(text)) => Ok(text.value()),
        _ => Err(arg.error(&format!("`{}` takes a text", arg.name))),
    }
}

/// A whole number in `range`, as a literal that takes its type from its place.
pub(crate) fn whole(arg: &Arg, range: RangeInclusive<i64>) -> syn::Result<Literal> {
    let number =
        signed(arg.value()?).ok_or_else(|| arg.error(&format!("`{}` takes a whole number", arg.name)))?;
    if range.contains(&number) {
        Ok(Literal::i64_unsuffixed(number))
    } else {
        let (least, most) = range.into_inner();
        Err(arg.error(&format!("`{}` must be between {least} and {most}", arg.name)))
    }
}

/// `true` or `false`.
pub(crate) fn boolean(arg: &Arg) -> syn::Result<bool> {
    match literal(arg.value()?) {
        Some(Lit::Bool(value)) => Ok(value.value),
        _ => Err(arg.error(&format!("`{}` takes `true` or `false`", arg.name))),
    }
}

/// A length of time such as `"500ms"`, above zero.
pub(crate) fn duration(arg: &Arg) -> syn::Result<Duration> {
    let Some(Lit::Str(text)) = literal(arg.value()?) else {
        return Err(arg.error(&format!("`{}` takes a length of time in quotes", arg.name)));
    };
    let parsed = humantime::parse_duration(&text.value())
        .map_err(|_| arg.error(&format!("`{}` is not a length of time", text.value())))?;
    if parsed.is_zero() {
        return Err(arg.error(&format!("`{}` must be longer than zero", arg.name)));
    }
    Ok(parsed)
}

/// One of some words, and what it stands for.
pub(crate) fn one_of<T: Clone>(arg: &Arg, words: &[(&str, T)]) -> syn::Result<T> {
    let given = text(arg)?;
    if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == given) {
        return Ok(meaning.clone());
    }
    let all = words.iter().map(|(word, _)| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ");
    let near = crate::args::nearest(&given, words.iter().map(|(word, _)| *word));
    let hint = near.map_or_else(String::new, |near| format!("\n\nhelp: did you mean `\"{near}\"`?"));
    Err(syn::Error::new_spanned(arg.value()?, format!("`{}` is {all}, not `\"{given}\"`{hint}", arg.name)))
}

/// `(key = "value", …)` as pairs, each key once.
pub(crate) fn pairs(arg: &Arg, report: &mut Report) -> Option<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for entry in report.ok(arg.list().and_then(|list| entries(arg, list)))? {
        let (name, value) = report.ok(named_text(arg, &entry))?;
        if pairs.iter().any(|(earlier, _)| *earlier == name) {
            report.at(&entry, format!("`{name}` is given twice"));
        }
        pairs.push((name, value));
    }
    Some(pairs)
}

/// The entries of a list whose names the user chooses.
pub(crate) fn entries(arg: &Arg, list: TokenStream) -> syn::Result<Vec<Expr>> {
    let parser = syn::punctuated::Punctuated::<Expr, syn::Token![,]>::parse_terminated;
    let entries = parser.parse2(list)?;
    if entries.is_empty() {
        return Err(arg.error(&format!("`{}` is empty", arg.name)));
    }
    Ok(entries.into_iter().collect())
}

/// `name = "value"`.
fn named_text(arg: &Arg, entry: &Expr) -> syn::Result<(String, String)> {
    if let Expr::Assign(assign) = entry
        && let Some(name) = identifier(&assign.left)
        && let Some(Lit::Str(value)) = literal(&assign.right)
    {
        return Ok((name, value.value()));
    }
    Err(syn::Error::new_spanned(entry, arg.error("a tag is written `key = \"value\"`")))
}

/// The name that an expression consists of.
pub(crate) fn identifier(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        _ => None,
    }
}

/// The literal that an expression consists of.
pub(crate) fn literal(expr: &Expr) -> Option<&Lit> {
    match expr {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

/// The whole number that an expression consists of, with its sign.
pub(crate) fn signed(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => Some(-signed(expr)?),
        _ => match literal(expr)? {
            Lit::Int(number) if number.suffix().is_empty() => number.base10_parse().ok(),
            _ => None,
        },
    }
}

/// The options of `retry(…)`.
const RETRY: &[Known] = &[
    Known::new("max", "max = 3"),
    Known::new("delay", "delay = \"500ms\""),
    Known::new("backoff", "backoff = \"exponential\""),
    Known::new("jitter", "jitter = \"full\""),
    Known::new("max_delay", "max_delay = \"1m\""),
];

/// `retry(…)`, as an expression of type `RetryPolicy`.
pub(crate) fn retry(arg: &Arg, report: &mut Report) -> Option<TokenStream> {
    let list = report.ok(arg.list())?;
    retry_policy(list, arg.name.span(), report)
}

/// Expands `retry!(…)`.
pub(crate) fn retry_macro(policy: TokenStream) -> TokenStream {
    let policy = Report::around(|report| {
        let policy = retry_policy(policy, Span::call_site(), report);
        policy.unwrap_or_else(|| quote!(::fanfold::RetryPolicy::new(1)))
    });
    // Errors are statements: they stand in a block with the value that follows them.
    quote!({ #policy })
}

/// The inside of `retry(…)`, as an expression of type `RetryPolicy`.
pub(crate) fn retry_policy(list: TokenStream, span: Span, report: &mut Report) -> Option<TokenStream> {
    let args = Args::parse("`retry`", RETRY, list, report);
    let Some(max) = args.get("max") else {
        report.at_span(
            span,
            "`retry` needs `max`: how many attempts may follow the first\n\nhelp: write `retry(max = 3)`",
        );
        return None;
    };
    let max = report.ok(whole(max, 1..=i64::from(u32::MAX)));
    for waiting in ["backoff", "jitter", "max_delay"] {
        if let (Some(arg), None) = (args.get(waiting), args.get("delay")) {
            report.at_span(
                arg.name.span(),
                format!("`{waiting}` without `delay`\n\nhelp: add `delay = \"500ms\"`"),
            );
        }
    }
    let delay = args.read("delay", report, duration);
    let max_delay = args.read("max_delay", report, duration);
    if let (Some(delay), Some(longest), Some(arg)) = (delay, max_delay, args.get("max_delay"))
        && longest < delay
    {
        report.error(arg.error("`max_delay` is shorter than `delay`"));
    }
    let backoff = args.read("backoff", report, |arg| {
        one_of(
            arg,
            &[("none", quote!(None)), ("linear", quote!(Linear)), ("exponential", quote!(Exponential))],
        )
    });
    let jitter = args.read("jitter", report, |arg| {
        one_of(arg, &[("none", quote!(None)), ("full", quote!(Full)), ("plus_minus", quote!(PlusMinus))])
    });
    let backoff = backoff.unwrap_or_else(|| quote!(None));
    let jitter = jitter.unwrap_or_else(|| quote!(None));
    let delay = delay.map_or_else(|| quote!(::core::time::Duration::ZERO), |delay| duration_tokens(&delay));
    let max_delay = option(max_delay.as_ref().map(duration_tokens));
    let max = max?;
    Some(quote! {
        ::fanfold::RetryPolicy {
            max: #max,
            delay: #delay,
            backoff: ::fanfold::Backoff::#backoff,
            jitter: ::fanfold::Jitter::#jitter,
            max_delay: #max_delay,
        }
    })
}

/// A duration as a constant expression.
pub(crate) fn duration_tokens(duration: &Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote!(::core::time::Duration::new(#seconds, #nanos))
}

/// The options that were said, and for the others the default.
pub(crate) fn said(ty: &TokenStream, fields: &[TokenStream]) -> TokenStream {
    if fields.is_empty() { quote!(#ty::DEFAULT) } else { quote!(#ty { #(#fields,)* ..#ty::DEFAULT }) }
}

/// An `Option` as an expression.
pub(crate) fn option(value: Option<TokenStream>) -> TokenStream {
    value.map_or_else(
        || quote!(::core::option::Option::None),
        |value| quote!(::core::option::Option::Some(#value)),
    )
}

/// `name` stands alone or is given as `name = true`: for options that can be said either way.
pub(crate) fn switch(arg: &Arg) -> syn::Result<bool> {
    if matches!(arg.given, Given::Nothing) { Ok(true) } else { boolean(arg) }
}
