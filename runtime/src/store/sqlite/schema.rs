//! The tables, and how an older store becomes one of today.
//!
//! A migration is never changed once it was released; a new one is added. Each is one transaction.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::fault::Fault;

/// Marks a SQLite file as a store of fanfold's: "Fanf".
pub(super) const APPLICATION: u32 = 0x4661_6e66;

/// The schema that this version writes and reads.
pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

/// Migration `n` leads from schema `n` to `n + 1`.
const MIGRATIONS: [&str; 1] = [FIRST];

/// What changes with each commit lies apart from the facts, which may be long: SQLite rewrites whole
/// rows. Hashes and seals: `record/chain.rs`, `store/seal.rs`.
const FIRST: &str = "
    CREATE TABLE runs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        job TEXT NOT NULL,
        started INTEGER NOT NULL,  -- microseconds since 1970
        parent TEXT,
        seal BLOB NOT NULL,        -- over all of these, the facts and the tags
        changed INTEGER NOT NULL,
        state TEXT,                -- how it ended
        counts TEXT NOT NULL,
        head INTEGER NOT NULL,     -- the last commit
        hash BLOB NOT NULL,        -- its hash
        epoch INTEGER NOT NULL,
        holder TEXT NOT NULL
    ) STRICT;
    CREATE INDEX runs_by_job ON runs (job);
    CREATE INDEX runs_by_state ON runs (state);
    CREATE TABLE facts (
        run INTEGER PRIMARY KEY REFERENCES runs,
        facts TEXT NOT NULL
    ) STRICT;
    CREATE TABLE tags (
        run INTEGER NOT NULL REFERENCES runs,
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (run, name, value)
    ) WITHOUT ROWID, STRICT;
    CREATE INDEX tags_by_value ON tags (name, value);
    CREATE TABLE commits (
        run INTEGER NOT NULL REFERENCES runs,
        seq INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        hash BLOB NOT NULL,        -- of the hash before and of the data
        seal INTEGER NOT NULL,     -- over all but the data
        steps_before INTEGER NOT NULL,
        steps INTEGER NOT NULL,
        items_before INTEGER NOT NULL,
        items INTEGER NOT NULL,
        began INTEGER NOT NULL,    -- microseconds since the run began
        took INTEGER NOT NULL,
        nodes INTEGER NOT NULL,
        states INTEGER NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (run, seq)
    ) WITHOUT ROWID, STRICT;
    CREATE TABLE logs (
        run INTEGER NOT NULL REFERENCES runs,
        number INTEGER NOT NULL,
        item INTEGER NOT NULL,
        node INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        at INTEGER NOT NULL,
        level INTEGER NOT NULL,
        target TEXT NOT NULL,
        text TEXT NOT NULL,
        fields TEXT NOT NULL,
        PRIMARY KEY (run, number)
    ) WITHOUT ROWID, STRICT;
    CREATE INDEX logs_by_step ON logs (run, item, node);
    CREATE INDEX logs_of_trouble ON logs (run, number) WHERE level <= 2;
    CREATE TABLE summaries (
        run INTEGER PRIMARY KEY REFERENCES runs,
        seq INTEGER NOT NULL,
        seal BLOB NOT NULL,
        data BLOB NOT NULL
    ) STRICT;
    CREATE TABLE requests (
        number INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs,
        reason TEXT NOT NULL,
        at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX requests_by_run ON requests (run);
    -- Runs whose rows are gone, and whose files are still to go.
    CREATE TABLE removed (
        id TEXT PRIMARY KEY
    ) WITHOUT ROWID, STRICT;
";

/// Brings a database to the schema of today.
pub(super) fn migrate(conn: &mut Connection) -> Result<(), Fault> {
    while version(conn)? < VERSION {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        migrate_once(&tx)?;
        tx.commit()?;
    }
    Ok(())
}

/// One migration: unless another process was quicker.
fn migrate_once(tx: &Transaction<'_>) -> Result<(), Fault> {
    let from = version(tx)?;
    if let Some(migration) = MIGRATIONS.get(from as usize) {
        tx.execute_batch(migration)?;
        tx.pragma_update(None, "application_id", APPLICATION)?;
        tx.pragma_update(None, "user_version", from + 1)?;
    }
    Ok(())
}

/// The schema that a database has.
pub(super) fn version(conn: &Connection) -> rusqlite::Result<u32> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Whose file a database is.
pub(super) fn application(conn: &Connection) -> rusqlite::Result<u32> {
    conn.pragma_query_value(None, "application_id", |row| row.get(0))
}
