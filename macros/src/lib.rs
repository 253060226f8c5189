//! The procedural macros of fanfold. Use them through the `fanfold` crate, where they are documented.

mod args;
mod op;
mod options;
mod report;
mod signature;
mod types;

use proc_macro::TokenStream;

/// See `fanfold::op`.
#[proc_macro_attribute]
pub fn op(attr: TokenStream, item: TokenStream) -> TokenStream {
    op::op(attr.into(), item.into()).into()
}
