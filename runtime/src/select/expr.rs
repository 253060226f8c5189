//! The language as data, and how it is written.

use std::fmt;
use std::ops::Range;

use crate::key::Key;
use crate::step::Brackets;

/// An expression: what any of its terms selects.
///
/// ```
/// use fanfold::select::Expr;
///
/// let expr: Expr = "+compute[2024-01-07], merge*".parse().unwrap();
/// assert_eq!(expr.terms().count(), 2);
/// assert_eq!(expr.to_string(), "+compute[2024-01-07], merge*");
/// ```
#[derive(Debug, Clone)]
pub struct Expr {
    /// As it was written, for messages.
    pub(super) text: String,
    /// The terms, and where in the text they stand.
    pub(super) terms: Vec<(Term, Range<usize>)>,
}

/// One term of an [`Expr`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Term {
    /// What before it is selected too: `+x`, `*x`.
    pub before: Reach,
    /// What is named.
    pub target: Target,
    /// What after it is selected too: `x+`, `x*`.
    pub after: Reach,
}

/// How far a term reaches beyond what it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Not at all.
    Nothing,
    /// To the steps that it reads, or that read it: `+`.
    Direct,
    /// To everything before, or after: `*`.
    All,
}

/// What a [`Term`] names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// The steps of an op, or of all ops of a sub-graph, whose keys begin with these: `op`, `op[key]`.
    /// A sub-graph can be named without `.*` if no op has its name.
    Steps {
        /// The name of the op in the job.
        op: Box<str>,
        /// Keys, outermost first.
        keys: Vec<Key>,
    },
    /// The steps of all ops of a sub-graph: `clean.*`.
    Graph {
        /// The name of the sub-graph in the job.
        graph: Box<str>,
        /// Keys, outermost first.
        keys: Vec<Key>,
    },
    /// The steps that stand so: `state:failed`.
    State(StateName),
}

/// Which steps `state:NAME` selects: by how they ended in the run that is run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StateName {
    /// `failed`.
    Failed,
    /// `upstream_failed`.
    UpstreamFailed,
    /// `skipped`.
    Skipped,
    /// `cancelled`.
    Cancelled,
    /// `not_succeeded`: failed, upstream failed, cancelled, or without an end. Not skipped ones, as
    /// they did what they should.
    NotSucceeded,
}

impl StateName {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Failed, Self::UpstreamFailed, Self::Skipped, Self::Cancelled, Self::NotSucceeded];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::UpstreamFailed => "upstream_failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::NotSucceeded => "not_succeeded",
        }
    }
}

impl Expr {
    /// The terms, in the order in which they were written.
    pub fn terms(&self) -> impl Iterator<Item = &Term> {
        self.terms.iter().map(|(term, _)| term)
    }
}

/// Two expressions are equal if their terms are, however they were written.
impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.terms().eq(other.terms())
    }
}

impl Eq for Expr {}

/// An expression that reads back as this one.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, term) in self.terms().enumerate() {
            write!(f, "{}{term}", if number == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.before, self.target, self.after)
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "",
            Self::Direct => "+",
            Self::All => "*",
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps { op, keys } => write!(f, "{}{}", Name(op), Brackets(keys)),
            Self::Graph { graph, keys } => write!(f, "{}.*{}", Name(graph), Brackets(keys)),
            Self::State(state) => write!(f, "state:{}", state.name()),
        }
    }
}

/// A name in which all that has a meaning of its own in the language is escaped.
pub(super) struct Name<'a>(pub(super) &'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            if is_special(character) {
                f.write_str("\\")?;
            }
            write!(f, "{character}")?;
        }
        Ok(())
    }
}

/// Whether a character ends a name, unless it is escaped.
pub(super) fn is_special(character: char) -> bool {
    character.is_whitespace() || matches!(character, ',' | '+' | '*' | ':' | '[' | ']' | '\\')
}
