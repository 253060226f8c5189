use fanfold::prelude::*;

use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, JobArg)]
enum Mode {
    Quick,
    VerySlow,
}

#[op]
fn use_all(mode: Mode, path: PathBuf, wait: Duration, names: Vec<String>, maybe: Option<u8>, token: &Secret<String>) {
    let _ = (mode, path, wait, names, maybe, token);
}

#[job]
fn arguments(
    /// How fast.
    #[arg(default = Mode::VerySlow)]
    mode: Out<Mode>,
    #[arg(default = PathBuf::from("data"))] path: Out<PathBuf>,
    #[arg(default = Duration::from_millis(200))] wait: Out<Duration>,
    names: Out<Vec<String>>,
    maybe: Out<Option<u8>>,
    token: Out<Secret<String>>,
    loudly: Out<bool>,
) -> Done {
    let _ = loudly;
    use_all(mode, path, wait, names, maybe, token)
}

fn main() {
    let args = arguments::job().def().args;
    assert_eq!((args[0].name, args[0].doc, args[0].choices), ("mode", "How fast.", &["quick", "very-slow"][..]));
    assert_eq!((args[0].show)(&(args[0].default.unwrap())()), "very-slow");
    assert!((args[0].from_texts)(&["fast".to_string()]).unwrap_err().contains("expected `quick`, `very-slow`"));
    fanfold::check_all_jobs().unwrap();
}
