//! The ops of a plan as functions: what one attempt does with its inputs.
//!
//! This is the user's code of a modelled job. The interpreter calls it, and the jobs that are
//! built from a plan run it; what an outcome *means* for a run is not decided here.

use super::plan::{Compute, Emitter, Failing, Failure, Fold, Op, Work};
use super::value::{READABLE, Value, mix};

/// What an attempt did.
#[derive(Clone, Debug, PartialEq)]
pub enum Performed {
    /// Gave a value.
    Gave(Value),
    /// An optional output, plain or dynamic, gave nothing.
    Nothing,
    /// Yielded items under keys nobody has checked, and perhaps failed after the last.
    Yielded(Vec<(String, Value)>, Option<Failure>),
    /// Failed, before it yielded anything.
    Failed(Failure),
}

/// What `op` does with `inputs` on its attempt number `attempt`, counted from 1 for each input.
pub fn perform(op: &Op, inputs: &[Value], attempt: u32) -> Performed {
    let number = numbers(inputs);
    let Failing { first, when, how } = op.failing;
    if attempt <= first || when.is_some_and(|rule| rule.holds(number)) {
        return Performed::Failed(how);
    }
    match &op.work {
        Work::Single { nothing_when: Some(rule), .. } if rule.holds(number) => Performed::Nothing,
        Work::Single { compute, .. } => Performed::Gave(computed(*compute, inputs)),
        Work::Emit(emitter) => emitted(emitter, number, attempt),
    }
}

/// One combination of a fold, or `None` if it fails.
pub fn combine(fold: &Fold, accumulator: &Value, item: &Value) -> Option<Value> {
    let fails = fold.fails_when.is_some_and(|rule| rule.holds(item.number()));
    (!fails).then(|| Value::Number(mix(accumulator.number(), item.number())))
}

fn numbers(inputs: &[Value]) -> i64 {
    inputs.iter().fold(1, |mixed, input| mix(mixed, input.number()))
}

fn computed(compute: Compute, inputs: &[Value]) -> Value {
    match compute {
        Compute::Mix => Value::Number(numbers(inputs)),
        Compute::Sum => {
            Value::Number(inputs.iter().map(Value::sum).fold(0, |sum, number| (sum + number) % READABLE))
        }
        Compute::Gather => Value::List(inputs.iter().flat_map(Value::entries).collect()),
    }
}

fn emitted(emitter: &Emitter, number: i64, attempt: u32) -> Performed {
    if emitter.nothing_when.is_some_and(|rule| rule.holds(number)) {
        return Performed::Nothing;
    }
    let last = emitter.attempts.len() - 1;
    let emission = &emitter.attempts[last.min(attempt as usize - 1)];
    let kept = |index: usize| emitter.drops_when.is_none_or(|rule| !rule.holds(number + index as i64));
    let items = emission.items.iter().enumerate().filter(|(index, _)| kept(*index));
    let items = items.map(|(_, (key, item))| (key.clone(), Value::Number(mix(number, *item)))).collect();
    Performed::Yielded(items, emission.fails)
}
