//! How the end of one child is seen and its status collected: by a pidfd, by the pid, or from the process that forked
//! it.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use super::exit::Exit;
#[cfg(target_os = "linux")]
use super::grandchild::Grandchild;
#[cfg(target_os = "linux")]
use super::pidfd::PidFd;
use super::wait_pid::WaitPid;
#[cfg(not(target_os = "linux"))]
use crate::Error;
use crate::{Result, SentinelKind};

/// Watches one child.
#[derive(Debug)]
pub(super) enum Sentinel {
  #[cfg(target_os = "linux")]
  PidFd(PidFd),
  WaitPid(WaitPid),
  #[cfg(target_os = "linux")]
  Grandchild(Grandchild),
}

impl Sentinel {
  /// A sentinel for the child `pid`, which was just spawned. If there can be none, the child is ended and reaped:
  /// nobody would ever know of it.
  pub(super) fn new(kind: SentinelKind, pid: Pid) -> Result<Self> {
    match kind {
      #[cfg(target_os = "linux")]
      SentinelKind::PidFd => PidFd::open(pid).map(Self::PidFd).inspect_err(|_| discard(pid)),
      #[cfg(not(target_os = "linux"))]
      SentinelKind::PidFd => {
        discard(pid);
        Err(Error::missing("pidfd_open"))
      }
      SentinelKind::WaitPid => Ok(Self::WaitPid(WaitPid::new(pid))),
    }
  }

  pub(super) fn as_pidfd(&self) -> Option<BorrowedFd<'_>> {
    match self {
      #[cfg(target_os = "linux")]
      Self::PidFd(sentinel) => Some(sentinel.as_fd()),
      #[cfg(target_os = "linux")]
      Self::Grandchild(sentinel) => Some(sentinel.pidfd().as_fd()),
      Self::WaitPid(_) => None,
    }
  }

  /// Reaps the child if it has ended.
  pub(super) fn try_reap(&self) -> Result<Option<Exit>> {
    match self {
      #[cfg(target_os = "linux")]
      Self::PidFd(sentinel) => sentinel.try_reap(),
      #[cfg(target_os = "linux")]
      Self::Grandchild(sentinel) => sentinel.try_reap(),
      Self::WaitPid(sentinel) => sentinel.try_reap(),
    }
  }

  /// Whether the child has ended, which is left for [`Sentinel::try_reap`] to deal with.
  pub(super) fn has_ended(&self) -> bool {
    match self {
      #[cfg(target_os = "linux")]
      Self::PidFd(sentinel) => sentinel.pause(Duration::ZERO).unwrap_or(false),
      #[cfg(target_os = "linux")]
      Self::Grandchild(sentinel) => sentinel.pidfd().pause(Duration::ZERO).unwrap_or(false),
      Self::WaitPid(sentinel) => sentinel.has_ended(),
    }
  }

  /// The pidfd of a child that has ended and that another process reaps.
  #[cfg(target_os = "linux")]
  pub(super) fn unreaped(&self) -> Option<BorrowedFd<'_>> {
    match self {
      Self::Grandchild(sentinel) => Some(sentinel.pidfd().as_fd()),
      Self::PidFd(_) | Self::WaitPid(_) => None,
    }
  }

  /// Sleeps until the child may have ended, at most for `timeout`.
  pub(super) fn pause(&self, timeout: Duration) -> Result<()> {
    match self {
      #[cfg(target_os = "linux")]
      Self::PidFd(sentinel) => sentinel.pause(timeout).map(drop),
      #[cfg(target_os = "linux")]
      Self::Grandchild(sentinel) => sentinel.pidfd().pause(timeout).map(drop),
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
      Self::Grandchild(sentinel) => sentinel.pidfd().signal(signal),
      Self::WaitPid(sentinel) => sentinel.signal(signal),
    }
  }
}

/// Ends and reaps a child that cannot be watched.
fn discard(pid: Pid) {
  // Both fail only when there is no such child any more.
  let _ = kill_process(pid, Signal::KILL);
  let _ = retry_on_intr(|| waitpid(Some(pid), WaitOptions::empty()));
}
