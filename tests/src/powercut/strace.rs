//! Running a child under `strace`, and reading what it writes.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The calls by which something can reach the disk.
const CALLS: &str = "openat,open,creat,write,pwrite64,pwritev,pwritev2,writev,ftruncate,truncate,fallocate,fsync,\
                     fdatasync,sync_file_range,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,\
                     link,linkat,symlink,copy_file_range,sendfile";

/// A command that runs `program` under `strace`, which writes to `log`. `inject` says which calls are to
/// fail, in its own words.
pub fn command(program: &Path, log: &Path, inject: Option<&str>) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-q", "--seccomp-bpf", "-y", "-xx", "-s", "100000000", "-o"]).arg(log);
    strace.args(["-e", "signal=none", "-e", &format!("trace={CALLS}")]);
    if let Some(inject) = inject {
        strace.args(["-e", &format!("inject={inject}")]);
    }
    strace.arg("--").arg(program);
    strace
}

/// One call, done.
#[derive(Debug)]
pub struct Call {
    /// Its name.
    pub name: String,
    args: Vec<Vec<u8>>,
    /// What it gave back.
    pub result: i64,
}

/// The process that a line is about, and the rest of the line.
pub fn split(line: &[u8]) -> Option<(u32, &[u8])> {
    let end = line.iter().position(|byte| *byte == b' ')?;
    let process = std::str::from_utf8(&line[..end]).ok()?.parse().ok()?;
    Some((process, line[end..].trim_ascii_start()))
}

/// What is there of a call that has only begun.
pub fn unfinished(text: &[u8]) -> Option<&[u8]> {
    text.strip_suffix(b" <unfinished ...>")
}

/// What is added to a call that had begun.
pub fn resumed(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"<... ")?;
    const MARK: &[u8] = b" resumed>";
    rest.windows(MARK.len()).position(|part| part == MARK).map(|at| &rest[at + MARK.len()..])
}

/// A call, if the line is one.
pub fn call(text: &[u8]) -> Option<Call> {
    let open = text.iter().position(|byte| *byte == b'(')?;
    let name = std::str::from_utf8(&text[..open]).ok()?;
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    let equals = (open..text.len().saturating_sub(2)).rev().find(|at| &text[*at..*at + 3] == b" = ")?;
    let result = text[equals + 3..].split(|byte| matches!(byte, b' ' | b'<')).next()?;
    let result = std::str::from_utf8(result).ok()?.parse().ok()?;
    let inner = text[open + 1..equals].trim_ascii_end().strip_suffix(b")")?;
    // Within text and paths all is written as \x2c: a comma is always between two arguments.
    let args = inner.split(|byte| *byte == b',').map(|arg| arg.trim_ascii().to_vec()).collect();
    Some(Call { name: name.to_owned(), args, result })
}

impl Call {
    /// Whether nothing was done.
    pub fn failed(&self) -> bool {
        self.result < 0
    }

    /// An argument as it is written.
    pub fn text(&self, arg: usize) -> String {
        self.args.get(arg).map(|arg| String::from_utf8_lossy(arg).into_owned()).unwrap_or_default()
    }

    /// An argument that is a number.
    ///
    /// # Panics
    /// It is none.
    pub fn number(&self, arg: usize) -> u64 {
        self.text(arg).parse().expect("a number")
    }

    /// An argument that is text in quotes.
    ///
    /// # Panics
    /// It is none, or was cut.
    pub fn bytes(&self, arg: usize) -> Vec<u8> {
        let text = &self.args[arg];
        assert!(!text.ends_with(b"..."), "strace cut a text");
        unescape(text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).expect("a text"))
    }

    /// The number of the open file in an argument.
    pub fn fd(&self, arg: usize) -> Option<u32> {
        self.text(arg).split('<').next()?.parse().ok()
    }

    /// The path that the call is about: of an open file, or by name.
    pub fn path(&self) -> Option<PathBuf> {
        match &*self.name {
            "openat" | "unlinkat" => Some(self.path_of_file(0)?.join(self.path_at(1))),
            "mkdir" | "unlink" | "rename" | "rmdir" | "open" | "creat" | "truncate" => Some(self.path_at(0)),
            _ => self.path_of_file(0),
        }
    }

    /// A path in an argument.
    pub fn path_at(&self, arg: usize) -> PathBuf {
        path(self.bytes(arg))
    }

    fn path_of_file(&self, arg: usize) -> Option<PathBuf> {
        let text = self.args.get(arg)?;
        let start = text.iter().position(|byte| *byte == b'<')?;
        // What has no name any more is followed by a word that says so.
        Some(path(unescape(text[start + 1..].strip_suffix(b">")?)))
    }
}

fn path(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

fn unescape(text: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).expect("a hexadecimal digit") as u8;
    text.chunks(4)
        .map(|code| match code {
            [b'\\', b'x', high, low] => digit(*high) << 4 | digit(*low),
            _ => panic!("strace wrote {:?}", String::from_utf8_lossy(code)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read_as_it_was_made() {
        let (process, text) =
            split(b"4711 pwrite64(5<\\x2f\\x61>, \"\\x62\\x2c\\x00\", 3, 4096) = 2").expect("a line");
        let call = call(text).expect("a call");
        assert_eq!((process, &*call.name, call.result, call.number(3)), (4711, "pwrite64", 2, 4096));
        assert_eq!((call.path(), call.bytes(1)), (Some(PathBuf::from("/a")), b"b,\0".to_vec()));
        assert_eq!(call.fd(0), Some(5));
    }

    #[test]
    fn a_call_that_another_interrupts_is_put_together() {
        let start = unfinished(b"fsync(4<\\x2f\\x61> <unfinished ...>").expect("it has only begun");
        let rest =
            resumed(b"<... fsync resumed>) = -1 EIO (Input/output error) (INJECTED)").expect("the rest");
        let call = call(&[start, rest].concat()).expect("a call");
        assert!(call.failed() && call.path() == Some(PathBuf::from("/a")));
    }
}
