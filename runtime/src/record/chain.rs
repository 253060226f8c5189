//! The chain over the commits of a run: a block that is missing or changed is found out.

use crate::store::Hash;

/// The hash of a commit: of the hash of the commit before it (zeros for the first) and of its block.
pub fn link(before: &Hash, block: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(before).update(block);
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_depends_on_what_came_before_and_on_the_block() {
        let first = link(&Hash::default(), b"one");
        assert_eq!(first, link(&Hash::default(), b"one"));
        assert_ne!(first, link(&first, b"one"));
        assert_ne!(first, link(&Hash::default(), b"two"));
    }
}
