//! The catalogue: which runs there are, and how they stand.

use std::time::{Duration, SystemTime};

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::fault::Fault;
use super::place::Place;
use super::{number, unsigned};
use crate::event::RunState;
use crate::store::rules::is_id;
use crate::store::{Hash, NewRun, RunFilter, RunRow, Standing, StoreError, seal};

/// What a run's row says to those who write its record.
pub(super) struct Entry {
    pub(super) number: i64,
    pub(super) epoch: u64,
    pub(super) head: u64,
    pub(super) hash: Hash,
    pub(super) holder: String,
    pub(super) is_open: bool,
}

/// Enters a run; `None` if there is one of that id, or files are left of one.
pub(super) fn insert(conn: &Connection, run: &NewRun, holder: &str) -> Result<Option<i64>, Fault> {
    let mut tags = run.tags.clone();
    tags.sort();
    tags.dedup();
    let started = micros(run.started);
    let seal = seal(&run.id, &run.job, started, run.parent.as_deref(), &run.facts, &tags);
    let entered = conn.execute(
        "INSERT INTO runs (id, job, started, parent, seal, changed, state, counts, head, hash, epoch, holder)
         SELECT ?1, ?2, ?3, ?4, ?5, ?3, NULL, '', 0, ?6, 1, ?7
         WHERE NOT EXISTS (SELECT 1 FROM removed WHERE id = ?1)
         ON CONFLICT (id) DO NOTHING",
        params![run.id, run.job, started, run.parent, &seal[..], &[0u8; 32][..], holder],
    )?;
    if entered == 0 {
        return Ok(None);
    }
    let number = conn.last_insert_rowid();
    conn.execute("INSERT INTO facts (run, facts) VALUES (?1, ?2)", params![number, run.facts])?;
    let mut tag = conn.prepare("INSERT INTO tags (run, name, value) VALUES (?1, ?2, ?3)")?;
    for (name, value) in &tags {
        tag.execute(params![number, name, value])?;
    }
    seal_standing(conn, number)?;
    Ok(Some(number))
}

/// What is bound by a run's seal: all that is known of it from the first.
fn seal(
    id: &str,
    job: &str,
    started: i64,
    parent: Option<&str>,
    facts: &str,
    tags: &[(String, String)],
) -> [u8; 8] {
    let started = started.to_le_bytes();
    let mut parts =
        vec![id.as_bytes(), job.as_bytes(), &started, parent.unwrap_or("").as_bytes(), facts.as_bytes()];
    parts.extend(tags.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]));
    seal::seal(parts)
}

/// So long is the seal over what is known from the first. The one over how the run stands comes after it;
/// rows that were written before there was one have none.
const FIRST: usize = 8;

/// Seals how a run stands. To be called after each change of its row.
pub(super) fn seal_standing(conn: &Connection, number: i64) -> Result<(), Fault> {
    let query = "SELECT changed, state, counts, head, hash, epoch, holder, seal FROM runs WHERE number = ?1";
    let seals = conn.query_row(query, [number], |row| {
        let mut seals: Vec<u8> = row.get(7)?;
        seals.truncate(FIRST);
        seals.extend(standing_seal(row, [0, 1, 2, 3, 4, 5, 6])?);
        Ok(seals)
    })?;
    conn.execute("UPDATE runs SET seal = ?2 WHERE number = ?1", params![number, seals])?;
    Ok(())
}

/// What is bound by the seal over how a run stands, from these columns.
fn standing_seal(row: &Row<'_>, columns: [usize; 7]) -> rusqlite::Result<[u8; 8]> {
    let [changed, state, counts, head, hash, epoch, holder] = columns;
    let [changed, head, epoch] = [changed, head, epoch].map(|column| row.get::<_, i64>(column));
    let state: Option<String> = row.get(state)?;
    let (counts, holder): (String, String) = (row.get(counts)?, row.get(holder)?);
    let hash: Vec<u8> = row.get(hash)?;
    Ok(seal::seal([
        &changed?.to_le_bytes()[..],
        state.unwrap_or_default().as_bytes(),
        counts.as_bytes(),
        &head?.to_le_bytes(),
        &hash,
        &epoch?.to_le_bytes(),
        holder.as_bytes(),
    ]))
}

/// The entry of a run. Its id is a legal one: it names files.
pub(super) fn entry(conn: &Connection, place: &Place, id: &str) -> Result<Entry, Fault> {
    if !is_id(id) {
        return Err(place.no_run(id).into());
    }
    let entry = conn
        .query_row(
            "SELECT number, epoch, head, hash, holder, state IS NULL FROM runs WHERE id = ?1",
            [id],
            |row| {
                Ok(Entry {
                    number: row.get(0)?,
                    epoch: unsigned(row, 1)?,
                    head: unsigned(row, 2)?,
                    hash: row.get(3)?,
                    holder: row.get(4)?,
                    is_open: row.get(5)?,
                })
            },
        )
        .optional()?;
    entry.ok_or_else(|| place.no_run(id).into())
}

/// A run without facts is damaged, and must not be missing.
const ROW: &str =
    "SELECT runs.number, runs.id, job, started, parent, seal, changed, state, counts, head, holder,
    facts.facts, hash, epoch FROM runs LEFT JOIN facts ON facts.run = runs.number";

/// Rows of runs, newest first. `is_driven` tells whether a process drives a run.
pub(super) fn rows(
    conn: &Connection,
    place: &Place,
    filter: &RunFilter,
    is_driven: impl Fn(&str) -> bool,
) -> Result<Vec<RunRow>, Fault> {
    let mut rows = Vec::new();
    visit(conn, place, filter, is_driven, |row| {
        rows.push(row?);
        Ok(rows.len() < filter.at_most())
    })?;
    Ok(rows)
}

/// As [`rows`], with what is wrong with a row in its place.
pub(super) fn each_row(
    conn: &Connection,
    place: &Place,
    filter: &RunFilter,
    is_driven: impl Fn(&str) -> bool,
) -> Result<Vec<Result<RunRow, StoreError>>, Fault> {
    let (mut rows, mut whole) = (Vec::new(), 0);
    visit(conn, place, filter, is_driven, |row| {
        whole += usize::from(row.is_ok());
        rows.push(row.map_err(|fault| place.said(fault)));
        Ok(whole < filter.at_most())
    })?;
    Ok(rows)
}

/// Tells of each row that a filter lets through, until `tell` has had enough.
fn visit(
    conn: &Connection,
    place: &Place,
    filter: &RunFilter,
    is_driven: impl Fn(&str) -> bool,
    mut tell: impl FnMut(Result<RunRow, Fault>) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    let (query, values) = query(filter);
    let mut statement = conn.prepare(&query)?;
    let mut found = statement.query(params_from_iter(values))?;
    while let Some(row) = found.next()? {
        let row = read(conn, place, row, &is_driven);
        // What SQLite cannot know: whether a run that has not ended is driven.
        let stands = |row: &RunRow| filter.standing.is_empty() || filter.standing.contains(&row.standing);
        if row.as_ref().is_ok_and(|row| !stands(row)) {
            continue;
        }
        if !tell(row)? {
            break;
        }
    }
    Ok(())
}

/// The names of the jobs that have runs: one step along the index for each, not one for each run.
pub(super) fn jobs(conn: &Connection) -> Result<Vec<String>, Fault> {
    let mut jobs = conn.prepare(
        "WITH RECURSIVE names (job) AS (
             SELECT min(job) FROM runs
             UNION ALL
             SELECT (SELECT min(job) FROM runs WHERE job > names.job) FROM names WHERE names.job IS NOT NULL
         ) SELECT job FROM names WHERE job IS NOT NULL",
    )?;
    Ok(jobs.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// The query for a filter, of fixed pieces, and the values that it takes. All pieces that cannot use an
/// index by number are kept from choosing another (`+`): the answer comes in order, without sorting.
pub(super) fn query(filter: &RunFilter) -> (String, Vec<Value>) {
    let mut query = format!("{ROW} WHERE runs.number < ?");
    let mut values = vec![Value::Integer(filter.before.map_or(i64::MAX, number))];
    if let Some(job) = &filter.job {
        query.push_str(" AND job = ?");
        values.push(Value::Text(job.clone()));
    }
    states(&filter.standing, &mut query, &mut values);
    for (time, piece) in [(filter.since, " AND +started >= ?"), (filter.until, " AND +started < ?")] {
        if let Some(time) = time {
            query.push_str(piece);
            values.push(Value::Integer(micros(time)));
        }
    }
    for (name, value) in &filter.tags {
        query.push_str(" AND runs.number IN (SELECT run FROM tags WHERE name = ? AND value = ?)");
        values.extend([Value::Text(name.clone()), Value::Text(value.clone())]);
    }
    if let Some(parent) = &filter.parent {
        // There is no index for it: but a rerun comes after what it is a rerun of.
        query.push_str(" AND runs.number > (SELECT number FROM runs WHERE id = ?) AND parent = ?");
        values.extend([Value::Text(parent.clone()), Value::Text(parent.clone())]);
    }
    query.push_str(" ORDER BY runs.number DESC");
    (query, values)
}

fn states(standing: &[Standing], query: &mut String, values: &mut Vec<Value>) {
    let mut ended: Vec<_> = standing
        .iter()
        .filter_map(|standing| if let Standing::Ended(state) = standing { Some(word(*state)) } else { None })
        .collect();
    ended.sort_unstable();
    ended.dedup();
    let open = standing.iter().any(|standing| !matches!(standing, Standing::Ended(_)));
    query.push_str(match (open, ended.len()) {
        (false, 0) => "",
        (true, 0) => " AND state IS NULL",
        (false, 1) => " AND state = ?",
        (false, 2) => " AND +state IN (?, ?)",
        (false, _) => " AND +state IN (?, ?, ?)",
        (true, 1) => " AND (+state IS NULL OR +state = ?)",
        (true, 2) => " AND (+state IS NULL OR +state IN (?, ?))",
        (true, _) => " AND (+state IS NULL OR +state IN (?, ?, ?))",
    });
    values.extend(ended.into_iter().map(|word| Value::Text(word.to_owned())));
}

/// One run, checked against its seal.
pub(super) fn row(
    conn: &Connection,
    place: &Place,
    id: &str,
    is_driven: impl Fn(&str) -> bool,
) -> Result<RunRow, Fault> {
    let mut statement = conn.prepare(&format!("{ROW} WHERE runs.id = ?1"))?;
    let mut found = statement.query([id])?;
    let Some(found) = found.next()? else { return Err(place.no_run(id).into()) };
    read(conn, place, found, &is_driven)
}

/// A row, checked against its seals.
fn read(
    conn: &Connection,
    place: &Place,
    row: &Row<'_>,
    is_driven: impl Fn(&str) -> bool,
) -> Result<RunRow, Fault> {
    let number: i64 = row.get(0)?;
    let id: String = row.get(1)?;
    let state: Option<String> = row.get(7)?;
    let standing = match state {
        Some(word) => Standing::Ended(state_of(&word).ok_or_else(|| unknown_state(&word))?),
        None if is_driven(&id) => Standing::Running,
        None => Standing::Interrupted,
    };
    let run = RunRow {
        number: unsigned(row, 0)?,
        job: row.get(2)?,
        started: time(row.get(3)?),
        parent: row.get(4)?,
        changed: time(row.get(6)?),
        standing,
        counts: row.get(8)?,
        head: unsigned(row, 9)?,
        holder: row.get(10)?,
        facts: row.get(11)?,
        tags: tags(conn, number)?,
        id,
    };
    let sealed: Vec<u8> = row.get(5)?;
    let (first, standing) = sealed.split_at_checked(FIRST).unwrap_or_default();
    let parent = run.parent.as_deref();
    let is_whole = *first == seal(&run.id, &run.job, micros(run.started), parent, &run.facts, &run.tags)
        && (standing.is_empty() || *standing == standing_seal(row, [6, 7, 8, 9, 12, 13, 10])?);
    if is_whole {
        return Ok(run);
    }
    Err(place.damaged(format!("what is recorded about run {} is not what was written", run.id)).into())
}

/// How many runs of each job ended how. It looks at every run, a few microseconds each.
pub(super) fn ended(conn: &Connection) -> Result<Vec<(String, RunState, u64)>, Fault> {
    let mut ended = conn.prepare(
        "SELECT job, state, count(*) FROM runs WHERE state IS NOT NULL GROUP BY job, state ORDER BY job",
    )?;
    let row = |row: &Row<'_>| {
        let word: String = row.get(1)?;
        let state = state_of(&word).ok_or_else(|| unknown_state(&word))?;
        Ok((row.get(0)?, state, unsigned(row, 2)?))
    };
    Ok(ended.query_map([], row)?.collect::<Result<_, _>>()?)
}

fn tags(conn: &Connection, run: i64) -> rusqlite::Result<Vec<(String, String)>> {
    let mut tags = conn.prepare("SELECT name, value FROM tags WHERE run = ?1 ORDER BY name, value")?;
    tags.query_map([run], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// The ids that begin with `prefix`, newest first.
pub(super) fn ids(conn: &Connection, prefix: &str, limit: usize) -> Result<Vec<String>, Fault> {
    let mut ids =
        conn.prepare("SELECT id FROM runs WHERE id BETWEEN ?1 AND ?2 ORDER BY number DESC LIMIT ?3")?;
    let last = format!("{prefix}\u{10ffff}");
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(ids.query_map(params![prefix, last, limit], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// How the end of a run is written.
pub(super) fn word(state: RunState) -> &'static str {
    match state {
        RunState::Succeeded => "succeeded",
        RunState::Failed => "failed",
        RunState::Cancelled => "cancelled",
    }
}

fn state_of(word: &str) -> Option<RunState> {
    [RunState::Succeeded, RunState::Failed, RunState::Cancelled]
        .into_iter()
        .find(|state| self::word(*state) == word)
}

fn unknown_state(word: &str) -> rusqlite::Error {
    let error = format!("{word:?} is no state of a run");
    rusqlite::Error::FromSqlConversionFailure(7, rusqlite::types::Type::Text, error.into())
}

/// Microseconds since 1970.
pub(super) fn micros(time: SystemTime) -> i64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros),
    }
}

fn time(micros: i64) -> SystemTime {
    let apart = Duration::from_micros(micros.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    let time = if micros < 0 { epoch.checked_sub(apart) } else { epoch.checked_add(apart) };
    time.unwrap_or(epoch)
}
