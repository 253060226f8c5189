//! What is kept of a run outside the chain: the lines of its log, and its summary.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::fault::Fault;
use super::place::Place;
use super::{catalogue, number, unsigned};
use crate::store::{LogFilter, LogRow, seal};

/// Writes lines, the first as number `first`.
pub(super) fn insert(conn: &Connection, run: i64, first: u64, lines: &[LogRow]) -> Result<(), Fault> {
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
pub(super) fn last(conn: &Connection, run: i64) -> Result<u64, Fault> {
    Ok(conn.query_row("SELECT coalesce(max(number), 0) FROM logs WHERE run = ?1", [run], |row| {
        unsigned(row, 0)
    })?)
}

/// From which line on, and which way.
#[derive(Debug, Clone, Copy)]
pub(super) enum From {
    /// The lines after this one, in order.
    After(u64),
    /// The lines before this one, the last first.
    Before(u64),
}

/// The query for lines, and the values that it takes: the answer comes in order, without sorting.
pub(super) fn query(filter: &LogFilter, run: i64, from: From, limit: usize) -> (String, Vec<Value>) {
    let columns = "number, item, node, attempt, at, level, target, text, fields";
    let (mut query, mut values) = select(columns, filter, run);
    let (rest, bound) = match from {
        From::After(after) => (" AND number > ? ORDER BY number LIMIT ?", after),
        From::Before(before) => (" AND number < ? ORDER BY number DESC LIMIT ?", before),
    };
    query.push_str(rest);
    values.extend([number(bound), i64::try_from(limit).unwrap_or(i64::MAX)]);
    (query, values.into_iter().map(Value::Integer).collect())
}

/// The query for how many lines there are, and the values that it takes.
pub(super) fn query_count(filter: &LogFilter, run: i64) -> (String, Vec<Value>) {
    let (query, values) = select("count(*)", filter, run);
    (query, values.into_iter().map(Value::Integer).collect())
}

/// What both have in common, of fixed pieces. Pieces that no index of its own serves are kept from
/// choosing one (`+`).
fn select(columns: &'static str, filter: &LogFilter, run: i64) -> (String, Vec<i64>) {
    let mut query = format!("SELECT {columns} FROM logs");
    // SQLite does not guess that a step's lines are few, nor that warnings and errors are.
    let trouble = matches!(filter.level, 1 | 2) && filter.step.is_none();
    query.push_str(match (filter.step, trouble) {
        (Some(_), _) => " INDEXED BY logs_by_step",
        (None, true) => " INDEXED BY logs_of_trouble",
        (None, false) => "",
    });
    query.push_str(" WHERE run = ?");
    let mut values = vec![run];
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
    (query, values)
}

/// How many lines of a run there are.
pub(super) fn count(conn: &Connection, place: &Place, id: &str, filter: &LogFilter) -> Result<u64, Fault> {
    let (query, values) = query_count(filter, catalogue::entry(conn, place, id)?.number);
    Ok(conn.query_row(&query, params_from_iter(values), |row| unsigned(row, 0))?)
}

/// Lines of a run.
pub(super) fn read(
    conn: &Connection,
    place: &Place,
    id: &str,
    filter: &LogFilter,
    from: From,
    limit: usize,
) -> Result<Vec<LogRow>, Fault> {
    let run = catalogue::entry(conn, place, id)?.number;
    let (query, values) = query(filter, run, from, limit);
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
        params![run, number(seq), &seal::seal([&seq.to_le_bytes()[..], data])[..], data],
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
            seal[..] == seal::seal([&seq.to_le_bytes()[..], data]) && *seq <= entry.head
        })
        .map(|(seq, _, data)| (seq, data)))
}
