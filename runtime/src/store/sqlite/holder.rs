//! Who drives a run, for messages: nothing is decided by it.

use std::fmt;
use std::fs;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

/// A process, as its messages name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    pid: u32,
    host: String,
    boot: String,
    since: u64,
}

impl Holder {
    /// This process, from now on.
    pub(super) fn this() -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { pid: std::process::id(), host: host(), boot: boot(), since: now.as_secs() }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = SystemTime::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(self.since));
        let since = since.map_or(String::new(), |since| {
            // Years beyond 9999 have no form; they come from a file that holds anything.
            match self.since < 253_402_300_800 {
                true => format!(" since {}", humantime::format_rfc3339_seconds(since)),
                false => String::new(),
            }
        });
        write!(f, "process {} on {}{since}", self.pid, self.host)
    }
}

#[cfg(unix)]
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

/// Tells one start of the machine from the next, where the system does.
fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}
