//! The example jobs of fanfold. `cargo run -- list` names them, `cargo run -- run letters` runs one.

mod books;
mod data;
mod enrich;
mod etl;
mod etl_dynamic;
mod etl_priority;
mod etl_static;
mod folder;
mod letters;
mod letters_hybrid;
mod letters_inline;
mod manual;
mod read_error;
mod survey;

use std::process::ExitCode;

fn main() -> ExitCode {
    fanfold::main()
}

#[cfg(test)]
mod tests {
    /// Builds the graph of every job.
    #[test]
    fn all_jobs_are_sound() {
        fanfold::check_all_jobs().unwrap();
    }
}
