//! What can go wrong before, beside and after a run, and how it is told.

use std::io;
use std::path::PathBuf;

use crate::exit;
use crate::report::paint::Paint;
use crate::report::screen::tell;
pub(crate) use crate::text::nearest;
use crate::text::safe;

/// Why the binary does not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// What clap says of the command line; also its help.
    #[error(transparent)]
    CommandLine(#[from] clap::Error),
    /// A flag, a file or a value is wrong.
    #[error("{0}")]
    Usage(String),
    /// The program is wrong.
    #[error("{0}")]
    Program(String),
    /// The run could not start or go on.
    #[error("{0}")]
    Store(String),
    /// Something asked for could not be written.
    #[error("cannot write to stdout: {0}")]
    Output(io::Error),
    /// As [`Output`](Self::Output), to a file.
    #[error("cannot write {}: {error}", safe(&path.display().to_string()))]
    File { path: PathBuf, error: io::Error },
}

impl Problem {
    /// Whether a reader of stdout went away, which is no error.
    pub(crate) fn is_reader_gone(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Says what is wrong on stderr, and gives the exit code.
    pub(crate) fn tell(self) -> u8 {
        let code = match &self {
            Self::CommandLine(error) => {
                // Help and versions come as errors, too. A reader that went away is none.
                let _ = error.print();
                return if error.use_stderr() { exit::USAGE } else { exit::SUCCESS };
            }
            Self::Usage(_) => exit::USAGE,
            Self::Program(_) => exit::PROGRAM,
            Self::Store(_) => exit::STORE,
            Self::Output(_) if self.is_reader_gone() => return exit::SUCCESS,
            Self::Output(_) | Self::File { .. } => exit::OUTPUT,
        };
        tell(&format!("{} {self}", Paint::for_stderr().bad("error:")));
        code
    }
}

/// `unknown WHAT `x`: did you mean `y`?`, or the list of what is known.
pub(crate) fn unknown<'a>(
    what: &str,
    wrong: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
    none: &str,
) -> String {
    if let Some(near) = nearest(wrong, known.clone()) {
        return format!("unknown {what} `{wrong}`: did you mean `{near}`?");
    }
    let known: Vec<_> = known.into_iter().map(|name| format!("`{name}`")).collect();
    match known.as_slice() {
        [] => format!("unknown {what} `{wrong}`: {none}"),
        known => format!("unknown {what} `{wrong}`: there is {}", known.join(", ")),
    }
}
