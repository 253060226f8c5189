//! The record of a run: its commits, and the chain that binds them.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::catalogue::{self, Entry};
use super::fault::Fault;
use super::place::Place;
use super::{live, number, unsigned};
use crate::record::chain::link;
use crate::store::{Commit, CommitHead, CommitIndex, Hash, StoreError, seal};

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
            seal::seal_head(run, head),
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

/// Whether a run that has no row was removed: then there is a note of that, until its files are gone.
fn was_removed(conn: &Connection, place: &Place, id: &str) -> Result<bool, Fault> {
    let noted = conn.query_row("SELECT 1 FROM removed WHERE id = ?1", [id], |_| Ok(())).optional()?;
    Ok(noted.is_some() || live::acknowledged_at(&place.live(id)).is_none())
}

const HEAD: &str = "SELECT seq, epoch, hash, seal, steps_before, steps, items_before, items, began, took,
    nodes, states, length(data)";

/// The record of one run, as it stands in one transaction.
pub(super) struct Record<'a> {
    conn: &'a Connection,
    place: &'a Place,
    id: &'a str,
    pub(super) entry: Entry,
    /// The last commit that its holder knew to be durable, as read before the transaction began.
    acknowledged: Option<(u64, Hash)>,
}

impl<'a> Record<'a> {
    pub(super) fn new(
        conn: &'a Connection,
        place: &'a Place,
        id: &'a str,
        acknowledged: Option<(u64, Hash)>,
    ) -> Result<Self, Fault> {
        match catalogue::entry(conn, place, id) {
            Ok(entry) => Ok(Self { conn, place, id, entry, acknowledged }),
            Err(Fault::Store(StoreError::NoRun { .. }))
                if let Some((seq @ 1.., _)) = acknowledged
                    && !was_removed(conn, place, id)? =>
            {
                let what = format!("run {id}, of which {seq} commits were acknowledged, is gone");
                Err(place.damaged(what).into())
            }
            Err(fault) => Err(fault),
        }
    }

    /// The heads of the commits after `after`.
    pub(super) fn heads(&self, after: u64) -> Result<Vec<CommitHead>, Fault> {
        let query = format!("{HEAD} FROM commits WHERE run = ?1 AND seq > ?2 ORDER BY seq");
        let mut statement = self.conn.prepare(&query)?;
        let mut rows = statement.query(params![self.entry.number, number(after)])?;
        let mut heads = Vec::new();
        while let Some(row) = rows.next()? {
            heads.push(self.head(row, after + heads.len() as u64 + 1)?);
        }
        self.check_end(after + heads.len() as u64)?;
        Ok(heads)
    }

    /// The commits after `after`, at most `limit`, each checked against the one before.
    pub(super) fn commits(&self, after: u64, limit: usize) -> Result<Vec<Commit>, Fault> {
        let mut before = self.hash_of(after)?;
        let query = format!("{HEAD}, data FROM commits WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3");
        let mut statement = self.conn.prepare(&query)?;
        let limited = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![self.entry.number, number(after), limited])?;
        let mut commits = Vec::new();
        while let Some(row) = rows.next()? {
            let head = self.head(row, after + commits.len() as u64 + 1)?;
            let block: Vec<u8> = row.get(13)?;
            if link(&before, &block) != head.hash {
                return Err(
                    self.damaged(format!("commit {} of run {} is not what was written", head.seq, self.id))
                );
            }
            before = head.hash;
            commits.push(Commit { head, block });
        }
        if commits.len() < limit {
            self.check_end(after + commits.len() as u64)?;
        }
        Ok(commits)
    }

    /// The hash of commit `seq`, which the one after it follows.
    fn hash_of(&self, seq: u64) -> Result<Hash, Fault> {
        if seq == 0 || seq > self.entry.head {
            return Ok([0; 32]);
        }
        let query = format!("{HEAD} FROM commits WHERE run = ?1 AND seq = ?2");
        let mut statement = self.conn.prepare(&query)?;
        let mut rows = statement.query(params![self.entry.number, number(seq)])?;
        match rows.next()? {
            Some(row) => Ok(self.head(row, seq)?.hash),
            None => Err(self.damaged(format!("commit {seq} of run {} is missing", self.id))),
        }
    }

    /// Commit `last`, after which none is there, is the one that the run's row names, and nothing that
    /// was acknowledged comes after it.
    pub(super) fn check_end(&self, last: u64) -> Result<(), Fault> {
        let Entry { head, hash, .. } = &self.entry;
        if last < *head {
            let missing = head - last;
            return Err(
                self.damaged(format!("the last {missing} of {head} commits of run {} are missing", self.id))
            );
        }
        if self.hash_of(*head)? != *hash {
            let what = format!("the last commit of run {} is not the one that its row names", self.id);
            return Err(self.damaged(what));
        }
        self.acknowledged.map_or(Ok(()), |acknowledged| self.check_acknowledged(acknowledged))
    }

    fn check_acknowledged(&self, (seq, hash): (u64, Hash)) -> Result<(), Fault> {
        let live = self.place.live(self.id);
        let remedy = format!("to go on from what is there, delete {}", live.display());
        if let Some(missing @ 1..) = seq.checked_sub(self.entry.head) {
            return Err(self.damaged(format!(
                "the last {missing} of {seq} acknowledged commits of run {} are gone (was `{}` deleted, or an old \
                 copy put back?): {remedy}",
                self.id,
                self.place.wal().display()
            )));
        }
        if self.hash_of(seq)? == hash {
            return Ok(());
        }
        Err(self.damaged(format!(
            "commit {seq} of run {} is not the one that was acknowledged: {remedy}",
            self.id
        )))
    }

    /// The number of the last commit that is there.
    pub(super) fn last(&self) -> Result<u64, Fault> {
        let query = "SELECT seq FROM commits WHERE run = ?1 ORDER BY seq DESC LIMIT 1";
        let last = self.conn.query_row(query, [self.entry.number], |row| unsigned(row, 0)).optional()?;
        Ok(last.unwrap_or(0))
    }

    /// A head as it was written, which is commit `expected`.
    fn head(&self, row: &Row<'_>, expected: u64) -> Result<CommitHead, Fault> {
        let head = read(row)?;
        if head.seq != expected {
            return Err(self.damaged(format!("commit {expected} of run {} is missing", self.id)));
        }
        if row.get::<_, i32>(3)? != seal::seal_head(self.entry.number, &head) {
            let what = format!(
                "what is recorded about commit {expected} of run {} is not what was written",
                self.id
            );
            return Err(self.damaged(what));
        }
        Ok(head)
    }

    fn damaged(&self, what: String) -> Fault {
        self.place.damaged(what).into()
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<CommitHead> {
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
    Ok(CommitHead {
        seq: unsigned(row, 0)?,
        epoch: unsigned(row, 1)?,
        hash: row.get(2)?,
        index,
        bytes: row.get(12)?,
    })
}
