//! What a page says before any script has run: its data in words, and as the answers that its script
//! would ask for first, so that it need not ask.

mod job;
mod lists;
mod run;
mod step;
mod words;

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

use super::App;
use super::api;
use super::html::{Address, Html, component, from_component};
use super::refused::Refused;
use crate::store::LogFilter;

/// A page as the server writes it.
#[derive(Debug)]
pub(super) struct First {
    pub(super) status: StatusCode,
    pub(super) title: String,
    /// What can be read without a script.
    pub(super) html: String,
    /// The data that it was made from, as JSON: `{"path", "read_only", "answers"}`, each answer by its
    /// address.
    pub(super) state_json: String,
}

/// Which page an address is of.
#[derive(Debug, PartialEq, Eq)]
enum Page {
    Runs,
    Jobs,
    Job(String),
    Launch(String),
    Run(String),
    Step(String, String),
}

/// The page of an address. What stands after its `?` is for the script: the page is whole without it.
pub(super) fn first(app: &App, path: &str, _query: &str) -> First {
    let mut draft = Draft::default();
    let said = match Page::of(path) {
        Some(page) => draft.write(app, &page),
        None => Err(Refused::not_found("there is nothing at this address", "the list of runs is at `/`")),
    };
    let status = match said {
        Ok(()) => StatusCode::OK,
        Err(refused) => draft.refuse(&refused),
    };
    draft.finish(path, status, app.read_only)
}

impl Page {
    fn of(path: &str) -> Option<Self> {
        let parts: Vec<_> = path.trim_matches('/').split('/').map(from_component).collect::<Option<_>>()?;
        let parts: Vec<_> = parts.iter().map(String::as_str).collect();
        let own = str::to_owned;
        Some(match parts.as_slice() {
            [""] => Self::Runs,
            ["jobs"] => Self::Jobs,
            ["jobs", job] => Self::Job(own(job)),
            ["jobs", job, "launch"] => Self::Launch(own(job)),
            ["runs", run] => Self::Run(own(run)),
            ["runs", run, "steps", step] => Self::Step(own(run), own(step)),
            _ => return None,
        })
    }
}

/// A page that is being written.
#[derive(Debug, Default)]
struct Draft {
    title: String,
    main: Html,
    answers: Map<String, Value>,
}

impl Draft {
    fn write(&mut self, app: &App, page: &Page) -> Result<(), Refused> {
        match page {
            Page::Runs => self.runs(app),
            Page::Jobs => {
                self.title = "Jobs".to_owned();
                let list = api::jobs::all(app)?;
                lists::jobs(&list, &mut self.main);
                self.answer(&["jobs"], &list)
            }
            Page::Job(name) => self.job(app, name, job::job),
            Page::Launch(name) => self.job(app, name, job::launch),
            Page::Run(id) => self.run(app, id),
            Page::Step(id, step) => self.step(app, id, step),
        }
    }

    fn runs(&mut self, app: &App) -> Result<(), Refused> {
        self.title = "Runs".to_owned();
        let page = api::runs::page(app, &api::runs::Asked::newest())?;
        lists::runs(app, &page, &mut self.main);
        self.answer(&["runs"], &page)?;
        self.answer(&["jobs"], &api::jobs::all(app)?)
    }

    fn job(
        &mut self,
        app: &App,
        name: &str,
        write: fn(&api::types::JobDetail, &mut Html),
    ) -> Result<(), Refused> {
        self.title = name.to_owned();
        let detail = api::jobs::detail(app, name)?;
        write(&detail, &mut self.main);
        self.answer(&["jobs", name], &detail)
    }

    fn run(&mut self, app: &App, id: &str) -> Result<(), Refused> {
        self.title = id.to_owned();
        let detail = api::run::detail(app, id)?;
        self.title = format!("{} {}", detail.run.job, detail.run.short);
        let lines = run::last_lines(app, &detail.run.id, &LogFilter::default())?;
        run::run(&detail, &lines, &mut self.main);
        self.answer(&["runs", id], &detail)
    }

    fn step(&mut self, app: &App, id: &str, step: &str) -> Result<(), Refused> {
        self.title = step.to_owned();
        let detail = api::run::detail(app, id)?;
        self.title = format!("{step} of {} {}", detail.run.job, detail.run.short);
        let told = api::step::one(app, &detail.run.id, step)?;
        let numbers = Some(api::step::numbers(app, &detail.run.id, step)?);
        let filter = LogFilter { step: numbers, ..LogFilter::default() };
        let lines = run::last_lines(app, &detail.run.id, &filter)?;
        step::step(&detail, &told, &lines, &mut self.main);
        self.answer(&["runs", id], &detail)?;
        self.answer(&["runs", id, "steps", step], &told)
    }

    /// Keeps an answer of the API for the page's script.
    fn answer(&mut self, parts: &[&str], answer: &impl Serialize) -> Result<(), Refused> {
        let path: String = parts.iter().map(|part| format!("/{}", component(part))).collect();
        let value = serde_json::to_value(answer).map_err(|error| Refused::broken(error.to_string()))?;
        self.answers.insert(format!("/api/v1{path}"), value);
        Ok(())
    }

    /// Says in place of the page why there is none.
    fn refuse(&mut self, Refused { status, error, help }: &Refused) -> StatusCode {
        self.main = Html::default();
        self.main.say("h1", status.canonical_reason().unwrap_or("Not answered"));
        self.main.with("p", &[("role", "alert")], |html| {
            html.lines(error);
        });
        if let Some(help) = help {
            self.main.say("p", help);
        }
        *status
    }

    fn finish(self, path: &str, status: StatusCode, read_only: bool) -> First {
        let mut html = Html::default();
        html.with("nav", &[("aria-label", "Pages")], |html| {
            html.link(&Address::home(), "Runs").text(" ");
            html.link(&Address::of(&["jobs"]), "Jobs");
        });
        html.put("main", self.main);
        let state = serde_json::json!({ "path": path, "read_only": read_only, "answers": self.answers });
        First {
            status,
            title: format!("{} · fanfold", self.title),
            html: html.into_string(),
            state_json: state.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::RunState;
    use crate::web::fixture::{Given, app, entered, failed};

    const HOSTILE: &str = "</script><script>x</script><!--\"'&\u{202e}";

    /// Whether every element that begins ends, in order.
    fn is_balanced(html: &str) -> bool {
        let mut open = Vec::new();
        for tag in html.split('<').skip(1) {
            let Some((tag, _)) = tag.split_once('>') else { return false };
            match tag.strip_prefix('/') {
                Some(name) if open.pop() != Some(name) => return false,
                Some(_) => {}
                None => open.push(tag.split(' ').next().unwrap_or_default()),
            }
        }
        open.is_empty()
    }

    fn state(first: &First) -> Value {
        serde_json::from_str(&first.state_json).unwrap()
    }

    #[test]
    fn every_page_can_be_read_and_has_the_answers_that_its_script_asks_for() {
        let app = app(failed("7k2mabcd"));
        for (path, says, answers) in [
            ("/", "6 succeeded, 1 failed", ["/api/v1/jobs", "/api/v1/runs"].as_slice()),
            ("/jobs", "Upper-cases a range of letters.", &["/api/v1/jobs"]),
            ("/jobs/letters", "jobs.rs:7", &["/api/v1/jobs/letters"]),
            ("/jobs/letters/launch", "letters run letters", &["/api/v1/jobs/letters"]),
            ("/runs/7k2m", "api time out after 500 ms", &["/api/v1/runs/7k2m"]),
            (
                "/runs/7k2m/steps/compute_piece%5Bb%5D",
                "<h2>compute_piece[b]</h2><p class=\"state state-failed\">failed</p>",
                &["/api/v1/runs/7k2m", "/api/v1/runs/7k2m/steps/compute_piece%5Bb%5D"],
            ),
        ] {
            let first = first(&app, path, "view=timeline");
            assert_eq!(first.status, StatusCode::OK, "{}", first.html);
            assert!(first.html.contains(says) && is_balanced(&first.html), "{path}: {}", first.html);
            assert!(first.html.contains("<nav ") && first.html.contains("<h1>"), "{path}");
            let state = state(&first);
            let kept: Vec<_> = state["answers"].as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!((kept, &state["path"]), (answers.to_vec(), &path.into()));
        }
    }

    #[test]
    fn what_is_kept_for_the_script_is_what_the_api_answers() {
        let app = app(failed("7k2mabcd"));
        let mut kept = state(&first(&app, "/runs/7k2m", ""))["answers"]["/api/v1/runs/7k2m"].take();
        let mut answer = serde_json::to_value(api::run::detail(&app, "7k2m").unwrap()).unwrap();
        (kept["now"], answer["now"]) = (0.into(), 0.into());
        assert_eq!(kept, answer);
    }

    #[test]
    fn hostile_data_is_text_everywhere() {
        let tags = [(HOSTILE.to_owned(), HOSTILE.to_owned())];
        let given = Given {
            job: HOSTILE.to_owned(),
            args: vec![(HOSTILE.to_owned(), HOSTILE.into())],
            secrets: vec![HOSTILE.to_owned() + "2"],
            tags: tags.into(),
            state: Some(RunState::Failed),
            ..Given::new("7k2mabcd")
        };
        let app = app(entered([given]));
        let job = format!("/jobs/{}", component(HOSTILE));
        let step = format!("/runs/7k2mabcd/steps/{}", component(HOSTILE));
        for path in
            ["/", "/jobs", &job, &format!("{job}/launch"), "/runs/7k2mabcd", &step, "/runs/%3Cscript%3E"]
        {
            let First { html, state_json, .. } = first(&app, path, "");
            let state_json = crate::web::html::json_in_html(&state_json);
            assert!(is_balanced(&html), "{path}: {html}");
            assert!(!html.contains("<script") && !html.contains("<!--"), "{path}: {html}");
            assert!(!html.contains('\u{202e}'), "{path}: {html}");
            assert!(!state_json.contains(['<', '>', '&']), "{path}: {state_json}");
        }
    }

    #[test]
    fn where_there_is_nothing_it_is_said_in_words() {
        let app = app(entered([Given::new("7k2mabcd")]));
        for (path, says) in [
            ("/runs/zzzz", "no run&#39;s id begins with"),
            ("/jobs/leters", "did you mean `letters`?"),
            ("/runs/%ff", "there is nothing at this address"),
            ("/runs/7k2m/steps", "there is nothing at this address"),
        ] {
            let first = first(&app, path, "");
            assert!(first.status == StatusCode::NOT_FOUND && first.html.contains(says), "{}", first.html);
        }
        let empty = crate::web::fixture::app(Arc::new(crate::store::MemoryStore::new()));
        let first = first(&empty, "/", "");
        assert!(
            first.html.contains("No runs yet") && first.html.contains("letters run letters"),
            "{}",
            first.html
        );
    }

    #[test]
    fn rows_of_ops_are_told_in_order_with_what_failed_marked() {
        let html = first(&app(failed("7k2mabcd")), "/runs/7k2mabcd", "").html;
        let ops = html.split("<table class=\"ops\">").nth(1).unwrap().split("</table>").next().unwrap();
        let place = |name: &str| ops.find(name).unwrap();
        assert!(place("load_pieces") < place("clean") && place("clean") < place("compute_piece"));
        assert!(
            ops.contains("<tr class=\"state-failed\"><th scope=\"row\">\u{a0}\u{a0}compute_piece</th>"),
            "{ops}"
        );
        assert!(
            html.contains("<a href=\"/runs/7k2mabcd/steps/compute_piece%5Bb%5D\">compute_piece[b]</a>"),
            "{html}"
        );
    }
}
