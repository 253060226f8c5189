//! A process that works with a store while it is watched, and dies.

fn main() {
    #[cfg(unix)]
    fanfold_tests::powercut::child::main();
}
