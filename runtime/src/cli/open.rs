//! Opening an address in the browser.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A file that leads a browser to an address; it is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Opened(PathBuf);

impl Drop for Opened {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Opens an address that holds a secret. Other users of the machine see the command lines of this one, so
/// the browser is given a file that leads to it and that nobody else can read.
///
/// # Errors
/// There is no browser to be found: with what to do.
pub(super) fn open(address: &str) -> Result<Opened, String> {
    let wrong =
        |error: std::io::Error| format!("the browser was not opened ({error}): open the address by hand");
    let name = format!("fanfold-{}-{:016x}.html", std::process::id(), fastrand::u64(..));
    let file = Opened(std::env::temp_dir().join(name));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let page = format!(
        "<!doctype html><meta charset=\"utf-8\"><meta name=\"referrer\" content=\"no-referrer\">\
         <meta http-equiv=\"refresh\" content=\"0; url={address}\"><a href=\"{address}\">Open the page</a>\n"
    );
    options.open(&file.0).and_then(|mut to| to.write_all(page.as_bytes())).map_err(wrong)?;
    let (program, words): (&str, &[&str]) = match std::env::consts::OS {
        "macos" => ("open", &[]),
        "windows" => ("explorer", &[]),
        _ => ("xdg-open", &[]),
    };
    let mut command = Command::new(program);
    command.args(words).arg(&file.0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut browser = command.spawn().map_err(wrong)?;
    // Without somebody who waits for it, what is left of it stays as long as the page is served.
    let _ = std::thread::Builder::new().spawn(move || browser.wait());
    Ok(file)
}
