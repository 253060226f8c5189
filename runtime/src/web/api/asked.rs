//! What is asked for after the `?` of an address: every name once, and none that is not known.

use std::fmt::Display;
use std::str::FromStr;

use crate::web::refused::Refused;

/// Names and values.
#[derive(Debug, Default)]
pub(super) struct Asked(Vec<(String, String)>);

impl Asked {
    /// Takes them apart, if all are among the `known`.
    pub(super) fn read(given: Vec<(String, String)>, known: &[&str]) -> Result<Self, Refused> {
        Self::read_with(given, known, &[])
    }

    /// As [`read`](Self::read), with names among the known that may be given more than once.
    pub(super) fn read_with(
        given: Vec<(String, String)>,
        known: &[&str],
        repeated: &[&str],
    ) -> Result<Self, Refused> {
        for (place, (name, _)) in given.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let help = match known {
                    [] => "leave out what stands after the `?`".to_owned(),
                    known => format!("what can be is {}", known.join(", ")),
                };
                return Err(Refused::malformed(format!("`{name}` cannot be asked for here"), help));
            }
            let is_again = given[..place].iter().any(|(before, _)| before == name);
            if is_again && !repeated.contains(&name.as_str()) {
                return Err(Refused::malformed(format!("`{name}` is given twice"), "keep one"));
            }
        }
        Ok(Self(given))
    }

    /// The value of a name; what is empty was not given.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let given = self.0.iter().find(|(given, _)| given == name);
        given.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// All values of a name that may be given more than once; what is empty was not given.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let given = self.0.iter().filter(move |(given, _)| given == name);
        given.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The value of a name as a number, or `otherwise` if it was not given.
    pub(super) fn number<T: FromStr>(
        &self,
        name: &str,
        otherwise: T,
        like: impl Display,
    ) -> Result<T, Refused> {
        let Some(given) = self.get(name) else { return Ok(otherwise) };
        given.parse().map_err(|_| {
            Refused::malformed(
                format!("`{given}` is no value of `{name}`"),
                format!("write a number such as {like}"),
            )
        })
    }

    /// The value of a name as one of the `known`.
    pub(super) fn one_of<T: Copy>(&self, name: &str, known: &[(&str, T)]) -> Result<Option<T>, Refused> {
        let Some(given) = self.get(name) else { return Ok(None) };
        let found = known.iter().find(|(known, _)| *known == given).map(|(_, value)| *value);
        found.map(Some).ok_or_else(|| {
            let known: Vec<_> = known.iter().map(|(name, _)| *name).collect();
            Refused::malformed(
                format!("`{given}` is no value of `{name}`"),
                format!("what it can be is {}", known.join(", ")),
            )
        })
    }
}
