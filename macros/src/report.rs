//! Errors, collected so that one compilation shows all independent mistakes.
//!
//! A [`Report`] cannot be forgotten: it exists only inside [`Report::around`], which always adds
//! what was reported to what the macro expands to.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The mistakes found in one use of a macro.
#[derive(Default)]
pub(crate) struct Report {
    errors: Vec<syn::Error>,
}

impl Report {
    /// Runs `expand`, and puts the errors that it reported in front of its tokens.
    pub(crate) fn around(expand: impl FnOnce(&mut Self) -> TokenStream) -> TokenStream {
        let mut report = Self::default();
        let expanded = expand(&mut report);
        report.errors.iter().map(syn::Error::to_compile_error).chain([expanded]).collect()
    }

    /// Reports a mistake that stands at `tokens`.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.errors.push(syn::Error::new_spanned(tokens, message));
    }

    /// Reports a mistake that stands at `span`.
    pub(crate) fn at_span(&mut self, span: Span, message: impl Display) {
        self.errors.push(syn::Error::new(span, message));
    }

    /// Reports what a parser found.
    pub(crate) fn error(&mut self, error: syn::Error) {
        self.errors.push(error);
    }

    /// Gives the value, or reports the error.
    pub(crate) fn ok<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.error(error)).ok()
    }

    /// Whether nothing was reported.
    pub(crate) fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }
}
