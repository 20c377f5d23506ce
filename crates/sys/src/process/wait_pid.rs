//! A child by its pid, which is the child's only until somebody has reaped it.

use std::thread;
use std::time::Duration;

use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitOptions, WaitStatus, kill_process, waitid, waitpid};

use super::exit::Exit;
use crate::{Error, Result};

/// Reaps the child `pid` of this process if it has ended. False: it has not.
pub fn reap(pid: u32) -> bool {
  let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return true };
  !matches!(waitpid(Some(pid), WaitOptions::NOHANG), Ok(None))
}

/// A child by its pid. The pid stays the child's until [`WaitPid::try_reap`] has reaped it, as long as the rest of the
/// host reaps no children that are not its own.
///
/// # References
///  - [Linux `waitpid`](https://man7.org/linux/man-pages/man2/waitpid.2.html)
#[derive(Debug)]
pub(super) struct WaitPid(Pid);

impl WaitPid {
  pub(super) fn new(pid: Pid) -> Self {
    Self(pid)
  }

  /// Reaps the child if it has ended.
  pub(super) fn try_reap(&self) -> Result<Option<Exit>> {
    match retry_on_intr(|| waitpid(Some(self.0), WaitOptions::NOHANG)) {
      Ok(None) => Ok(None),
      Ok(Some((_, status))) => Ok(exit_of(status)),
      Err(Errno::CHILD) => Ok(Some(Exit::Unknown)),
      Err(errno) => Err(Error::at("waitpid")(errno)),
    }
  }

  /// Whether the child has ended. It stays to be reaped.
  pub(super) fn has_ended(&self) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    matches!(retry_on_intr(|| waitid(WaitId::Pid(self.0), options)), Ok(Some(_)) | Err(Errno::CHILD))
  }

  /// Sleeps for a moment: nothing becomes ready when a child ends, so the caller has to look again soon.
  pub(super) fn pause(&self, timeout: Duration) {
    thread::sleep(timeout.min(Duration::from_millis(2)));
  }

  pub(super) fn signal(&self, signal: Signal) -> Result<()> {
    kill_process(self.0, signal).map_err(Error::at("kill"))
  }
}

/// `None` for a child that was stopped or continued, which has not ended.
fn exit_of(status: WaitStatus) -> Option<Exit> {
  status.exit_status().map(Exit::Code).or_else(|| status.terminating_signal().map(Exit::Signal))
}
