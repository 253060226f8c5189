//! Large values: a file each, named by its hash, in a folder of its run.
//!
//! A value is whole and durable before it has its name, and has its name before a commit can speak of
//! it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::place::{Place, make_folder, sync_folder};
use crate::crash::crash_point;
use crate::store::{Hash, StoreError, seal};

/// What a file is called that has not got its name yet.
const UNNAMED: &str = "tmp";

/// Keeps a value.
pub(super) fn put(place: &Place, run: &str, bytes: &[u8]) -> Result<Hash, StoreError> {
    let hash = seal::of(bytes);
    let folder = place.blobs(run);
    let path = folder.join(seal::hex(&hash));
    let kept = make_folder(&folder).and_then(|()| {
        // Whoever wrote the same value may not have come to syncing its name yet.
        if path.is_file() { sync_folder(&folder) } else { write(&folder, &path, bytes) }
    });
    crash_point!("blob_named");
    kept.map(|()| hash).map_err(|error| place.io("cannot keep a large value in", &folder, &error))
}

fn write(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let unnamed =
        path.with_extension(format!("{}-{}.{UNNAMED}", std::process::id(), COUNT.fetch_add(1, Relaxed)));
    let written = File::create_new(&unnamed)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| {
            crash_point!("blob_unnamed");
            fs::rename(&unnamed, path)
        })
        .and_then(|()| {
            crash_point!("blob_renamed");
            sync_folder(folder)
        });
    if written.is_err() {
        let _ = fs::remove_file(&unnamed);
    }
    written
}

/// A value, if it is what its name says.
pub(super) fn get(place: &Place, run: &str, hash: &Hash) -> Result<Vec<u8>, StoreError> {
    let name = seal::hex(hash);
    let path = place.blobs(run).join(&name);
    match fs::read(&path) {
        Ok(bytes) if seal::of(&bytes) == *hash => Ok(bytes),
        Ok(_) => Err(place.damaged(format!("the large value {name} of run {run} is not what was written"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(place.damaged(format!("the large value {name} of run {run} is missing")))
        }
        Err(error) => Err(place.io("cannot read", &path, &error)),
    }
}

/// Removes what holders that died were about to write. To be called by the holder.
pub(super) fn clear_unnamed(place: &Place, run: &str) {
    let Ok(files) = fs::read_dir(place.blobs(run)) else { return };
    for path in files.flatten().map(|file| file.path()) {
        if path.extension() == Some(OsStr::new(UNNAMED)) {
            // It takes up room, and nothing else.
            let _ = fs::remove_file(path);
        }
    }
}

/// Removes all values of a run.
pub(super) fn remove(place: &Place, run: &str) -> Result<(), StoreError> {
    let folder = place.blobs(run);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(place.io("cannot remove", &folder, &error))
        }
        _ => Ok(()),
    }
}
