//! `doctor`: what is wrong, or weaker than it could be, with the store and the program.

use std::fmt::Write as _;

use clap::Args;

use super::output::print;
use super::problem::Problem;
use super::store::StoreFlags;
use crate::exit;
use crate::report::paint::Paint;
use crate::store::Finding;
use crate::text::safe;

/// The flags of `doctor`.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreFlags,
}

/// What holds for every run that is recorded, as long as nothing below is marked.
const GUARANTEES: [(&str, &str); 3] = [
    ("the process dies", "no success that was told is lost, and `resume` runs none of them again"),
    ("the power fails", "the same, as far as the disk keeps what it said it had synced"),
    ("a bit flips in the record", "it is found out when it is read; nothing is shown in its place"),
];

/// Looks at the store and the program, and says what was found.
pub(super) fn doctor(flags: &Flags) -> Result<u8, Problem> {
    let mut findings = match flags.store.reading() {
        Ok(store) => store.examine()?,
        Err(problem) => vec![bad("store", &problem.to_string())],
    };
    findings.extend(program());
    let text = if flags.json { as_json(&findings) } else { as_text(&findings, Paint::for_stdout()) };
    print(text.as_bytes())?;
    Ok(if findings.iter().all(|finding| finding.good) { exit::SUCCESS } else { exit::STORE })
}

/// What is found of the program's jobs.
fn program() -> Vec<Finding> {
    let jobs = crate::define::jobs();
    let aborts: Vec<_> = jobs.iter().filter(|job| job.panic_aborts).map(|job| job.name).collect();
    let panics = if aborts.is_empty() {
        good("panics", "a panic in a step is a failure of that step alone")
    } else {
        let text = format!(
            "built with `panic = \"abort\"`: a panic in a step ends the process (jobs {}); take it out of the profile in Cargo.toml",
            aborts.join(", ")
        );
        bad("panics", &text)
    };
    let checked = match crate::check_all_jobs() {
        Ok(()) => good("jobs", &format!("{} can be built", jobs.len())),
        Err(errors) => bad("jobs", &errors.to_string()),
    };
    vec![panics, checked]
}

fn good(what: &str, text: &str) -> Finding {
    Finding { good: true, what: what.to_owned(), text: text.to_owned() }
}

fn bad(what: &str, text: &str) -> Finding {
    Finding { good: false, what: what.to_owned(), text: text.to_owned() }
}

fn as_text(findings: &[Finding], paint: Paint) -> String {
    let mut text = String::new();
    for Finding { good, what, text: found } in findings {
        let mark = if *good { paint.good("   good") } else { paint.bad("    bad") };
        let mut lines = found.lines();
        let _ = writeln!(text, "{mark}  {:<10}  {}", safe(what), safe(lines.next().unwrap_or_default()));
        for line in lines {
            let _ = writeln!(text, "{:21}{}", "", safe(line));
        }
    }
    let _ = writeln!(text, "\n   what holds when");
    for (when, what) in GUARANTEES {
        let _ = writeln!(text, "   {when:<26}  {what}");
    }
    text
}

fn as_json(findings: &[Finding]) -> String {
    let document = serde_json::json!({ "version": 1, "findings": findings });
    format!("{}\n", serde_json::to_string_pretty(&document).unwrap_or_default())
}
