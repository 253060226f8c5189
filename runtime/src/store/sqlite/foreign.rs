//! Who else holds locks on a store's files, where the system tells.

#[cfg(target_os = "linux")]
use std::fs;

use super::place::Place;

/// The processes that hold locks on the database or its shared memory, without this one: for messages.
#[cfg(target_os = "linux")]
pub(super) fn holders(place: &Place) -> Vec<String> {
    use std::os::unix::fs::MetadataExt;

    let files = [place.db().to_owned(), place.shm()];
    let inodes: Vec<_> = files.iter().filter_map(|file| Some(fs::metadata(file).ok()?.ino())).collect();
    let table = fs::read_to_string("/proc/locks").unwrap_or_default();
    let mut found: Vec<_> = table.lines().filter_map(|line| locker(line, &inodes)).collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().filter(|pid| *pid != std::process::id()).map(named).collect()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn holders(_: &Place) -> Vec<String> {
    Vec::new()
}

/// The process of a line like `3: POSIX ADVISORY WRITE 4711 fe:00:1234 124 124`, if it writes to one of
/// these.
#[cfg(target_os = "linux")]
fn locker(line: &str, inodes: &[u64]) -> Option<u32> {
    let mut words = line.split_whitespace().skip_while(|word| *word != "WRITE").skip(1);
    let pid = words.next()?.parse().ok()?;
    let inode = words.next()?.rsplit(':').next()?.parse().ok()?;
    inodes.contains(&inode).then_some(pid)
}

#[cfg(target_os = "linux")]
fn named(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let name: String = name.trim().chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    if name.is_empty() { format!("process {pid}") } else { format!("process {pid}, `{name}`") }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::locker;

    #[test]
    fn the_holder_of_a_lock_is_read_from_the_systems_table() {
        let line = "3: POSIX  ADVISORY  WRITE 4711 fe:00:1234 124 124";
        assert_eq!(locker(line, &[1234]), Some(4711));
        assert_eq!(locker(line, &[1235]), None);
        assert_eq!(locker("1: POSIX  ADVISORY  READ 4711 fe:00:1234 0 EOF", &[1234]), None);
    }
}
