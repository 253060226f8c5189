//! Removing a run: its rows first, so that no row ever names a value that is gone.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{OptionalExtension, params};

use super::live::Live;
use super::place::sync_folder;
use super::{Inner, blobs, catalogue, taking};
use crate::store::StoreError;
use crate::store::rules::is_id;

/// So many lines are removed in one transaction: nobody waits long for a turn.
const LINES: u32 = 20_000;

/// Removes a run, or its lines; never one that is driven.
pub(super) fn remove(inner: &Arc<Inner>, run: &str, logs_only: bool) -> Result<(), StoreError> {
    let place = &inner.place;
    inner.writer()?;
    finish(inner)?;
    let entry = inner.readers.read(|conn| catalogue::entry(conn, place, run))?;
    let path = place.live(run);
    // With its lock in hand, nobody begins to drive it meanwhile.
    let live = Live::take(&path).map_err(|error| place.io("cannot lock", &path, &error))?;
    let live = live.ok_or_else(|| taking::held(place, run, &entry.holder))?;
    lines(inner, entry.number)?;
    if logs_only {
        return Ok(());
    }
    rows(inner, run, entry.number)?;
    drop(live);
    finish(inner)
}

fn lines(inner: &Inner, run: i64) -> Result<(), StoreError> {
    loop {
        let gone = inner.writer()?.write(0, |tx| {
            let delete = "DELETE FROM logs WHERE run = ?1 AND number <=
                (SELECT max(number) FROM (SELECT number FROM logs WHERE run = ?1 ORDER BY number LIMIT ?2))";
            Ok(tx.execute(delete, params![run, LINES])?)
        })?;
        if gone == 0 {
            return Ok(());
        }
    }
}

pub(super) fn rows(inner: &Inner, id: &str, run: i64) -> Result<(), StoreError> {
    inner.writer()?.write(0, |tx| {
        for delete in [
            "DELETE FROM commits WHERE run = ?1",
            "DELETE FROM summaries WHERE run = ?1",
            "DELETE FROM requests WHERE run = ?1",
            "DELETE FROM tags WHERE run = ?1",
            "DELETE FROM facts WHERE run = ?1",
            "DELETE FROM runs WHERE number = ?1",
        ] {
            tx.execute(delete, [run])?;
        }
        tx.execute("INSERT OR IGNORE INTO removed (id) VALUES (?1)", [id])?;
        Ok(())
    })
}

/// Removes the files of runs whose rows are gone: also of those at which somebody died.
fn finish(inner: &Inner) -> Result<(), StoreError> {
    loop {
        let next: Option<String> = inner.readers.read(|conn| {
            Ok(conn.query_row("SELECT id FROM removed LIMIT 1", [], |row| row.get(0)).optional()?)
        })?;
        let Some(run) = next else { return Ok(()) };
        // Another could only stand there by another's hand, and would name another folder.
        if is_id(&run) && !files(inner, &run)? {
            return Ok(());
        }
        inner.writer()?.write(0, |tx| Ok(tx.execute("DELETE FROM removed WHERE id = ?1", [run])?))?;
    }
}

/// Removes the files of a run: durably, as they would speak of it once nothing says that it was removed.
/// Not if somebody is about to enter a run of that id, which is refused: whoever removes a run next does
/// the rest.
fn files(inner: &Inner, run: &str) -> Result<bool, StoreError> {
    let place = &inner.place;
    let path = place.live(run);
    let Some(live) = Live::take(&path).map_err(|error| place.io("cannot lock", &path, &error))? else {
        return Ok(false);
    };
    let gone = live.remove().and_then(|()| sync_folder_of(&path));
    gone.map_err(|error| place.io("cannot remove", &path, &error))?;
    blobs::remove(place, run)?;
    Ok(true)
}

fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), sync_folder)
}
