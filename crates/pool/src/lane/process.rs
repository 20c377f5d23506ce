//! The process of a worker: the descriptor to watch, signals, and the end.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use millrace_sys::{Child, Exit, hang_up};

/// Pause before the status of a worker that has ended is asked for again: a lifeline hangs up a moment before that is
/// there.
const REAP_RETRY: Duration = Duration::from_millis(1);

/// A worker's process.
#[derive(Debug)]
pub(super) struct Process {
  child: Child,
  /// The worker ends itself when this closes. Where there is no pidfd, the hang-up of the worker's end tells of its
  /// death.
  lifeline: OwnedFd,
  started_at: Instant,
  /// How the worker ended, once that is known.
  exit: Option<Exit>,
  /// The system did not let this process signal the worker.
  is_refused: bool,
  /// The worker has ended; its status is to be asked for at this time.
  reap_at: Option<Instant>,
}

impl Process {
  pub(super) fn new(child: Child, lifeline: OwnedFd, now: Instant) -> Self {
    Self { child, lifeline, started_at: now, exit: None, is_refused: false, reap_at: None }
  }

  pub(super) fn pid(&self) -> u32 {
    self.child.pid()
  }

  pub(super) fn started_at(&self) -> Instant {
    self.started_at
  }

  pub(super) fn exit(&self) -> Option<Exit> {
    self.exit
  }

  pub(super) fn reap_at(&self) -> Option<Instant> {
    self.reap_at
  }

  /// Readable once the worker has ended.
  pub(super) fn sentinel(&self) -> BorrowedFd<'_> {
    self.child.pidfd().unwrap_or(self.lifeline.as_fd())
  }

  /// Whether the sentinel is a hang-up, which stays readable until the descriptor closes.
  pub(super) fn is_watched_by_hangup(&self) -> bool {
    self.child.pidfd().is_none()
  }

  /// Whether the worker has ended, noticed or not.
  pub(super) fn has_left(&self) -> bool {
    self.exit.is_some() || self.child.has_ended()
  }

  /// Sends a signal to the worker and to all that it has started. A process that is gone needs none. If the system does
  /// not allow the signal, since this process has changed its user, the worker ends itself by its lifeline.
  pub(super) fn signal(&mut self, signal: i32) {
    let mut sent = self.child.signal_group(signal);
    if sent.is_ok() && signal == libc::SIGKILL {
      // The signal may have reached only what the worker has started.
      sent = self.child.signal(signal);
    }
    if sent.is_err_and(|error| error.errno() == Some(libc::EPERM)) {
      self.is_refused = true;
      hang_up(&self.lifeline);
    }
  }

  /// Kills what a worker that has ended, and is not reaped, has left in its group.
  pub(super) fn sweep(&self) {
    let _ = self.child.signal_group(libc::SIGKILL);
  }

  /// Whether the system did not let this process signal the worker.
  pub(super) fn is_refused(&self) -> bool {
    self.is_refused
  }

  /// Asks how the worker ended. False: the status is not there yet.
  pub(super) fn reap(&mut self, now: Instant) -> bool {
    self.exit = self.child.try_wait().unwrap_or_default();
    self.reap_at = if self.exit.is_none() { Some(now + REAP_RETRY) } else { None };
    self.exit.is_some()
  }

  /// Waits until the worker is reaped, at most for `timeout`.
  pub(super) fn wait(&mut self, timeout: Duration) {
    if self.exit.is_none() {
      let _ = self.child.wait_timeout(timeout);
    }
  }
}
