use fanfold::prelude::*;

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

struct Count(i64);

impl Stream for Count {
    type Item = DynamicOutput<i64>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<DynamicOutput<i64>>> {
        self.0 -= 1;
        Poll::Ready((self.0 >= 0).then(|| DynamicOutput::new(self.0, self.0)))
    }
}

#[op(dynamic_out)]
fn opaque(n: i64) -> impl Stream<Item = DynamicOutput<i64>> {
    Count(n)
}

#[op(dynamic_out)]
async fn boxed(n: i64) -> Result<Pin<Box<dyn Stream<Item = DynamicOutput<i64>> + Send>>, OpError> {
    Ok(Box::pin(Count(n)))
}

#[op]
fn double(n: i64) -> i64 {
    n * 2
}

#[job]
fn streaming() -> (Out<Vec<i64>>, Out<Vec<i64>>) {
    (opaque(2).map(double).collect(), boxed(3).map(double).collect())
}

fn main() {
    fanfold::check_all_jobs().unwrap();
}
