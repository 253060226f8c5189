//! Disks as a power cut leaves them.
//!
//! What was synced is there. Of what was not, each sector of each write, each length and, if the disk is
//! a strict one, each name may be there or not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::tape::{FileId, Op};

/// So many bytes are written whole, or not at all.
const SECTOR: usize = 512;

/// What a disk has, and what it may have.
#[derive(Debug, Default, Clone)]
pub struct Disk {
    files: BTreeMap<FileId, File>,
    /// What the names on the disk stand for.
    tree: Tree,
    /// Changes of names that are not synced.
    names: Vec<(usize, Op)>,
    /// How many operations there were.
    at: usize,
}

#[derive(Debug, Default, Clone)]
struct File {
    synced: Vec<u8>,
    pending: Vec<Pending>,
}

#[derive(Debug, Clone)]
struct Pending {
    number: usize,
    op: Op,
    /// A sync of it failed: it is never known to be on the disk.
    doomed: bool,
}

#[derive(Debug, Default, Clone)]
struct Tree {
    folders: BTreeSet<PathBuf>,
    files: BTreeMap<PathBuf, FileId>,
}

/// A disk as it is found when the power is back.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Image {
    folders: BTreeSet<PathBuf>,
    /// The files, by their names in the folder.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
}

/// How much of what was not synced is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// All: the processes died, not the disk.
    Nothing,
    /// Nothing.
    All,
    /// What was done first, up to a sector of a write.
    Later,
    /// Any writes, each whole.
    Writes,
    /// Any sectors.
    Sectors,
    /// All but one write.
    One,
}

impl Loss {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::Nothing, Self::All, Self::Later, Self::Writes, Self::Sectors, Self::One];
}

impl Disk {
    /// One operation more.
    pub fn take(&mut self, op: &Op) {
        let number = self.at;
        self.at += 1;
        match op {
            Op::Say(_) => {}
            Op::Write(file, ..) | Op::Truncate(file, _) => {
                let pending = Pending { number, op: op.clone(), doomed: false };
                self.files.entry(*file).or_default().pending.push(pending);
            }
            Op::Sync(file, since) => self.files.entry(*file).or_default().sync(*since),
            Op::SyncFailed(file) => {
                self.files.entry(*file).or_default().pending.iter_mut().for_each(|one| one.doomed = true);
            }
            Op::SyncFolder(folder) => {
                let in_it = |op: &Op| parent(op) == Some(&**folder);
                let names = std::mem::take(&mut self.names).into_iter();
                let (synced, rest): (Vec<_>, _) = names.partition(|(_, op)| in_it(op));
                self.names = rest;
                synced.iter().for_each(|(_, op)| self.tree.take(op));
            }
            name => self.names.push((number, name.clone())),
        }
    }

    /// How much is not synced.
    pub fn pending(&self) -> usize {
        self.names.len() + self.files.values().map(|file| file.pending.len()).sum::<usize>()
    }

    /// The disk after a power cut at this instant. On a strict one names are lost, too.
    pub fn cut(&self, loss: Loss, strict: bool, random: &mut fastrand::Rng) -> Image {
        let numbers: Vec<_> =
            self.files.values().flat_map(|file| &file.pending).map(|pending| pending.number).collect();
        let chosen = if numbers.is_empty() { 0 } else { numbers[random.usize(..numbers.len())] };
        let share = random.f32();
        let mut tree = self.tree.clone();
        for (number, op) in &self.names {
            let there = match loss {
                _ if !strict => true,
                Loss::Nothing => true,
                Loss::All => false,
                Loss::Later => *number < chosen,
                _ => random.f32() < share,
            };
            if there {
                tree.take(op);
            }
        }
        let mut fate = Fate { loss, chosen, share, random };
        let files = tree.files.iter().filter(|(path, _)| tree.has_folder_of(path));
        let files = files.map(|(path, file)| (path.clone(), self.content(*file, &mut fate))).collect();
        Image { folders: tree.folders.clone(), files }
    }

    fn content(&self, file: FileId, fate: &mut Fate<'_>) -> Vec<u8> {
        let Some(file) = self.files.get(&file) else { return Vec::new() };
        let mut content = file.synced.clone();
        for pending in &file.pending {
            fate.apply(pending, &mut content);
        }
        content
    }
}

impl File {
    fn sync(&mut self, since: usize) {
        let mut rest = Vec::new();
        for pending in self.pending.drain(..) {
            if pending.number < since && !pending.doomed {
                whole(&pending.op, &mut self.synced);
            } else {
                rest.push(pending);
            }
        }
        self.pending = rest;
    }
}

/// Does all of an operation.
fn whole(op: &Op, content: &mut Vec<u8>) {
    match op {
        Op::Truncate(_, length) => content.resize(*length as usize, 0),
        Op::Write(_, at, bytes) => put(content, *at as usize, bytes),
        _ => {}
    }
}

fn put(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    content.resize(content.len().max(at + bytes.len()), 0);
    content[at..at + bytes.len()].copy_from_slice(bytes);
}

/// What becomes of each operation that was not synced.
struct Fate<'a> {
    loss: Loss,
    chosen: usize,
    share: f32,
    random: &'a mut fastrand::Rng,
}

impl Fate<'_> {
    fn apply(&mut self, pending: &Pending, content: &mut Vec<u8>) {
        let torn = match self.loss {
            Loss::Later => pending.number == self.chosen,
            Loss::Sectors => true,
            _ => false,
        };
        let there = match self.loss {
            Loss::Nothing => true,
            Loss::All => false,
            Loss::Later => pending.number < self.chosen,
            Loss::One => pending.number != self.chosen,
            Loss::Writes | Loss::Sectors => self.random.f32() < self.share,
        };
        match &pending.op {
            Op::Write(_, at, bytes) if torn => self.tear(*at as usize, bytes, content),
            op if there => whole(op, content),
            _ => {}
        }
    }

    /// Some sectors of a write. The length of a file may be on the disk before what is written there.
    fn tear(&mut self, at: usize, bytes: &[u8], content: &mut Vec<u8>) {
        let first = if self.loss == Loss::Later { self.random.usize(..=bytes.len()) } else { bytes.len() };
        let mut from = 0;
        while from < bytes.len() {
            let to = bytes.len().min(((at + from) / SECTOR + 1) * SECTOR - at);
            let there = if self.loss == Loss::Later { to <= first } else { self.random.f32() < self.share };
            if there {
                put(content, at + from, &bytes[from..to]);
            } else if self.random.u8(..8) == 0 {
                content.resize(content.len().max(at + to), 0);
            }
            from = to;
        }
    }
}

impl Tree {
    fn take(&mut self, op: &Op) {
        match op {
            Op::Create(path, file) => drop(self.files.insert(path.clone(), *file)),
            Op::Unlink(path) => drop(self.files.remove(path)),
            Op::Rename(from, to, file) => {
                self.files.remove(from);
                self.files.insert(to.clone(), *file);
            }
            Op::MakeFolder(path) => drop(self.folders.insert(path.clone())),
            Op::RemoveFolder(path) => {
                self.folders.remove(path);
                self.files.retain(|file, _| !file.starts_with(path));
            }
            _ => {}
        }
    }

    /// Whether all folders that a file lies in are there.
    fn has_folder_of(&self, path: &Path) -> bool {
        let mut folders = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
        folders.all(|folder| self.folders.contains(folder))
    }
}

/// The folder whose names an operation changes.
fn parent(op: &Op) -> Option<&Path> {
    match op {
        Op::Create(path, _)
        | Op::Unlink(path)
        | Op::Rename(_, path, _)
        | Op::MakeFolder(path)
        | Op::RemoveFolder(path) => path.parent(),
        _ => None,
    }
}

impl Image {
    /// Lays it into `folder`, with nothing else in it.
    ///
    /// # Errors
    /// That folder cannot be written.
    pub fn lay(&self, folder: &Path) -> io::Result<()> {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir_all(folder)?,
        }
        for made in &self.folders {
            fs::create_dir_all(folder.join(made))?;
        }
        self.files.iter().try_for_each(|(path, content)| fs::write(folder.join(path), content))
    }

    /// What lies in `folder`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let mut image = Self::default();
        let mut left = vec![folder.to_owned()];
        while let Some(next) = left.pop() {
            for file in fs::read_dir(next)? {
                let path = file?.path();
                let name = path.strip_prefix(folder).map_err(io::Error::other)?.to_owned();
                if path.is_dir() {
                    image.folders.insert(name);
                    left.push(path);
                } else {
                    image.files.insert(name, fs::read(&path)?);
                }
            }
        }
        Ok(image)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(ops: &[Op]) -> Disk {
        let mut disk = Disk::default();
        ops.iter().for_each(|op| disk.take(op));
        disk
    }

    fn cut(disk: &Disk, loss: Loss, strict: bool) -> Vec<Image> {
        let mut random = fastrand::Rng::with_seed(1);
        (0..200).map(|_| disk.cut(loss, strict, &mut random)).collect()
    }

    #[test]
    fn what_was_synced_is_there_and_the_rest_may_be() {
        let name = PathBuf::from("a");
        let disk = disk(&[
            Op::Create(name.clone(), 0),
            Op::SyncFolder(PathBuf::new()),
            Op::Write(0, 0, vec![1; 2048]),
            Op::Sync(0, 3),
            Op::Write(0, 512, vec![2; 1024]),
        ]);
        let contents = |loss| -> BTreeSet<Vec<u8>> {
            cut(&disk, loss, true).into_iter().map(|mut image| image.files.remove(&name).unwrap()).collect()
        };
        assert_eq!(contents(Loss::All), [vec![1; 2048]].into());
        assert_eq!(contents(Loss::Nothing).len(), 1);
        assert_eq!(contents(Loss::Sectors).len(), 4, "each sector is there or not");
        for content in contents(Loss::Sectors) {
            assert_eq!((&content[..512], &content[1536..]), (&[1; 512][..], &[1; 512][..]));
        }
    }

    #[test]
    fn a_write_before_a_sync_that_failed_is_never_sure() {
        let ops = [
            Op::Create("a".into(), 0),
            Op::SyncFolder("".into()),
            Op::Write(0, 0, vec![1; 10]),
            Op::SyncFailed(0),
            Op::Sync(0, 4),
        ];
        assert!(cut(&disk(&ops), Loss::All, true)[0].files[Path::new("a")].is_empty());
    }

    #[test]
    fn a_strict_disk_loses_names_whose_folder_was_not_synced() {
        let disk = disk(&[
            Op::Create("new".into(), 0),
            Op::SyncFolder("".into()),
            Op::Rename("new".into(), "a".into(), 0),
        ]);
        assert!(cut(&disk, Loss::All, false)[0].files.contains_key(Path::new("a")));
        assert!(cut(&disk, Loss::All, true)[0].files.contains_key(Path::new("new")));
    }
}
