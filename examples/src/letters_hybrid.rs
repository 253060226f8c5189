//! The work of [`letters`](crate::letters) in chunks: a step per chunk, rayon inside each.
//!
//! The middle way, for items too small to be worth a step of their own: progress, retries and
//! record are per chunk.

use fanfold::prelude::*;
use rayon::ThreadPool;
use rayon::prelude::*;

use crate::letters::{merge_and_analyze, work};

/// Gives the letters in chunks; a chunk's key is its first letter.
#[op(dynamic_out)]
fn load_chunks(from: char, to: char, size: usize) -> Vec<DynamicOutput<Vec<char>>> {
    let letters: Vec<char> = (from..=to).collect();
    let chunks = letters.chunks(size.max(1));
    chunks.map(|chunk| DynamicOutput::new(chunk[0], chunk.to_vec())).collect()
}

/// Works on the letters of a chunk, each for a second, side by side.
#[op]
fn compute_chunk(chunk: &[char], #[resource] threads: &ThreadPool) -> String {
    threads.install(|| chunk.par_iter().map(|letter| work(&letter.to_string())).collect())
}

/// Upper-cases a range of letters, one step a chunk and rayon inside it.
#[job]
fn letters_hybrid(
    /// The first letter.
    #[arg(default = 'a')]
    from: Out<char>,
    /// The last letter.
    #[arg(default = 'z')]
    to: Out<char>,
    /// Letters in a chunk.
    #[arg(default = 7)]
    size: Out<usize>,
) -> Out<String> {
    let chunks = load_chunks(from, to, size);
    let results = chunks.map(compute_chunk);
    merge_and_analyze(results.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_chunk_holds_what_remains() {
        let chunks = load_chunks::call('a', 'e', 2);
        let sizes: Vec<usize> = chunks.iter().map(|chunk| chunk.value().len()).collect();
        assert_eq!(sizes, [2, 2, 1]);
    }

    #[tokio::test]
    async fn gives_what_letters_gives() -> Result<(), fanfold::RunError> {
        let run = letters_hybrid::job().args(('a', 'e', 2)).run_in_memory().await?;
        assert_eq!(run.output(), "ABCDE");
        assert_eq!(run.outputs_of::<String>("compute_chunk"), ["AB", "CD", "E"]);
        Ok(())
    }
}
