//! How the end of one child is seen and its status collected.
//!
//! A pidfd refers to the process itself. A pid does so only until the child has been reaped, which happens in
//! [`WaitPid`] and nowhere else as long as the rest of the host does not reap children that are not its own.

use std::os::fd::BorrowedFd;
use std::thread;
use std::time::Duration;

use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, waitpid};

use super::child::Exit;
use crate::{Error, Result, SentinelKind};

#[cfg(target_os = "linux")]
use super::forked::Forked;
#[cfg(target_os = "linux")]
pub(super) use pidfd::PidFd;

/// Watches one child.
#[derive(Debug)]
pub(super) enum Sentinel {
  #[cfg(target_os = "linux")]
  PidFd(PidFd),
  WaitPid(WaitPid),
  #[cfg(target_os = "linux")]
  Forked(Forked),
}

impl Sentinel {
  /// A sentinel for the child `pid`, which was just spawned. If there can be none, the child is ended and reaped: nobody
  /// would ever know of it.
  pub(super) fn new(kind: SentinelKind, pid: Pid) -> Result<Self> {
    match kind {
      #[cfg(target_os = "linux")]
      SentinelKind::PidFd => PidFd::open(pid).map(Self::PidFd).inspect_err(|_| discard(pid)),
      #[cfg(not(target_os = "linux"))]
      SentinelKind::PidFd => {
        discard(pid);
        Err(Error::missing("pidfd_open"))
      }
      SentinelKind::WaitPid => Ok(Self::WaitPid(WaitPid(pid))),
    }
  }

  pub(super) fn as_pidfd(&self) -> Option<BorrowedFd<'_>> {
    match self {
      #[cfg(target_os = "linux")]
      Self::PidFd(sentinel) => Some(sentinel.as_fd()),
      #[cfg(target_os = "linux")]
      Self::Forked(sentinel) => Some(sentinel.pidfd.as_fd()),
      Self::WaitPid(_) => None,
    }
  }

  /// Reaps the child if it has ended.
  pub(super) fn try_reap(&self) -> Result<Option<Exit>> {
    match self {
      #[cfg(target_os = "linux")]
      Self::PidFd(sentinel) => sentinel.try_reap(),
      #[cfg(target_os = "linux")]
      Self::Forked(sentinel) => sentinel.try_reap(),
      Self::WaitPid(sentinel) => sentinel.try_reap(),
    }
  }

  /// Sleeps until the child may have ended, at most for `timeout`.
  pub(super) fn pause(&self, timeout: Duration) -> Result<()> {
    match self {
      #[cfg(target_os = "linux")]
      Self::PidFd(sentinel) => sentinel.pause(timeout).map(drop),
      #[cfg(target_os = "linux")]
      Self::Forked(sentinel) => sentinel.pidfd.pause(timeout).map(drop),
      Self::WaitPid(sentinel) => {
        sentinel.pause(timeout);
        Ok(())
      }
    }
  }

  /// Sends a signal to the child, which must not have been reaped.
  pub(super) fn signal(&self, signal: Signal) -> Result<()> {
    match self {
      #[cfg(target_os = "linux")]
      Self::PidFd(sentinel) => sentinel.signal(signal),
      #[cfg(target_os = "linux")]
      Self::Forked(sentinel) => sentinel.pidfd.signal(signal),
      Self::WaitPid(sentinel) => kill_process(sentinel.0, signal).map_err(Error::at("kill")),
    }
  }
}

fn discard(pid: Pid) {
  // It can only fail because there is no such child any more.
  let _ = kill_process(pid, Signal::KILL);
  let _ = retry_on_intr(|| waitpid(Some(pid), WaitOptions::empty()));
}

/// The child by its pid.
///
/// # References
///  - [Linux `waitpid`](https://man7.org/linux/man-pages/man2/waitpid.2.html)
#[derive(Debug)]
pub(super) struct WaitPid(Pid);

impl WaitPid {
  fn try_reap(&self) -> Result<Option<Exit>> {
    match retry_on_intr(|| waitpid(Some(self.0), WaitOptions::NOHANG)) {
      Ok(None) => Ok(None),
      Ok(Some((_, status))) => Ok(exit_of(status)),
      Err(Errno::CHILD) => Ok(Some(Exit::Unknown)),
      Err(errno) => Err(Error::at("waitpid")(errno)),
    }
  }

  /// Nothing becomes ready when a child ends, so this looks again soon.
  fn pause(&self, timeout: Duration) {
    thread::sleep(timeout.min(Duration::from_millis(2)));
  }
}

/// `None` for a child that was stopped or continued, which has not ended.
fn exit_of(status: WaitStatus) -> Option<Exit> {
  status.exit_status().map(Exit::Code).or_else(|| status.terminating_signal().map(Exit::Signal))
}

#[cfg(target_os = "linux")]
mod pidfd {
  use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
  use std::time::Duration;

  use rustix::io::{Errno, retry_on_intr};
  use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid};

  use crate::fd::readable_within;
  use crate::process::Exit;
  use crate::{Error, Result};

  /// The child by its pidfd.
  ///
  /// # References
  ///  - [Linux `pidfd_open`](https://man7.org/linux/man-pages/man2/pidfd_open.2.html)
  ///  - [Linux `waitid`](https://man7.org/linux/man-pages/man2/waitid.2.html)
  #[derive(Debug)]
  pub(crate) struct PidFd(OwnedFd);

  impl PidFd {
    /// The pid cannot have been given to another process yet, as nobody has reaped the child. The kernel makes every
    /// pidfd close-on-exec.
    pub(super) fn open(pid: Pid) -> Result<Self> {
      pidfd_open(pid, PidfdFlags::empty()).map(Self).map_err(Error::at("pidfd_open"))
    }

    pub(in crate::process) fn from_fd(pidfd: OwnedFd) -> Self {
      Self(pidfd)
    }

    pub(in crate::process) fn as_fd(&self) -> BorrowedFd<'_> {
      self.0.as_fd()
    }

    pub(super) fn try_reap(&self) -> Result<Option<Exit>> {
      let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
      match retry_on_intr(|| waitid(WaitId::PidFd(self.as_fd()), options)) {
        Ok(None) => Ok(None),
        Ok(Some(status)) => {
          let code = status.exit_status().map(Exit::Code);
          Ok(code.or_else(|| status.terminating_signal().map(Exit::Signal)))
        }
        Err(Errno::CHILD) => Ok(Some(Exit::Unknown)),
        Err(errno) => Err(Error::at("waitid")(errno)),
      }
    }

    /// Waits for the end, and says whether it was seen.
    pub(in crate::process) fn pause(&self, timeout: Duration) -> Result<bool> {
      readable_within(&self.0, timeout)
    }

    pub(in crate::process) fn signal(&self, signal: Signal) -> Result<()> {
      pidfd_send_signal(&self.0, signal).map_err(Error::at("pidfd_send_signal"))
    }
  }
}
