//! Whether the system has room for a run, before anything begins: where tokio finds none it panics.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::problem::Problem;

/// The threads of a run besides those of tokio, one a core: its own, two workers among them, and those that
/// listen, show and write.
const THREADS: usize = 8;

/// The files of a run: of the store and its locks, of two runtimes and their signals.
#[cfg(unix)]
const FILES: usize = 32;

/// Refuses to begin where there is no room for threads and files.
pub(super) fn check() -> Result<(), Problem> {
    files().map_err(|error| {
        let what = format!("a run needs some 32 open files, and the system gives no more: {error}");
        Problem::Store(format!("{what}\nhelp: raise the limit (`ulimit -n`)"))
    })?;
    let threads = THREADS + thread::available_parallelism().map_or(1, usize::from);
    room_for(threads).map_err(|error| {
        let what = format!("a run needs {threads} threads, and the system gives no more: {error}");
        Problem::Store(format!(
            "{what}\nhelp: end other programs, or raise the limit (`ulimit -u`, `ulimit -v`)"
        ))
    })
}

/// Has so many threads at once.
fn room_for(threads: usize) -> io::Result<()> {
    let gate = Mutex::new(());
    let wait = || drop(gate.lock().unwrap_or_else(PoisonError::into_inner));
    let closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
    thread::scope(|scope| {
        let all: io::Result<Vec<_>> =
            (0..threads).map(|_| thread::Builder::new().spawn_scoped(scope, wait)).collect();
        drop(closed);
        all.map(drop)
    })
}

/// Has so many files open at once.
#[cfg(unix)]
fn files() -> io::Result<()> {
    let all: io::Result<Vec<_>> = (0..FILES).map(|_| std::fs::File::open("/dev/null")).collect();
    all.map(drop)
}

/// There is no such limit.
#[cfg(not(unix))]
fn files() -> io::Result<()> {
    Ok(())
}
