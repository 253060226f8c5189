//! Taking the right to drive a run: a new one, a free one, or one whose holder stands still.

use std::sync::Arc;

use rusqlite::{Transaction, params};

use super::catalogue::{self, Entry};
use super::drive::SqliteDrive;
use super::fault::Fault;
use super::holder::Holder;
use super::live::{self, Left, Live};
use super::place::Place;
use super::record::Record;
use super::{Inner, blobs, lines, number};
use crate::crash::crash_point;
use crate::store::standstill::{self, Pulse, Watched};
use crate::store::{NewRun, StoreError, check_id, taken};

/// Enters a run and takes it.
pub(super) fn create(inner: &Arc<Inner>, run: &NewRun) -> Result<SqliteDrive, StoreError> {
    let place = &inner.place;
    let writer = inner.writer()?;
    check_id(place.shown(), &run.id)?;
    let is_taken = || taken(place.shown(), &run.id);
    let live = take(place, &run.id)?.ok_or_else(is_taken)?;
    crash_point!("run_locked");
    let holder = Holder::this();
    live.name(&holder);
    let number = writer.write(run.facts.len(), |tx| {
        catalogue::insert(tx, run, &holder.to_string())?.ok_or_else(|| is_taken().into())
    })?;
    crash_point!("run_entered");
    let entry = Entry { number, epoch: 1, head: 0, hash: [0; 32], holder: String::new(), is_open: true };
    let drive = begin(inner, &run.id, live, &holder, entry, Left::default(), 0);
    crash_point!("run_begun");
    drive
}

/// Takes a run that is there.
pub(super) fn drive(inner: &Arc<Inner>, run: &str, take_over: bool) -> Result<SqliteDrive, StoreError> {
    let place = &inner.place;
    inner.writer()?;
    let entry = inner.record(run, |record| Ok(record.entry))?;
    if let Some(live) = take(place, run)? {
        return take_free(inner, run, live);
    }
    let path = place.live(run);
    let watched = live::identity(&path);
    match take_over.then(|| await_standstill(inner, run)) {
        Some(Watched::Still(beats)) => replace(inner, run, watched, beats),
        Some(Watched::Gone) if let Some(live) = take(place, run)? => take_free(inner, run, live),
        _ => Err(held(place, run, &entry.holder)),
    }
}

/// Takes a run whose lock this process has.
fn take_free(inner: &Arc<Inner>, run: &str, live: Live) -> Result<SqliteDrive, StoreError> {
    let place = &inner.place;
    let left = live.left().map_err(|error| place.io("cannot read", &place.live(run), &error))?;
    let holder = Holder::this();
    live.name(&holder);
    crash_point!("take_locked");
    let (entry, lines) = inner.writer()?.write(0, |tx| raise(tx, place, run, &holder, &left))?;
    crash_point!("take_epoch_raised");
    let drive = begin(inner, run, live, &holder, entry, left, lines);
    crash_point!("take_begun");
    drive
}

/// Takes a run from a holder that stands still: in one turn, so that of two takers one sees the other.
fn replace(
    inner: &Arc<Inner>,
    run: &str,
    watched: Option<(u64, u64)>,
    beats: u64,
) -> Result<SqliteDrive, StoreError> {
    let place = &inner.place;
    let path = place.live(run);
    let holder = Holder::this();
    let (live, entry, left, lines) = inner.writer()?.write(0, |tx| {
        let still = live::identity(&path) == watched && live::look(&path).is_some_and(|look| look.0 == beats);
        if !still {
            return Err(held(place, run, "another process").into());
        }
        let failed = |error| place.io("cannot replace", &path, &error);
        let left = live::left_at(&path).map_err(failed)?;
        let (entry, lines) = raise(tx, place, run, &holder, &left)?;
        let live = Live::replace(&path).map_err(failed)?;
        let live = live.ok_or_else(|| held(place, run, "another process"))?;
        live.name(&holder);
        Ok((live, entry, left, lines))
    })?;
    begin(inner, run, live, &holder, entry, left, lines)
}

/// Raises the epoch of a run, and compares what is recorded with what was acknowledged.
fn raise(
    tx: &Transaction<'_>,
    place: &Place,
    run: &str,
    holder: &Holder,
    left: &Left,
) -> Result<(Entry, u64), Fault> {
    let record = Record::new(tx, place, run, left.acknowledged)?;
    record.check_end(record.last()?)?;
    let mut entry = record.entry;
    entry.epoch += 1;
    tx.execute(
        "UPDATE runs SET epoch = ?2, holder = ?3 WHERE number = ?1",
        params![entry.number, number(entry.epoch), holder.to_string()],
    )?;
    catalogue::seal_standing(tx, entry.number)?;
    tx.execute("DELETE FROM requests WHERE run = ?1", [entry.number])?;
    let lines = lines::last(tx, entry.number)?;
    Ok((entry, lines))
}

fn begin(
    inner: &Arc<Inner>,
    run: &str,
    live: Live,
    holder: &Holder,
    entry: Entry,
    left: Left,
    lines: u64,
) -> Result<SqliteDrive, StoreError> {
    live.begin(holder, (entry.head, entry.hash))
        .map_err(|error| inner.place.io("cannot write", &inner.place.live(run), &error))?;
    blobs::clear_unnamed(&inner.place, run);
    Ok(SqliteDrive::new(inner, run, &entry, live, left.in_hand, lines))
}

fn take(place: &Place, run: &str) -> Result<Option<Live>, StoreError> {
    let path = place.live(run);
    Live::take(&path).map_err(|error| place.io("cannot lock", &path, &error))
}

fn await_standstill(inner: &Inner, run: &str) -> Watched {
    let path = inner.place.live(run);
    let look = || {
        let beats = live::look(&path).map_or(0, |look| look.0);
        Ok::<_, std::convert::Infallible>(if live::is_held(&path) {
            Pulse::Beats(beats)
        } else {
            Pulse::Gone
        })
    };
    let Ok(watched) = standstill::watch(inner.standstill, look);
    watched
}

/// The run is driven: by whom, says its live file, or else the last one that said so in the store.
pub(super) fn held(place: &Place, run: &str, holder: &str) -> StoreError {
    let there = live::look(&place.live(run)).and_then(|look| look.1).map(|holder| holder.to_string());
    StoreError::Held { run: run.to_owned(), holder: there.unwrap_or_else(|| holder.to_owned()) }
}
