//! The hashes of a store beside those of the chain (`record/chain.rs`): names of large values, and seals
//! over what rows say beside their blocks.

#[cfg(feature = "sqlite")]
use super::CommitHead;
use super::Hash;

/// The hash that a large value is named by.
pub(super) fn of(bytes: &[u8]) -> Hash {
    *blake3::hash(bytes).as_bytes()
}

/// Some bytes of a hash of all the parts, told apart by their lengths.
#[cfg(feature = "sqlite")]
pub(super) fn seal<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    let mut seal = [0; 8];
    hasher.finalize_xof().fill(&mut seal);
    seal
}

/// The seal of all that a commit's row says beside its block: four bytes, as there are many rows.
#[cfg(feature = "sqlite")]
pub(super) fn seal_head(run: i64, head: &CommitHead) -> i32 {
    let index = &head.index;
    let parts = [
        run as u64,
        head.seq,
        head.epoch,
        index.steps_before,
        u64::from(index.steps),
        u64::from(index.items_before),
        u64::from(index.items),
        index.from,
        index.to,
        index.nodes,
        u64::from(index.states),
    ];
    let mut bytes = [0; 11 * 8];
    for (place, part) in bytes.chunks_exact_mut(8).zip(parts) {
        place.copy_from_slice(&part.to_le_bytes());
    }
    let [a, b, c, d, ..] = seal([&head.hash[..], &bytes[..]]);
    i32::from_le_bytes([a, b, c, d])
}

/// A hash as people write it.
pub(super) fn hex(hash: &Hash) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}
