//! `#[op]`: parsed into a model, checked, expanded. Expansion cannot fail.

mod attr;
mod expand;
mod forms;
mod params;
mod returns;
mod row;
mod run;
mod stand_in;

use proc_macro2::TokenStream;

use crate::report::Report;
use crate::signature::Function;
use attr::Attr;
use params::Param;
use returns::Returns;

pub(crate) use row::resource_use;

/// An op without a mistake in it.
struct Op {
    function: Function,
    attr: Attr,
    params: Vec<Param>,
    returns: Returns,
}

/// Expands `#[op(…)]`.
pub(crate) fn op(attr: TokenStream, item: TokenStream) -> TokenStream {
    Report::around(|report| {
        let Some(function) = Function::parse_for("`#[op]`", item.clone(), report) else { return item };
        let attr = Attr::parse(attr, report);
        check_name(&function, report);
        function.check_kind("an op", report);
        function.check_generics("an op", report);
        let params = params::read(&function, report);
        let returns = Returns::read(&function, &attr, report);
        match (returns, report.is_clean()) {
            (Some(returns), true) => expand::expand(&Op { function, attr, params, returns }),
            (returns, _) => stand_in::expand(&function, returns.as_ref()),
        }
    })
}

/// Names that the op's twin in the type namespace must not take.
const PRIMITIVES: &[&str] = &[
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16", "u32",
    "u64", "u128", "usize",
];

fn check_name(function: &Function, report: &mut Report) {
    let name = function.name();
    if is_primitive(&name) {
        report.at(
            &function.sig.ident,
            format!("an op cannot be named `{name}`, which is a type\n\nhelp: name it after what it does, and its steps with `#[op(name = \"{name}\")]`"),
        );
    }
}

fn is_primitive(name: &str) -> bool {
    PRIMITIVES.contains(&name)
}
