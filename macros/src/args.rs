//! The options of an attribute: `name`, `name = value` and `name(…)`, separated by commas.
//!
//! Which options there are is a table; this file sees to it that each is known, given once and
//! written in its form, and says what to write where it is not. What a value means is said in
//! `options`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Expr, Ident, Token};

use crate::report::Report;

/// One option that an attribute knows.
pub(crate) struct Known {
    pub(crate) name: &'static str,
    /// How it is written: for lists of the known, and for `help:`.
    pub(crate) example: &'static str,
}

impl Known {
    pub(crate) const fn new(name: &'static str, example: &'static str) -> Self {
        Self { name, example }
    }
}

/// One option as it was written.
#[derive(Clone)]
pub(crate) struct Arg {
    pub(crate) name: Ident,
    pub(crate) given: Given,
    example: &'static str,
}

/// What follows the name of an option.
#[derive(Clone)]
pub(crate) enum Given {
    Nothing,
    Value(Box<Expr>),
    List(proc_macro2::Group),
}

impl Arg {
    /// An error at what was given, with the form that was expected.
    pub(crate) fn error(&self, message: &str) -> syn::Error {
        let message = format!("{message}\n\nhelp: write `{}`", self.example);
        match &self.given {
            Given::Nothing => syn::Error::new(self.name.span(), message),
            Given::Value(value) => syn::Error::new_spanned(value, message),
            Given::List(list) => syn::Error::new(list.span(), message),
        }
    }

    /// The value of `name = value`.
    pub(crate) fn value(&self) -> syn::Result<&Expr> {
        match &self.given {
            Given::Value(value) => Ok(value),
            _ => Err(self.error(&format!("`{}` takes a value", self.name))),
        }
    }

    /// The inside of `name(…)`.
    pub(crate) fn list(&self) -> syn::Result<TokenStream> {
        match &self.given {
            Given::List(list) => Ok(list.stream()),
            _ => Err(self.error(&format!("`{}` takes a list in parentheses", self.name))),
        }
    }

    /// Nothing but the name.
    pub(crate) fn flag(&self) -> syn::Result<()> {
        match &self.given {
            Given::Nothing => Ok(()),
            _ => Err(self.error(&format!("`{}` stands alone", self.name))),
        }
    }
}

/// The options of one attribute, each known and given once.
pub(crate) struct Args(Vec<Arg>);

impl Args {
    /// Reads all options, and reports those that cannot be read.
    pub(crate) fn parse(of: &str, known: &[Known], tokens: TokenStream, report: &mut Report) -> Self {
        let mut args: Vec<Arg> = Vec::new();
        for (name, given) in read(tokens, report) {
            let text = name.unraw().to_string();
            let Some(row) = known.iter().find(|row| row.name == text) else {
                report.at_span(name.span(), unknown(of, &text, known));
                continue;
            };
            if args.iter().any(|earlier| earlier.name == row.name) {
                report.at_span(name.span(), format!("`{text}` is given twice"));
                continue;
            }
            let name = format_ident!("{}", row.name, span = name.span());
            args.push(Arg { name, given, example: row.example });
        }
        Self(args)
    }

    /// The option `name`, if it was given.
    pub(crate) fn get(&self, name: &str) -> Option<&Arg> {
        self.0.iter().find(|arg| arg.name == name)
    }

    /// All options, as written.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arg> {
        self.0.iter()
    }

    /// Whether the flag `name` was given.
    pub(crate) fn flag(&self, name: &str, report: &mut Report) -> bool {
        self.get(name).is_some_and(|arg| {
            report.ok(arg.flag());
            true
        })
    }

    /// What `read` makes of the option `name`.
    pub(crate) fn read<T>(
        &self,
        name: &str,
        report: &mut Report,
        read: impl FnOnce(&Arg) -> syn::Result<T>,
    ) -> Option<T> {
        self.get(name).and_then(|arg| report.ok(read(arg)))
    }
}

/// "did you mean", or all that there are.
pub(crate) fn unknown(of: &str, text: &str, known: &[Known]) -> String {
    let examples = || known.iter().map(|row| format!("`{}`", row.example)).collect::<Vec<_>>().join(", ");
    match nearest(text, known.iter().map(|row| row.name)) {
        Some(near) => format!("{of} has no option `{text}`\n\nhelp: did you mean `{near}`?"),
        None if known.is_empty() => format!("{of} has no option `{text}`: it has none"),
        None => format!("{of} has no option `{text}`\n\nnote: it has {}", examples()),
    }
}

/// The known name that `text` is most likely a misspelling of.
pub(crate) fn nearest<'known>(text: &str, known: impl Iterator<Item = &'known str>) -> Option<&'known str> {
    /// Names less alike than this are other names, not misspellings.
    const ALIKE: f64 = 0.75;
    known
        .map(|name| (strsim::jaro_winkler(text, name), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}

/// Cuts the tokens at their commas, so that one malformed option does not hide the others.
fn read(tokens: TokenStream, report: &mut Report) -> Vec<(Ident, Given)> {
    let pieces = split_at_commas(tokens);
    pieces.into_iter().filter_map(|piece| report.ok(read_one.parse2(piece))).collect()
}

fn read_one(input: ParseStream<'_>) -> syn::Result<(Ident, Given)> {
    let name = input.call(Ident::parse_any)?;
    if input.peek(Token![=]) {
        let equals: Token![=] = input.parse()?;
        if input.is_empty() {
            return Err(syn::Error::new_spanned(equals, format!("`{name} =` has no value")));
        }
        return Ok((name, Given::Value(Box::new(input.parse()?))));
    }
    if input.peek(syn::token::Paren) {
        let TokenTree::Group(list) = input.parse()? else { return Err(input.error("expected a list")) };
        return Ok((name, Given::List(list)));
    }
    if input.is_empty() {
        return Ok((name, Given::Nothing));
    }
    Err(input.error(format!("expected `,`, `=` or `(` after `{name}`")))
}

/// The pieces between top-level commas; commas inside brackets or a closure's parameters are not.
fn split_at_commas(tokens: TokenStream) -> Vec<TokenStream> {
    let mut pieces = vec![TokenStream::new()];
    let mut in_closure = false;
    for token in tokens {
        match &token {
            TokenTree::Punct(punct) if punct.as_char() == '|' => in_closure = !in_closure,
            TokenTree::Punct(punct) if punct.as_char() == ',' && !in_closure => {
                pieces.push(TokenStream::new());
                continue;
            }
            _ => {}
        }
        if let Some(piece) = pieces.last_mut() {
            piece.extend([token]);
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// Where the errors about a whole attribute stand.
pub(crate) fn span_of(tokens: &impl ToTokens) -> Span {
    tokens.to_token_stream().into_iter().next().map_or_else(Span::call_site, |token| token.span())
}
