//! Reading single values of a TOML file, with errors that show the line.

use std::ops::Range;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Placed;
use crate::cli::limits;
use crate::cli::problem::Problem;
use crate::options::{Order, PoolLimit, Rate};
use crate::text::safe;

/// A config file: what its values are, and where each stands.
pub(super) struct File<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

impl File<'_> {
    /// `run.toml:3:8`.
    pub(super) fn place(&self, span: Range<usize>) -> String {
        let (line, column) = self.line_and_column(span.start);
        format!("{}:{line}:{column}", self.name)
    }

    fn line_and_column(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(at)];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    pub(super) fn placed<T>(&self, value: T, span: Range<usize>) -> Placed<T> {
        Placed { value, place: self.place(span) }
    }

    /// An error with the line that it is in.
    pub(super) fn wrong(&self, span: Range<usize>, message: &str) -> Problem {
        let (line, column) = self.line_and_column(span.start);
        let text = safe(self.text.lines().nth(line - 1).unwrap_or_default()).into_owned();
        let number = line.to_string();
        let gap = " ".repeat(number.len());
        let indent = " ".repeat(column - 1);
        Problem::Usage(format!("{}: {message}\n   {number} | {text}\n   {gap} | {indent}^", self.place(span)))
    }

    pub(super) fn expected(&self, value: &Spanned<DeValue<'_>>, what: &str) -> Problem {
        let found = value.get_ref().type_str();
        self.wrong(value.span(), &format!("expected {what}, found {} {found}", article(found)))
    }

    pub(super) fn table<'v, 'i>(
        &self,
        value: &'v Spanned<DeValue<'i>>,
        name: &str,
    ) -> Result<&'v DeTable<'i>, Problem> {
        value.get_ref().as_table().ok_or_else(|| self.expected(value, &format!("the table {name}")))
    }

    pub(super) fn limit(&self, value: &Spanned<DeValue<'_>>) -> Result<u32, Problem> {
        match value.get_ref() {
            DeValue::Integer(number) => {
                limits::limit(&number.to_string()).map_err(|message| self.wrong(value.span(), &message))
            }
            _ => Err(self.expected(value, "a whole number, at least 1")),
        }
    }

    pub(super) fn order(&self, value: &Spanned<DeValue<'_>>) -> Result<Order, Problem> {
        match value.get_ref().as_str().map(|order| order.replace('_', "-")).as_deref() {
            Some("depth-first") => Ok(Order::DepthFirst),
            Some("breadth-first") => Ok(Order::BreadthFirst),
            _ => Err(self.wrong(value.span(), "expected \"depth-first\" or \"breadth-first\"")),
        }
    }

    pub(super) fn rate(&self, value: &Spanned<DeValue<'_>>, rate: &str) -> Result<Rate, Problem> {
        limits::rate(rate).map_err(|message| self.wrong(value.span(), &message))
    }

    pub(super) fn pool_limit(
        &self,
        pool: &Spanned<DeValue<'_>>,
        parts: &DeTable<'_>,
    ) -> Result<PoolLimit, Problem> {
        let mut limit = PoolLimit { max: None, rate: None };
        for (part, value) in parts {
            match (part.get_ref().as_ref(), value.get_ref()) {
                ("max", _) => limit.max = Some(self.limit(value)?),
                ("rate", DeValue::String(rate)) => limit.rate = Some(self.rate(value, rate)?),
                ("rate", _) => return Err(self.expected(value, "a rate in quotes, such as \"10/s\"")),
                _ => return Err(self.wrong(part.span(), "a pool has `max` and `rate`, and nothing else")),
            }
        }
        if limit.max.is_none() && limit.rate.is_none() {
            return Err(self.wrong(pool.span(), "expected `max`, `rate` or both"));
        }
        Ok(limit)
    }

    /// A value as JSON, which is what arguments are read from.
    pub(super) fn json(&self, value: &Spanned<DeValue<'_>>) -> Result<Value, Problem> {
        Ok(match value.get_ref() {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Boolean(truth) => Value::Bool(*truth),
            DeValue::Datetime(time) => Value::String(time.to_string()),
            DeValue::Integer(number) => {
                let signed = i64::from_str_radix(number.as_str(), number.radix()).map(Value::from);
                let read =
                    signed.or_else(|_| u64::from_str_radix(number.as_str(), number.radix()).map(Value::from));
                read.map_err(|_| self.wrong(value.span(), "the number is too large"))?
            }
            DeValue::Float(number) => {
                let number = number.as_str().parse().ok().and_then(serde_json::Number::from_f64);
                Value::Number(number.ok_or_else(|| self.wrong(value.span(), "expected a finite number"))?)
            }
            DeValue::Array(items) => {
                Value::Array(items.iter().map(|item| self.json(item)).collect::<Result<_, _>>()?)
            }
            DeValue::Table(table) => Value::Object(
                table
                    .iter()
                    .map(|(key, value)| Ok((key.get_ref().to_string(), self.json(value)?)))
                    .collect::<Result<_, Problem>>()?,
            ),
        })
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}
