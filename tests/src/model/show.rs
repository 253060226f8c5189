//! A plan as text that reads like the body of a job, for failures and bug reports.

use std::fmt::{self, Display, Formatter};

use super::plan::{Emitter, Expr, Failing, Fold, Form, Handle, Input, Let, Map, Op, Plan, Retry, Rule, Work};

impl Display for Plan {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        writeln!(out, "#[job] {:?}", self.options)?;
        block(out, &self.body, 1)?;
        writeln!(out, "    ({})", joined(&self.outputs))
    }
}

impl Display for Handle {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "h{}", self.0)
    }
}

impl Display for Input {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Input::Constant(number) => write!(out, "{number}"),
            Input::One(handle) => write!(out, "{handle}"),
            Input::Maybe(handle) => write!(out, "maybe {handle}"),
            Input::List(handles) => write!(out, "[{}]", joined(handles)),
        }
    }
}

impl Display for Rule {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "x % {} == {}", self.modulus, self.rest)
    }
}

impl Display for Op {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{}({})", self.function, joined(&self.inputs))?;
        match &self.work {
            Work::Single { compute, nothing_when } => {
                write!(out, " {compute:?}")?;
                option(out, "nothing when", nothing_when.as_ref())?;
            }
            Work::Emit(emitter) => emission(out, emitter)?,
        }
        let Failing { first, when, how } = &self.failing;
        if *first > 0 {
            write!(out, " .fails first {first} ({how:?})")?;
        }
        option(out, &format!("fails ({how:?}) when"), when.as_ref())?;
        option(out, "named", self.named.as_ref())?;
        option(out, "retry", self.retry.as_ref().map(policy).as_ref())?;
        option(out, "retry at call", self.retry_at_call.as_ref().map(policy).as_ref())?;
        option(out, "priority", Some(&self.priority).filter(|priority| **priority != 0))?;
        option(out, "pool", self.pool.as_ref())?;
        option(out, "tag", self.tag.as_ref())?;
        option(out, "after", Some(joined(&self.after)).filter(|after| !after.is_empty()).as_ref())
    }
}

fn block(out: &mut Formatter<'_>, lets: &[Let], depth: usize) -> fmt::Result {
    let indent = "    ".repeat(depth);
    for Let { binds, expr } in lets {
        write!(out, "{indent}let ({}) = ", joined(binds))?;
        match expr {
            Expr::Argument(number) => write!(out, "argument {number}")?,
            Expr::Op(op) => write!(out, "{op}")?,
            Expr::Map(Map { over, items, body, returns }) => {
                writeln!(out, "{over}.map(|{}| {{", joined(items))?;
                block(out, body, depth + 1)?;
                write!(out, "{indent}    ({})\n{indent}}})", joined(returns))?;
            }
            Expr::Collect { over, form: Form::List } => write!(out, "{over}.collect()")?,
            Expr::Collect { over, form: Form::Keyed } => write!(out, "{over}.collect_keyed()")?,
            Expr::Collect { over, form: Form::Results } => write!(out, "{over}.collect_results()")?,
            Expr::Fold(Fold { over, init, function, fails_when }) => {
                write!(out, "{over}.fold({init}, {function})")?;
                option(out, "fails when", fails_when.as_ref())?;
            }
            Expr::Zip { left, right } => write!(out, "{left}.zip({right})")?,
            Expr::Graph { function, body } => {
                writeln!(out, "{function} {{")?;
                block(out, body, depth + 1)?;
                write!(out, "{indent}}}")?;
            }
        }
        writeln!(out, ";")?;
    }
    Ok(())
}

fn emission(out: &mut Formatter<'_>, emitter: &Emitter) -> fmt::Result {
    for attempt in &emitter.attempts {
        let items: Vec<_> = attempt.items.iter().map(|(key, value)| format!("{key:?}: {value}")).collect();
        write!(out, " yields {{{}}}", items.join(", "))?;
        option(out, "fails", attempt.fails.map(|how| format!("{how:?}")).as_ref())?;
    }
    option(out, "drops when", emitter.drops_when.as_ref())?;
    option(out, "nothing when", emitter.nothing_when.as_ref())?;
    option(out, "held", Some(&"").filter(|_| emitter.held))
}

fn option(out: &mut Formatter<'_>, name: &str, value: Option<&impl Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(out, " .{name} {value}"))
}

fn policy(retry: &Retry) -> String {
    format!("{} × {} ms {:?}", retry.max, retry.delay, retry.backoff)
}

fn joined(parts: &[impl Display]) -> String {
    parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
