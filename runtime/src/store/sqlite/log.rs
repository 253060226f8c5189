//! The record of a run: its commits, with the chain that binds them, its lines and its summary.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::catalogue::{self, Entry};
use super::fault::Fault;
use super::place::Place;
use super::{number, unsigned};
use crate::store::{Commit, CommitHead, CommitIndex, Hash, LogFilter, LogRow, chain};

/// Writes a commit.
pub(super) fn insert(conn: &Connection, run: i64, head: &CommitHead, block: &[u8]) -> Result<(), Fault> {
    let index = &head.index;
    conn.execute(
        "INSERT INTO commits (run, seq, epoch, hash, seal, steps_before, steps, items_before, items, began,
             took, nodes, states, data)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            run,
            number(head.seq),
            number(head.epoch),
            &head.hash[..],
            chain::seal_head(run, head),
            number(index.steps_before),
            index.steps,
            index.items_before,
            index.items,
            number(index.from),
            number(index.to).wrapping_sub(number(index.from)),
            // A mask: its bits as they are.
            index.nodes as i64,
            index.states,
            block,
        ],
    )?;
    Ok(())
}

const HEAD: &str = "SELECT seq, epoch, hash, seal, steps_before, steps, items_before, items, began, took,
    nodes, states, length(data)";

/// The heads of a run's commits after `after`.
pub(super) fn heads(
    conn: &Connection,
    place: &Place,
    id: &str,
    after: u64,
) -> Result<Vec<CommitHead>, Fault> {
    let entry = catalogue::entry(conn, place, id)?;
    let query = format!("{HEAD} FROM commits WHERE run = ?1 AND seq > ?2 ORDER BY seq");
    let mut statement = conn.prepare(&query)?;
    let mut rows = statement.query(params![entry.number, number(after)])?;
    let mut heads = Vec::new();
    while let Some(row) = rows.next()? {
        let expected = after + heads.len() as u64 + 1;
        heads.push(read_head(place, id, entry.number, row, expected)?);
    }
    let last = heads.last().map(|head| (head.seq, head.hash));
    check_end(conn, place, id, &entry, after, last)?;
    Ok(heads)
}

/// The commits of a run after `after`, at most `limit`, each checked against the one before.
pub(super) fn commits(
    conn: &Connection,
    place: &Place,
    id: &str,
    after: u64,
    limit: usize,
) -> Result<Vec<Commit>, Fault> {
    let entry = catalogue::entry(conn, place, id)?;
    let mut before = hash_of(conn, place, id, &entry, after)?;
    let query = format!("{HEAD}, data FROM commits WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3");
    let mut statement = conn.prepare(&query)?;
    let limited = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![entry.number, number(after), limited])?;
    let mut commits = Vec::new();
    while let Some(row) = rows.next()? {
        let head = read_head(place, id, entry.number, row, after + commits.len() as u64 + 1)?;
        let block: Vec<u8> = row.get(13)?;
        if chain::link(&before, &block) != head.hash {
            let what = format!("commit {} of run {id} is not what was written", head.seq);
            return Err(place.damaged(what).into());
        }
        before = head.hash;
        commits.push(Commit { head, block });
    }
    if commits.len() < limit {
        let last = commits.last().map(|commit| (commit.head.seq, commit.head.hash));
        check_end(conn, place, id, &entry, after, last)?;
    }
    Ok(commits)
}

/// The hash of commit `seq`, which the one after it follows.
fn hash_of(conn: &Connection, place: &Place, id: &str, entry: &Entry, seq: u64) -> Result<Hash, Fault> {
    if seq == 0 {
        return Ok([0; 32]);
    }
    if seq >= entry.head {
        return Ok(entry.hash);
    }
    let query = format!("{HEAD} FROM commits WHERE run = ?1 AND seq = ?2");
    let mut statement = conn.prepare(&query)?;
    let mut rows = statement.query(params![entry.number, number(seq)])?;
    match rows.next()? {
        Some(row) => Ok(read_head(place, id, entry.number, row, seq)?.hash),
        None => Err(place.damaged(format!("commit {seq} of run {id} is missing")).into()),
    }
}

/// The commits that were read last end where the run's row says.
fn check_end(
    conn: &Connection,
    place: &Place,
    id: &str,
    entry: &Entry,
    after: u64,
    last: Option<(u64, Hash)>,
) -> Result<(), Fault> {
    let last = match last {
        Some(last) => last,
        None if after >= entry.head => return Ok(()),
        None => (after, hash_of(conn, place, id, entry, after)?),
    };
    if last == (entry.head, entry.hash) {
        return Ok(());
    }
    let what = match entry.head.checked_sub(last.0) {
        Some(0) | None => format!("commit {} of run {id} is not its last one", last.0),
        Some(missing) => format!("the last {missing} of {} commits of run {id} are missing", entry.head),
    };
    Err(place.damaged(what).into())
}

/// A head as it was written, which is commit `expected`.
fn read_head(place: &Place, id: &str, run: i64, row: &Row<'_>, expected: u64) -> Result<CommitHead, Fault> {
    let from: i64 = row.get(8)?;
    let took: i64 = row.get(9)?;
    let nodes: i64 = row.get(10)?;
    let index = CommitIndex {
        steps_before: unsigned(row, 4)?,
        steps: row.get(5)?,
        items_before: row.get(6)?,
        items: row.get(7)?,
        from: from as u64,
        to: from.wrapping_add(took) as u64,
        nodes: nodes as u64,
        states: row.get(11)?,
    };
    let head = CommitHead {
        seq: unsigned(row, 0)?,
        epoch: unsigned(row, 1)?,
        hash: row.get(2)?,
        index,
        bytes: row.get(12)?,
    };
    if head.seq != expected {
        return Err(place.damaged(format!("commit {expected} of run {id} is missing")).into());
    }
    if row.get::<_, i32>(3)? != chain::seal_head(run, &head) {
        let what = format!("what is recorded about commit {expected} of run {id} is not what was written");
        return Err(place.damaged(what).into());
    }
    Ok(head)
}

/// Writes lines, the first as number `first`.
pub(super) fn insert_lines(conn: &Connection, run: i64, first: u64, lines: &[LogRow]) -> Result<(), Fault> {
    let mut insert = conn.prepare(
        "INSERT INTO logs (run, number, item, node, attempt, at, level, target, text, fields)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for (line, place) in lines.iter().zip(first..) {
        insert.execute(params![
            run,
            number(place),
            line.item,
            line.node,
            line.attempt,
            number(line.at),
            line.level,
            line.target,
            line.text,
            line.fields,
        ])?;
    }
    Ok(())
}

/// The number of a run's last line; 0 if there is none.
pub(super) fn last_line(conn: &Connection, run: i64) -> Result<u64, Fault> {
    Ok(conn.query_row("SELECT coalesce(max(number), 0) FROM logs WHERE run = ?1", [run], |row| {
        unsigned(row, 0)
    })?)
}

/// The query for lines, of fixed pieces, and the values that it takes. Pieces that no index of its own
/// serves are kept from choosing one (`+`): the answer comes in order, without sorting.
pub(super) fn query(filter: &LogFilter, run: i64, after: u64, limit: usize) -> (String, Vec<Value>) {
    let mut query =
        String::from("SELECT number, item, node, attempt, at, level, target, text, fields FROM logs");
    // SQLite does not guess that a step's lines are few, nor that warnings and errors are.
    let trouble = matches!(filter.level, 1 | 2) && filter.step.is_none();
    query.push_str(match (filter.step, trouble) {
        (Some(_), _) => " INDEXED BY logs_by_step",
        (None, true) => " INDEXED BY logs_of_trouble",
        (None, false) => "",
    });
    query.push_str(" WHERE run = ? AND number > ?");
    let mut values = vec![run, number(after)];
    if let Some((item, node)) = filter.step {
        query.push_str(" AND item = ? AND node = ?");
        values.extend([i64::from(item), i64::from(node)]);
    }
    if let Some(node) = filter.node {
        query.push_str(" AND +node = ?");
        values.push(i64::from(node));
    }
    if filter.level > 0 {
        // The condition of that index has to stand there word for word.
        query.push_str(if trouble { " AND level <= 2 AND +level <= ?" } else { " AND +level <= ?" });
        values.push(i64::from(filter.level));
    }
    query.push_str(" ORDER BY number LIMIT ?");
    values.push(i64::try_from(limit).unwrap_or(i64::MAX));
    (query, values.into_iter().map(Value::Integer).collect())
}

/// Lines of a run after number `after`.
pub(super) fn lines(
    conn: &Connection,
    place: &Place,
    id: &str,
    filter: &LogFilter,
    after: u64,
    limit: usize,
) -> Result<Vec<LogRow>, Fault> {
    let run = catalogue::entry(conn, place, id)?.number;
    let (query, values) = query(filter, run, after, limit);
    let mut statement = conn.prepare(&query)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        Ok(LogRow {
            number: unsigned(row, 0)?,
            item: row.get(1)?,
            node: row.get(2)?,
            attempt: row.get(3)?,
            at: unsigned(row, 4)?,
            level: row.get(5)?,
            target: row.get(6)?,
            text: row.get(7)?,
            fields: row.get(8)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Keeps a summary that stands for the run up to commit `seq`.
pub(super) fn put_summary(conn: &Connection, run: i64, seq: u64, data: &[u8]) -> Result<(), Fault> {
    conn.execute(
        "INSERT INTO summaries (run, seq, seal, data) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (run) DO UPDATE SET seq = excluded.seq, seal = excluded.seal, data = excluded.data",
        params![run, number(seq), &chain::seal([&seq.to_le_bytes()[..], data])[..], data],
    )?;
    Ok(())
}

/// The summary of a run. One that is damaged counts as none, since it can be made again.
pub(super) fn summary(conn: &Connection, place: &Place, id: &str) -> Result<Option<(u64, Vec<u8>)>, Fault> {
    let entry = catalogue::entry(conn, place, id)?;
    let found = conn
        .query_row("SELECT seq, seal, data FROM summaries WHERE run = ?1", [entry.number], |row| {
            Ok((unsigned(row, 0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?))
        })
        .optional()?;
    Ok(found
        .filter(|(seq, seal, data)| {
            seal[..] == chain::seal([&seq.to_le_bytes()[..], data]) && *seq <= entry.head
        })
        .map(|(seq, _, data)| (seq, data)))
}
