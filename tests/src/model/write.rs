//! Plans written by hand, as a job's body reads.

use std::cell::Cell;
use std::rc::Rc;

use super::plan::{
    Compute, Emission, Emitter, Expr, Failing, Failure, Fold, Form, Handle, Input, JobOptions, Let, Map, Op,
    Plan, Work,
};

/// The body of a job, a closure or a graph, while it is written.
#[derive(Default)]
pub struct Body {
    lets: Vec<Let>,
    bound: Rc<Cell<usize>>,
}

impl Body {
    /// A job with this body and no outputs.
    pub fn plan(self) -> Plan {
        let options = JobOptions {
            max_concurrent: 4,
            pools: vec![1, 1],
            tags: vec![1, 1],
            breadth_first: false,
            fail_fast: false,
            retry: None,
        };
        Plan { options, body: self.lets, outputs: vec![] }
    }

    /// A call of `function` with handles; gives a number that depends on all of them.
    pub fn op(&mut self, function: &'static str, inputs: &[Handle]) -> Handle {
        self.op_with(function, inputs, |_| {})
    }

    /// The same, changed before it is called.
    pub fn op_with(
        &mut self,
        function: &'static str,
        inputs: &[Handle],
        change: impl FnOnce(&mut Op),
    ) -> Handle {
        let mut op = op(function, inputs);
        change(&mut op);
        self.bind(Expr::Op(op.into()))
    }

    /// A call of `emit` that yields the numbers 1, 2, … under `keys`.
    pub fn emit(&mut self, keys: &[&str]) -> Handle {
        self.emit_with(&[], keys, |_, _| {})
    }

    /// The same with inputs, changed before it is called.
    pub fn emit_with(
        &mut self,
        inputs: &[Handle],
        keys: &[&str],
        change: impl FnOnce(&mut Op, &mut Emitter),
    ) -> Handle {
        let mut op = op("emit", inputs);
        let attempts = vec![emission(keys)];
        let mut emitter = Emitter { attempts, drops_when: None, nothing_when: None, held: false };
        change(&mut op, &mut emitter);
        op.work = Work::Emit(emitter);
        self.bind(Expr::Op(op.into()))
    }

    /// `over.map(|item| …)`, for a closure that returns one handle.
    pub fn map(&mut self, over: Handle, body: impl FnOnce(&mut Body, Handle) -> Handle) -> Handle {
        self.map_items(over, 1, |inside, items| vec![body(inside, items[0])])[0]
    }

    /// The same for any number of items and returned handles.
    pub fn map_items(
        &mut self,
        over: Handle,
        width: usize,
        body: impl FnOnce(&mut Body, &[Handle]) -> Vec<Handle>,
    ) -> Vec<Handle> {
        let items: Vec<_> = (0..width).map(|_| self.handle()).collect();
        let mut inside = self.inside();
        let returns = body(&mut inside, &items);
        let binds: Vec<_> = returns.iter().map(|_| self.handle()).collect();
        let expr = Expr::Map(Map { over, items, body: inside.lets, returns });
        self.lets.push(Let { binds: binds.clone(), expr });
        binds
    }

    /// `over.map(function)`.
    pub fn each(&mut self, over: Handle, function: &'static str) -> Handle {
        self.map(over, |inside, item| inside.op(function, &[item]))
    }

    /// `over.collect()` and its relatives.
    pub fn collect(&mut self, over: Handle, form: Form) -> Handle {
        self.bind(Expr::Collect { over, form })
    }

    /// `gather(over.collect())`: a step that shows the entries and their order.
    pub fn gather(&mut self, over: Handle) -> Handle {
        let list = self.collect(over, Form::List);
        self.op_with("gather", &[list], gathers)
    }

    /// `over.fold(0, add)`.
    pub fn fold(&mut self, over: Handle) -> Handle {
        self.bind(Expr::Fold(Fold { over, init: 0, function: "add", fails_when: None }))
    }

    /// `left.zip(right)`.
    pub fn zip(&mut self, left: Handle, right: Handle) -> Handle {
        self.bind(Expr::Zip { left, right })
    }

    /// A call of the graph `function`.
    pub fn graph<R>(&mut self, function: &'static str, body: impl FnOnce(&mut Body) -> R) -> R {
        let mut inside = self.inside();
        let returned = body(&mut inside);
        self.lets.push(Let { binds: vec![], expr: Expr::Graph { function, body: inside.lets } });
        returned
    }

    fn bind(&mut self, expr: Expr) -> Handle {
        let handle = self.handle();
        self.lets.push(Let { binds: vec![handle], expr });
        handle
    }

    fn handle(&self) -> Handle {
        Handle(self.bound.replace(self.bound.get() + 1))
    }

    fn inside(&self) -> Body {
        Body { lets: vec![], bound: Rc::clone(&self.bound) }
    }
}

/// Makes an op show the entries of its inputs.
pub fn gathers(op: &mut Op) {
    op.work = Work::Single { compute: Compute::Gather, nothing_when: None };
}

/// An attempt that yields 1, 2, … under `keys`.
pub fn emission(keys: &[&str]) -> Emission {
    let items = keys.iter().zip(1..).map(|(key, value)| ((*key).to_owned(), value)).collect();
    Emission { items, fails: None }
}

fn op(function: &'static str, inputs: &[Handle]) -> Op {
    Op {
        function,
        named: None,
        inputs: inputs.iter().copied().map(Input::One).collect(),
        after: vec![],
        work: Work::Single { compute: Compute::Mix, nothing_when: None },
        failing: Failing { first: 0, when: None, how: Failure::Error },
        retry: None,
        retry_at_call: None,
        priority: 0,
        pool: None,
        tag: None,
    }
}
