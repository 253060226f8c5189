//! What reached the disk, and when: the system calls of a plan as operations on files and names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::strace::{self, Call};

/// One file, whatever it is called.
pub type FileId = usize;

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Op {
    /// A file got its first name.
    Create(PathBuf, FileId),
    /// A name was removed.
    Unlink(PathBuf),
    /// A file got another name.
    Rename(PathBuf, PathBuf, FileId),
    /// A folder was made.
    MakeFolder(PathBuf),
    /// A folder was removed.
    RemoveFolder(PathBuf),
    /// The names in a folder are on the disk.
    SyncFolder(PathBuf),
    /// Bytes were written.
    Write(FileId, u64, Vec<u8>),
    /// A file was given a length.
    Truncate(FileId, u64),
    /// What was done to a file before the operation of that number is on the disk.
    Sync(FileId, usize),
    /// A sync failed: what was to be synced may never be, as the system may have forgotten it.
    SyncFailed(FileId),
    /// The process says something.
    Say(String),
}

/// All that happened in a folder.
#[derive(Debug, Default)]
pub struct Tape {
    /// In order.
    pub ops: Vec<Op>,
    names: BTreeMap<PathBuf, FileId>,
    files: usize,
    /// Where a file is written next that is written from its beginning to its end.
    positions: BTreeMap<FileId, u64>,
}

impl Tape {
    /// Adds what `strace` wrote about a process, as far as it is about `folder`.
    ///
    /// # Panics
    /// It is not what `strace` writes.
    pub fn add(&mut self, folder: &Path, log: &[u8]) {
        let mut begun: BTreeMap<u32, (Vec<u8>, usize)> = BTreeMap::new();
        for line in log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let Some((process, text)) = strace::split(line) else { continue };
            if let Some(text) = strace::unfinished(text) {
                begun.insert(process, (text.to_vec(), self.ops.len()));
                continue;
            }
            let (text, since) = match (strace::resumed(text), begun.remove(&process)) {
                (Some(rest), Some((start, since))) => ([&start[..], rest].concat(), since),
                _ => (text.to_vec(), self.ops.len()),
            };
            if let Some(call) = strace::call(&text) {
                self.take(folder, &call, since);
            }
        }
    }

    fn take(&mut self, folder: &Path, call: &Call, since: usize) {
        if call.name == "write" && call.fd(0) == Some(1) {
            let said = String::from_utf8_lossy(&call.bytes(1)).trim_end().to_owned();
            return self.ops.push(Op::Say(said));
        }
        // What processes share is made anew by the first that comes after a death.
        let place = |path: PathBuf| path.strip_prefix(folder).ok().map(Path::to_owned);
        let Some(path) = call.path().and_then(place).filter(|path| !path.to_string_lossy().ends_with("-shm"))
        else {
            return;
        };
        if call.failed() {
            if matches!(&*call.name, "fsync" | "fdatasync")
                && let Some(file) = self.names.get(&path)
            {
                self.ops.push(Op::SyncFailed(*file));
            }
            return;
        }
        match &*call.name {
            "openat" => self.open(path, call),
            "mkdir" => self.ops.push(Op::MakeFolder(path)),
            "unlink" => self.unlink(path),
            "unlinkat" if call.text(2).contains("AT_REMOVEDIR") => self.ops.push(Op::RemoveFolder(path)),
            "rmdir" => self.ops.push(Op::RemoveFolder(path)),
            "unlinkat" => self.unlink(path),
            "rename" => self.rename(path, place(call.path_at(1)).expect("renamed within the folder")),
            "fsync" | "fdatasync" => match self.names.get(&path) {
                Some(file) => self.ops.push(Op::Sync(*file, since)),
                None => self.ops.push(Op::SyncFolder(path)),
            },
            "pwrite64" => self.write(&path, call.number(3), call),
            "write" => {
                let at = self.names.get(&path).and_then(|file| self.positions.get(file)).copied();
                self.write(&path, at.unwrap_or(0), call);
            }
            "ftruncate" => {
                if let Some(file) = self.names.get(&path) {
                    self.ops.push(Op::Truncate(*file, call.number(1)));
                }
            }
            other => panic!("{other} of {} is not expected", path.display()),
        }
    }

    fn open(&mut self, path: PathBuf, call: &Call) {
        let flags = call.text(2);
        assert!(!flags.contains("O_TRUNC"), "{} is opened with O_TRUNC", path.display());
        match self.names.get(&path) {
            Some(file) => drop(self.positions.insert(*file, 0)),
            None if flags.contains("O_CREAT") => {
                self.names.insert(path.clone(), self.files);
                self.ops.push(Op::Create(path, self.files));
                self.files += 1;
            }
            None => {}
        }
    }

    fn unlink(&mut self, path: PathBuf) {
        self.names.remove(&path);
        self.ops.push(Op::Unlink(path));
    }

    fn rename(&mut self, from: PathBuf, to: PathBuf) {
        let file = self.names.remove(&from).expect("what is renamed is there");
        self.names.insert(to.clone(), file);
        self.ops.push(Op::Rename(from, to, file));
    }

    /// As much as the call says that was written: it may be less than was asked for.
    fn write(&mut self, path: &Path, at: u64, call: &Call) {
        let Some(file) = self.names.get(path) else { return };
        let mut bytes = call.bytes(1);
        bytes.truncate(call.result as usize);
        self.positions.insert(*file, at + bytes.len() as u64);
        self.ops.push(Op::Write(*file, at, bytes));
    }
}
