use fanfold::prelude::*;

#[op]
fn shout(text: String) -> String {
    text.to_uppercase()
}

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    let panic = std::panic::catch_unwind(|| {
        let _ = shout("a");
    });
    let message = panic.unwrap_err().downcast::<String>().unwrap();
    assert!(message.starts_with("`shout` was called at ") && message.contains("called_outside_a_job.rs:"), "{message}");
    assert!(message.ends_with("write `shout::call(…)`"), "{message}");
    assert_eq!(shout::call("a".into()), "A");
}
