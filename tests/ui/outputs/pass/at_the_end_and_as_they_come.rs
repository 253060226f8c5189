use fanfold::prelude::*;

#[derive(Outputs)]
struct Split {
    /// Those above zero.
    values: Dynamic<i64>,
    negatives: Option<Dynamic<i64>>,
    #[output(optional)]
    largest: Option<i64>,
    count: i64,
}

#[op(outputs)]
fn split(n: i64) -> Result<Split, String> {
    Ok(Split { values: vec![DynamicOutput::new(n, n)], negatives: None, largest: None, count: 1 })
}

#[op(outputs)]
fn stream(n: i64) -> impl Iterator<Item = SplitItem> {
    [
        SplitItem::Values(DynamicOutput::new(n, n)),
        SplitItem::Negatives(DynamicOutput::new(n, -n)),
        SplitItem::Largest(n),
        SplitItem::Count(2),
    ]
    .into_iter()
}

#[op]
fn double(n: i64) -> i64 {
    n * 2
}

#[job]
fn splitting(n: Out<i64>) -> (Out<i64>, Out<Vec<i64>>) {
    let outs = split(n).named("first").priority(3);
    let (values, negatives, _, count) = stream(outs.count).into();
    let SplitOutputs { largest, .. } = stream(count);
    let (inner, ..) = values.map(split);
    let doubled = outs.negatives.map(double);
    let last = double(largest).after((doubled, negatives));
    (last, inner.map(double).collect())
}

fn main() {
    fanfold::check_all_jobs().unwrap();
}
