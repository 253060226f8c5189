//! Writing to stdout: what the caller asked for, and nothing else.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::problem::Problem;

/// How many batches of lines, of about a mebibyte at most, may wait for a slow reader before the run
/// waits with them. Lines are never dropped, and memory stays bounded.
const WAITING_BATCHES: usize = 16;

/// Writes bytes to stdout.
///
/// # Errors
/// They could not be written. A reader that went away is told apart in [`Problem::tell`].
pub(super) fn print(bytes: &[u8]) -> Result<(), Problem> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(Problem::Output)
}

/// Stdout with a thread of its own, so that a reader that stalls does not stall the engine's
/// thread until [`WAITING_BATCHES`] are waiting.
pub(super) struct Stdout {
    queue: Option<SyncSender<Vec<u8>>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Stdout {
    /// Begins to write; the receiver is told why, when stdout can no longer be written to.
    pub(super) fn start() -> (Self, oneshot::Receiver<io::ErrorKind>) {
        let (queue, batches) = sync_channel(WAITING_BATCHES);
        let (broken, is_broken) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("fanfold-stdout".to_owned())
            .spawn(move || {
                let result = copy(&batches);
                if let Err(error) = &result {
                    let _ = broken.send(error.kind());
                }
                result
            })
            .ok();
        (Self { queue: Some(queue), thread }, is_broken)
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// Something could not be written.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.queue = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            _ => Err(io::Error::other("the thread that writes it is gone")),
        }
    }
}

fn copy(batches: &Receiver<Vec<u8>>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for batch in batches {
        stdout.write_all(&batch)?;
        stdout.flush()?;
    }
    Ok(())
}

impl Write for Stdout {
    /// Queues the bytes. What the thread could not write is told by [`finish`](Self::finish), with
    /// its reason; here it would be known too late, and without one.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(queue) = &self.queue {
            let _ = queue.send(bytes.to_vec());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
