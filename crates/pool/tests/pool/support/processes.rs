//! What there is of processes, descriptors and threads.

use std::fs;

/// Whether the process exists, be it as a zombie.
pub fn exists(pid: u32) -> bool {
  // SAFETY: signal 0 asks and sends nothing.
  unsafe { libc::kill(pid as i32, 0) == 0 }
}

pub fn send_signal(pid: u32, signal: i32) {
  // SAFETY: the caller names a worker of its own that was not reaped.
  let outcome = unsafe { libc::kill(pid as i32, signal) };
  assert_eq!(outcome, 0, "kill({pid}, {signal}): {}", std::io::Error::last_os_error());
}

/// Child processes of this one, zombies included.
#[cfg(target_os = "linux")]
pub fn children() -> Vec<u32> {
  let own = std::process::id();
  let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
  // The parent is the second field behind the name, which is in parentheses and may hold anything.
  let parent = |pid: u32| -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
  };
  pids.filter(|&pid| parent(pid) == Some(own)).collect()
}

/// Open descriptors of this process, the one that reads the list not counted.
#[cfg(target_os = "linux")]
pub fn descriptors() -> usize {
  fs::read_dir("/proc/self/fd").unwrap().count() - 1
}

#[cfg(target_os = "linux")]
pub fn threads() -> usize {
  fs::read_dir("/proc/self/task").unwrap().count()
}

/// Shared mappings of this process.
#[cfg(target_os = "linux")]
pub fn mappings() -> usize {
  let maps = fs::read_to_string("/proc/self/maps").unwrap();
  maps.lines().filter(|line| line.split_whitespace().nth(1).is_some_and(|access| access.ends_with('s'))).count()
}
