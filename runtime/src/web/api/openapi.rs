//! The API's document, made from its types: `runtime/web/openapi.json`, which the page's own types are
//! made from.

use utoipa::OpenApi;

use super::types::*;

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

#[test]
fn the_document_is_the_one_that_is_committed() {
    let document = Document::openapi().to_pretty_json().unwrap();
    expect_test::expect_file!["../../../web/openapi.json"].assert_eq(&(document + "\n"));
}
