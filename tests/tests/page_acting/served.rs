//! A page that is served by a process of its own, and what it answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use crate::PATIENCE;

/// The program's command in a folder of its own, without what the environment says of fanfold.
pub(crate) fn jobs(home: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jobs"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FANFOLD_")) {
        command.env_remove(name);
    }
    command.args(words).env("FANFOLD_HOME", home).env("FANFOLD_PROGRESS", "none").current_dir(home);
    command.env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1").stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// What a command writes to stdout; it must end well.
pub(crate) fn said(home: &Path, words: &[&str]) -> String {
    let output = jobs(home, words).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The id of the newest run, as soon as there is one.
pub(crate) fn newest(home: &Path) -> String {
    let begun = Instant::now();
    loop {
        let output = jobs(home, &["runs", "--json", "--limit", "1"]).stdout(Stdio::piped()).output().unwrap();
        let runs: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        if let Some(run) = runs["runs"][0]["run"].as_str() {
            return run.to_owned();
        }
        assert!(begun.elapsed() < PATIENCE, "no run began");
    }
}

/// A process that serves the page.
pub(crate) struct Served {
    child: Child,
    home: PathBuf,
    port: u16,
    secret: String,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// `null` if it is none.
    pub(crate) json: Value,
}

impl Served {
    /// A page of a store that is not there yet.
    pub(crate) fn new(words: &[&str]) -> (TempDir, Self) {
        let folder = tempfile::tempdir().unwrap();
        let served = Self::at(folder.path(), words);
        (folder, served)
    }

    /// A page of the store in a folder.
    pub(crate) fn at(home: &Path, words: &[&str]) -> Self {
        let mut command = jobs(home, &[&["ui", "--port", "0"], words].concat());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let rest = address.trim().rsplit_once("//").unwrap_or_else(|| panic!("no address: {address:?}")).1;
        let port = rest.split(['/', ':']).find_map(|part| part.parse().ok()).unwrap();
        let secret = rest.split_once("secret=").map_or("", |(_, secret)| secret).to_owned();
        Self { child, home: home.to_owned(), port, secret }
    }

    /// What is answered to a GET.
    pub(crate) fn get(&self, target: &str) -> Answer {
        self.answer(&format!("{}\r\n", self.head("GET", target)))
    }

    /// What is answered to a POST.
    pub(crate) fn post(&self, target: &str, body: &Value) -> Answer {
        let (head, body) = (self.head("POST", target), body.to_string());
        let length = body.len();
        let json = "Content-Type: application/json\r\nX-Fanfold: 1";
        self.answer(&format!("{head}{json}\r\nContent-Length: {length}\r\n\r\n{body}"))
    }

    /// The head of a request, without its end.
    pub(crate) fn head(&self, method: &str, target: &str) -> String {
        let Self { port, secret, .. } = self;
        format!(
            "{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {secret}\r\n\
             Connection: close\r\n"
        )
    }

    /// A connection.
    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn answer(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
        Answer { status, json: serde_json::from_str(body).unwrap_or_default() }
    }

    /// Ends it as no program would end itself.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // What it began goes on: nothing is to be left behind by a test that failed.
        let running =
            jobs(&self.home, &["runs", "--json", "--state", "running"]).stdout(Stdio::piped()).output();
        let runs: Value =
            running.ok().and_then(|it| serde_json::from_slice(&it.stdout).ok()).unwrap_or_default();
        for run in runs["runs"].as_array().into_iter().flatten().filter_map(|run| run["run"].as_str()) {
            if std::thread::panicking() {
                let _ = jobs(&self.home, &["cancel", run]).status();
            }
        }
    }
}
