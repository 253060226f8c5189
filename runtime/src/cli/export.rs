//! `export`: a recorded run for other programs.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum, ValueHint};

use super::problem::Problem;
use super::store::StoreFlags;
use super::which::which;
use crate::exit;
use crate::export::{Export, ExportFormat};
use crate::record::{ReadError, Reader};

/// The flags of `export`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// The run: the beginning of its id, or `last` [default: last]
    #[arg(value_name = "RUN")]
    run: Option<String>,
    /// In which form
    #[arg(long, value_name = "FORM")]
    format: FormFlag,
    /// Write to a file, not to stdout
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    #[command(flatten)]
    store: StoreFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormFlag {
    /// One event a line
    Json,
    /// One row for each end of a step
    Csv,
    /// A trace that ui.perfetto.dev opens
    Perfetto,
}

impl From<FormFlag> for ExportFormat {
    fn from(form: FormFlag) -> Self {
        match form {
            FormFlag::Json => Self::Json,
            FormFlag::Csv => Self::Csv,
            FormFlag::Perfetto => Self::Perfetto,
        }
    }
}

/// Exports a run.
pub(super) fn export(flags: &Flags) -> Result<u8, Problem> {
    let store = flags.store.reading()?;
    let run = which(&store, flags.run.as_deref())?;
    let reader = Reader::open(Arc::clone(&store), &run.id)?;
    let form = flags.format.into();
    let unread = match &flags.output {
        None => write(&reader, form, io::stdout()).map_err(Problem::Output)?,
        Some(path) => {
            write_file(&reader, form, path).map_err(|error| Problem::File { path: path.clone(), error })?
        }
    };
    match unread {
        None => Ok(exit::SUCCESS),
        Some(error) => Err(Problem::Store(format!(
            "{error}\nhelp: what was recorded before that is exported; keep a copy of the store before you change anything in it"
        ))),
    }
}

fn write_file(reader: &Reader, form: ExportFormat, path: &Path) -> io::Result<Option<ReadError>> {
    let file = File::create(path)?;
    write(reader, form, &file)
}

/// Writes what can be read; gives what kept the rest from being read.
fn write(reader: &Reader, form: ExportFormat, out: impl Write + Send) -> io::Result<Option<ReadError>> {
    let mut out = BufWriter::new(out);
    let mut writer: Box<dyn Export + '_> = form.writer(&mut out);
    let mut unread = None;
    for batch in reader.batches(0) {
        match batch {
            Ok((_, batch)) => writer.batch(reader.shape(), &batch)?,
            Err(error) => {
                unread = Some(error);
                break;
            }
        }
    }
    writer.finish()?;
    drop(writer);
    out.flush()?;
    Ok(unread)
}
