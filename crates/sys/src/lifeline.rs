//! Lifelines: connections on which nothing is ever said. The end of one is the message that the other side has died.

use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType};

use crate::{Error, Result};

/// A connected pair of sockets: the first end for the host, the second for the worker.
///
/// When all descriptors of one end are closed, which the kernel does even for a process killed by `SIGKILL`, the other
/// end becomes readable and reports hang-up. So each side sees the other die, without pids and on every system:
///
/// - in the host, the host end in a [`WaitSet`](crate::WaitSet) is the portable sentinel of the worker;
/// - in the worker, [`start_watchdog`](crate::start_watchdog) sleeps on the worker end.
///
/// The host must close its copy of the worker end once the worker has been spawned.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/socketpair.2.html)
pub fn lifeline() -> Result<(OwnedFd, OwnedFd)> {
  #[cfg(target_os = "linux")]
  let flags = SocketFlags::CLOEXEC;
  #[cfg(not(target_os = "linux"))]
  let flags = SocketFlags::empty();

  let ends =
    rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None).map_err(Error::at("socketpair"))?;

  #[cfg(not(target_os = "linux"))]
  for end in [&ends.0, &ends.1] {
    crate::fd::set_cloexec(end)?;
  }
  Ok(ends)
}

/// Makes the kernel kill the worker `pid` when the host's end closes: `worker_end` is the host's copy of the worker's
/// end. For the time before [`start_watchdog`](crate::start_watchdog), which makes this the worker's group: until then
/// none of our code runs in the worker, which may be loading a module, or waiting for a debugger, for ever. The kernel
/// asks for the user that the host has now, whatever user the host becomes later.
///
/// Elsewhere than on Linux, a worker sees its host's death only once the watchdog runs.
///
/// # References
///  - [Linux `F_SETOWN`, `F_SETSIG`](https://man7.org/linux/man-pages/man2/fcntl.2.html)
pub fn kill_at_hangup(worker_end: impl AsFd, pid: u32) {
  kernel::arm(worker_end.as_fd(), pid);
}

pub(crate) use kernel::hand_over;

/// Ends what the other side waits for, as the death of this process would, without closing the descriptor.
pub fn hang_up(end: impl AsFd) {
  // Fails only when the other end is closed. Reading goes on: the hang-up of the other end is still told here.
  let _ = rustix::net::shutdown(end, rustix::net::Shutdown::Write);
}

#[cfg(target_os = "linux")]
mod kernel {
  use std::os::fd::{AsRawFd, BorrowedFd};

  use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

  /// The same on every architecture; libc does not have it for all.
  const F_SETSIG: libc::c_int = 10;

  pub(super) fn arm(worker_end: BorrowedFd<'_>, pid: u32) {
    let fd = worker_end.as_raw_fd();
    // In this order: no signal is sent before both the signal and its receiver are known.
    // SAFETY: an open descriptor and numbers; what is set belongs to the open file, which is ours.
    let chosen = unsafe { libc::fcntl(fd, F_SETSIG, libc::SIGKILL) } == 0;
    // SAFETY: as above. (The caller has not reaped the child, so the number is nobody else's.)
    if chosen && unsafe { libc::fcntl(fd, libc::F_SETOWN, pid as libc::pid_t) } == 0 {
      let _ = fcntl_getfl(worker_end).and_then(|flags| fcntl_setfl(worker_end, flags | OFlags::ASYNC));
    }
  }

  /// Worker: has the kernel kill the whole group of this process, as the watchdog does that runs from now on. The
  /// kernel reaches a stopped process too, whose threads do not run. If this process leads no group, [`arm`] is taken
  /// back: the watchdog acts alone.
  pub(crate) fn hand_over(worker_end: BorrowedFd<'_>, leads_group: bool) {
    let group = -(std::process::id() as libc::pid_t);
    // SAFETY: an open descriptor and numbers; what is set belongs to the open file, which is this worker's.
    if leads_group && unsafe { libc::fcntl(worker_end.as_raw_fd(), libc::F_SETOWN, group) } == 0 {
      return;
    }
    let _ = fcntl_getfl(worker_end).and_then(|flags| fcntl_setfl(worker_end, flags - OFlags::ASYNC));
  }
}

/// Elsewhere the signal for this cannot be chosen, and the one that there is is ignored.
#[cfg(not(target_os = "linux"))]
mod kernel {
  use std::os::fd::BorrowedFd;

  pub(super) fn arm(_worker_end: BorrowedFd<'_>, _pid: u32) {}

  pub(crate) fn hand_over(_worker_end: BorrowedFd<'_>, _leads_group: bool) {}
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
  use std::time::Duration;

  use super::*;
  use crate::{Exit, SentinelKind, SpawnSpec, spawn};

  fn sleeper() -> (OwnedFd, OwnedFd, crate::Child) {
    let (host_end, worker_end) = lifeline().expect("there are descriptors");
    let spec = SpawnSpec {
      program: "/bin/sleep".into(),
      args: vec!["1000".into()],
      fds: vec![(worker_end.as_fd(), 6)],
      ..SpawnSpec::default()
    };
    let child = spawn(&spec, SentinelKind::WaitPid).expect("there is a sleep");
    kill_at_hangup(&worker_end, child.pid());
    (host_end, worker_end, child)
  }

  #[test]
  fn a_child_that_knows_nothing_of_its_lifeline_dies_when_that_hangs_up() {
    let (host_end, worker_end, mut child) = sleeper();
    drop(worker_end);
    assert_eq!(child.wait_timeout(Duration::from_millis(50)).unwrap(), None);
    drop(host_end);
    assert_eq!(child.wait_timeout(Duration::from_secs(60)).unwrap(), Some(Exit::Signal(libc::SIGKILL)));
  }

  #[test]
  fn a_stopped_child_dies_when_its_lifeline_is_hung_up() {
    let (host_end, worker_end, mut child) = sleeper();
    drop(worker_end);
    child.signal(libc::SIGSTOP).unwrap();
    hang_up(&host_end);
    assert_eq!(child.wait_timeout(Duration::from_secs(60)).unwrap(), Some(Exit::Signal(libc::SIGKILL)));
  }

  #[test]
  fn a_child_that_watches_by_itself_is_not_killed_by_the_kernel() {
    let (host_end, worker_end, mut child) = sleeper();
    hand_over(worker_end.as_fd(), false);
    drop((host_end, worker_end));
    assert_eq!(child.wait_timeout(Duration::from_millis(50)).unwrap(), None);
    child.signal(libc::SIGKILL).unwrap();
    assert!(child.wait_timeout(Duration::from_secs(60)).unwrap().is_some());
  }
}
