//! The API's document, made from its types: `runtime/web/openapi.json`, which the page's own types are
//! made from.

use std::collections::BTreeSet;

use utoipa::OpenApi;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, Paths};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{Content, Ref, RefOr, Required, ResponseBuilder};

use super::types::*;
use crate::web::routes::ROUTES;

/// Each address below `/api/v1`: what it answers, the parameters after its `?` in words apart, the type
/// of its body if it takes one, and the type of its answer, or the content type of what is no JSON.
#[rustfmt::skip]
const ADDRESSES: &[(&str, &str, &str, &str, &str)] = &[
    ("GET /runs", "Runs, newest first.", "job state q since until tag after limit", "", "RunPage"),
    ("GET /runs/{id}", "Everything on a run but its single steps. `id` may be the beginning of an id, or `last`.", "", "", "RunDetail"),
    ("GET /runs/{id}/graph", "The drawing of a run's graph.", "", "", "GraphView"),
    ("GET /runs/{id}/steps/{step}", "All that is recorded of one step, by its name: `resize[a.jpg]`.", "", "", "Step"),
    ("GET /runs/{id}/steps/{step}/value/{output}", "The value of an output, as it is recorded.", "download", "", "application/json"),
    ("GET /runs/{id}/events", "What happened in a run: events and log lines by time, the newest page where no place is given.", "op step level kind q before after limit", "", "EventPage"),
    ("GET /runs/{id}/live", "What changes in a run, as server-sent events: each a `Live`.", "after", "", "text/event-stream"),
    ("GET /runs/{id}/steps", "Steps of a run.", "op state q sort after limit", "", "StepPage"),
    ("POST /runs/{id}/resume", "Goes on with a run; with `dry=1` says what that would do.", "dry", "ResumeRequest", "Begun"),
    ("POST /runs/{id}/rerun", "Runs steps of a run again, as a new run; `dry=1` as above.", "dry", "RerunRequest", "Begun"),
    ("POST /runs/{id}/cancel", "Asks whoever drives a run to stop it; `dry=1` as above.", "dry", "CancelRequest", "Begun"),
    ("GET /runs/{id}/timeline", "What happened in a span of time.", "from to px lanes op", "", "Timeline"),
    ("GET /live", "That the list of runs changed, as server-sent events.", "", "", "text/event-stream"),
    ("GET /jobs", "The jobs of the program, and those that only have runs.", "", "", "JobList"),
    ("GET /jobs/{job}", "A job with what is needed to look at it and to launch it.", "", "", "JobDetail"),
    ("POST /jobs/{job}/runs", "Begins a run of a job; `dry=1` as above.", "dry", "LaunchRequest", "Begun"),
    ("GET /openapi.json", "This document.", "", "", "application/json"),
];

/// The part of each path that is not written in the table.
const BASE: &str = "/api/v1";

#[derive(OpenApi)]
#[openapi(
    info(title = "fanfold", description = "The data behind the page."),
    components(schemas(
        Refusal,
        StepCounts,
        RunStanding,
        StepStanding,
        Argument,
        Run,
        RunLink,
        RunPage,
        RunDetail,
        Op,
        OpNow,
        FailureGroup,
        Error,
        RunningNow,
        Slow,
        Commands,
        Live,
        StepPage,
        StepRow,
        Step,
        Why,
        StepLink,
        Neighbours,
        Turn,
        Input,
        Output,
        Shown,
        Note,
        Timeline,
        Lane,
        EventPage,
        EventRow,
        JobList,
        Job,
        RunBar,
        JobDetail,
        Limits,
        GraphView,
        GraphNode,
        GraphBox,
        GraphEdge,
        LaunchRequest,
        ResumeRequest,
        RerunRequest,
        CancelRequest,
        Begun
    ))
)]
struct Document;

fn paths() -> Paths {
    let mut paths = Paths::new();
    for (address, says, query, body, answer) in ADDRESSES {
        let (method, path) = address.split_once(' ').unwrap();
        let mut operation = OperationBuilder::new().summary(Some(*says));
        let in_path = path.split(['{', '}']).skip(1).step_by(2).map(|name| (name, ParameterIn::Path));
        let in_query = query.split_whitespace().map(|name| (name, ParameterIn::Query));
        for (name, place) in in_path.chain(in_query) {
            let required = if place == ParameterIn::Path { Required::True } else { Required::False };
            let text = RefOr::T(Schema::Object(ObjectBuilder::new().schema_type(Type::String).build()));
            let parameter = ParameterBuilder::new().name(name).parameter_in(place).required(required);
            operation = operation.parameter(parameter.schema(Some(text)));
        }
        if !body.is_empty() {
            let body = RequestBodyBuilder::new().content("application/json", typed(body));
            operation = operation.request_body(Some(body.required(Some(Required::True)).build()));
        }
        let (kind, content) = match answer.contains('/') {
            true => (*answer, Content::new(None::<RefOr<Schema>>)),
            false => ("application/json", typed(answer)),
        };
        let refused = ResponseBuilder::new().description("It was not answered.");
        let operation = operation
            .response("200", ResponseBuilder::new().description("The answer.").content(kind, content))
            .response("default", refused.content("application/json", typed("Refusal")));
        let method = if method == "POST" { HttpMethod::Post } else { HttpMethod::Get };
        paths.add_path_operation(format!("{BASE}{path}"), vec![method], operation.build());
    }
    paths
}

fn typed(name: &str) -> Content {
    Content::new(Some(RefOr::<Schema>::Ref(Ref::from_schema_name(name))))
}

#[test]
fn every_address_of_the_api_is_in_the_document() {
    let written: BTreeSet<_> = ADDRESSES
        .iter()
        .map(|(address, ..)| address.split_once(' ').unwrap())
        .map(|(method, path)| format!("{method} {BASE}{path}"))
        .collect();
    assert_eq!(written.len(), ADDRESSES.len(), "an address has two rows in ADDRESSES");
    let served = ROUTES.iter().filter(|route| route.path.starts_with(BASE));
    let served: BTreeSet<_> = served.map(|route| format!("{} {}", route.method, route.path)).collect();
    let (missing, gone): (Vec<_>, Vec<_>) =
        (served.difference(&written).collect(), written.difference(&served).collect());
    assert!(
        missing.is_empty() && gone.is_empty(),
        "ADDRESSES needs a row for {missing:?}, and has one too many for {gone:?}"
    );
}

#[test]
fn every_type_that_an_address_names_is_in_the_document() {
    let schemas = Document::openapi().components.unwrap().schemas;
    let named = ADDRESSES.iter().flat_map(|(.., body, answer)| [*body, *answer]);
    for name in named.filter(|name| !name.is_empty() && !name.contains('/')) {
        assert!(schemas.contains_key(name), "{name} is no schema of the document");
    }
}

#[test]
fn the_document_is_the_one_that_is_committed() {
    let mut document = Document::openapi();
    document.paths = paths();
    let document = document.to_pretty_json().unwrap();
    expect_test::expect_file!["../../../web/openapi.json"].assert_eq(&(document + "\n"));
}
