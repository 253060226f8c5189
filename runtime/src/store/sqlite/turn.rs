//! Whose turn it is to write: one of all processes at a time.
//!
//! SQLite's own waiting is a lottery that starves whoever writes seldom. Here a writer waits in the
//! system's queue, and leaves a pause after its turn in which the next one comes in.

use std::fs::{File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// What the holder leaves between two turns.
const PAUSE: Duration = Duration::from_micros(200);

/// So long somebody else's turn may last: then its process stands still in the middle of it.
pub(super) const LONGEST: Duration = Duration::from_secs(30);

/// The queue, as one writer sees it.
#[derive(Debug)]
pub(super) struct Turns {
    path: PathBuf,
    file: Option<Arc<File>>,
    last: Option<Instant>,
}

/// A turn, until it is dropped.
pub(super) struct Turn<'a> {
    file: Arc<File>,
    last: &'a mut Option<Instant>,
}

impl Turns {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: None, last: None }
    }

    /// Waits for a turn; `None` if it did not come within `limit`.
    pub(super) fn take(&mut self, limit: Duration) -> io::Result<Option<Turn<'_>>> {
        if let Some(rest) = self.last.and_then(|last| PAUSE.checked_sub(last.elapsed())) {
            thread::sleep(rest);
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => Arc::new(File::options().create(true).truncate(false).write(true).open(&self.path)?),
        };
        if !lock(&file, limit)? {
            // The one that waits holds the other end of this handle: it is given up with it.
            return Ok(None);
        }
        self.file = Some(file.clone());
        Ok(Some(Turn { file, last: &mut self.last }))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // It is given up with the handle at the latest.
        let _ = self.file.unlock();
        *self.last = Some(Instant::now());
    }
}

/// Locks the file, unless that takes longer than `limit`: then a thread goes on waiting, and closes
/// the file when it has the lock.
fn lock(file: &Arc<File>, limit: Duration) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => return Ok(true),
        Err(TryLockError::Error(error)) => return Err(error),
        Err(TryLockError::WouldBlock) => {}
    }
    let (send, receive) = mpsc::channel();
    let waiting = file.clone();
    thread::Builder::new().name("fanfold-turn".to_owned()).spawn(move || {
        // Whoever asked may have gone; then the lock goes with the last handle.
        let _ = send.send(waiting.lock());
    })?;
    match receive.recv_timeout(limit) {
        Ok(locked) => locked.map(|()| true),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(false),
    }
}
