//! Every form in the documentation of Dagster's dynamic graphs, in its order, side by side in one
//! job. Each is a `#[graph]`, so its steps carry its name: `chained.echo[num_0]`.
//!
//! <https://docs.dagster.io/concepts/ops-jobs-graphs/dynamic-graphs>

use fanfold::prelude::*;

/// Gives 0, 1 and 2.
#[op(dynamic_out)]
fn dynamic_values() -> impl Iterator<Item = DynamicOutput<i64>> {
    (0..3).map(|i| DynamicOutput::new(format!("num_{i}"), i))
}

/// The same, as a list.
#[op(dynamic_out)]
fn return_dynamic() -> Vec<DynamicOutput<i64>> {
    let mut outputs = Vec::new();
    for i in 0..3 {
        outputs.push(DynamicOutput::new(format!("num_{i}"), i));
    }
    outputs
}

/// What [`multiple_dynamic_values`] gives.
#[derive(Outputs)]
struct Multiple {
    values: Dynamic<i64>,
    negatives: Dynamic<i64>,
}

/// Gives 0, 1 and 2 under one name, and 0, -1 and -2 under another.
#[op(outputs)]
fn multiple_dynamic_values() -> Multiple {
    let keyed = |i| move |sign: i64| DynamicOutput::new(format!("num_{i}"), sign * i);
    Multiple {
        values: (0..3).map(|i| keyed(i)(1)).collect(),
        negatives: (0..3).map(|i| keyed(i)(-1)).collect(),
    }
}

/// Gives 1.
#[op]
fn one() -> i64 {
    1
}

/// Gives what it is given.
#[op]
fn echo(value: i64) -> i64 {
    value
}

/// Adds two numbers.
#[op]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Adds all numbers.
#[op]
fn process(results: Vec<i64>) -> i64 {
    results.iter().sum()
}

/// Chaining, op after op.
#[graph]
fn chained() -> Out<i64> {
    let results = dynamic_values().map(echo).map(echo).map(echo);
    process(results.collect())
}

/// Chaining inside a closure.
#[graph]
fn chained_in_a_closure() -> Out<i64> {
    let results = dynamic_values().map(|value| echo(echo(echo(value))));
    process(results.collect())
}

/// Chaining inside a function.
#[graph]
fn chained_in_a_function() -> Out<i64> {
    fn for_each(value: Out<i64>) -> Out<i64> {
        let a = echo(value);
        let b = echo(a);
        echo(b)
    }
    let results = dynamic_values().map(for_each);
    process(results.collect())
}

/// Another argument: one value, shared by every copy.
#[graph]
fn other_arg() -> Out<i64> {
    let non_dynamic = one();
    let results = dynamic_values().map(|value| add(value, non_dynamic));
    process(results.collect())
}

/// Several outputs, unpacked by order.
#[graph]
fn multiple_by_order() -> (Out<i64>, Out<i64>) {
    let (values, negatives) = multiple_dynamic_values().into();
    (process(values.collect()), process(negatives.map(echo).collect()))
}

/// Several outputs, reached by name.
#[graph]
fn multiple_by_name() -> (Out<i64>, Out<i64>) {
    let outs = multiple_dynamic_values();
    (process(outs.values.collect()), process(outs.negatives.map(echo).collect()))
}

/// Items returned as a list.
#[graph]
fn returned_as_a_list() -> Out<i64> {
    process(return_dynamic().map(echo).collect())
}

/// The names of the forms, in the order in which the job lists them.
const FORMS: [&str; 9] = [
    "chained",
    "chained in a closure",
    "chained in a function",
    "other argument",
    "several outputs by order: values",
    "several outputs by order: negatives",
    "several outputs by name: values",
    "several outputs by name: negatives",
    "returned as a list",
];

/// Puts the name of each form to its result.
#[op]
fn name_forms(results: Vec<i64>) -> Keyed<i64> {
    FORMS.into_iter().zip(results).collect()
}

/// Shows every form that Dagster's manual has for dynamic outputs.
#[job]
fn manual() -> Out<Keyed<i64>> {
    let (values, negatives) = multiple_by_order();
    let (named_values, named_negatives) = multiple_by_name();
    name_forms([
        chained(),
        chained_in_a_closure(),
        chained_in_a_function(),
        other_arg(),
        values,
        negatives,
        named_values,
        named_negatives,
        returned_as_a_list(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_outputs_have_key_spaces_of_their_own() {
        let outputs = multiple_dynamic_values::call();
        let negatives: Vec<i64> = outputs.negatives.iter().map(|item| *item.value()).collect();
        assert_eq!(negatives, [0, -1, -2]);
    }

    #[tokio::test]
    async fn every_form_gives_its_sum() -> Result<(), fanfold::RunError> {
        let run = manual::job().args(()).run_in_memory().await?;
        let sums: Vec<i64> = run.output().values().copied().collect();
        assert_eq!(sums, [3, 3, 3, 6, 3, -3, 3, -3, 3]);
        assert_eq!(run.step("other_arg.add[num_2]"), Some(3_i64));
        Ok(())
    }
}
