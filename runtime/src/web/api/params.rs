//! What stands after the `?` of an address, read by name; what is not known is refused.

use axum::extract::Query;

use crate::cli::problem::unknown;
use crate::web::refused::Refused;

/// As a handler takes it.
pub(crate) type Pairs = Query<Vec<(String, String)>>;

/// The parameters of an address. One that is empty, as a form sends it, is as one that is left out.
#[derive(Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Those of a request, which may have these names.
    ///
    /// # Errors
    /// It has another.
    pub(crate) fn of(Query(pairs): Pairs, known: &[&str]) -> Result<Self, Refused> {
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            let error = unknown("parameter", name, known.iter().copied(), "this address takes none");
            return Err(Refused::malformed(error, "`/api/v1/openapi.json` lists what there is"));
        }
        Ok(Self(pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()))
    }

    /// All that is given of a name, in order.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// What is given of a name.
    ///
    /// # Errors
    /// It is given twice.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, Refused> {
        let mut all = self.all(name);
        match (all.next(), all.next()) {
            (one, None) => Ok(one),
            _ => Err(Refused::malformed(format!("`{name}` is given twice"), "give it once")),
        }
    }

    /// The number that is given of a name.
    ///
    /// # Errors
    /// It is no whole number, or given twice.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Refused> {
        let Some(text) = self.one(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            let help = format!("write a whole number, such as `{name}=50`");
            Refused::malformed(format!("`{name}` is `{text}`, which is no whole number"), help)
        })
    }

    /// What is given of a name, as one of those that it can be.
    ///
    /// # Errors
    /// It is another, or given twice.
    pub(crate) fn one_of<T: Copy>(&self, name: &str, known: &[(&str, T)]) -> Result<Option<T>, Refused> {
        let Some(given) = self.one(name)? else { return Ok(None) };
        let found = known.iter().find(|(known, _)| *known == given);
        found.map(|(_, value)| Some(*value)).ok_or_else(|| {
            let known: Vec<_> = known.iter().map(|(name, _)| *name).collect();
            let help = format!("it is one of {}", known.join(", "));
            Refused::malformed(format!("`{name}` is `{given}`, which it cannot be"), help)
        })
    }

    /// The number that is given of a name, from 1 to `most`; `most` where it is more, and `usual` where
    /// nothing is given.
    ///
    /// # Errors
    /// As for [`number`](Self::number).
    pub(crate) fn limit(&self, name: &str, usual: usize, most: usize) -> Result<usize, Refused> {
        let given = self.number(name)?.map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        Ok(given.unwrap_or(usual).clamp(1, most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Params, Refused> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Params::of(Query(pairs.collect()), &["job", "limit"])
    }

    #[test]
    fn what_is_empty_is_left_out_and_what_is_unknown_is_refused() {
        let params = of(&[("job", ""), ("limit", "7")]).unwrap();
        assert_eq!((params.one("job").unwrap(), params.limit("limit", 50, 100).unwrap()), (None, 7));
        assert_eq!(of(&[("jib", "x")]).unwrap_err().error, "unknown parameter `jib`: did you mean `job`?");
        assert!(of(&[("job", "a"), ("job", "b")]).unwrap().one("job").is_err());
    }

    #[test]
    fn a_limit_is_bounded_and_must_be_a_number() {
        let limit = |text: &str| of(&[("limit", text)]).unwrap().limit("limit", 50, 100);
        assert_eq!(
            [limit("0").unwrap(), limit("101").unwrap(), limit("18446744073709551615").unwrap()],
            [1, 100, 100]
        );
        assert_eq!(limit("many").unwrap_err().error, "`limit` is `many`, which is no whole number");
        assert_eq!(of(&[]).unwrap().limit("limit", 50, 100).unwrap(), 50);
    }
}
