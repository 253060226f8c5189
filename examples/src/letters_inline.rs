//! The work of [`letters`](crate::letters) inside one op, with rayon.
//!
//! As fast, and less to write. But it is one step: while it runs nothing shows which letters are
//! done, and one letter that fails fails them all.

use fanfold::prelude::*;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::letters::work;

/// Threads for rayon, one per letter: the work waits, so the cores do not bound it.
#[resource]
fn threads() -> Result<ThreadPool, ThreadPoolBuildError> {
    ThreadPoolBuilder::new().num_threads(26).build()
}

/// Works on all letters, each for a second, side by side.
#[op]
fn compute_all(from: char, to: char, #[resource] threads: &ThreadPool) -> String {
    threads.install(|| {
        let letters = (from..=to).into_par_iter();
        letters.map(|letter| work(&letter.to_string())).collect()
    })
}

/// Upper-cases a range of letters inside one op, with rayon.
#[job]
fn letters_inline(
    /// The first letter.
    #[arg(default = 'a')]
    from: Out<char>,
    /// The last letter.
    #[arg(default = 'z')]
    to: Out<char>,
) -> Out<String> {
    compute_all(from, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn gives_what_letters_gives() -> Result<(), fanfold::RunError> {
        let run = letters_inline::job().args(('x', 'z')).run_in_memory().await?;
        assert_eq!(run.output(), "XYZ");
        Ok(())
    }
}
