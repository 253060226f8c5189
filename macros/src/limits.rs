//! The limits of a job: pools, rates, tag values.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, Lit};

use crate::args::{Arg, Args, Known};
use crate::options::{entries, identifier, literal, option, signed, text};
use crate::report::Report;

/// A rate such as `"10/s"`: starts, and the span of time.
pub(crate) fn rate(arg: &Arg) -> syn::Result<TokenStream> {
    let given = text(arg)?;
    let wrong = || arg.error(&format!("`{given}` is not a rate"));
    let (starts, unit) = given.split_once('/').ok_or_else(wrong)?;
    let starts: u32 = starts.trim().parse().map_err(|_| wrong())?;
    if starts == 0 {
        return Err(arg.error("`rate` must be above zero"));
    }
    let seconds: u64 = match unit.trim() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    Ok(quote!(::fanfold::Rate { starts: #starts, per: ::core::time::Duration::from_secs(#seconds) }))
}

/// The limits of `pools(api = 3, web(max = 8, rate = "10/s"))`.
pub(crate) fn pools(arg: &Arg, report: &mut Report) -> Option<TokenStream> {
    let mut rows: Vec<(String, TokenStream)> = Vec::new();
    for entry in report.ok(arg.list().and_then(|list| entries(arg, list)))? {
        let Some((name, limit)) = pool(arg, &entry, report) else { continue };
        if rows.iter().any(|(earlier, _)| *earlier == name) {
            report.at(&entry, format!("pool `{name}` is given twice"));
        }
        rows.push((name, limit));
    }
    let rows = rows.iter().map(|(name, limit)| quote!((#name, #limit)));
    Some(quote!(&[#(#rows),*]))
}

const POOL: &[Known] = &[Known::new("max", "max = 8"), Known::new("rate", "rate = \"10/s\"")];

fn pool(arg: &Arg, entry: &Expr, report: &mut Report) -> Option<(String, TokenStream)> {
    match entry {
        Expr::Assign(assign) => {
            let limit = report.ok(positive(&assign.right))?;
            let limit = quote!(::fanfold::PoolLimit { max: ::core::option::Option::Some(#limit), rate: ::core::option::Option::None });
            identifier(&assign.left).map(|name| (name, limit))
        }
        Expr::Call(call) => {
            let inside = &call.args;
            let args = Args::parse("a pool", POOL, quote!(#inside), report);
            if args.iter().next().is_none() && report.is_clean() {
                report.at(entry, "a pool needs a limit\n\nhelp: write `web(max = 8, rate = \"10/s\")`");
            }
            let max = option(args.read("max", report, |arg| positive(arg.value()?)).map(|max| quote!(#max)));
            let rate = option(args.read("rate", report, rate));
            identifier(&call.func).map(|name| (name, quote!(::fanfold::PoolLimit { max: #max, rate: #rate })))
        }
        _ => {
            report.at(entry, arg.error("a pool is written `name = limit`"));
            None
        }
    }
}

/// A limit: a whole number above zero.
pub(crate) fn positive(expr: &Expr) -> syn::Result<u32> {
    signed(expr)
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| *number > 0)
        .ok_or_else(|| syn::Error::new_spanned(expr, "a limit is a whole number above zero"))
}

/// The limits of `tag_limits(team(data = 3))`.
pub(crate) fn tag_limits(arg: &Arg, report: &mut Report) -> Option<TokenStream> {
    let mut rows: Vec<(String, String, u32)> = Vec::new();
    for entry in report.ok(arg.list().and_then(|list| entries(arg, list)))? {
        let Expr::Call(call) = &entry else {
            report.at(&entry, arg.error("a tag's limits are written `name(value = limit)`"));
            continue;
        };
        let Some(tag) = identifier(&call.func) else {
            report.at(&call.func, arg.error("a tag has a name"));
            continue;
        };
        for limit in &call.args {
            let Some((value, limit)) = report.ok(tag_limit(arg, limit)) else { continue };
            if rows.iter().any(|(known, of, _)| *known == tag && *of == value) {
                report.at(&entry, format!("the limit of `{tag} = \"{value}\"` is given twice"));
            }
            rows.push((tag.clone(), value, limit));
        }
    }
    let rows = rows.iter().map(|(tag, value, limit)| quote!((#tag, #value, #limit)));
    Some(quote!(&[#(#rows),*]))
}

/// `value = limit`.
fn tag_limit(arg: &Arg, entry: &Expr) -> syn::Result<(String, u32)> {
    let wrong = || syn::Error::new_spanned(entry, arg.error("a tag's limit is written `value = limit`"));
    let Expr::Assign(assign) = entry else { return Err(wrong()) };
    let value = match literal(&assign.left) {
        Some(Lit::Str(text)) => Some(text.value()),
        _ => identifier(&assign.left),
    };
    Ok((value.ok_or_else(wrong)?, positive(&assign.right)?))
}
