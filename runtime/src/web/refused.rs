//! Why a request was not answered: a status, what is wrong, and what to do.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::api::types::Refusal;
use crate::record::ReadError;
use crate::store::StoreError;

/// A request that was not answered.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) error: String,
    pub(crate) help: Option<String>,
}

impl Refused {
    /// What was asked for is not there.
    pub(crate) fn not_found(error: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error, Some(help.into()))
    }

    /// What was asked for cannot be understood.
    pub(crate) fn malformed(error: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, Some(help.into()))
    }

    /// A fault of the server's.
    pub(crate) fn broken(error: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error, None)
    }

    pub(crate) fn new(status: StatusCode, error: impl Into<String>, help: Option<String>) -> Self {
        Self { status, error: error.into(), help }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoRun { run, .. } => Self::not_found(
                format!("there is no run `{run}`"),
                "it may have been pruned: the list of runs has those that are there",
            ),
            StoreError::Held { .. } => Self::new(StatusCode::CONFLICT, error.to_string(), None),
            error => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                error.to_string(),
                Some("`doctor` says what is wrong with the store".to_owned()),
            ),
        }
    }
}

impl From<ReadError> for Refused {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => error.into(),
            error => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                error.to_string(),
                Some("`doctor` says what is damaged, and `export` writes what is whole".to_owned()),
            ),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.status, Json(Refusal { error: self.error, help: self.help })).into_response()
    }
}
