//! What is known of a run from its first commit on: the shape of its job, its arguments, how it is run.
//!
//! It stands in the run's row of the catalogue, as JSON, so that the run is read, resumed and run again
//! without anything else.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::options::{Order, PoolLimit};
use crate::shape::Shape;

/// The version of the form. It rises when a field changes its meaning or goes away; new fields do not
/// raise it.
pub const FACTS_VERSION: u32 = 1;

/// What is known of a run from the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The version of the form; [`FACTS_VERSION`].
    pub version: u32,
    /// The program that began the run, as its command line named it.
    pub program: String,
    /// The job's graph.
    pub shape: Shape,
    /// The job's arguments, by name and in order; `null` for one that is secret.
    pub args: Vec<(String, Value)>,
    /// Which of the arguments are secret: they are never recorded, and are given again at a resume.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// How the run is run.
    pub options: RunFacts,
}

/// How a run is run: what was said of it, and what the job says where nothing was.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RunFacts {
    /// How many steps may be in flight.
    pub max_concurrent: u32,
    /// In which order ready steps start.
    pub order: Order,
    /// Whether the first failure keeps further steps from starting.
    pub fail_fast: bool,
    /// The limits of pools, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<(String, PoolLimit)>,
    /// The limits of tag values: name, value, how many may be in flight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tag_limits: Vec<(String, String, u32)>,
}

/// The arguments alone, for lists of runs: whatever else cannot be read, or is of a newer version.
#[cfg(feature = "ui")]
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ArgFacts {
    pub(crate) args: Vec<(String, Value)>,
    #[serde(default)]
    pub(crate) secrets: Vec<String>,
}

#[cfg(feature = "ui")]
impl ArgFacts {
    /// Reads them; none if there are none.
    pub(crate) fn read(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }
}

/// Why the facts of a run could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FactsError {
    /// A newer version of fanfold wrote them.
    #[error(
        "run {run} was begun by a newer version of fanfold (facts of version {found}, and {FACTS_VERSION} is read here): use that version"
    )]
    Newer {
        /// The run.
        run: String,
        /// The version that was found.
        found: u32,
    },
    /// They are not what was written.
    #[error(
        "what is recorded of run {run} cannot be read: {what}; the store is damaged, and `doctor` says more"
    )]
    Damaged {
        /// The run.
        run: String,
        /// What is wrong.
        what: String,
    },
}

impl Facts {
    /// The facts as the catalogue keeps them.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("names, numbers and JSON can always be written")
    }

    /// Reads the facts of a run.
    ///
    /// # Errors
    /// A newer version wrote them, or they are no facts.
    pub fn read(run: &str, json: &str) -> Result<Self, FactsError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let damaged = |what: String| FactsError::Damaged { run: run.to_owned(), what };
        let wrong = |error: serde_json::Error| damaged(error.to_string());
        let Version { version } = serde_json::from_str(json).map_err(wrong)?;
        if version > FACTS_VERSION {
            return Err(FactsError::Newer { run: run.to_owned(), found: version });
        }
        let facts: Self = serde_json::from_str(json).map_err(wrong)?;
        facts.shape.check().map_err(|what| damaged(what.to_owned()))?;
        Ok(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn facts() -> Facts {
        Facts {
            version: FACTS_VERSION,
            program: "letters".to_owned(),
            shape: fixture::graph().shape(),
            args: vec![("from".to_owned(), "a".into()), ("token".to_owned(), Value::Null)],
            secrets: vec!["token".to_owned()],
            options: RunFacts {
                max_concurrent: 64,
                pools: vec![("api".to_owned(), PoolLimit { max: Some(3), rate: None })],
                ..RunFacts::default()
            },
        }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Facts::read("7k2m", &facts().to_json()), Ok(facts()));
    }

    #[cfg(feature = "ui")]
    #[test]
    fn arguments_are_read_whatever_else_is_wrong() {
        let read = |json: &str| ArgFacts::read(json);
        assert_eq!(read(&facts().to_json()).args, facts().args);
        assert_eq!(read(r#"{"version":9,"args":[["n",1]],"secrets":["s"]}"#).secrets, ["s"]);
        assert!(read("spoilt").args.is_empty());
    }

    #[test]
    fn facts_of_a_newer_version_are_refused_as_such() {
        let newer = r#"{"version":2,"shape":"another"}"#;
        assert_eq!(Facts::read("7k2m", newer), Err(FactsError::Newer { run: "7k2m".to_owned(), found: 2 }));
    }

    #[test]
    fn a_shape_that_points_outside_itself_is_refused() {
        let spoilt: [fn(&mut Shape); 6] = [
            |shape| shape.scopes.clear(),
            |shape| shape.nodes[0].scope.0 = 9,
            |shape| shape.nodes[1].reads.push(crate::graph::NodeId(99)),
            |shape| shape.scopes[1].parent = Some(crate::graph::ScopeId(1)),
            |shape| shape.scopes[1].fan = Some((crate::graph::NodeId(99), 0)),
            |shape| shape.scopes[1].fan = None,
        ];
        for spoil in spoilt {
            let mut facts = facts();
            spoil(&mut facts.shape);
            assert!(matches!(Facts::read("7k2m", &facts.to_json()), Err(FactsError::Damaged { .. })));
        }
        assert!(Facts::read("7k2m", "").is_err());
    }
}
