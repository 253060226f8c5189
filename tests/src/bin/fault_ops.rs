//! Jobs whose ops do to their process what no op should; `FAULT` says which.

use std::process::ExitCode;

use fanfold::prelude::*;

fn main() -> ExitCode {
    // The highest memory that the process ever took, for the tests of large values.
    let code = fanfold::main();
    if let Ok(status) = std::fs::read_to_string("/proc/self/status")
        && let Some(line) = status.lines().find(|line| line.starts_with("VmHWM"))
        && std::env::var_os("SHOW_MEMORY").is_some()
    {
        eprintln!("{line}");
    }
    code
}

/// What is to go wrong, if anything.
fn fault() -> String {
    std::env::var("FAULT").unwrap_or_default()
}

#[op(dynamic_out(by_index))]
fn numbers(n: u64) -> impl Iterator<Item = u64> {
    0..n
}

#[op]
fn sum(all: Vec<u64>) -> u64 {
    all.iter().sum()
}

fn endless(depth: u64) -> u64 {
    if depth == u64::MAX {
        return 0;
    }
    let here = std::hint::black_box([depth; 64]);
    endless(depth + 1) + here[0]
}

/// Sees to it that all steps before this one have been recorded.
#[op]
async fn dies(n: u64) -> u64 {
    if n == 3 {
        match &*fault() {
            "abort" => std::process::abort(),
            "exit" => std::process::exit(0),
            "overflow" => return endless(0),
            "twice" => {
                struct Again;
                impl Drop for Again {
                    fn drop(&mut self) {
                        panic!("while panicking");
                    }
                }
                let _again = Again;
                panic!("at first");
            }
            "memory" => {
                // More than any machine has: the allocator gives up.
                let layout = usize::MAX >> 2;
                let mut all: Vec<u8> = Vec::with_capacity(layout);
                all.push(1);
            }
            _ => {}
        }
    }
    n
}

/// Adds numbers, one of which kills the process.
#[job(max_concurrent = 1)]
fn deadly() -> Out<u64> {
    sum(numbers(6).map(dies).collect())
}

#[cfg(unix)]
fn no_rights_for_new_files() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o777));
}

/// As closed: it cannot be written.
#[cfg(unix)]
fn no_stdout() {
    let unwritable = std::fs::File::open("/dev/null").expect("it is there");
    rustix::stdio::dup2_stdout(unwritable).expect("it can be replaced");
}

#[cfg(not(unix))]
fn no_rights_for_new_files() {}

#[cfg(not(unix))]
fn no_stdout() {}

#[op]
fn rearranges(n: u64) -> u64 {
    match &*fault() {
        "surroundings" if n == 1 => {
            let elsewhere = std::env::var_os("ELSEWHERE").expect("a folder");
            std::env::set_current_dir(elsewhere).expect("it is there");
            no_rights_for_new_files();
            std::panic::set_hook(Box::new(|_| ()));
        }
        "stdout" if n == 1 => no_stdout(),
        _ => {}
    }
    n
}

#[op]
fn panics(n: u64) -> Result<u64, OpError> {
    assert!(n != 70_002 || fault() != "surroundings", "on purpose");
    Ok(n)
}

#[op]
fn large(n: u64) -> String {
    "x".repeat(usize::try_from(n).expect("a size") + 70_000)
}

#[op]
fn length(text: &str) -> u64 {
    text.len() as u64
}

/// Changes what surrounds the process, and has large values and panics after that.
#[job(max_concurrent = 1)]
fn rearranging() -> Out<u64> {
    sum(numbers(4).map(|n| panics(length(large(rearranges(n))).after(n)).after(n)).collect())
}

/// Has other fields in the next version; `FAULT` says which version this is.
#[derive(Debug, Clone)]
struct Square(u64);

#[derive(serde::Serialize, serde::Deserialize)]
struct OldSquare {
    side: u64,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct NewSquare {
    width: u64,
    height: u64,
}

impl serde::Serialize for Square {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &*fault() {
            "old" => OldSquare { side: self.0 }.serialize(serializer),
            _ => NewSquare { width: self.0, height: self.0 }.serialize(serializer),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Square {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match &*fault() {
            "old" => OldSquare::deserialize(deserializer)?.side,
            _ => {
                let NewSquare { width, height } = NewSquare::deserialize(deserializer)?;
                width.min(height)
            }
        }))
    }
}

#[op]
fn square() -> Square {
    Square(3)
}

#[op(dynamic_out(by_index))]
fn squares() -> impl Iterator<Item = Square> {
    (0..3).map(Square)
}

#[op]
fn area(square: &Square) -> Result<u64, OpError> {
    if fault() == "old" { Err(OpError::new("not in this version")) } else { Ok(square.0 * square.0) }
}

/// Has a value of a type that changes.
#[job]
fn changing() -> Out<u64> {
    area(square())
}

/// Has items of a type that changes.
#[job]
fn changing_items() -> Out<u64> {
    sum(squares().map(area).collect())
}

#[op]
fn fails_at_first(text: &str) -> Result<u64, OpError> {
    if fault() == "fail" { Err(OpError::new("at first")) } else { Ok(text.len() as u64) }
}

/// Has one value of so many bytes, which is read back at a resume.
#[job]
fn heavy(bytes: Out<u64>) -> Out<u64> {
    fails_at_first(large(bytes))
}

/// Opens a file in each step, and keeps it.
#[op]
fn opens(n: u64) -> Result<u64, OpError> {
    if fault() == "files" {
        let file = std::fs::File::open("/dev/null").map_err(|error| OpError::new(error.to_string()))?;
        std::mem::forget(file);
    }
    Ok(n)
}

/// Runs out of files.
#[job]
fn greedy() -> Out<u64> {
    sum(numbers(500).map(opens).collect())
}
