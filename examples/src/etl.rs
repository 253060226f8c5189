//! What the jobs [`etl_static`](crate::etl_static), [`etl_dynamic`](crate::etl_dynamic) and
//! [`etl_priority`](crate::etl_priority) share: extract a CSV file, transform it twice, load it
//! into a table of a SQLite database.
//!
//! The ops are the same in all three; the jobs differ in how they cut the table and in which
//! order they work.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{iter, thread};

use fanfold::prelude::*;
use rusqlite::{Connection, TransactionBehavior, params_from_iter};
use serde::{Deserialize, Serialize};

use crate::read_error::ReadError;

/// Consecutive rows of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Batch {
    /// The number of the first row, counted from 1 in the whole table.
    pub(crate) first: usize,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// What a run has put into the database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Loaded {
    pub(crate) rows: usize,
    pub(crate) batches: usize,
    pub(crate) database: PathBuf,
}

/// Why a table could not be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("no column `{name}`; the columns are {}", columns.join(", "))]
    NoColumn { name: String, columns: Vec<String> },
    #[error("database `{}`", database.display())]
    Database { database: PathBuf, source: rusqlite::Error },
    #[error("the table holds {found} rows, but {loaded} were loaded")]
    Count { found: usize, loaded: usize },
}

/// Makes the table `records` anew, with the columns that are kept, and gives its database.
#[op]
pub(crate) fn create_table(file: &Path, columns: &[String], database: PathBuf) -> Result<PathBuf, LoadError> {
    let header = CsvTable::open(file)?.header;
    let kept = positions(&header, columns)?.into_iter().map(|at| header[at].clone());
    let kept: Vec<String> = kept.collect();
    let id = quoted(&id_column(&kept));
    let columns: String = kept.iter().map(|name| format!(", {} TEXT", quoted(name))).collect();
    with_database(&database, |db| {
        db.execute_batch(&format!(
            "BEGIN IMMEDIATE;
             DROP TABLE IF EXISTS records;
             CREATE TABLE records ({id} INTEGER PRIMARY KEY{columns});
             COMMIT;"
        ))
    })?;
    Ok(database)
}

/// Reads the file batch by batch.
#[op(dynamic_out(by_index))]
pub(crate) fn extract(
    file: PathBuf,
    batch: usize,
) -> Result<impl Iterator<Item = Result<Batch, ReadError>>, ReadError> {
    let mut table = CsvTable::open(&file)?;
    Ok(iter::from_fn(move || table.next_batch(batch).transpose()))
}

/// Reads the whole file.
#[op]
pub(crate) fn extract_all(file: &Path) -> Result<Batch, ReadError> {
    let mut table = CsvTable::open(file)?;
    let batch = table.next_batch(usize::MAX)?;
    Ok(batch.unwrap_or_else(|| Batch { first: 1, columns: table.header, rows: Vec::new() }))
}

/// The first transform: keeps the named columns, in the order named; all when none is.
#[op]
pub(crate) fn keep_columns(
    ctx: &OpContext,
    batch: &Batch,
    columns: &[String],
    delay: Duration,
) -> Result<Batch, LoadError> {
    work(ctx, batch.rows.len(), delay);
    let kept = positions(&batch.columns, columns)?;
    let keep = |row: &Vec<String>| kept.iter().map(|&at| row[at].clone()).collect();
    Ok(Batch {
        first: batch.first,
        columns: keep(&batch.columns),
        rows: batch.rows.iter().map(keep).collect(),
    })
}

/// The second transform: puts before each row a new id, its number in the file.
#[op]
pub(crate) fn give_ids(ctx: &OpContext, mut batch: Batch, delay: Duration) -> Batch {
    work(ctx, batch.rows.len(), delay);
    for (id, row) in (batch.first..).zip(&mut batch.rows) {
        row.insert(0, id.to_string());
    }
    batch.columns.insert(0, id_column(&batch.columns));
    batch
}

/// Writes the rows into the table, over those of the same id: a second attempt doubles nothing.
#[op]
pub(crate) fn load(batch: &Batch, database: &Path) -> Result<usize, LoadError> {
    with_database(database, |db| {
        let insertion = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let values = vec!["?"; batch.columns.len()].join(", ");
        let mut insert = insertion.prepare(&format!("INSERT OR REPLACE INTO records VALUES ({values})"))?;
        for row in &batch.rows {
            insert.execute(params_from_iter(row))?;
        }
        drop(insert);
        insertion.commit()
    })?;
    Ok(batch.rows.len())
}

/// Counts the rows of the table: they must be those that were loaded.
#[op]
pub(crate) fn count_rows(loaded: &[usize], database: PathBuf) -> Result<Loaded, LoadError> {
    let count = "SELECT count(*) FROM records";
    let rows = with_database(&database, |db| db.query_row(count, [], |row| row.get::<_, u32>(0)))?;
    let rows = rows as usize;
    let expected = loaded.iter().sum();
    if rows != expected {
        return Err(LoadError::Count { found: rows, loaded: expected });
    }
    Ok(Loaded { rows, batches: loaded.len(), database })
}

/// Stands for real work: takes `delay` for every hundred rows, or less if the step is told to stop.
fn work(ctx: &OpContext, rows: usize, delay: Duration) {
    for done in (0..rows).step_by(100) {
        if ctx.is_cancelled() {
            return;
        }
        let hundredths = (rows - done).min(100);
        thread::sleep(delay.mul_f64(hundredths as f64 / 100.0));
    }
}

/// A CSV file, open after its header.
struct CsvTable {
    file: PathBuf,
    reader: csv::Reader<File>,
    header: Vec<String>,
    next: usize,
}

impl CsvTable {
    fn open(file: &Path) -> Result<Self, ReadError> {
        let mut reader = csv::Reader::from_path(file).map_err(|e| ReadError::csv(file, e))?;
        let header = reader.headers().map_err(|e| ReadError::csv(file, e))?;
        let header: Vec<String> = header.iter().map(str::to_owned).collect();
        if header.is_empty() {
            return Err(ReadError::line(file, 1, "no header"));
        }
        for (at, name) in header.iter().enumerate() {
            // SQLite's names are blind to ASCII case.
            if header[..at].iter().any(|before| before.eq_ignore_ascii_case(name)) {
                return Err(ReadError::line(file, 1, format!("two columns named `{name}`")));
            }
        }
        Ok(Self { file: file.to_owned(), reader, header, next: 1 })
    }

    /// The next rows, at most `size` and at least one; nothing at the end of the file.
    fn next_batch(&mut self, size: usize) -> Result<Option<Batch>, ReadError> {
        let mut rows = Vec::new();
        for record in self.reader.records().take(size.max(1)) {
            let record = record.map_err(|e| ReadError::csv(&self.file, e))?;
            rows.push(record.iter().map(str::to_owned).collect());
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let first = self.next;
        self.next += rows.len();
        Ok(Some(Batch { first, columns: self.header.clone(), rows }))
    }
}

/// Where the wanted columns stand in the header.
fn positions(header: &[String], wanted: &[String]) -> Result<Vec<usize>, LoadError> {
    if wanted.is_empty() {
        return Ok((0..header.len()).collect());
    }
    let position = |name: &String| {
        let at = header.iter().position(|column| column == name);
        at.ok_or_else(|| LoadError::NoColumn { name: name.clone(), columns: header.to_vec() })
    };
    wanted.iter().map(position).collect()
}

/// A name for the new id that no column of the file has: `id`, or `id_2`, `id_3`, …
fn id_column(header: &[String]) -> String {
    let free = |name: &String| !header.iter().any(|column| column.eq_ignore_ascii_case(name));
    let mut names = iter::once("id".to_owned()).chain((2..).map(|n| format!("id_{n}")));
    names.find(free).expect("a header is finite, the names are not")
}

/// The name of a column as SQL writes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// One batch uses the database at a time. SQLite would see to that too, but makes those that wait
/// look again after naps, so that one may wait for seconds while others overtake it.
static TURN: Mutex<()> = Mutex::new(());

/// Opens the database and uses it.
fn with_database<T>(
    database: &Path,
    work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
) -> Result<T, LoadError> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let open = || {
        let db = Connection::open(database)?;
        // Another process may be writing.
        db.busy_timeout(Duration::from_secs(30))?;
        Ok(db)
    };
    open()
        .and_then(|mut db| work(&mut db))
        .map_err(|source| LoadError::Database { database: database.to_owned(), source })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::data;

    /// A folder for one test, gone when the test ends.
    pub(crate) fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary folder")
    }

    /// The rows of the table, in the order of their ids.
    pub(crate) fn records(database: &Path) -> Vec<Vec<String>> {
        let db = Connection::open(database).expect("a database");
        let mut select = db.prepare("SELECT * FROM records ORDER BY 1").expect("a table");
        let width = select.column_count();
        let text = |row: &rusqlite::Row<'_>, at| -> rusqlite::Result<String> {
            row.get::<_, i64>(at).map(|id| id.to_string()).or_else(|_| row.get(at))
        };
        let rows = select.query_map([], |row| (0..width).map(|at| text(row, at)).collect());
        rows.and_then(Iterator::collect).expect("rows")
    }

    /// The shipped file's rows with their numbers before them, cut with nothing but `split`.
    pub(crate) fn planes(columns: &[usize]) -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(data::path("planes.csv")).expect("the shipped file");
        let numbered = text.lines().enumerate().skip(1);
        let row = |(number, line): (usize, &str)| {
            let fields: Vec<&str> = line.split(',').collect();
            let kept = columns.iter().map(|&at| fields[at].to_owned());
            iter::once(number.to_string()).chain(kept).collect()
        };
        numbered.map(row).collect()
    }

    fn file(folder: &tempfile::TempDir, text: &str) -> PathBuf {
        let file = folder.path().join("table.csv");
        std::fs::write(&file, text).expect("a file");
        file
    }

    fn batch(columns: &[&str], rows: &[&[&str]]) -> Batch {
        let owned = |row: &&[&str]| row.iter().map(|&field| field.to_owned()).collect();
        Batch { first: 7, columns: owned(&columns), rows: rows.iter().map(owned).collect() }
    }

    fn keep(batch: Batch, columns: &[&str]) -> Result<Batch, LoadError> {
        let columns: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
        keep_columns::call(&OpContext::for_test(), &batch, &columns, Duration::ZERO)
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = extract_all::call(Path::new("no/such.csv")).unwrap_err();
        assert_eq!(error.to_string(), "cannot read `no/such.csv`");
    }

    #[test]
    fn a_short_row_is_named_by_its_line() {
        let folder = folder();
        let file = file(&folder, "a,b\n1,2\n3\n");
        let error = extract_all::call(&file).unwrap_err();
        let expected = format!("{}:3: expected 2 fields, found 1", file.display());
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn an_empty_file_has_no_header() {
        let folder = folder();
        let file = file(&folder, "");
        let error = extract_all::call(&file).unwrap_err();
        assert_eq!(error.to_string(), format!("{}:1: no header", file.display()));
    }

    #[test]
    fn a_header_alone_is_an_empty_table() {
        let folder = folder();
        let whole = extract_all::call(&file(&folder, "a,b\n")).unwrap();
        assert_eq!(whole, Batch { first: 1, columns: vec!["a".into(), "b".into()], rows: vec![] });
    }

    #[test]
    fn columns_are_kept_in_the_order_named() {
        let given = batch(&["a", "b", "c"], &[&["1", "2", "3"]]);
        let kept = keep(given, &["c", "a"]).unwrap();
        assert_eq!(kept, batch(&["c", "a"], &[&["3", "1"]]));
    }

    #[test]
    fn an_unknown_column_is_refused() {
        let given = batch(&["a", "b"], &[]);
        let error = keep(given, &["x"]).unwrap_err();
        assert_eq!(error.to_string(), "no column `x`; the columns are a, b");
    }

    #[test]
    fn an_id_is_the_row_s_number() {
        let given = batch(&["id"], &[&["old"], &["older"]]);
        let with_ids = give_ids::call(&OpContext::for_test(), given, Duration::ZERO);
        assert_eq!(with_ids, batch(&["id_2", "id"], &[&["7", "old"], &["8", "older"]]));
    }

    #[test]
    fn loading_twice_doubles_nothing() {
        let folder = folder();
        let database = folder.path().join("test.db");
        let file = file(&folder, "a \"b\",\nx,\"y,z\"\n");
        create_table::call(&file, &[], database.clone()).unwrap();
        let whole = give_ids::call(&OpContext::for_test(), extract_all::call(&file).unwrap(), Duration::ZERO);
        for _ in 0..2 {
            assert_eq!(load::call(&whole, &database).unwrap(), 1);
        }
        assert_eq!(records(&database), [["1", "x", "y,z"]]);
    }
}
