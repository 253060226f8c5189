//! The arguments of a job as a JSON Schema: what a form is made from. It says what
//! [`JobArg`](crate::JobArg) reads; what it cannot say is told when the value is read.

use serde_json::{Map, Value, json};

use crate::cli::jobs::type_name;
use crate::cli::values::left_out;
use crate::define::{ArgDef, ArgForm, JobDef};

/// The schema of an object of a job's arguments.
pub(crate) fn of(job: &JobDef) -> Value {
    let properties: Map<_, _> = job.args.iter().map(|arg| (arg.name.to_owned(), property(arg))).collect();
    let required: Vec<_> = job.args.iter().filter(|arg| is_required(arg)).map(|arg| arg.name).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": job.name,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn is_required(arg: &ArgDef) -> bool {
    !matches!(left_out(arg), Ok(Some(_)))
}

fn property(arg: &ArgDef) -> Value {
    let mut schema = value(&type_name(arg), arg.choices);
    schema.insert("title".to_owned(), arg.name.into());
    if !arg.doc.trim().is_empty() {
        schema.insert("description".to_owned(), arg.doc.trim().into());
    }
    if arg.form == ArgForm::Secret {
        schema.insert("writeOnly".to_owned(), true.into());
    } else if let Ok(Some(default)) = left_out(arg) {
        let default = (arg.to_json)(&default);
        if !default.is_null() {
            schema.insert("default".to_owned(), default);
        }
    }
    Value::Object(schema)
}

/// What a value of a type is as JSON. A type that is not known is a text, as its words are where nothing
/// else is said.
fn value(name: &str, choices: &[&str]) -> Map<String, Value> {
    let inner = |outer: &str| name.strip_prefix(outer)?.strip_prefix('<')?.strip_suffix('>');
    if let Some(item) = inner("Vec") {
        return fields(json!({ "type": "array", "items": value(item, choices) }));
    }
    if let Some(inner) = inner("Option").or_else(|| inner("Secret")) {
        return value(inner, choices);
    }
    if !choices.is_empty() {
        return fields(json!({ "type": "string", "enum": choices }));
    }
    fields(match name {
        "bool" => json!({ "type": "boolean" }),
        "u8" => integer(u8::MIN, u8::MAX),
        "u16" => integer(u16::MIN, u16::MAX),
        "u32" => integer(u32::MIN, u32::MAX),
        "u64" | "usize" => integer(u64::MIN, u64::MAX),
        "i8" => integer(i8::MIN, i8::MAX),
        "i16" => integer(i16::MIN, i16::MAX),
        "i32" => integer(i32::MIN, i32::MAX),
        "i64" | "isize" => integer(i64::MIN, i64::MAX),
        // What JSON's numbers are too narrow for is a text of digits.
        "u128" => json!({ "type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+$" }),
        "i128" => json!({ "type": ["integer", "string"], "pattern": "^-?[0-9]+$" }),
        "f32" | "f64" => json!({ "type": "number" }),
        "char" => json!({ "type": "string", "minLength": 1, "maxLength": 1 }),
        "PathBuf" => json!({ "type": "string", "format": "path" }),
        // Not `duration`, which means the words of ISO 8601.
        "Duration" => json!({ "type": "string", "format": "span", "examples": ["500ms", "1m 30s"] }),
        _ => json!({ "type": "string" }),
    })
}

fn integer<T: Into<Value>>(minimum: T, maximum: T) -> Value {
    json!({ "type": "integer", "minimum": minimum.into(), "maximum": maximum.into() })
}

fn fields(schema: Value) -> Map<String, Value> {
    match schema {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::report::fixture::{LETTERS, LETTERS_ROW};
    use crate::{JobArg, Secret};

    const fn arg<T: JobArg>(name: &'static str) -> ArgDef {
        ArgDef { name, ..<crate::__private::Flag as crate::__private::Reads<T>>::ARG }
    }

    fn one<T: JobArg>() -> Value {
        property(&arg::<T>("it"))
    }

    #[test]
    fn every_type_says_what_it_takes() {
        for (schema, expected) in [
            (one::<u8>(), json!({ "type": "integer", "minimum": 0, "maximum": 255 })),
            (one::<i64>(), json!({ "type": "integer", "minimum": i64::MIN, "maximum": i64::MAX })),
            (one::<f32>(), json!({ "type": "number" })),
            (one::<char>(), json!({ "type": "string", "minLength": 1, "maxLength": 1 })),
            (one::<bool>(), json!({ "type": "boolean", "default": false })),
            (one::<PathBuf>(), json!({ "type": "string", "format": "path" })),
            (one::<Option<PathBuf>>(), json!({ "type": "string", "format": "path" })),
            (
                one::<Duration>(),
                json!({ "type": "string", "format": "span", "examples": ["500ms", "1m 30s"] }),
            ),
            (one::<Vec<String>>(), json!({ "type": "array", "items": { "type": "string" }, "default": [] })),
            (one::<Secret<String>>(), json!({ "type": "string", "writeOnly": true })),
            (
                one::<Vec<Secret<u8>>>(),
                json!({
                    "type": "array",
                    "items": { "type": "integer", "minimum": 0, "maximum": 255 },
                    "writeOnly": true,
                }),
            ),
        ] {
            let mut expected = expected;
            expected["title"] = "it".into();
            assert_eq!(schema, expected);
        }
    }

    #[test]
    fn words_are_an_enum() {
        let arg = ArgDef { choices: &["fast", "slow"], ..arg::<String>("speed") };
        let expected = json!({ "title": "speed", "type": "string", "enum": ["fast", "slow"] });
        assert_eq!(property(&arg), expected);
    }

    #[test]
    fn what_may_be_left_out_is_not_required() {
        static JOB: JobDef = JobDef {
            args: &[
                arg::<u8>("needed"),
                arg::<Option<u8>>("maybe"),
                arg::<bool>("switch"),
                arg::<Secret<u8>>("pin"),
                arg::<Option<Secret<u8>>>("token"),
            ],
            ..LETTERS_ROW
        };
        assert_eq!(of(&JOB)["required"], json!(["needed", "pin"]));
        let letters = of(&LETTERS);
        assert_eq!(
            (&letters["required"], &letters["properties"]["to"]["default"]),
            (&json!([]), &json!("z"))
        );
    }

    #[test]
    fn a_default_is_one_that_the_argument_reads() {
        for def in LETTERS.args {
            assert!((def.from_json)(&property(def)["default"]).is_ok());
        }
    }
}
