//! Limits as they are written in flags and files.

use std::time::Duration;

use crate::options::{PoolLimit, Rate};

/// A number of steps: at least one.
pub(super) fn limit(text: &str) -> Result<u32, String> {
    match text.trim().parse() {
        Ok(0) => Err("a limit is at least 1".to_owned()),
        Ok(limit) => Ok(limit),
        Err(_) => Err(format!("`{text}` is not a whole number from 1 to {}", u32::MAX)),
    }
}

/// Starts per time: `10/s`, `90/min`, `1000/h`, `5/250ms`.
pub(super) fn rate(text: &str) -> Result<Rate, String> {
    let (starts, per) =
        text.split_once('/').ok_or_else(|| format!("`{text}` is not a rate such as `10/s` or `90/min`"))?;
    let starts = limit(starts)?;
    let per = match per.trim() {
        "s" | "sec" => Duration::from_secs(1),
        "m" | "min" => Duration::from_secs(60),
        "h" => Duration::from_secs(60 * 60),
        other => humantime::parse_duration(other)
            .map_err(|_| format!("`{other}` is not a span of time such as `s`, `min`, `h` or `250ms`"))?,
    };
    if per.is_zero() {
        return Err(format!("`{text}`: the span of time is zero"));
    }
    Ok(Rate { starts, per })
}

/// One limit of a pool: `api=3` or `api=10/s`.
pub(super) fn pool(text: &str) -> Result<(String, PoolLimit), String> {
    let (name, value) = split(text, "NAME=N or NAME=N/s, such as `api=3` or `api=10/s`")?;
    let limit = if value.contains('/') {
        PoolLimit { max: None, rate: Some(rate(value)?) }
    } else {
        PoolLimit { max: Some(limit(value)?), rate: None }
    };
    Ok((name.to_owned(), limit))
}

/// A pool's limit as it is written: `3`, `10/s`, or both.
#[cfg(feature = "ui")]
pub(crate) fn pool_text(limit: PoolLimit) -> String {
    let rate = limit.rate.map(|Rate { starts, per }| match per.as_secs() {
        1 if per.subsec_nanos() == 0 => format!("{starts}/s"),
        60 if per.subsec_nanos() == 0 => format!("{starts}/min"),
        3_600 if per.subsec_nanos() == 0 => format!("{starts}/h"),
        _ => format!("{starts}/{}", humantime::format_duration(per)),
    });
    let max = limit.max.map(|max| max.to_string());
    max.into_iter().chain(rate).collect::<Vec<_>>().join(", ")
}

/// The limit of a tag's value: `team:red=2`.
pub(super) fn tag(text: &str) -> Result<((String, String), u32), String> {
    let (tag, value) = split(text, "NAME:VALUE=N, such as `team:red=2`")?;
    let (name, tag) =
        tag.split_once(':').ok_or_else(|| format!("`{tag}` is not NAME:VALUE, such as `team:red`"))?;
    Ok(((name.to_owned(), tag.to_owned()), limit(value)?))
}

fn split<'a>(text: &'a str, form: &str) -> Result<(&'a str, &'a str), String> {
    match text.rsplit_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name, value)),
        _ => Err(format!("`{text}` is not {form}")),
    }
}

/// `name=value`: a tag of a run.
pub(super) fn run_tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("expected NAME=VALUE, such as team=data".to_owned()),
    }
}

/// A length of time: `500ms`, `1m 30s`.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("`{text}` is not a length of time such as `10s`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read() {
        assert_eq!(pool("api=3"), Ok(("api".into(), PoolLimit { max: Some(3), rate: None })));
        let per_second = Rate { starts: 10, per: Duration::from_secs(1) };
        assert_eq!(pool("a=b=10/s"), Ok(("a=b".into(), PoolLimit { max: None, rate: Some(per_second) })));
        assert_eq!(rate("5/250ms"), Ok(Rate { starts: 5, per: Duration::from_millis(250) }));
        assert_eq!(tag("team:red=2"), Ok((("team".into(), "red".into()), 2)));
    }

    #[cfg(feature = "ui")]
    #[test]
    fn limits_are_written_as_they_are_read() {
        for text in ["3", "10/s", "90/min", "5/h", "5/250ms"] {
            let (_, limit) = pool(&format!("api={text}")).unwrap();
            assert_eq!(pool_text(limit), text);
        }
        assert_eq!(pool_text(PoolLimit { max: Some(3), rate: Some(rate("1/s").unwrap()) }), "3, 1/s");
    }

    #[test]
    fn limits_of_zero_and_malformed_ones_are_refused() {
        for text in ["api=0", "api=-1", "api=0/s", "api=3/0s", "api=3/parsec", "api", "=3", "api=", "api=x"] {
            assert!(pool(text).is_err(), "{text}");
        }
        for text in ["team=2", "team:red", "team:red=0"] {
            assert!(tag(text).is_err(), "{text}");
        }
        assert_eq!(limit("0"), Err("a limit is at least 1".to_owned()));
    }
}
