//! The procedural macros of fanfold. Use them through the `fanfold` crate, where they are documented.

mod args;
#[cfg(test)]
mod golden;
mod graph;
mod job;
mod job_arg;
mod limits;
mod op;
mod options;
mod outputs;
mod report;
mod resource;
mod signature;
mod types;

use proc_macro::TokenStream;

/// See `fanfold::op`.
#[proc_macro_attribute]
pub fn op(attr: TokenStream, item: TokenStream) -> TokenStream {
    op::op(attr.into(), item.into()).into()
}

/// See `fanfold::job`.
#[proc_macro_attribute]
pub fn job(attr: TokenStream, item: TokenStream) -> TokenStream {
    job::job(attr.into(), item.into()).into()
}

/// See `fanfold::graph`.
#[proc_macro_attribute]
pub fn graph(attr: TokenStream, item: TokenStream) -> TokenStream {
    graph::graph(attr.into(), item.into()).into()
}

/// See `fanfold::resource`.
#[proc_macro_attribute]
pub fn resource(attr: TokenStream, item: TokenStream) -> TokenStream {
    resource::resource(attr.into(), item.into()).into()
}

/// See `fanfold::retry`.
#[proc_macro]
pub fn retry(policy: TokenStream) -> TokenStream {
    options::retry_macro(policy.into()).into()
}

/// See `fanfold::Outputs`.
#[proc_macro_derive(Outputs, attributes(output))]
pub fn outputs(item: TokenStream) -> TokenStream {
    outputs::outputs(item.into()).into()
}

/// See `fanfold::JobArg`.
#[proc_macro_derive(JobArg)]
pub fn job_arg(item: TokenStream) -> TokenStream {
    job_arg::job_arg(item.into()).into()
}
