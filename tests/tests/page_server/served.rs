//! A page that is served by a process of its own, and requests as bytes.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A request that is answered at all is answered long before.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program's command in a folder of its own, without what the environment says of fanfold.
pub(crate) fn jobs(home: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jobs"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FANFOLD_")) {
        command.env_remove(name);
    }
    command.args(words).env("FANFOLD_HOME", home).env("FANFOLD_PROGRESS", "none").current_dir(home);
    command.env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// What a command writes to stdout; it must end well.
pub(crate) fn said(home: &Path, words: &[&str]) -> String {
    let output = jobs(home, words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Records a run of `letters`, and gives its id.
pub(crate) fn record(home: &Path) -> String {
    let events = said(home, &["run", "letters", "--to", "c", "--json"]);
    let first: serde_json::Value = serde_json::from_str(events.lines().next().unwrap()).unwrap();
    first["run"].as_str().unwrap().to_owned()
}

/// A process that serves the page.
pub(crate) struct Served {
    pub(crate) child: Child,
    pub(crate) port: u16,
    pub(crate) secret: String,
    stdout: Box<dyn Read + Send + Sync>,
}

impl Served {
    /// `ui` at any port.
    pub(crate) fn start(home: &Path, words: &[&str]) -> Self {
        Self::of(jobs(home, &[&["ui", "--port", "0"], words].concat()))
    }

    /// A command that prints the page's address first.
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut address = String::new();
        stdout.read_line(&mut address).unwrap();
        let rest = address.trim().rsplit_once("//").unwrap_or_else(|| panic!("no address: {address:?}")).1;
        let port = rest.split(['/', ':']).find_map(|part| part.parse().ok()).unwrap_or_default();
        let secret = rest.split_once("secret=").map_or("", |(_, secret)| secret).to_owned();
        Self { child, port, secret, stdout: Box::new(stdout) }
    }

    /// A process whose page is known.
    pub(crate) fn at(
        stdout: impl Read + Send + Sync + 'static,
        child: Child,
        port: u16,
        secret: &str,
    ) -> Self {
        Self { child, port, secret: secret.to_owned(), stdout: Box::new(stdout) }
    }

    /// The head of a request as a program sends it, without its end.
    pub(crate) fn head(&self, method: &str, target: &str) -> String {
        let Self { port, secret, .. } = self;
        format!(
            "{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {secret}\r\n\
             Connection: close\r\n"
        )
    }

    /// What is answered to a GET.
    pub(crate) fn get(&self, target: &str) -> Answer {
        self.send(format!("{}\r\n", self.head("GET", target)).as_bytes())
    }

    /// What is answered to a POST.
    pub(crate) fn post(&self, target: &str, body: &str) -> Answer {
        let head = self.head("POST", target);
        let length = body.len();
        self.send(
            format!(
                "{head}Content-Type: application/json\r\nX-Fanfold: 1\r\nContent-Length: {length}\r\n\r\n{body}"
            )
            .as_bytes(),
        )
    }

    /// Sends bytes, and reads what is answered to its end.
    pub(crate) fn send(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        // Who is refused early reads no further.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Answer::of(&answer)
    }

    /// As [`send`](Self::send), but only the status: of answers that do not end.
    pub(crate) fn status(&self, bytes: &[u8]) -> u16 {
        let mut stream = self.connect();
        let _ = stream.write_all(bytes);
        read_head(&mut stream).status
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Its memory, in KiB.
    #[cfg(target_os = "linux")]
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Ends it as Ctrl-C does; gives its exit code, and what it had written to stdout and to stderr since
    /// the address.
    pub(crate) fn end(mut self) -> (Option<i32>, String, String) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let code = self.child.wait().unwrap().code();
        let (mut out, mut err) = (String::new(), String::new());
        self.stdout.read_to_string(&mut out).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (code, out, err)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer; one of status 0 is a connection that was closed without a word.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// The value of a header; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
            .unwrap_or("")
    }
}

/// Reads the head of an answer, and no more than the beginning of its body.
pub(crate) fn read_head(stream: &mut impl Read) -> Answer {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut part) {
            Ok(read @ 1..) => bytes.extend_from_slice(&part[..read]),
            _ => break,
        }
    }
    Answer::of(&bytes)
}
