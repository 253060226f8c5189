//! What three watching pages cost a run, and how old is what they are told.
//!
//! `cargo bench -p fanfold-tests --bench page` prints how long a run of a million steps takes alone and
//! with `ui` in a process of its own that tells three streams of it, in turn; then, of a run with a steady
//! 20 000 steps a second, the age of what each message tells. The processor's time is Linux's to tell.
//! `-- ITEMS RATE SECONDS` makes it smaller.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tempfile::TempDir;

const PAIRS: usize = 5;
const STREAMS: usize = 3;
const ITEMS: u64 = 500_000;
const RATE: u64 = 20_000;
const SECONDS: u64 = 20;

/// Whatever is answered at all is answered long before.
const PATIENCE: Duration = Duration::from_secs(60);

/// What Linux counts a process's time in.
const TICKS_A_SECOND: f64 = 100.0;

fn main() {
    let args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let args: Vec<u64> = args.map(|arg| arg.parse().expect("a number")).collect();
    let arg = |place: usize, default| args.get(place).copied().unwrap_or(default);
    print_wide(arg(0, ITEMS));
    print_ticking(arg(1, RATE), arg(2, SECONDS));
}

fn print_wide(items: u64) {
    println!("wide, {items} items = {} steps; medians of {PAIRS} pairs, in turn", 2 * items);
    let words = ["wide".to_owned(), "--count".to_owned(), items.to_string()];
    let (mut alone, mut watched) = (Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        alone.push(run_alone(&words));
        watched.push(run_watched(&words));
    }
    let ratios = alone.iter().zip(&watched).map(|(alone, watched)| watched.took / alone);
    let ratio = median(ratios.collect());
    println!("  alone                  {:>8.3} s", median(alone.clone()));
    println!("  with {STREAMS} streams         {:>8.3} s", of(&watched, |one| one.took));
    println!("  ratio of a pair        {ratio:>8.3}");
    println!("  processor of the page  {:>8.3} s", of(&watched, |one| one.page));
    println!("  messages a stream      {:>8.1}", of(&watched, |one| one.messages() / STREAMS as f64));
}

fn print_ticking(rate: u64, seconds: u64) {
    println!("ticking, {rate} steps a second for {seconds} s, with {STREAMS} streams");
    let words = ["ticking", "--rate", &rate.to_string(), "--seconds", &seconds.to_string()];
    let watched = run_watched(&words.map(str::to_owned));
    let mut ages: Vec<f64> = watched.ages.concat();
    ages.sort_by(f64::total_cmp);
    let age = |share: f64| ages.get((ages.len() as f64 * share) as usize).map_or(f64::NAN, |age| age * 1e3);
    println!("  messages a second      {:>8.1} a stream", watched.messages() / STREAMS as f64 / watched.took);
    println!("  what is told is        {:>8.0} ms old (median), {:.0} ms (p95)", age(0.5), age(0.95));
    println!("  processor of the page  {:>8.1} %", 100.0 * watched.page / watched.took);
}

/// A run that was watched: seconds.
struct Watched {
    took: f64,
    /// The processor's time of the page's process.
    page: f64,
    /// How old each message of each stream was when it came, while the run went on.
    ages: Vec<Vec<f64>>,
}

impl Watched {
    fn messages(&self) -> f64 {
        self.ages.iter().map(Vec::len).sum::<usize>() as f64
    }
}

fn run_alone(words: &[String]) -> f64 {
    let home = home();
    let begun = Instant::now();
    finish(run(home.path(), words));
    begun.elapsed().as_secs_f64()
}

fn run_watched(words: &[String]) -> Watched {
    let home = home();
    let page = Page::start(home.path());
    let before = page.processor();
    let begun = Instant::now();
    let child = run(home.path(), words);
    let id = page.first_run();
    let streams: Vec<_> = (0..STREAMS).map(|_| page.stream(&id)).collect();
    finish(child);
    let took = begun.elapsed().as_secs_f64();
    let ages = streams.into_iter().map(|stream| stream.join().expect("it is read to its end")).collect();
    Watched { took, page: page.processor() - before, ages }
}

fn run(home: &Path, words: &[String]) -> Child {
    let mut command = jobs(home);
    command.arg("run").args(words).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the program begins")
}

fn finish(mut child: Child) {
    assert!(child.wait().expect("the program ends").success(), "the run succeeds");
}

fn jobs(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_page_jobs"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FANFOLD_")) {
        command.env_remove(name);
    }
    command.env("FANFOLD_HOME", home).env("FANFOLD_PROGRESS", "none").current_dir(home);
    command.stdin(Stdio::null());
    command
}

/// `ui` in a process of its own.
struct Page {
    child: Child,
    port: u16,
    secret: String,
}

impl Page {
    fn start(home: &Path) -> Self {
        let mut child = jobs(home)
            .args(["ui", "--port", "0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the page begins");
        let mut address = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        stdout.read_line(&mut address).expect("the page says where it is");
        let rest = address.trim().rsplit_once("//").expect("an address").1;
        let port = rest.split(['/', ':']).find_map(|part| part.parse().ok()).expect("a port");
        let secret = rest.split_once("secret=").expect("a secret").1.to_owned();
        Self { child, port, secret }
    }

    fn ask(&self, target: &str) -> TcpStream {
        let Self { port, secret, .. } = self;
        let mut stream = TcpStream::connect(("127.0.0.1", *port)).expect("the page is there");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let head = format!(
            "GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {secret}\r\n\
             Connection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("the page listens");
        stream
    }

    /// The run that was just begun, as soon as it is recorded.
    fn first_run(&self) -> String {
        let begun = Instant::now();
        loop {
            let mut answer = String::new();
            self.ask("/api/v1/runs").read_to_string(&mut answer).expect("an answer");
            let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
            assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
            let runs: Value = serde_json::from_str(body).expect("JSON");
            if let Some(id) = runs["runs"][0]["id"].as_str() {
                return id.to_owned();
            }
            assert!(begun.elapsed() < PATIENCE, "there is no run: {answer}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Reads all that is told of a run, and gives the age of each message that came while it went on.
    fn stream(&self, run: &str) -> JoinHandle<Vec<f64>> {
        let stream = self.ask(&format!("/api/v1/runs/{run}/live"));
        std::thread::spawn(move || {
            let lines = BufReader::new(stream).lines().map(|line| line.expect("the stream goes on"));
            let told = lines.filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok());
            told.filter_map(|live: Value| age(&live)).collect()
        })
    }

    /// The processor's time that its process has used so far, in seconds.
    fn processor(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        // The program's name, which may have blanks, stands in brackets; then come user's and system's
        // time, the 12th and 13th.
        let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
        let ticks = after.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
        ticks.sum::<f64>() / TICKS_A_SECOND
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long ago the last event that a message knows of happened; `None` if it is of no run that goes on.
fn age(live: &Value) -> Option<f64> {
    if live["state"].as_str()? != "running" {
        return None;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64();
    let on_the_way = now - live["now"].as_f64()?;
    Some(on_the_way + live["took"].as_f64()? - live["elapsed"].as_f64()?)
}

/// On the disk of the program, since a temporary folder may lie in memory.
fn home() -> TempDir {
    let this: PathBuf = std::env::current_exe().expect("the path of this program");
    tempfile::tempdir_in(this.parent().expect("a folder")).expect("a folder")
}

fn of(watched: &[Watched], figure: impl Fn(&Watched) -> f64) -> f64 {
    median(watched.iter().map(figure).collect())
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
