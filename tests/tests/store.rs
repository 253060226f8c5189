//! Every store keeps the same rules (docs/semantics.md §5), whoever asks, whatever lies on the disk.

#[path = "store/common.rs"]
mod common;
#[path = "store/conformance.rs"]
mod conformance;
#[path = "store/files.rs"]
mod files;
#[path = "store/processes.rs"]
mod processes;

use std::sync::Arc;
use std::time::Duration;

use fanfold::store::{MemoryStore, SqliteStore, Store};

/// A holder that does not move for so long is taken over in these tests.
const STANDSTILL: Duration = Duration::from_millis(50);

#[test]
fn a_store_in_memory_keeps_the_rules() {
    conformance::all(&|| (Arc::new(MemoryStore::new().with_standstill(STANDSTILL)), None));
}

#[test]
fn a_store_in_a_file_keeps_the_rules() {
    conformance::all(&|| {
        let folder = common::folder();
        let store = SqliteStore::open(&folder.path().join("runs.db")).expect("it opens");
        let store: Arc<dyn Store> = Arc::new(store.with_standstill(STANDSTILL));
        (store, Some(folder))
    });
}
