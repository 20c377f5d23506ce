//! A process by its pidfd: a descriptor that refers to the process itself, and becomes readable when the process ends.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid};

use super::exit::Exit;
use crate::fd::readable_within;
use crate::{Error, Result};

/// A pidfd of the child `pid`, which nobody has reaped: readable once the child has ended.
pub fn pidfd_of(pid: u32) -> Result<OwnedFd> {
  let pid =
    i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or_else(|| Error::from_errno("pidfd_open", libc::ESRCH))?;
  PidFd::open(pid).map(|pidfd| pidfd.0)
}

/// A process by its pidfd.
///
/// # References
///  - [Linux `pidfd_open`](https://man7.org/linux/man-pages/man2/pidfd_open.2.html)
///  - [Linux `waitid`](https://man7.org/linux/man-pages/man2/waitid.2.html)
#[derive(Debug)]
pub(super) struct PidFd(OwnedFd);

impl PidFd {
  /// Of a child that nobody has reaped, so that its pid cannot be another process's yet. The kernel makes every pidfd
  /// close-on-exec.
  pub(super) fn open(pid: Pid) -> Result<Self> {
    pidfd_open(pid, PidfdFlags::empty()).map(Self).map_err(Error::at("pidfd_open"))
  }

  /// A pidfd that another process has opened.
  pub(super) fn from_fd(pidfd: OwnedFd) -> Self {
    Self(pidfd)
  }

  pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
    self.0.as_fd()
  }

  /// Reaps the process, which must be a child of this one, if it has ended.
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

  /// Waits for the end at most for `timeout`, and says whether the process has ended. May say no too early.
  pub(super) fn pause(&self, timeout: Duration) -> Result<bool> {
    readable_within(&self.0, timeout)
  }

  pub(super) fn signal(&self, signal: Signal) -> Result<()> {
    pidfd_send_signal(&self.0, signal).map_err(Error::at("pidfd_send_signal"))
  }
}
