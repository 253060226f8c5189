//! A binary without jobs: those of a library that it never mentions are not linked.

fn main() -> std::process::ExitCode {
    fanfold::main()
}
