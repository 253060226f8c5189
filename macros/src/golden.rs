//! What each macro expands to, as files that a reviewer reads in the diff.
//!
//! After a change that is meant: `UPDATE_EXPECT=1 cargo test -p fanfold-macros`, then read the diff.

use expect_test::{ExpectFile, expect_file};
use proc_macro2::TokenStream;

/// Expands `item`, and compares the result, pretty-printed, with a file.
fn check(expand: impl FnOnce(TokenStream) -> TokenStream, item: &str, expected: &ExpectFile) {
    let expanded = expand(item.parse().expect("the item is made of tokens"));
    let file = syn::parse2(expanded).expect("the expansion is made of items");
    expected.assert_eq(&prettyplease::unparse(&file));
}

/// Expands an attribute macro with options.
fn with(
    options: &str,
    expand: fn(TokenStream, TokenStream) -> TokenStream,
) -> impl FnOnce(TokenStream) -> TokenStream {
    let options = options.parse().expect("the options are made of tokens");
    move |item| expand(options, item)
}

#[test]
fn op() {
    check(
        with("", crate::op::op),
        "/// Upper-cases.\npub fn shout(text: &str, times: Option<usize>) -> String { text.repeat(times.unwrap_or(1)) }",
        &expect_file!["../golden/op.rs"],
    );
}

#[test]
fn op_without_a_value() {
    check(with("", crate::op::op), "fn clean() {}", &expect_file!["../golden/op_without_a_value.rs"]);
}

#[test]
fn op_async_with_every_option() {
    let options = r#"name = "upper", retry(max = 3, delay = "500ms", backoff = "linear", jitter = "full"),
        timeout = "30s", priority = -5, pool = "api", tags(team = "data")"#;
    check(
        with(options, crate::op::op),
        "async fn shout(ctx: &OpContext, #[resource] db: &Db, text: String) -> Result<String, io::Error> { db.shout(text) }",
        &expect_file!["../golden/op_async_with_every_option.rs"],
    );
}

#[test]
fn op_dynamic_out() {
    check(
        with("dynamic_out", crate::op::op),
        "fn pieces(from: char, to: char) -> impl Iterator<Item = DynamicOutput<String>> { pieces_of(from, to) }",
        &expect_file!["../golden/op_dynamic_out.rs"],
    );
}

#[test]
fn op_outputs() {
    check(
        with("outputs", crate::op::op),
        "fn split(n: i64) -> Split { Split::new(n) }",
        &expect_file!["../golden/op_outputs.rs"],
    );
}

#[test]
fn op_with_mistakes() {
    check(
        with("timeout = \"soon\"", crate::op::op),
        "fn shout<T>(text: &mut String) -> String { text.to_uppercase() }",
        &expect_file!["../golden/op_with_mistakes.rs"],
    );
}

#[test]
fn job() {
    let options = r#"max_concurrent = 4, pools(api = 3, web(max = 8, rate = "10/s")), on_failure = notify"#;
    check(
        with(options, crate::job::job),
        "/// Upper-cases letters.
        fn letters(/** The first. */ #[arg(default = 'a')] from: Out<char>, to: Out<char>) -> Out<String> { merge(pieces(from, to).collect()) }",
        &expect_file!["../golden/job.rs"],
    );
}

#[test]
fn job_without_arguments_and_results() {
    check(
        with("", crate::job::job),
        "fn tidy() { clean(); }",
        &expect_file!["../golden/job_without_arguments_and_results.rs"],
    );
}

#[test]
fn graph() {
    check(
        with("", crate::graph::graph),
        "fn clean(text: impl Input<String> + Copy) -> Out<String> { strip(text) }",
        &expect_file!["../golden/graph.rs"],
    );
}

#[test]
fn resource() {
    check(
        with("", crate::resource::resource),
        "async fn db(config: &Config) -> Result<Db, io::Error> { Db::open(&config.url).await }",
        &expect_file!["../golden/resource.rs"],
    );
}

#[test]
fn outputs() {
    check(
        crate::outputs::outputs,
        "pub struct Split { pub values: Dynamic<i64>, pub negatives: Option<Dynamic<i64>>, pub count: i64 }",
        &expect_file!["../golden/outputs.rs"],
    );
}

#[test]
fn job_arg() {
    check(
        crate::job_arg::job_arg,
        "enum Order { DepthFirst, BreadthFirst }",
        &expect_file!["../golden/job_arg.rs"],
    );
}
