//! The table in batches, the nearest to the end first: four batches are loaded before the next
//! four are opened.
//!
//! As fast as [`etl_dynamic`](crate::etl_dynamic), and rows reach the database from the start on,
//! with no more than a few batches in memory.

use std::path::PathBuf;
use std::time::Duration;

use fanfold::prelude::*;

use crate::data;
use crate::etl::{Loaded, count_rows, create_table, extract, give_ids, keep_columns, load};

/// Extracts, transforms twice and loads a CSV file in batches, each to its end before the next.
#[job(max_concurrent = 4)]
fn etl_priority(
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
    #[arg(default = PathBuf::from("etl_priority.db"))]
    database: Out<PathBuf>,
) -> Out<Loaded> {
    let table = create_table(file, columns, database);
    let loaded = extract(file, batch)
        .after(table)
        .priority(0)
        .map(|batch| keep_columns(batch, columns, delay).priority(1))
        .map(|batch| give_ids(batch, delay).priority(2))
        .map(|batch| load(batch, table).priority(3));
    count_rows(loaded.collect(), table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::etl::tests::{folder, planes, records};

    #[tokio::test]
    async fn the_last_batch_holds_what_remains() -> Result<(), fanfold::RunError> {
        let folder = folder();
        let database = folder.path().join("priority.db");
        let args = (data::path("planes.csv"), 1000, Duration::ZERO, vec![], database.clone());
        let run = etl_priority::job().args(args).run_in_memory().await?;
        assert_eq!(run.outputs_of::<usize>("load"), [1000, 1000, 1000, 322]);
        assert_eq!(records(&database), planes(&[0, 1, 2, 3, 4, 5, 6, 7, 8]));
        Ok(())
    }
}
