//! `collect` and its relatives: one value of all items.

use std::sync::Arc;

use crate::error::StepFailure;
use crate::graph::Gather;
use crate::graph::build;
use crate::key::Key;
use crate::typing::handle::{DynamicOut, Out, named};
use crate::typing::keyed::Keyed;
use crate::value::{AnyValue, Value};

impl<T> DynamicOut<T> {
    /// All values as one list, in yield order.
    ///
    /// An op reads it as `Vec<T>` (which needs `Clone`), or without a copy as `&[T]` or `Vec<Arc<T>>`.
    /// If a copy failed, what reads the list does not run; see
    /// [`collect_results`](Self::collect_results).
    #[track_caller]
    pub fn collect(self) -> Out<Vec<T>> {
        Out::new(build::gather(self.raw, Gather::List, named::<Vec<T>>(), "collect"))
    }
}

impl<T: Send + Sync + 'static> DynamicOut<T> {
    /// All values with their mapping keys, in yield order.
    #[track_caller]
    pub fn collect_keyed(self) -> Out<Keyed<T>> {
        let gather = Gather::Keyed(keyed::<T>);
        Out::new(build::gather(self.raw, gather, named::<Keyed<T>>(), "collect_keyed"))
    }
}

impl<T: Value> DynamicOut<T> {
    /// What became of every copy: its value or its failure, under its key, in yield order.
    ///
    /// It is there once every copy has ended. Failures taken by it count as handled: they do not by
    /// themselves fail the run.
    #[track_caller]
    pub fn collect_results(self) -> Out<Keyed<Result<T, StepFailure>>> {
        let gather = Gather::Results(results::<T>);
        let info = named::<Keyed<Result<T, StepFailure>>>();
        Out::new(build::gather(self.raw, gather, info, "collect_results"))
    }
}

fn keyed<T: Send + Sync + 'static>(items: Vec<(Key, AnyValue)>) -> AnyValue {
    let entries = items.into_iter().map(|(key, value)| (key, typed::<T>(value)));
    Arc::new(Keyed::from_shared(entries))
}

fn results<T: Value>(items: Vec<(Key, Result<AnyValue, StepFailure>)>) -> AnyValue {
    let entries = items.into_iter().map(|(key, result)| {
        let result = result.map(|value| crate::__private::own_or_decode(typed::<T>(value)));
        (key, Arc::new(result))
    });
    Arc::new(Keyed::from_shared(entries))
}

fn typed<T: Send + Sync + 'static>(value: AnyValue) -> Arc<T> {
    crate::__private::downcast(value)
}
