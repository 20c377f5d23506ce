//! A process that a child of this one, a fork server, has forked for it: its end is seen by its pidfd, and its status
//! read in `/proc`, since only the parent can collect it.
//!
//! The parent leaves an ended grandchild a zombie until this process says that it has seen the end. Until then the pid
//! is nobody else's, and `/proc` has the status. A parent that died has left its children to init, which reaps at once:
//! then the status is not known, unless this process is the init itself.

use std::fmt;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use super::exit::Exit;
use super::pidfd::PidFd;
use crate::Result;

/// Watches one such process.
pub(super) struct Grandchild {
  pidfd: PidFd,
  pid: u32,
  parent: u32,
  release: Box<dyn Fn() + Send + Sync>,
}

impl Grandchild {
  /// The process `pid` behind `pidfd`, which `parent` has forked. `release` is called once, when the end has been seen:
  /// it asks the parent to reap.
  pub(super) fn new(pid: u32, pidfd: OwnedFd, parent: u32, release: Box<dyn Fn() + Send + Sync>) -> Self {
    Self { pidfd: PidFd::from_fd(pidfd), pid, parent, release }
  }

  pub(super) fn pidfd(&self) -> &PidFd {
    &self.pidfd
  }

  /// The status, once the process has ended. The parent may reap it then.
  pub(super) fn try_reap(&self) -> Result<Option<Exit>> {
    if !self.pidfd.pause(Duration::ZERO)? {
      return Ok(None);
    }
    let status = fs::read(format!("/proc/{}/stat", self.pid)).ok();
    let exit = match status.and_then(|stat| exit_in(&stat, self.parent)) {
      Some(exit) => exit,
      // The parent is gone. A process that is no child of this one either is an end that nobody knows.
      None => self.pidfd.try_reap()?.unwrap_or(Exit::Unknown),
    };
    (self.release)();
    Ok(Some(exit))
  }
}

/// The status in `/proc/<pid>/stat` of a zombie of `parent`'s; `None` if it is another process.
///
/// # References
///  - [Linux `proc_pid_stat`](https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html)
fn exit_in(stat: &[u8], parent: u32) -> Option<Exit> {
  // The name, in parentheses, can be anything.
  let after_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
  let text = std::str::from_utf8(stat.get(after_name..)?).ok()?;
  let fields: Vec<&str> = text.split_ascii_whitespace().collect();
  if *fields.first()? != "Z" || fields.get(1)?.parse() != Ok(parent) {
    return None;
  }
  // Field 52 of all, of which two came before.
  let status = ExitStatus::from_raw(fields.get(49)?.parse().ok()?);
  status.code().map(Exit::Code).or_else(|| status.signal().map(Exit::Signal))
}

impl fmt::Debug for Grandchild {
  fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.debug_struct("Grandchild").field("pid", &self.pid).field("parent", &self.parent).finish_non_exhaustive()
  }
}

#[cfg(test)]
mod tests {
  use super::*;

  fn stat(state: &str, parent: u32, status: i32) -> Vec<u8> {
    let rest = ["0"; 47].join(" ");
    format!("123 (a) Z (b) {state} {parent} {rest} {status}\n").into_bytes()
  }

  #[test]
  fn a_status_is_believed_of_a_zombie_of_the_parent_only() {
    assert_eq!(exit_in(&stat("Z", 7, 3 << 8), 7), Some(Exit::Code(3)));
    assert_eq!(exit_in(&stat("Z", 7, 9), 7), Some(Exit::Signal(9)));
    assert_eq!(exit_in(&stat("Z", 7, 11 | 0x80), 7), Some(Exit::Signal(11)));
    assert_eq!(exit_in(&stat("S", 7, 0), 7), None);
    assert_eq!(exit_in(&stat("Z", 8, 0), 7), None);
    assert_eq!(exit_in(b"123 (x) Z 7 1", 7), None);
    assert_eq!(exit_in(b"", 7), None);
  }
}
