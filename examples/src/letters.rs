//! One step a letter: the first example.
//!
//! Each letter takes a second, and all of them together take little more, since the 26 steps run
//! side by side. [`letters_inline`](crate::letters_inline) does the same work inside one op,
//! [`letters_hybrid`](crate::letters_hybrid) in chunks. What a step of its own gives a letter: a
//! name, a place in the progress and in the record, its own retries, its own log.

use std::thread;
use std::time::Duration;

use fanfold::prelude::*;

/// Gives one piece per letter.
#[op(dynamic_out)]
fn load_pieces(from: char, to: char) -> impl Iterator<Item = DynamicOutput<String>> {
    (from..=to).map(|letter| DynamicOutput::new(letter, letter.to_string()))
}

/// Does one second of work on a piece.
#[op]
fn compute_piece(piece: String) -> String {
    work(&piece)
}

/// Puts the worked pieces together.
#[op]
pub(crate) async fn merge_and_analyze(ctx: &OpContext, pieces: Vec<String>) -> String {
    tracing::info!(pieces = pieces.len(), run = %ctx.run_id(), "merging");
    pieces.concat()
}

/// Upper-cases a range of letters, one step a letter.
#[job(max_concurrent = 26)]
fn letters(
    /// The first letter.
    #[arg(default = 'a')]
    from: Out<char>,
    /// The last letter.
    #[arg(default = 'z')]
    to: Out<char>,
) -> Out<String> {
    let pieces = load_pieces(from, to);
    let results = pieces.map(compute_piece);
    merge_and_analyze(results.collect())
}

/// One second of work: it waits, as for a service that needs a second to answer, then upper-cases.
pub(crate) fn work(piece: &str) -> String {
    thread::sleep(Duration::from_secs(1));
    piece.to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_upper_cased() {
        assert_eq!(compute_piece::call("a".into()), "A");
    }

    #[tokio::test]
    async fn letters_come_out_in_order() -> Result<(), fanfold::RunError> {
        let run = letters::job().args(('a', 'c')).run_in_memory().await?;
        assert_eq!(run.output(), "ABC");
        assert_eq!(run.step("compute_piece[b]"), Some("B".to_owned()));
        assert_eq!(run.outputs_of::<String>("compute_piece"), ["A", "B", "C"]);
        Ok(())
    }
}
