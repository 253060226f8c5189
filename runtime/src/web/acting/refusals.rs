//! What the command line says of what cannot be done, as answers.

use axum::http::StatusCode;

use crate::cli::problem::Problem;
use crate::runs::RunsError;
use crate::web::refused::Refused;

/// What is wrong with what was asked for.
pub(crate) fn wrong(problem: &Problem) -> Refused {
    let status = match problem {
        Problem::CommandLine(_) | Problem::Usage(_) => StatusCode::BAD_REQUEST,
        Problem::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        Problem::Program(_) | Problem::Output(_) | Problem::File { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let (error, help) = split(in_words(&problem.to_string()));
    Refused::new(status, error, help)
}

/// Why a run does not go on, or is not run again.
pub(crate) fn not_resumed(error: RunsError) -> Refused {
    let status = match &error {
        RunsError::Succeeded { .. } | RunsError::NoJob { .. } | RunsError::Changed { .. } => {
            StatusCode::CONFLICT
        }
        RunsError::Argument { .. }
        | RunsError::Select(_)
        | RunsError::Missing { .. }
        | RunsError::Start(_) => StatusCode::BAD_REQUEST,
        RunsError::Store(error) => return error.clone().into(),
        RunsError::Read(error) => return error.clone().into(),
        RunsError::Facts(_) | RunsError::Record { .. } => StatusCode::SERVICE_UNAVAILABLE,
        RunsError::Job(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let text = error.to_string();
    let (error, help) = split(&text);
    Refused::new(status, error, help)
}

/// Without the mark before, and without what the command line says of itself after.
pub(super) fn in_words(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let usage = text.find("\n\nUsage:").or_else(|| text.find("\n\nFor more information"));
    &text[..usage.unwrap_or(text.len())]
}

/// What is wrong, and what to do.
pub(super) fn split(text: &str) -> (String, Option<String>) {
    match text.split_once("\nhelp: ") {
        Some((error, help)) => (error.to_owned(), Some(help.to_owned())),
        None => (text.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_command_line_says_of_itself_is_left_out() {
        let clap = "error: invalid value '0' for '--max-concurrent <N>': a limit is at least 1\n\nFor more information, try '--help'.\n";
        assert_eq!(in_words(clap), "invalid value '0' for '--max-concurrent <N>': a limit is at least 1");
        assert_eq!(split("no\nhelp: do").1.as_deref(), Some("do"));
    }
}
