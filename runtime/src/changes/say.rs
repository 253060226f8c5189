//! A change as one line.

use std::fmt;

use crate::shape::ShapeKind;
use crate::text::safe;

use super::Change;

/// One line: what differs, and what keeps the run's record readable where there is something.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = match self {
            Self::Job { old, new } => format!("the run is of the job `{old}`, not of `{new}`"),
            Self::Renamed { old, new } => {
                let (graph, name) = old.rsplit_once('.').unwrap_or(("", old));
                let there = if graph.is_empty() { String::new() } else { format!(" in `{graph}`") };
                format!(
                    "`{old}` is now called `{new}`: give it `#[op(name = {name:?})]` or `.named({name:?})`{there} \
                     to keep the old name, or `rerun`"
                )
            }
            Self::Added { step } => format!("`{step}` is new: `rerun` runs it"),
            Self::Removed { step } => format!("`{step}` is gone: `rerun` does without it"),
            Self::Kind { step, old, new } => format!("`{step}` was {}, and is {}", kind(*old), kind(*new)),
            Self::Reads { step, old, new } => match (only(new, old), only(old, new)) {
                (more, less) if less.is_empty() => format!("`{step}` now also reads {}", all(&more)),
                (more, less) if more.is_empty() => format!("`{step}` does not read {} any more", all(&less)),
                (more, less) => format!("`{step}` now reads {}, and no more {}", all(&more), all(&less)),
            },
            Self::Scope { step, old, new } => {
                format!("`{step}` runs {}, and not {}", placed(new), placed(old))
            }
            Self::Outputs { step, old, new } => {
                format!("`{step}` gives {}, and not {}", all(new), all(old))
            }
            Self::Type { step, output, old, new } => format!(
                "{} is of type `{new}`, and recorded as `{old}`: give it the old type, or `rerun`",
                value(step, output)
            ),
            Self::Transient { step, output, now: true } => {
                format!("{} is transient now, and was recorded", value(step, output))
            }
            Self::Transient { step, output, now: false } => {
                format!("{} is recorded now, and was transient: `rerun`", value(step, output))
            }
            Self::Order => "the steps are the same, and are called for in another order, or other lists \
                            are made of them: restore the calls, or `rerun`"
                .to_owned(),
        };
        f.write_str(&safe(&line))
    }
}

fn kind(kind: ShapeKind) -> &'static str {
    match kind {
        ShapeKind::Op => "the step of an op",
        ShapeKind::Fold => "a fold",
        ShapeKind::Zip => "a zip",
        ShapeKind::Collect | ShapeKind::Results | ShapeKind::Held => "a list",
    }
}

/// What is in one list and not in the other.
fn only(these: &[String], others: &[String]) -> Vec<String> {
    these.iter().filter(|it| !others.contains(it)).cloned().collect()
}

/// What messages call an output: the only one of an op has no name that its author gave.
fn value(step: &str, output: &str) -> String {
    match output {
        "result" => format!("the value of `{step}`"),
        output => format!("the output `{output}` of `{step}`"),
    }
}

fn all(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

fn placed(scopes: &[String]) -> String {
    match scopes {
        [] => "once, outside all fan-outs".to_owned(),
        scopes => format!("for each of the {}", scopes.join(" and of the ")),
    }
}
