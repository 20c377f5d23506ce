//! A child process: waited for, signalled, however its end is seen.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::exit::Exit;
#[cfg(target_os = "linux")]
use super::grandchild::Grandchild;
#[cfg(target_os = "linux")]
use super::orphans::reap_group;
use super::sentinel::Sentinel;
use crate::{Error, Result, SentinelKind};

/// A child process. Dropping it neither ends nor reaps it: wait for its end first.
#[derive(Debug)]
#[must_use = "a child that nobody waits for becomes a zombie"]
pub struct Child {
  pid: Pid,
  sentinel: Sentinel,
  exit: Option<Exit>,
  /// The process that owns this value: in a fork of that process the child is nobody's.
  owner: u32,
}

impl Child {
  pub(super) fn new(pid: Pid, sentinel: Sentinel) -> Self {
    Self { pid, sentinel, exit: None, owner: std::process::id() }
  }

  /// The process `pid`, which this one has forked and not waited for (see [`fork_with_heap`](crate::fork_with_heap)). A
  /// child that cannot be watched is killed.
  pub fn forked_here(pid: u32, sentinel: SentinelKind) -> Result<Self> {
    let pid = pid_of_fork(pid)?;
    Ok(Self::new(pid, Sentinel::new(sentinel, pid)?))
  }

  /// The process `pid` behind `pidfd`, which another process, `parent`, has forked for this one. `release` is called
  /// once, when the end has been seen: it asks the parent to reap. Linux only; `ENOSYS` elsewhere.
  #[cfg(target_os = "linux")]
  pub fn forked(pid: u32, pidfd: OwnedFd, parent: u32, release: Box<dyn Fn() + Send + Sync>) -> Result<Self> {
    Ok(Self::new(pid_of_fork(pid)?, Sentinel::Grandchild(Grandchild::new(pid, pidfd, parent, release))))
  }

  /// Fails: there are no pidfds.
  #[cfg(not(target_os = "linux"))]
  pub fn forked(_pid: u32, _pidfd: OwnedFd, _parent: u32, _release: Box<dyn Fn() + Send + Sync>) -> Result<Self> {
    Err(Error::missing("pidfd_open"))
  }

  /// Whether the child has ended, or is not this process's.
  fn is_over(&self) -> bool {
    self.exit.is_some() || self.owner != std::process::id()
  }

  /// The process id, which is also the id of the child's process group. Once the child has been reaped, it may be
  /// another process's.
  pub fn pid(&self) -> u32 {
    self.pid.as_raw_nonzero().get().unsigned_abs()
  }

  /// A descriptor that is readable once the child has ended; `None` under `SentinelKind::WaitPid`.
  pub fn pidfd(&self) -> Option<BorrowedFd<'_>> {
    self.sentinel.as_pidfd()
  }

  /// Whether the child has ended, reaped or not. Reaps nothing.
  pub fn has_ended(&self) -> bool {
    self.is_over() || self.sentinel.has_ended()
  }

  /// How the child ended, or `None` if it has not. The first answer reaps it and is remembered. Orphans that it leaves
  /// behind in its process group are reaped, too, once they end, if they become children of this process.
  pub fn try_wait(&mut self) -> Result<Option<Exit>> {
    if self.exit.is_none() {
      if self.is_over() {
        self.exit = Some(Exit::Unknown);
        return Ok(self.exit);
      }
      self.exit = self.sentinel.try_reap()?;
      #[cfg(target_os = "linux")]
      if self.exit.is_some() {
        reap_group(self.pid, self.sentinel.unreaped());
      }
    }
    Ok(self.exit)
  }

  /// Like [`try_wait`](Self::try_wait), but waits for the end up to `timeout`.
  pub fn wait_timeout(&mut self, timeout: Duration) -> Result<Option<Exit>> {
    let start = Instant::now();
    loop {
      let left = timeout.saturating_sub(start.elapsed());
      let exit = self.try_wait()?;
      if exit.is_some() || left.is_zero() {
        return Ok(exit);
      }
      self.sentinel.pause(left)?;
    }
  }

  /// Sends the signal to the child. Does nothing if the child has ended. `EINVAL` for a number that is no signal.
  pub fn signal(&self, signal: i32) -> Result<()> {
    let signal = Signal::from_named_raw(signal).ok_or_else(|| Error::from_errno("kill", libc::EINVAL))?;
    if self.is_over() { Ok(()) } else { ignore_gone(self.sentinel.signal(signal)) }
  }

  /// Sends the signal to the process group of the child: to the child and to all processes that it has started and that
  /// did not leave the group.
  ///
  /// Does nothing once the child has been reaped, as its number may then be that of another group. So to end what a
  /// dead child left behind, call this before [`try_wait`](Self::try_wait): the sentinel tells of the death, and a
  /// child that was not reaped still holds its number.
  pub fn signal_group(&self, signal: i32) -> Result<()> {
    let signal = Signal::from_named_raw(signal).ok_or_else(|| Error::from_errno("kill", libc::EINVAL))?;
    if self.is_over() {
      return Ok(());
    }
    ignore_gone(kill_process_group(self.pid, signal).map_err(Error::at("kill")))
  }
}

/// `ESRCH` for a number that cannot be a process's.
fn pid_of_fork(pid: u32) -> Result<Pid> {
  i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or_else(|| Error::from_errno("fork", libc::ESRCH))
}

/// A process that has ended cannot be signalled, and need not be. macOS says `EPERM` for a group of zombies.
fn ignore_gone(outcome: Result<()>) -> Result<()> {
  match outcome {
    Err(error) if error.errno() == Some(libc::ESRCH) => Ok(()),
    Err(error) if cfg!(target_os = "macos") && error.errno() == Some(libc::EPERM) => Ok(()),
    other => other,
  }
}
