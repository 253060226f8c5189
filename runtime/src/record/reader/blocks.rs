//! Commits found by their heads, and their events as they stand there.

use super::{CHUNK, ReadError, Reader};
use crate::key::Key;
use crate::record::raw::{Raw, Reader as Block};
use crate::store::CommitHead;

/// An event, and where it stands.
pub(super) struct At<'a, 'b> {
    pub(super) raw: Raw<'a>,
    /// The block, as it stands after the event.
    pub(super) block: &'b Block<'a>,
    /// All bytes of the block, in which spans lie.
    pub(super) bytes: &'a [u8],
    /// How many items there are: the number of the event's own, if it opens one.
    pub(super) items: u32,
}

impl At<'_, '_> {
    /// The keys of the item that the event opens, below the step that gave it, outermost first: each with
    /// its place.
    pub(super) fn parts(&self) -> Vec<(Key, u32)> {
        let Raw::ItemYielded { key, index, outer, .. } = &self.raw else { return Vec::new() };
        let around = if *outer { self.block.outer() } else { &[] };
        let own = std::iter::once((key.clone(), *index));
        around.iter().rev().cloned().chain(own).collect()
    }
}

impl Reader {
    /// The heads of all commits.
    pub(super) fn heads(&self) -> Result<Vec<CommitHead>, ReadError> {
        Ok(self.store.heads(&self.row.id, 0)?)
    }

    /// Tells the events of the given commits, in order, until `tell` says that it has enough.
    pub(super) fn scan(
        &self,
        heads: &[CommitHead],
        wanted: impl Fn(&CommitHead) -> bool,
        mut tell: impl FnMut(&CommitHead, At<'_, '_>) -> bool,
    ) -> Result<(), ReadError> {
        let mut left = heads;
        while let Some(begin) = left.iter().position(&wanted) {
            left = &left[begin..];
            let end = left.iter().take(CHUNK).position(|head| !wanted(head)).unwrap_or(left.len().min(CHUNK));
            let (now, rest) = left.split_at(end);
            for commit in self.store.commits(&self.row.id, now[0].seq - 1, now.len())? {
                if !self.scan_block(&commit.head, &commit.block, &mut tell)? {
                    return Ok(());
                }
            }
            left = rest;
        }
        Ok(())
    }

    fn scan_block(
        &self,
        head: &CommitHead,
        bytes: &[u8],
        tell: &mut impl FnMut(&CommitHead, At<'_, '_>) -> bool,
    ) -> Result<bool, ReadError> {
        let mut items = head.index.items_before;
        let wrong = |error| self.wrong(head.seq, error);
        let mut block = Block::new(bytes, &self.shape, items).map_err(wrong)?;
        while let Some(raw) = block.next().map_err(wrong)? {
            items += u32::from(matches!(raw, Raw::ItemYielded { .. }));
            if !tell(head, At { raw, block: &block, bytes, items }) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
