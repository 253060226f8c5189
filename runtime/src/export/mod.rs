//! A recorded run for other programs: JSON lines, CSV for tables, a trace for <https://ui.perfetto.dev>.
//!
//! Each is a writer that is given a run's events batch by batch, in order, and holds no more of them
//! than what is in flight. Where the events come from is not its business.

mod csv;
mod perfetto;

pub use csv::CsvSteps;
pub use perfetto::PerfettoTrace;

use std::fmt;
use std::io::{self, Write};

use crate::event::Batch;
use crate::report::JsonLines;
use crate::shape::Shape;

/// A writer of a run.
pub trait Export {
    /// Takes the next events of the run.
    ///
    /// # Errors
    /// They could not be written; nothing more is to be given to it.
    fn batch(&mut self, shape: &Shape, batch: &Batch) -> io::Result<()>;

    /// Writes what is left, when there are no more events. The run need not have ended.
    ///
    /// # Errors
    /// It could not be written.
    fn finish(&mut self) -> io::Result<()>;
}

/// The forms in which a run is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExportFormat {
    /// One event a line, as [`JsonLines`] documents it.
    Json,
    /// One row for each end of a step, as [`CsvSteps`] documents it.
    Csv,
    /// A trace of attempts, as [`PerfettoTrace`] documents it.
    Perfetto,
}

impl ExportFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Json, Self::Csv, Self::Perfetto];

    /// As it is written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Perfetto => "perfetto",
        }
    }

    /// A writer of this form to `out`, which should be buffered.
    pub fn writer<'w>(self, out: impl Write + Send + 'w) -> Box<dyn Export + 'w> {
        match self {
            Self::Json => Box::new(JsonLines::new(out)),
            Self::Csv => Box::new(CsvSteps::new(out)),
            Self::Perfetto => Box::new(PerfettoTrace::new(out)),
        }
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl<W: Write> Export for JsonLines<W> {
    fn batch(&mut self, shape: &Shape, batch: &Batch) -> io::Result<()> {
        self.lines(shape, batch)
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}
