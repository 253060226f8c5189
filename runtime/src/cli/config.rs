//! The config file: a job's arguments and a run's limits, in TOML.
//!
//! ```toml
//! to = "f"                          # arguments stand at the top level, or in [args]
//! max_concurrent = 4
//! order = "breadth-first"
//! fail_fast = true
//!
//! [pools]
//! api = 3
//! web = { max = 8, rate = "10/s" }
//!
//! [tags]
//! "team:red" = 2
//! ```

mod file;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, nearest};
use crate::define::JobDef;
use crate::options::{Order, PoolLimit};

use file::File;

/// The keys that are no arguments.
const OPTIONS: [&str; 6] = ["args", "fail_fast", "max_concurrent", "order", "pools", "tags"];

/// What a config file says.
#[derive(Debug, Default)]
pub(super) struct Config {
    /// Arguments by name.
    pub(super) args: BTreeMap<String, Placed<Value>>,
    pub(super) max_concurrent: Option<u32>,
    pub(super) order: Option<Order>,
    pub(super) fail_fast: Option<bool>,
    pub(super) pools: Vec<(String, Placed<PoolLimit>)>,
    pub(super) tags: Vec<((String, String), Placed<u32>)>,
}

/// Something of a file, and where it stands: `run.toml:3:8`.
#[derive(Debug)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) place: String,
}

impl Config {
    /// Reads the config file of a run of `job`.
    pub(super) fn read(path: &Path, job: &JobDef) -> Result<Self, Problem> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Problem::Usage(format!("cannot read the config file `{name}`: {error}")))?;
        Self::parse(&name, &text, job)
    }

    fn parse(name: &str, text: &str, job: &JobDef) -> Result<Self, Problem> {
        let file = File { name, text };
        let table = DeTable::parse(text)
            .map_err(|error| file.wrong(error.span().unwrap_or(text.len()..text.len()), error.message()))?;
        let mut config = Self::default();
        for (key, value) in table.get_ref() {
            let name = key.get_ref().as_ref();
            match name {
                "args" => config.take_args(&file, file.table(value, "[args]")?, job)?,
                "max_concurrent" => config.max_concurrent = Some(file.limit(value)?),
                "order" => config.order = Some(file.order(value)?),
                "fail_fast" => {
                    let expected = || file.expected(value, "`true` or `false`");
                    config.fail_fast = Some(value.get_ref().as_bool().ok_or_else(expected)?);
                }
                "pools" => config.take_pools(&file, file.table(value, "[pools]")?)?,
                "tags" => config.take_tags(&file, file.table(value, "[tags]")?)?,
                _ => config.take_arg(&file, key, value, job, true)?,
            }
        }
        Ok(config)
    }

    fn take_args(&mut self, file: &File<'_>, table: &DeTable<'_>, job: &JobDef) -> Result<(), Problem> {
        table.iter().try_for_each(|(key, value)| self.take_arg(file, key, value, job, false))
    }

    fn take_arg(
        &mut self,
        file: &File<'_>,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        job: &JobDef,
        top_level: bool,
    ) -> Result<(), Problem> {
        let name = key.get_ref().replace('-', "_");
        if !job.args.iter().any(|arg| arg.name == name) {
            let known = job.args.iter().map(|arg| arg.name);
            let options = OPTIONS.into_iter().filter(|_| top_level);
            let near = nearest(&name, known.chain(options));
            let near = near.map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
            return Err(file.wrong(key.span(), &format!("job `{}` has no argument `{name}`{near}", job.name)));
        }
        let placed = Placed { value: file.json(value)?, place: file.place(value.span()) };
        if self.args.insert(name.clone(), placed).is_some() {
            return Err(file.wrong(key.span(), &format!("the argument `{name}` is given twice: keep one")));
        }
        Ok(())
    }

    fn take_pools(&mut self, file: &File<'_>, table: &DeTable<'_>) -> Result<(), Problem> {
        for (name, value) in table {
            let limit = match value.get_ref() {
                DeValue::Table(parts) => file.pool_limit(value, parts)?,
                DeValue::String(rate) => PoolLimit { max: None, rate: Some(file.rate(value, rate)?) },
                _ => PoolLimit { max: Some(file.limit(value)?), rate: None },
            };
            self.pools.push((name.get_ref().to_string(), file.placed(limit, name.span())));
        }
        Ok(())
    }

    fn take_tags(&mut self, file: &File<'_>, table: &DeTable<'_>) -> Result<(), Problem> {
        for (name, value) in table {
            if let DeValue::Table(values) = value.get_ref() {
                for (tag, value) in values {
                    let key = (name.get_ref().to_string(), tag.get_ref().to_string());
                    self.tags.push((key, file.placed(file.limit(value)?, tag.span())));
                }
                continue;
            }
            let Some((tag, tag_value)) = name.get_ref().split_once(':') else {
                return Err(
                    file.wrong(name.span(), "expected a tag and its value, such as `\"team:red\" = 2`")
                );
            };
            let key = (tag.to_owned(), tag_value.to_owned());
            self.tags.push((key, file.placed(file.limit(value)?, name.span())));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::LETTERS;
    use expect_test::{Expect, expect};

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse("run.toml", text, &LETTERS).map_err(|problem| problem.to_string())
    }

    fn wrong(text: &str, expected: &Expect) {
        expected.assert_eq(&parse(text).unwrap_err());
    }

    #[test]
    fn arguments_and_limits_are_read() {
        let text = "to = \"f\"\nmax_concurrent = 4\norder = \"breadth_first\"\nfail_fast = true\n\
                    [args]\nfrom = \"b\"\n[pools]\napi = 3\nweb = { max = 8, rate = \"10/s\" }\n\
                    [tags]\n\"team:red\" = 2\nteam.blue = 3\n";
        let config = parse(text).unwrap();
        assert_eq!(config.args["to"].value, "f");
        assert_eq!(config.args["from"].place, "run.toml:6:8");
        assert_eq!((config.max_concurrent, config.order), (Some(4), Some(Order::BreadthFirst)));
        assert_eq!(config.pools.len(), 2);
        let tags: Vec<_> =
            config.tags.iter().map(|((_, value), limit)| (value.as_str(), limit.value)).collect();
        assert_eq!(tags, [("blue", 3), ("red", 2)]);
    }

    #[test]
    fn mistakes_name_file_and_line_and_what_was_expected() {
        wrong(
            "to = \"f\nx = 1",
            &expect![[r#"
            run.toml:1:8: invalid basic string, expected `"`
               1 | to = "f
                 |        ^"#]],
        );
        wrong(
            "to = 'f'\nmax_concurrent = 'many'",
            &expect![[r#"
            run.toml:2:18: expected a whole number, at least 1, found a string
               2 | max_concurrent = 'many'
                 |                  ^"#]],
        );
        wrong(
            "max_concurrent = 0",
            &expect![[r#"
            run.toml:1:18: a limit is at least 1
               1 | max_concurrent = 0
                 |                  ^"#]],
        );
        wrong(
            "too = 'f'",
            &expect![[r#"
            run.toml:1:1: job `letters` has no argument `too`: did you mean `to`?
               1 | too = 'f'
                 | ^"#]],
        );
        wrong(
            "max-concurent = 3",
            &expect![[r#"
            run.toml:1:1: job `letters` has no argument `max_concurent`: did you mean `max_concurrent`?
               1 | max-concurent = 3
                 | ^"#]],
        );
        wrong(
            "order = 'random'",
            &expect![[r#"
            run.toml:1:9: expected "depth-first" or "breadth-first"
               1 | order = 'random'
                 |         ^"#]],
        );
        wrong(
            "[pools]\napi = { maximum = 3 }",
            &expect![[r#"
            run.toml:2:9: a pool has `max` and `rate`, and nothing else
               2 | api = { maximum = 3 }
                 |         ^"#]],
        );
        wrong(
            "[tags]\nteam = 3",
            &expect![[r#"
            run.toml:2:1: expected a tag and its value, such as `"team:red" = 2`
               2 | team = 3
                 | ^"#]],
        );
        wrong(
            "to = 'f'\n[args]\nto = 'g'",
            &expect![[r#"
            run.toml:1:1: the argument `to` is given twice: keep one
               1 | to = 'f'
                 | ^"#]],
        );
    }
}
