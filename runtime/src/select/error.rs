//! What is wrong with an expression, shown where it is wrong.

use std::fmt;
use std::ops::Range;

use crate::key::KeyError;
use crate::text::safe;

use super::expr::Name;

/// How much of a long expression is shown on each side of the mistake, in characters.
const AROUND: usize = 40;
/// How many names a message lists at most.
const LISTED: usize = 12;

/// Why an expression selects nothing that can be run: its text, the place, what is wrong there and
/// what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectError {
    /// The expression.
    pub text: String,
    /// Where in it: bytes.
    pub at: Range<usize>,
    /// What is wrong.
    pub mistake: Mistake,
}

/// What can be wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mistake {
    /// There is no term.
    #[error("the selection is empty")]
    Empty,
    /// `+`, `*` or `[` stand where an op should.
    #[error("the name of an op is missing here")]
    NoName,
    /// More than one `+` or `*` on one side.
    #[error("one `+` or `*` on each side is enough")]
    Twice,
    /// A key without its `]`.
    #[error("this key is not closed")]
    Unclosed,
    /// A `]` without its `[`.
    #[error("this `]` closes nothing")]
    Unopened,
    /// A backslash before something that it does not escape.
    #[error("`\\` escapes nothing here")]
    Escape,
    /// A key that no step can have.
    #[error("no step has such a key: {0}")]
    Key(KeyError),
    /// Something follows a term at once.
    #[error("this does not belong to the term before it")]
    Trailing,
    /// `something:` that is not `state:`.
    #[error("there is no `{0}:`")]
    Qualifier(String),
    /// A state that there is not.
    #[error("there is no state `{0}` to select by")]
    State(String),
    /// An op that the job does not have.
    #[error("the job has no op `{op}`")]
    UnknownOp {
        /// What was written.
        op: String,
        /// What may be meant.
        near: Option<String>,
        /// The ops of the job.
        known: Vec<String>,
    },
    /// More keys than the op's steps have.
    #[error("{}", too_many_keys(.op, *.keys))]
    TooManyKeys {
        /// The op.
        op: String,
        /// How many keys its steps have.
        keys: usize,
    },
    /// A key that the run does not have.
    #[error("the run has no step `{step}`: nothing was yielded under the key `{key}`")]
    NoKey {
        /// The step, as far as it was written.
        step: String,
        /// The first key that there is not.
        key: String,
        /// Keys that may be meant.
        near: Vec<String>,
    },
    /// The terms are right, and no step of the run is like that.
    #[error("this selects no step of the run")]
    Nothing,
    /// Values of the old run do not go together with items that are made anew.
    #[error("`{reader}` needs what `{needs}` gave, and `{emitter}` runs again and may yield other items")]
    Torn {
        /// The selected op.
        reader: String,
        /// What it needs and is not selected.
        needs: String,
        /// The selected op that opens the fan-out around it.
        emitter: String,
    },
}

fn too_many_keys(op: &str, keys: usize) -> String {
    match keys {
        0 => format!("`{op}` lies in no fan-out: it is one step, without a key"),
        1 => format!("the steps of `{op}` have one key"),
        keys => format!("the steps of `{op}` have {keys} keys"),
    }
}

impl Mistake {
    /// What to write instead.
    fn help(&self) -> String {
        match self {
            Self::Empty => {
                "write ops, `op[key]`, `+op`, `op*` or `state:failed`, with commas or spaces between"
                    .to_owned()
            }
            Self::NoName => "write `+op`, `*op`, `op[key]`".to_owned(),
            Self::Twice => "`+op` is what it reads directly, `*op` is everything before it".to_owned(),
            Self::Unclosed => "close it with `]`; inside a key write `\\[`, `\\]` and `\\\\`".to_owned(),
            Self::Unopened => "inside a key, `]` is written `\\]`".to_owned(),
            Self::Escape => "inside a key write `\\[`, `\\]` and `\\\\`; in the name of an op, `\\` stands \
                             before `,`, `+`, `*`, `:` and a space"
                .to_owned(),
            Self::Key(_) => "write the key as it stands in the step's name".to_owned(),
            Self::Trailing => "put a comma or a space between two terms".to_owned(),
            Self::Qualifier(_) => {
                "there is `state:failed`; in the name of an op, `:` is written `\\:`".to_owned()
            }
            Self::State(_) => {
                let names = super::StateName::ALL.map(super::StateName::name);
                format!("there is {}", names.map(|name| format!("`{name}`")).join(", "))
            }
            Self::UnknownOp { near: Some(near), .. } => format!("did you mean `{}`?", safe(near)),
            Self::UnknownOp { known, .. } => format!("it has {}", listed(known)),
            Self::TooManyKeys { op, keys } => {
                format!("write `{}{}`", Name(op), "[key]".repeat((*keys).min(4)))
            }
            Self::NoKey { near, .. } if near.is_empty() => {
                "it yielded nothing there; select the emitter too, and the new keys apply".to_owned()
            }
            Self::NoKey { near, .. } => {
                format!("there is {}; if you select the emitter too, the new keys apply", listed(near))
            }
            Self::Nothing => "`show RUN` says which steps there are".to_owned(),
            Self::Torn { needs, emitter, .. } => {
                format!(
                    "select `{0}` too, or everything after the emitter: `{1}*`",
                    Name(needs),
                    Name(emitter)
                )
            }
        }
    }
}

fn listed(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(LISTED).map(|name| format!("`{}`", safe(name))).collect();
    match names.len().saturating_sub(LISTED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// What is wrong, the expression with marks under the place, and what to write.
impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", safe(&self.mistake.to_string()))?;
        let [before, marked, after] = self.parts();
        if !self.text.is_empty() {
            let indent = " ".repeat(before.chars().count());
            let marks = "^".repeat(marked.chars().count().max(1));
            writeln!(f, "  |\n  | {before}{marked}{after}\n  | {indent}{marks}")?;
        }
        write!(f, "  = help: {}", self.mistake.help())
    }
}

impl SelectError {
    /// The expression before, at and after the place, as one line that is not too long.
    fn parts(&self) -> [String; 3] {
        let (start, end) = (floor(&self.text, self.at.start), floor(&self.text, self.at.end));
        let (before, rest) = self.text.split_at(start);
        let (marked, after) = rest.split_at(end.saturating_sub(start));
        let skip = before.chars().count().saturating_sub(AROUND);
        let (cut, before) = (if skip > 0 { "…" } else { "" }, before.chars().skip(skip).collect::<String>());
        let shorten = |text: &str| match text.char_indices().nth(AROUND) {
            Some((at, _)) => format!("{}…", one_line(&text[..at])),
            None => one_line(text),
        };
        [format!("{cut}{}", one_line(&before)), shorten(marked), shorten(after)]
    }
}

/// White space as spaces, so that marks stand where they should.
fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|it| if it.is_whitespace() { ' ' } else { it }).collect();
    safe(&spaced).into_owned()
}

/// The last place between two characters at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

impl std::error::Error for SelectError {}
