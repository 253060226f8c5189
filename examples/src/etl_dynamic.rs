//! The table in batches, level by level: every batch is transformed a first time before any is a
//! second time.
//!
//! Four workers share the work of [`etl_static`](crate::etl_static), so it takes a quarter of the
//! time. But breadth-first holds all batches in memory at once, and the first row reaches the
//! database when most of the time is over: see [`etl_priority`](crate::etl_priority).

use std::path::PathBuf;
use std::time::Duration;

use fanfold::prelude::*;

use crate::data;
use crate::etl::{Loaded, count_rows, create_table, extract, give_ids, keep_columns, load};

/// Extracts, transforms twice and loads a CSV file in batches, one level after the other.
#[job(max_concurrent = 4, order = "breadth_first")]
fn etl_dynamic(
    /// The CSV file; its first line is the header.
    #[arg(default = data::path("planes.csv"))]
    file: Out<PathBuf>,
    /// Rows in a batch.
    #[arg(default = 100)]
    batch: Out<usize>,
    /// What each transform takes for every 100 rows.
    #[arg(default = Duration::from_millis(200))]
    delay: Out<Duration>,
    /// A column to keep; all when none is named.
    columns: Out<Vec<String>>,
    /// The SQLite database whose table `records` is made anew.
    #[arg(default = PathBuf::from("etl_dynamic.db"))]
    database: Out<PathBuf>,
) -> Out<Loaded> {
    let table = create_table(file, columns, database);
    let loaded = extract(file, batch)
        .after(table)
        .map(|batch| keep_columns(batch, columns, delay))
        .map(|batch| give_ids(batch, delay))
        .map(|batch| load(batch, table));
    count_rows(loaded.collect(), table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::etl::tests::{folder, planes, records};

    #[tokio::test]
    async fn running_twice_gives_the_rows_once() -> Result<(), fanfold::RunError> {
        let folder = folder();
        let database = folder.path().join("dynamic.db");
        for columns in [vec![], vec!["model".to_owned(), "tailnum".to_owned()]] {
            let args = (data::path("planes.csv"), 100, Duration::ZERO, columns, database.clone());
            let run = etl_dynamic::job().args(args).run_in_memory().await?;
            let expected = Loaded { rows: 3322, batches: 34, database: database.clone() };
            assert_eq!(run.output(), expected);
        }
        assert_eq!(records(&database), planes(&[4, 0]));
        Ok(())
    }
}
