//! The small file beside the store that says that a run is driven, and what its holder last knew.
//!
//! Its lock, which the system gives up with the holder's death, decides who drives. What is written in
//! it is never synced: it outlives the process, not a power cut.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use super::holder::Holder;
use super::place::make_folder;
use crate::crash::crash_point;
use crate::store::{Hash, IN_HAND_BYTES, IN_HAND_WORKERS, cut_in_hand, seal};

const MAGIC: &[u8; 8] = b"fanlive1";
/// One page for the head, one for each worker: a write within a page is whole or not there.
const PAGE: usize = 4096;
const BEATS_AT: u64 = 8;
const ACKNOWLEDGED_AT: u64 = 16;
const HOLDER_AT: u64 = 64;
/// Length and seal, before what a worker has in hand.
const SLOT_HEAD: usize = PAGE - IN_HAND_BYTES;

/// How often, and how long in between, a lock is tried that only a reader may have in passing.
const TRIES: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(1);

/// A live file that this process holds the lock of.
#[derive(Debug)]
pub(super) struct Live {
    path: PathBuf,
    file: File,
    lock: File,
    beats: AtomicU64,
}

/// What the last holder left.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Left {
    /// The last commit that it knew to be durable.
    pub(super) acknowledged: Option<(u64, Hash)>,
    /// What its workers had in hand.
    pub(super) in_hand: Vec<Vec<u8>>,
}

impl Live {
    /// Takes the lock, and makes the file if there is none; `None` if somebody has it.
    pub(super) fn take(path: &Path) -> io::Result<Option<Self>> {
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        for _ in 0..TRIES {
            let lock = open(&lock_path(path))?;
            match lock.try_lock() {
                // Whoever had it may have removed or replaced it meanwhile.
                Ok(()) if is_at(&lock, &lock_path(path)) => {
                    let file = open(path)?;
                    return Ok(Some(Self { path: path.to_owned(), file, lock, beats: AtomicU64::new(0) }));
                }
                Ok(()) => {}
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN),
            }
        }
        Ok(None)
    }

    /// Puts a new file in the place of one whose holder stands still, and takes its lock. To be called
    /// under the write lock, after a look that it still stands still.
    pub(super) fn replace(path: &Path) -> io::Result<Option<Self>> {
        for path in [lock_path(path), path.to_owned()] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Self::take(path)
    }

    /// Says who has the lock, at once: whoever is refused is told the right one. What the last holder
    /// left stays.
    pub(super) fn name(&self, holder: &Holder) {
        // For messages only.
        let _ = write_at(&self.file, &named(holder), HOLDER_AT);
    }

    /// Writes the file anew for this holder.
    pub(super) fn begin(&self, holder: &Holder, head: (u64, Hash)) -> io::Result<()> {
        let mut page = vec![0; PAGE];
        page[..8].copy_from_slice(MAGIC);
        let at = ACKNOWLEDGED_AT as usize;
        page[at..at + 48].copy_from_slice(&acknowledgement(head.0, &head.1));
        let (at, named) = (HOLDER_AT as usize, named(holder));
        page[at..at + named.len()].copy_from_slice(&named);
        self.file.set_len(PAGE as u64)?;
        write_at(&self.file, &page, 0)
    }

    /// Notes that a commit is durable.
    pub(super) fn acknowledge(&self, seq: u64, hash: &Hash) {
        // A lost note makes a lost commit harder to see; it loses none.
        let _ = write_at(&self.file, &acknowledgement(seq, hash), ACKNOWLEDGED_AT);
    }

    pub(super) fn beat(&self) {
        let beat = self.beats.fetch_add(1, Relaxed) + 1;
        // A beat that cannot be written leaves the holder to look dead, and to be fenced if it is taken
        // over.
        let _ = write_at(&self.file, &beat.to_le_bytes(), BEATS_AT);
    }

    pub(super) fn in_hand(&self, worker: usize, steps: &[u8]) {
        if worker >= IN_HAND_WORKERS {
            return;
        }
        let steps = cut_in_hand(steps);
        let mut slot = Vec::with_capacity(SLOT_HEAD + steps.len());
        slot.extend((steps.len() as u64).to_le_bytes());
        slot.extend(seal::seal([&steps[..]]));
        slot.extend(&steps[..]);
        // Best effort: it helps to find who killed the process.
        let _ = write_at(&self.file, &slot, (PAGE * (worker + 1)) as u64);
    }

    /// What the last holder left in the file.
    pub(super) fn left(&self) -> io::Result<Left> {
        left_at(&self.path)
    }

    /// Ends in order: nothing is in hand. The last acknowledgement stays, to be compared at the next
    /// opening.
    pub(super) fn end(&self) {
        let _ = self.file.set_len(PAGE as u64);
        let _ = self.lock.unlock();
    }

    /// Whether its last holder left nothing behind.
    pub(super) fn ended_in_order(&self) -> bool {
        self.left().is_ok_and(|left| left.in_hand.is_empty())
    }

    /// Removes the file, if it is still the one at its place.
    pub(super) fn remove(self) -> io::Result<()> {
        if !is_at(&self.lock, &lock_path(&self.path)) {
            return Ok(());
        }
        fs::remove_file(&self.path)?;
        crash_point!("live_removed");
        match fs::remove_file(lock_path(&self.path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// What a holder left in a file: nothing, if it was not written whole.
pub(super) fn left_at(path: &Path) -> io::Result<Left> {
    let bytes = fs::read(path)?;
    let Some((head, slots)) = bytes.split_at_checked(PAGE) else { return Ok(Left::default()) };
    if !head.starts_with(MAGIC) {
        return Ok(Left::default());
    }
    let mut in_hand: Vec<_> = slots.chunks(PAGE).map(|slot| slot_in(slot).unwrap_or_default()).collect();
    while in_hand.pop_if(|steps| steps.is_empty()).is_some() {}
    Ok(Left { acknowledged: acknowledged_in(head), in_hand })
}

/// Whether a process holds it.
pub(super) fn is_held(path: &Path) -> bool {
    let Ok(lock) = File::open(lock_path(path)) else { return false };
    matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// The last commit that a holder knew to be durable, as its file says.
pub(super) fn acknowledged_at(path: &Path) -> Option<(u64, Hash)> {
    let mut head = [0; HOLDER_AT as usize];
    File::open(path).and_then(|mut file| file.read_exact(&mut head)).ok()?;
    if head.starts_with(MAGIC) { acknowledged_in(&head) } else { None }
}

/// The heartbeat in a file, and who says it is its holder.
pub(super) fn look(path: &Path) -> Option<(u64, Option<Holder>)> {
    let head = fs::read(path).ok()?;
    let beats = head.get(BEATS_AT as usize..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))?;
    Some((beats, holder_in(&head)))
}

/// What tells this file from another of its name.
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(lock_path(path)).ok().map(|found| identity_of(&found))
}

/// A holder with its length before it; nothing, if its host has a name that fills the page.
fn named(holder: &Holder) -> Vec<u8> {
    let text = serde_json::to_vec(holder).unwrap_or_default();
    let text = if text.len() > PAGE / 2 { Vec::new() } else { text };
    let mut named = (text.len() as u32).to_le_bytes().to_vec();
    named.extend(text);
    named
}

fn holder_in(head: &[u8]) -> Option<Holder> {
    let rest = head.get(HOLDER_AT as usize..)?;
    let (length, rest) = rest.split_first_chunk()?;
    serde_json::from_slice(rest.get(..u32::from_le_bytes(*length) as usize)?).ok()
}

fn acknowledgement(seq: u64, hash: &Hash) -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[..8].copy_from_slice(&seq.to_le_bytes());
    bytes[8..40].copy_from_slice(hash);
    let seal = seal::seal([&bytes[..40]]);
    bytes[40..].copy_from_slice(&seal);
    bytes
}

fn acknowledged_in(head: &[u8]) -> Option<(u64, Hash)> {
    let bytes: &[u8; 48] = head.get(ACKNOWLEDGED_AT as usize..)?.first_chunk()?;
    let (seq, hash) = (bytes.first_chunk()?, bytes[8..].first_chunk()?);
    let (seq, hash) = (u64::from_le_bytes(*seq), *hash);
    (acknowledgement(seq, &hash) == *bytes).then_some((seq, hash))
}

fn slot_in(slot: &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = slot.split_first_chunk()?;
    let (seal, rest) = rest.split_first_chunk::<8>()?;
    let steps = rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    (seal::seal([steps]) == *seal).then(|| steps.to_vec())
}

fn open(path: &Path) -> io::Result<File> {
    File::options().create(true).truncate(false).read(true).write(true).open(path)
}

/// The file that is locked: on Windows not the one that is read, as nobody could read it then.
fn lock_path(path: &Path) -> PathBuf {
    if cfg!(windows) { path.with_extension("lock") } else { path.to_owned() }
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(here), Ok(there)) => identity_of(&here) == identity_of(&there),
        _ => false,
    }
}

#[cfg(unix)]
fn identity_of(found: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;

    (found.dev(), found.ino())
}

#[cfg(not(unix))]
fn identity_of(_: &fs::Metadata) -> (u64, u64) {
    (0, 0)
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(windows)]
fn write_at(file: &File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = std::os::windows::fs::FileExt::seek_write(file, bytes, at)?;
        bytes = &bytes[written..];
        at += written as u64;
    }
    Ok(())
}
