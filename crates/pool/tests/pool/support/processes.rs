//! The processes, descriptors, threads and mappings that there are.

#[cfg(target_os = "linux")]
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

/// Whether the child has ended and was not reaped.
pub fn is_zombie(child: u32) -> bool {
  has_changed(child, libc::WEXITED)
}

/// Whether the child has stopped.
pub fn is_stopped(child: u32) -> bool {
  has_changed(child, libc::WSTOPPED)
}

fn has_changed(child: u32, change: i32) -> bool {
  // SAFETY: the structure is plain memory, and zero is a value of it.
  let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
  // SAFETY: writes to `info` only; whoever asks after us gets the same answer.
  let outcome = unsafe { libc::waitid(libc::P_PID, child, &mut info, change | libc::WNOHANG | libc::WNOWAIT) };
  // SAFETY: `waitid` has filled it, or left it zero.
  outcome == 0 && unsafe { info.si_pid() } != 0
}

/// Whether a worker or anything that it has started is there: its process group. Zombies do not count, since a process
/// whose parent has died is reaped by whoever adopts it, at its leisure.
pub fn group_lives(worker: u32) -> bool {
  #[cfg(target_os = "linux")]
  let lives = all().iter().any(|process| process.group == worker && !process.is_zombie);
  #[cfg(not(target_os = "linux"))]
  // SAFETY: signal 0 asks and sends nothing.
  let lives = unsafe { libc::kill(-(worker as i32), 0) == 0 };
  lives
}

/// Child processes of this one, zombies included.
#[cfg(target_os = "linux")]
pub fn children() -> Vec<u32> {
  let own = std::process::id();
  all().into_iter().filter(|process| process.parent == own).map(|process| process.pid).collect()
}

#[cfg(target_os = "linux")]
struct Process {
  pid: u32,
  parent: u32,
  group: u32,
  is_zombie: bool,
}

#[cfg(target_os = "linux")]
fn all() -> Vec<Process> {
  let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
  let look = |pid: u32| -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Behind the name, which is in parentheses and may hold anything: state, parent, process group.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().take(3).collect();
    let [state, parent, group] = fields[..] else { return None };
    let is_zombie = matches!(state, "Z" | "X");
    Some(Process { pid, parent: parent.parse().ok()?, group: group.parse().ok()?, is_zombie })
  };
  pids.filter_map(look).collect()
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
