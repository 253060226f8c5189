//! The whole table goes through one chain: four steps, one after the other.
//!
//! The work is that of [`etl_dynamic`](crate::etl_dynamic), but three of the four workers have
//! nothing to do, and nothing is in the database before all is.

use std::path::PathBuf;
use std::time::Duration;

use fanfold::prelude::*;

use crate::data;
use crate::etl::{Loaded, count_rows, create_table, extract_all, give_ids, keep_columns, load};

/// Extracts, transforms twice and loads a CSV file as one piece.
#[job(max_concurrent = 4)]
fn etl_static(
    /// The CSV file; its first line is the header.
    #[arg(default = data::path("planes.csv"))]
    file: Out<PathBuf>,
    /// Rows in a batch, as in the other two; here all rows are one batch, whatever it says.
    #[arg(default = 100)]
    batch: Out<usize>,
    /// What each transform takes for every 100 rows.
    #[arg(default = Duration::from_millis(200))]
    delay: Out<Duration>,
    /// A column to keep; all when none is named.
    columns: Out<Vec<String>>,
    /// The SQLite database whose table `records` is made anew.
    #[arg(default = PathBuf::from("etl_static.db"))]
    database: Out<PathBuf>,
) -> Out<Loaded> {
    let _ = batch;
    let table = create_table(file, columns, database);
    let whole = extract_all(file).after(table);
    let kept = keep_columns(whole, columns, delay);
    let with_ids = give_ids(kept, delay);
    count_rows([load(with_ids, table)], table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::etl::tests::{folder, planes, records};

    #[tokio::test]
    async fn the_table_holds_the_file() -> Result<(), fanfold::RunError> {
        let folder = folder();
        let database = folder.path().join("static.db");
        let args = (data::path("planes.csv"), 100, Duration::ZERO, vec![], database.clone());
        let run = etl_static::job().args(args).run_in_memory().await?;
        assert_eq!(run.output(), Loaded { rows: 3322, batches: 1, database: database.clone() });
        assert_eq!(records(&database), planes(&[0, 1, 2, 3, 4, 5, 6, 7, 8]));
        Ok(())
    }
}
