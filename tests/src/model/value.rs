//! The values of a modelled run: one type for every op, so that any handle fits any parameter.

use serde::{Deserialize, Serialize};

/// The parts of a mapping key, outermost first (§1.9).
pub type Key = Vec<String>;

/// What a step gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// An `Option` parameter whose input was skipped.
    Nothing,
    /// What most ops give.
    Number(i64),
    /// A collect, a static list, a pair of a zip.
    List(Vec<Value>),
    /// A keyed collect, and the items of an emitter.
    Keyed(Vec<(Key, Value)>),
    /// A failure-tolerant collect; `None` is the failure.
    Results(Vec<(Key, Option<Value>)>),
}

/// Numbers stay below this, so that a failure can be read.
pub const READABLE: i64 = 1_000_003;

impl Value {
    /// A number that depends on every part of the value and on their order.
    pub fn number(&self) -> i64 {
        match self {
            Value::Nothing => 7,
            Value::Number(number) => *number,
            Value::List(values) => values.iter().fold(11, |mixed, value| mix(mixed, value.number())),
            Value::Keyed(items) => {
                items.iter().fold(13, |mixed, (key, value)| mix(mix(mixed, key_number(key)), value.number()))
            }
            Value::Results(items) => items.iter().fold(17, |mixed, (key, value)| {
                mix(mix(mixed, key_number(key)), value.as_ref().map_or(19, Value::number))
            }),
        }
    }

    /// The sum of all numbers in it.
    pub fn sum(&self) -> i64 {
        match self {
            Value::Nothing => 0,
            Value::Number(number) => *number,
            Value::List(values) => values.iter().map(Value::sum).sum(),
            Value::Keyed(items) => items.iter().map(|(_, value)| value.sum()).sum(),
            Value::Results(items) => {
                items.iter().filter_map(|(_, value)| value.as_ref()).map(Value::sum).sum()
            }
        }
    }

    /// Its entries as numbers, in order; a single value is its own entry.
    pub fn entries(&self) -> Vec<Value> {
        let numbers = |values: &mut dyn Iterator<Item = i64>| values.map(Value::Number).collect();
        match self {
            Value::Nothing | Value::Number(_) => vec![self.clone()],
            Value::List(values) => numbers(&mut values.iter().map(Value::number)),
            Value::Keyed(items) => {
                numbers(&mut items.iter().map(|(key, value)| mix(key_number(key), value.number())))
            }
            Value::Results(items) => numbers(
                &mut items
                    .iter()
                    .map(|(key, value)| mix(key_number(key), value.as_ref().map_or(19, Value::number))),
            ),
        }
    }
}

/// Depends on both numbers and on which comes first.
pub fn mix(first: i64, second: i64) -> i64 {
    first.wrapping_mul(31).wrapping_add(second).rem_euclid(READABLE)
}

fn key_number(key: &Key) -> i64 {
    key.iter().flat_map(|part| part.bytes().chain([0])).fold(23, |mixed, byte| mix(mixed, i64::from(byte)))
}
