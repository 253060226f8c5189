//! What does not compile, and in which words; and beside each near miss, what does.
//!
//! The words hold for one compiler, the one that `rust-toolchain.toml` pins. After a change that is
//! meant: `TRYBUILD=overwrite cargo test -p fanfold-tests --test ui`, then read the diff.

#[test]
fn what_does_not_compile_says_why_and_its_twin_runs() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/*/fail/*.rs");
    cases.pass("ui/*/pass/*.rs");
}
