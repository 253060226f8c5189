//! A process that is started and left alone: what it says first is heard, and its end is noticed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::{Child as Process, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

/// So much of what it says is read.
const WORDS: u64 = 16 * 1024;

/// How often it is looked whether a process has ended, while somebody asks for it, and after.
const LOOK: Duration = Duration::from_millis(10);
const LOOK_ON: Duration = Duration::from_secs(1);

/// A process that was started.
#[derive(Debug)]
pub(super) struct Child {
    said: File,
    ended: oneshot::Receiver<io::Result<ExitStatus>>,
    end: Option<Result<ExitStatus, String>>,
}

impl Child {
    /// Starts a program with these words and, of its environment, these variables with a value and those
    /// without.
    ///
    /// # Errors
    /// The system does not start it.
    pub(super) fn start(
        program: &Path,
        words: &[String],
        environment: &[(String, Option<String>)],
    ) -> io::Result<Self> {
        let said = unnamed()?;
        let mut command = Command::new(program);
        command.args(words).stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said.try_clone()?);
        for (name, value) in environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        // The signals of a terminal go to all of a group.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn()?;
        let (sender, ended) = oneshot::channel();
        let heard = said.try_clone()?;
        // It waits as long as the run takes, so it is none of the threads that answer. It fails only where
        // the system has no thread left; the process is then waited for by whoever outlives this one.
        let waiting = thread::Builder::new().name("fanfold-child".to_owned());
        let _ = waiting.spawn(move || wait(child, &heard, sender));
        Ok(Self { said, ended, end: None })
    }

    /// How it ended, if it has.
    pub(super) fn end(&mut self) -> Option<&Result<ExitStatus, String>> {
        if self.end.is_none() {
            self.end = match self.ended.try_recv() {
                Ok(end) => Some(end.map_err(|error| error.to_string())),
                Err(oneshot::error::TryRecvError::Empty) => None,
                Err(oneshot::error::TryRecvError::Closed) => Some(Err("nobody waits for it".to_owned())),
            };
        }
        self.end.as_ref()
    }

    /// What it has said so far.
    pub(super) fn said(&self) -> String {
        let mut bytes = Vec::new();
        let mut said = &self.said;
        // What cannot be read was not said.
        let _ = said.seek(SeekFrom::Start(0)).and_then(|_| said.take(WORDS).read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).trim().to_owned()
    }
}

/// Waits for the end of a process. Once nobody asks for it any more, what it says is thrown away again and
/// again: a run that prints for days fills no disk.
fn wait(mut child: Process, said: &File, asks: oneshot::Sender<io::Result<ExitStatus>>) {
    loop {
        match child.try_wait() {
            Ok(None) => {}
            Ok(Some(end)) => return drop(asks.send(Ok(end))),
            Err(error) => return drop(asks.send(Err(error))),
        }
        if asks.is_closed() {
            // What cannot be thrown away now is the next time.
            let _ = said.set_len(0);
            thread::sleep(LOOK_ON);
        } else {
            thread::sleep(LOOK);
        }
    }
}

/// A file without a name: it goes with the last who has it open. What is written goes to its end, also
/// while it is read.
fn unnamed() -> io::Result<File> {
    let name = format!("fanfold-{}-{:016x}", std::process::id(), fastrand::u64(..));
    let path = std::env::temp_dir().join(name);
    let mut options = OpenOptions::new();
    options.read(true).append(true).create_new(true);
    // What a run says may be nobody else's business.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    async fn ended(program: &str, words: &[&str], environment: &[(&str, Option<&str>)]) -> (Child, bool) {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let environment: Vec<_> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
        let mut child = Child::start(Path::new(program), &words, &environment).unwrap();
        while child.end().is_none() {
            tokio::task::yield_now().await;
        }
        let good = child.end().is_some_and(|end| end.as_ref().is_ok_and(ExitStatus::success));
        (child, good)
    }

    #[tokio::test]
    async fn what_a_process_says_is_heard_and_its_end_is_noticed() {
        let (child, good) = ended("/bin/sh", &["-c", "echo out; echo err >&2; exit 3"], &[]).await;
        assert_eq!((child.said().as_str(), good), ("out\nerr", false));
        let (child, good) = ended("/bin/sh", &["-c", "cat; echo $SECRET"], &[("SECRET", Some("x"))]).await;
        assert_eq!((child.said().as_str(), good), ("x", true));
        assert!(Child::start(Path::new("/nowhere/at/all"), &[], &[]).is_err());
    }

    #[test]
    fn what_nobody_hears_is_thrown_away() {
        // It ends only when what it said is gone.
        let words = ["-c", "echo x; while [ -s /dev/stdout ]; do :; done"].map(str::to_owned);
        let Child { said, ended, .. } = Child::start(Path::new("/bin/sh"), &words, &[]).unwrap();
        let is_empty = || said.metadata().unwrap().len() == 0;
        while is_empty() {
            thread::yield_now();
        }
        drop(ended);
        while !is_empty() {
            thread::yield_now();
        }
    }

    #[tokio::test]
    async fn a_process_has_a_group_of_its_own() {
        let (child, _) = ended("/bin/sh", &["-c", "echo $$; cut -d' ' -f5 /proc/$$/stat"], &[]).await;
        let said = child.said();
        let (pid, group) = said.split_once('\n').unwrap();
        assert_eq!(pid, group);
    }
}
