//! A crate outside the workspace, which depends on fanfold alone and lets no warning pass, builds and
//! runs its jobs.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the package lies in the workspace").to_owned()
}

/// Runs the stranger's binary. Its versions are the workspace's, so that nothing is fetched.
fn run(args: &[&str]) -> String {
    let stranger = root().join("tests/stranger");
    std::fs::copy(root().join("Cargo.lock"), stranger.join("Cargo.lock")).expect("the versions are copied");
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline", "--manifest-path"])
        .arg(stranger.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(root().join("target/stranger"))
        .arg("--")
        .args(args)
        .current_dir(root())
        .env_remove("RUSTFLAGS")
        .env("FANFOLD_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/stranger"))
        .output()
        .expect("cargo runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{args:?} failed:\n{out}\n{err}");
    out.into_owned()
}

#[test]
fn a_strangers_crate_builds_without_warnings_and_runs_its_jobs() {
    assert_eq!(run(&["run", "letters", "--to", "f"]).trim(), "ABCDEF");
    assert_eq!(run(&["run", "greetings", "--text", "a big blue house"]).trim(), "hello big+blue+house of 4");
}
