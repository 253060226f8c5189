use fanfold::prelude::*;

#[op(dynamic_out)]
fn twice() -> Vec<DynamicOutput<i64>> {
    vec![DynamicOutput::new("a", 1), DynamicOutput::new("a", 2)]
}

#[op(dynamic_out)]
fn empty() -> impl Iterator<Item = DynamicOutput<i64>> {
    std::iter::once(DynamicOutput::new("", 1))
}

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    let panic = std::panic::catch_unwind(twice::call).unwrap_err();
    assert_eq!(*panic.downcast::<String>().unwrap(), r#"`twice`: the mapping key "a" was given twice"#);
    let panic = std::panic::catch_unwind(|| empty::call().count()).unwrap_err();
    assert_eq!(*panic.downcast::<String>().unwrap(), "`empty`: a mapping key is empty");
}
