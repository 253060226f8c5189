//! Books, their chapters, and the words of these: fan-outs inside fan-outs.
//!
//! Each chapter has its own `tally[book][chapter]`, combined as its words come; each book has its
//! own `total[book]` as soon as *its* chapters are done, whatever the other books do.

use std::fs;
use std::path::{Path, PathBuf};

use fanfold::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data;
use crate::folder::entries;
use crate::read_error::ReadError;

/// The text of a book.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Book {
    title: String,
    text: String,
}

/// What is counted of a text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Tally {
    words: u64,
    /// The first of the longest words.
    longest: String,
}

impl Tally {
    fn with(mut self, words: u64, word: String) -> Self {
        self.words += words;
        if word.chars().count() > self.longest.chars().count() {
            self.longest = word;
        }
        self
    }
}

/// What is said of a book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Report {
    title: String,
    words: u64,
    longest: String,
}

/// Opens each book of a folder, in the order of the names.
#[op(dynamic_out)]
fn open_books(
    folder: &Path,
) -> Result<impl Iterator<Item = Result<DynamicOutput<Book>, ReadError>> + use<>, ReadError> {
    Ok(entries(folder)?.into_iter().map(|file| {
        let text = fs::read_to_string(&file).map_err(ReadError::file(&file))?;
        let title = text.lines().next().unwrap_or_default();
        let title = title.trim_matches(['[', ']']).to_owned();
        let name = file.file_stem().unwrap_or_default().display();
        Ok(DynamicOutput::new(name, Book { title, text }))
    }))
}

/// Cuts a book into chapters, acts and scenes; what stands before the first is number 0.
#[op(dynamic_out(by_index))]
fn chapters(book: &Book) -> Vec<String> {
    let mut chapters = vec![String::new()];
    for line in book.text.split_inclusive('\n') {
        if is_heading(line) {
            chapters.push(String::new());
        }
        chapters.last_mut().expect("there is always one").push_str(line);
    }
    chapters
}

/// Gives the words of a chapter, as they stand between white space.
#[op(dynamic_out(by_index))]
fn words(chapter: &str) -> Vec<String> {
    chapter.split_whitespace().map(str::to_owned).collect()
}

/// Counts a word in.
#[op]
fn tally(so_far: Tally, word: String) -> Tally {
    so_far.with(1, word)
}

/// Counts a chapter in.
#[op]
fn total(so_far: Tally, chapter: Tally) -> Tally {
    so_far.with(chapter.words, chapter.longest)
}

/// Says what a book is and how long.
#[op]
fn report(book: &Book, total: Tally) -> Report {
    let letters = total.longest.trim_matches(|c: char| !c.is_alphanumeric());
    Report { title: book.title.clone(), words: total.words, longest: letters.to_owned() }
}

/// Counts the words of books, chapter by chapter.
#[job]
fn books(
    /// A folder of text files, one a book.
    #[arg(default = data::path("books"))]
    folder: Out<PathBuf>,
) -> Out<Vec<Report>> {
    let reports = open_books(folder).map(|book| {
        let tallies = chapters(book).map(|chapter| words(chapter).fold(Tally::default(), tally));
        report(book, tallies.fold(Tally::default(), total))
    });
    reports.collect()
}

/// Whether a chapter, an act or a scene begins at the line.
fn is_heading(line: &str) -> bool {
    let line = line.trim();
    let starts = ["CHAPTER ", "Actus ", "Scena "].iter().any(|start| line.starts_with(start));
    let roman = line.strip_suffix('.').unwrap_or(line);
    starts || (!roman.is_empty() && roman.chars().all(|c| "IVXL".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_book_is_cut_at_its_headings() {
        let text = "[A Book]\n\nCHAPTER I. One\n\nIt began.\n\nII.\nIt ended.\n".to_owned();
        let cut = chapters::call(&Book { title: "A Book".into(), text });
        let cut: Vec<&str> = cut.iter().map(|chapter| chapter.as_str()).collect();
        assert_eq!(cut, ["[A Book]\n\n", "CHAPTER I. One\n\nIt began.\n\n", "II.\nIt ended.\n"]);
    }

    #[tokio::test]
    async fn the_words_are_those_that_wc_counts() -> Result<(), fanfold::RunError> {
        let run = books::job().args((data::path("books"),)).run_in_memory().await?;
        let words: Vec<u64> = run.output().iter().map(|report| report.words).collect();
        assert_eq!(words, [6845, 15870, 26443, 20459, 29605, 17741]);
        Ok(())
    }
}
