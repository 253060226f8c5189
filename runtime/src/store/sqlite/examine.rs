//! What `doctor` tells of a store.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::{Inner, connection, foreign, live, schema};
use crate::store::rules::is_id;
use crate::store::{Finding, StoreError};

/// Less room than this is told as a fault.
const ROOM: u64 = 256 << 20;

/// A log longer than this is told as a fault.
const LONG_LOG: u64 = 256 << 20;

/// So many commits of a run are checked at once.
const AT_ONCE: usize = 64;

/// Looks at all that can be looked at.
pub(super) fn examine(inner: &Inner) -> Result<Vec<Finding>, StoreError> {
    let place = &inner.place;
    let mut found = vec![inner.readers.read(|conn| {
        let text = format!("schema {} at {}", schema::version(conn)?, place.db().display());
        Ok(good("schema", text))
    })?];
    found.push(inner.readers.read(|conn| Ok(integrity(conn)?))?);
    if let Some(writer) = &inner.writer {
        found.push(good("durability", writer.ask(connection::in_force)?));
    }
    if let Some(frozen) = inner.readers.frozen() {
        found.push(good("access", frozen.text()));
    }
    found.extend(chains(inner)?);
    found.extend(stale(inner)?);
    found.extend(room(place.folder()));
    found.push(wal(&place.wal()));
    found.push(match network(place.folder()) {
        Some(text) => bad("file system", text),
        None => good("file system", "local"),
    });
    found.extend(locks(inner));
    Ok(found)
}

fn good(what: &str, text: impl Into<String>) -> Finding {
    Finding { good: true, what: what.to_owned(), text: text.into() }
}

fn bad(what: &str, text: impl Into<String>) -> Finding {
    Finding { good: false, ..good(what, text) }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn integrity(conn: &Connection) -> rusqlite::Result<Finding> {
    let mut check = conn.prepare("PRAGMA integrity_check(10)")?;
    let said: Vec<String> = check.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(match &said[..] {
        [one] if one == "ok" => good("integrity", "every page is as it should be"),
        _ => bad(
            "integrity",
            format!("{}: copy the store before anything else, then `export` what is whole", said.join("; ")),
        ),
    })
}

/// The chain of each run.
fn chains(inner: &Inner) -> Result<Vec<Finding>, StoreError> {
    let ids = inner.readers.read(|conn| super::catalogue::ids(conn, "", usize::MAX))?;
    let (mut commits, mut found) = (0, Vec::new());
    for id in &ids {
        match chain(inner, id) {
            Ok(count) => commits += count,
            // It was removed meanwhile.
            Err(StoreError::NoRun { .. }) => {}
            Err(error) => found.push(bad("record", format!("{error}: `export` reads what is whole"))),
        }
    }
    if found.is_empty() {
        found.push(good(
            "record",
            format!(
                "{}, {}, each follows the one before",
                counted(ids.len(), "run"),
                counted(commits, "commit")
            ),
        ));
    }
    Ok(found)
}

fn chain(inner: &Inner, id: &str) -> Result<usize, StoreError> {
    let place = &inner.place;
    inner.readers.read(|conn| super::catalogue::row(conn, place, id, |_| false))?;
    let mut count = 0;
    loop {
        let read = inner.record(id, |record| Ok(record.commits(count as u64, AT_ONCE)?.len()))?;
        count += read;
        if read < AT_ONCE {
            return Ok(count);
        }
    }
}

/// Live files that no process holds: of runs that are gone though they were recorded, or of use to
/// nobody.
fn stale(inner: &Inner) -> Result<Vec<Finding>, StoreError> {
    let folder = inner.place.folder().join("live");
    let names = fs::read_dir(&folder).into_iter().flatten().flatten();
    let names = names.filter_map(|file| file.file_name().into_string().ok()).filter(|name| is_id(name));
    let (mut found, mut stale) = (Vec::new(), 0);
    for run in names.filter(|name| !live::is_held(&folder.join(name))) {
        match inner.record(&run, |record| Ok(record.entry.is_open)) {
            Ok(true) => {}
            Ok(false) | Err(StoreError::NoRun { .. }) => stale += 1,
            Err(error) => found.push(bad("live files", error.to_string())),
        }
    }
    if stale > 0 {
        let text = format!("{stale} of runs that need none, in {}: they can be deleted", folder.display());
        found.push(good("live files", text));
    }
    Ok(found)
}

/// How much room is left.
#[cfg(unix)]
fn room(folder: &Path) -> Option<Finding> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let left = disk.f_bavail.saturating_mul(disk.f_frsize);
    let text = format!("{} MiB left", left >> 20);
    Some(if left < ROOM {
        bad("disk", format!("{text}: make room before the next run"))
    } else {
        good("disk", text)
    })
}

#[cfg(not(unix))]
fn room(_: &Path) -> Option<Finding> {
    None
}

fn wal(path: &Path) -> Finding {
    let length = fs::metadata(path).map_or(0, |found| found.len());
    let text = format!("{} KiB not yet in the database", length >> 10);
    if length < LONG_LOG {
        return good("log", text);
    }
    bad("log", format!("{text}: a program that reads the store for long keeps it so; close it"))
}

/// Who holds locks that no process of ours keeps for long.
fn locks(inner: &Inner) -> Option<Finding> {
    let writer = inner.writer.as_ref()?;
    // A write that changes nothing is made if nobody holds SQLite's lock.
    match writer.write(0, |_| Ok(())) {
        Ok(()) => None,
        Err(error) => {
            let who = foreign::holders(&inner.place).join(", ");
            Some(bad("locks", if who.is_empty() { error.to_string() } else { format!("{error} ({who})") }))
        }
    }
}

/// The kind of network file system that a folder lies on, and why that matters.
#[cfg(target_os = "linux")]
pub(super) fn network(folder: &Path) -> Option<String> {
    const KINDS: [(u32, &str); 10] = [
        (0x6969, "NFS"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB"),
        (0x517b, "SMB"),
        (0x6573_5546, "FUSE"),
        (0x0102_1997, "9p"),
        (0x00c3_6400, "Ceph"),
        (0x0bd0_0bd0, "Lustre"),
        (0x5346_414f, "AFS"),
        (0x4750_4653, "GPFS"),
    ];
    let kind = rustix::fs::statfs(folder).ok()?.f_type as u32;
    let (_, name) = KINDS.iter().find(|(magic, _)| *magic == kind)?;
    Some(format!(
        "{} lies on {name}, where locks and shared memory may not hold between machines: use a local disk, or \
         only ever one machine",
        folder.display()
    ))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn network(_: &Path) -> Option<String> {
    None
}
