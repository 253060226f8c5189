//! Where the shipped data lies.

use std::env;
use std::path::{Path, PathBuf};

/// The path of a shipped file or folder, short where the working directory allows.
pub(crate) fn path(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name);
    match env::current_dir() {
        Ok(here) => path.strip_prefix(here).map(Path::to_owned).unwrap_or(path),
        Err(_) => path,
    }
}
