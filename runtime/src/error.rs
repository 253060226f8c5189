//! Why a step failed: the error of an op, and what is recorded of it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The error of one attempt of an op, with its source chain as text.
///
/// Any error converts; an op returns an `OpError` itself when it wants a say in what comes next:
///
/// ```
/// use std::time::Duration;
/// use fanfold::OpError;
///
/// let never = OpError::permanent("the account is closed");
/// let later = OpError::retry_after(Duration::from_secs(30), "too many requests");
/// assert_eq!(never.message(), "the account is closed");
/// assert_eq!(later.message(), "too many requests");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpError {
    message: String,
    /// What caused it, outermost first.
    causes: Vec<String>,
    kind: ErrorKind,
}

/// What kind of error ended an attempt; it decides whether another attempt makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The op gave an error: its retry policy decides.
    Op,
    /// The op said that no other attempt can succeed.
    Permanent,
    /// The op named the wait before the next attempt.
    RetryAfter(Duration),
    /// The op panicked: its retry policy decides.
    Panic,
    /// The attempt took longer than its timeout: the retry policy decides.
    Timeout,
    /// An emitter gave a key that it must not give: never tried again.
    Key,
    /// The value does not survive being written and read back: never tried again.
    Codec,
    /// The process died each time that it ran the step (§4.10): run again only if asked to.
    Poison,
}

impl OpError {
    /// An error that the op's retry policy may try again.
    pub fn new(error: impl fmt::Display) -> Self {
        Self::of_kind(ErrorKind::Op, error)
    }

    /// "Do not retry this": no other attempt can succeed.
    pub fn permanent(error: impl fmt::Display) -> Self {
        Self::of_kind(ErrorKind::Permanent, error)
    }

    /// "Retry after this long", instead of the policy's own delay; the policy still counts.
    pub fn retry_after(delay: Duration, error: impl fmt::Display) -> Self {
        Self::of_kind(ErrorKind::RetryAfter(delay), error)
    }

    /// An error with everything that caused it.
    pub fn from_error(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut this = Self::new(error);
        let mut source = error.source();
        while let Some(cause) = source {
            this.causes.push(cause.to_string());
            source = cause.source();
        }
        this
    }

    pub(crate) fn of_kind(kind: ErrorKind, error: impl fmt::Display) -> Self {
        Self { message: error.to_string(), causes: Vec::new(), kind }
    }

    /// The same with its texts cut to `bytes` each, and with few causes: for lists of errors.
    pub(crate) fn cut(&self, bytes: usize) -> Self {
        /// How many causes are kept: what matters of a long chain stands at its beginning.
        const CAUSES: usize = 8;
        let cut = |text: &String| match text.floor_char_boundary(bytes) {
            end if end < text.len() => format!("{}…", &text[..end]),
            _ => text.clone(),
        };
        let causes = self.causes.iter().take(CAUSES).map(cut).collect();
        Self { message: cut(&self.message), causes, kind: self.kind }
    }

    /// What went wrong, without its causes.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What caused it, outermost first.
    pub fn causes(&self) -> &[String] {
        &self.causes
    }

    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

/// The message, then each cause after a colon.
impl fmt::Display for OpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.causes.iter().try_for_each(|cause| write!(f, ": {cause}"))
    }
}

impl std::error::Error for OpError {}

/// Why a copy gave no value: what `collect_results` gives in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepFailure {
    /// The step that failed: the copy itself, or the step before it that kept it from running.
    pub step: String,
    /// The error of its last attempt.
    pub error: OpError,
    /// How many attempts were made.
    pub attempts: u32,
}

impl fmt::Display for StepFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step, self.error)
    }
}

impl std::error::Error for StepFailure {}
