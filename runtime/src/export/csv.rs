//! One row for each end of a step.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use crate::event::{Batch, Event, EventKind, StepRef};
use crate::export::Export;
use crate::shape::Shape;
use crate::step::Brackets;

/// The names of the columns, as the first line has them.
const HEADER: &str = "step,op,keys,state,attempt,started,took,error\r\n";

/// Writes a table of steps as CSV (RFC 4180, UTF-8), in the order in which they ended.
///
/// | column | content |
/// |---|---|
/// | `step` | the name of the step, which parses as a [`StepName`](crate::StepName) |
/// | `op`, `keys` | its two parts: the op, and the keys in brackets |
/// | `state` | `succeeded`, `failed`, `skipped`, `upstream_failed`, `cancelled`, or `reused` in a rerun |
/// | `attempt` | how many attempts were made; empty if none was |
/// | `started`, `took` | seconds, since the run began and of the last attempt; empty if there was none |
/// | `error` | why it failed, with causes; for `upstream_failed`, the step that failed |
///
/// A step that ended more than once, since the run was resumed or its item was given again, has more
/// than one row: the last one counts.
///
/// Texts are as they are. A program that takes cells for formulas (a spreadsheet does so with a text
/// that begins with `=`) is to be told to read these columns as text: a mark before them here would
/// make them wrong for every other program.
#[derive(Debug)]
pub struct CsvSteps<W> {
    out: W,
    line: String,
    begun: bool,
}

impl<W: Write> CsvSteps<W> {
    /// Writes to `out`, which should be buffered.
    pub fn new(out: W) -> Self {
        Self { out, line: String::new(), begun: false }
    }

    fn begin(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        self.out.write_all(HEADER.as_bytes())
    }
}

impl<W: Write> Export for CsvSteps<W> {
    fn batch(&mut self, shape: &Shape, batch: &Batch) -> io::Result<()> {
        self.begin()?;
        for event in &batch.events {
            self.line.clear();
            if let Some(row) = Row::of(shape, event) {
                row.write(shape, &mut self.line);
                self.out.write_all(self.line.as_bytes())?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.begin()?;
        self.out.flush()
    }
}

struct Row<'a> {
    step: &'a StepRef,
    state: &'static str,
    attempt: Option<(u32, Duration, Duration)>,
    error: String,
}

impl<'a> Row<'a> {
    fn of(shape: &Shape, event: &'a Event) -> Option<Self> {
        let row = |step, state| Row { step, state, attempt: None, error: String::new() };
        Some(match &event.kind {
            EventKind::StepSucceeded { step, attempt, started, took, .. } => {
                Row { attempt: Some((*attempt, *started, *took)), ..row(step, "succeeded") }
            }
            EventKind::StepFailed { step, attempt, started, took, error, .. } => Row {
                attempt: Some((*attempt, *started, *took)),
                error: error.to_string(),
                ..row(step, "failed")
            },
            EventKind::StepNotRun { step, state, cause } => {
                let error = cause.as_ref().map(|cause| cause.name(shape).to_string()).unwrap_or_default();
                Row { error, ..row(step, state.name()) }
            }
            EventKind::StepReused { step, .. } => row(step, "reused"),
            _ => return None,
        })
    }

    fn write(&self, shape: &Shape, line: &mut String) {
        let name = self.step.name(shape);
        let seconds = |time: Duration| format!("{}.{:06}", time.as_secs(), time.subsec_micros());
        let (attempt, started, took) = match self.attempt {
            Some((attempt, started, took)) => (attempt.to_string(), seconds(started), seconds(took)),
            None => Default::default(),
        };
        let cells = [
            &name.to_string(),
            name.op(),
            &Brackets(name.keys()).to_string(),
            self.state,
            &attempt,
            &started,
            &took,
            &self.error,
        ];
        for (number, cell) in cells.iter().enumerate() {
            if number > 0 {
                line.push(',');
            }
            write_cell(line, cell);
        }
        line.push_str("\r\n");
    }
}

/// In quotes if need be, with quotes inside doubled.
fn write_cell(line: &mut String, cell: &str) {
    let plain = !cell.contains(['"', ',', '\r', '\n']) && cell.trim() == cell;
    if plain {
        line.push_str(cell);
    } else {
        // Writing to a string cannot fail.
        let _ = write!(line, "\"{}\"", cell.replace('"', "\"\""));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::{self, failed, step};
    use expect_test::expect;

    fn export(shape: &Shape, events: Vec<Event>) -> String {
        let mut csv = CsvSteps::new(Vec::new());
        csv.batch(shape, &Batch { events, ..Batch::default() }).unwrap();
        csv.finish().unwrap();
        String::from_utf8(csv.out).unwrap()
    }

    #[test]
    fn one_row_for_each_end_of_a_step() {
        let (shape, events) = fixture::failing_letters();
        let text = export(&shape, events).replace("\r\n", "⏎\n");
        expect![[r#"
            step,op,keys,state,attempt,started,took,error⏎
            clean[a],clean,[a],succeeded,1,0.015000,0.005000,⏎
            clean[b],clean,[b],succeeded,1,0.015000,0.005000,⏎
            clean[c],clean,[c],succeeded,1,0.015000,0.005000,⏎
            compute_piece[a],compute_piece,[a],succeeded,1,0.030000,0.370000,⏎
            load_pieces,load_pieces,,succeeded,1,0.000000,0.600000,⏎
            compute_piece[c],compute_piece,[c],succeeded,1,0.030000,0.870000,⏎
            compute_piece[b],compute_piece,[b],failed,3,2.500000,0.500000,api time out after 500 ms⏎
            merge,merge,,upstream_failed,,,,compute_piece[b]⏎
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn a_run_without_steps_has_a_header() {
        assert_eq!(export(&fixture::shape(), Vec::new()), HEADER);
    }

    /// Reads what the writer wrote by the grammar of RFC 4180, and nothing else.
    fn read(text: &str) -> Vec<Vec<String>> {
        let (mut rows, mut rest) = (vec![vec![]], text);
        while !rest.is_empty() {
            let cell = match rest.strip_prefix('"') {
                Some(mut quoted) => {
                    let mut cell = String::new();
                    loop {
                        let end = quoted.find('"').expect("a quote is closed");
                        cell.push_str(&quoted[..end]);
                        quoted = &quoted[end + 1..];
                        match quoted.strip_prefix('"') {
                            Some(more) => {
                                cell.push('"');
                                quoted = more;
                            }
                            None => break,
                        }
                    }
                    rest = quoted;
                    cell
                }
                None => {
                    let end = rest.find([',', '\r', '\n', '"']).expect("a row ends");
                    let cell = rest[..end].to_owned();
                    rest = &rest[end..];
                    cell
                }
            };
            rows.last_mut().unwrap().push(cell);
            if let Some(more) = rest.strip_prefix(',') {
                rest = more;
            } else {
                rest = rest.strip_prefix("\r\n").expect("a row ends with CR LF");
                rows.push(Vec::new());
            }
        }
        rows.pop();
        rows
    }

    #[test]
    fn any_text_reads_back_as_it_was() {
        let shape = fixture::shape();
        for seed in 0..500 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut text = || -> String {
                let pieces = ["a", ",", "\"", "\n", "\r\n", "=1+1", " ", "é", "'", "[", "\\"];
                (0..random.usize(1..6)).map(|_| pieces[random.usize(..pieces.len())]).collect()
            };
            let (key, error) = (text().replace(['\r', '\n'], "."), text());
            let event = failed(step(&shape, "compute_piece", Some((&key, 0))), 10, 5, &error);
            let rows = read(&export(&shape, vec![event]));
            assert_eq!(rows.len(), 2, "seed {seed}");
            assert!(rows.iter().all(|row| row.len() == 8), "seed {seed}");
            let name: crate::StepName = rows[1][0].parse().unwrap();
            assert_eq!(name.keys(), [crate::Key::new(&key)], "seed {seed}");
            assert_eq!(rows[1][7], error, "seed {seed}");
        }
    }
}
