//! The exit codes of a job binary. They are part of its interface and do not change.

/// Everything asked for was done; for `run`: the run succeeded.
pub const SUCCESS: u8 = 0;

/// The run failed: a step failed, and nothing took the failure.
pub const FAILED: u8 = 1;

/// The command line, a config file or a value of an argument is wrong; nothing was started.
pub const USAGE: u8 = 2;

/// The program itself is wrong: a job's graph cannot be built, two jobs share a name, or it has no
/// jobs; nothing was started.
pub const PROGRAM: u8 = 3;

/// The run could not start or go on, for a reason that lies outside its steps: a resource was not
/// built, or the record could not be written.
pub const STORE: u8 = 4;

/// The result could not be written to stdout, or to the file that was named (a full disk, say). A
/// reader that went away is none.
pub const OUTPUT: u8 = 5;

/// The run was cancelled: by a signal (128 + SIGINT, as shells have it) or by somebody's command.
pub const CANCELLED: u8 = 130;
