//! The life of a worker: the states that the host gives it, and the events that lead from one state to the next.
//!
//! | from | event | to |
//! |---|---|---|
//! | `Starting` | the boot call is answered | `Ready` |
//! | `Starting` | the deadline of the start | `Killed` |
//! | `Starting`, `Ready` | the pool asks the worker to leave | `Leaving` |
//! | `Ready`, `Leaving` | the pool stops the running call | `Aborting` |
//! | `Aborting` | the call ends within its grace | `Ready`, or again `Leaving` |
//! | `Leaving`, `Aborting` | the deadline | `Terminated` (SIGTERM) |
//! | `Terminated` | the deadline | `Killed` (SIGKILL) |
//! | each | the pool terminates or kills all workers | `Terminated`, `Killed` |
//!
//! A worker that leaves finishes its call first: the deadline counts from the end of that call.
//!
//! The end of the process is no state, since a worker can end in each of them. [`Life::exit_reason`] tells what an end
//! means.

use std::time::Instant;

use millrace_ring::Position;

use crate::config::KILL_AFTER;
use crate::event::ExitReason;

/// The state of a worker's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
  /// The worker boots. It is ready once its boot call has been answered, and is killed at `deadline`.
  Starting { deadline: Instant },
  /// The worker takes calls.
  Ready,
  /// The worker was asked to leave once it has nothing left to do, and gets SIGTERM at `deadline`.
  Leaving { reason: ExitReason, deadline: Instant },
  /// The call at `position` was told to abort. If it has not ended at `deadline` the worker gets SIGTERM. `leaving`:
  /// the worker leaves after that call in any case.
  Aborting { position: Position, deadline: Instant, leaving: Option<ExitReason> },
  /// The worker was sent SIGTERM, and gets SIGKILL at `deadline`.
  Terminated { reason: ExitReason, deadline: Instant },
  /// The worker was sent SIGKILL.
  Killed { reason: ExitReason },
}

impl Life {
  /// Whether the boot call was answered, or is not waited for any more.
  pub(crate) fn has_booted(self) -> bool {
    !matches!(self, Self::Starting { .. })
  }

  /// Whether the host has signalled the worker already.
  pub(crate) fn is_signalled(self) -> bool {
    matches!(self, Self::Terminated { .. } | Self::Killed { .. })
  }

  /// The boot call was answered. A worker that was let go or stopped while it booted stays so.
  pub(super) fn booted(self) -> Self {
    if self.has_booted() { self } else { Self::Ready }
  }

  /// The worker is asked to leave. One that boots may first come to its boot call's end.
  pub(super) fn leaving(self, reason: ExitReason, now: Instant) -> Self {
    let from = if let Self::Starting { deadline } = self { deadline } else { now };
    Self::Leaving { reason, deadline: from + KILL_AFTER }
  }

  /// The call at `position` is told to abort. The earliest deadline counts. A worker that boots, or was signalled,
  /// stays so.
  pub(super) fn aborting(self, position: Position, deadline: Instant) -> Self {
    match self {
      Self::Ready => Self::Aborting { position, deadline, leaving: None },
      Self::Leaving { reason, .. } => Self::Aborting { position, deadline, leaving: Some(reason) },
      Self::Aborting { deadline: before, leaving, .. } => {
        Self::Aborting { position, deadline: deadline.min(before), leaving }
      }
      other => other,
    }
  }

  /// The result of the call at `position` was read.
  pub(super) fn after_result(self, position: Position, now: Instant) -> Self {
    let deadline = now + KILL_AFTER;
    match self {
      Self::Aborting { position: aborted, leaving, .. } if aborted == position => {
        leaving.map_or(Self::Ready, |reason| Self::Leaving { reason, deadline })
      }
      // Only now has the worker nothing left to do.
      Self::Leaving { reason, .. } => Self::Leaving { reason, deadline },
      other => other,
    }
  }

  /// Why a worker has left that ended in this state. `is_graceful`: it had claimed no call, and its memory is sound.
  /// `says_goodbye`: it said itself that it leaves.
  pub(crate) fn exit_reason(self, is_graceful: bool, says_goodbye: bool) -> ExitReason {
    match self {
      Self::Leaving { reason, .. } if is_graceful => reason,
      Self::Terminated { reason, .. } | Self::Killed { reason } => reason,
      // SIGTERM was next, for the call that it ran.
      Self::Aborting { .. } => ExitReason::Killed,
      Self::Starting { .. } => ExitReason::FailedStart,
      Self::Ready | Self::Leaving { .. } if is_graceful && says_goodbye => ExitReason::Recycled,
      Self::Ready | Self::Leaving { .. } => ExitReason::Died,
    }
  }
}

#[cfg(test)]
mod tests {
  use std::time::Duration;

  use super::*;

  #[test]
  fn a_call_that_ends_within_its_grace_spares_its_worker() {
    let now = Instant::now();
    let aborting = Life::Ready.aborting(7, now + Duration::from_secs(1));
    assert_eq!(aborting.after_result(6, now), aborting);
    assert_eq!(aborting.after_result(7, now), Life::Ready);
  }

  #[test]
  fn a_worker_that_was_leaving_leaves_after_the_aborted_call() {
    let now = Instant::now();
    let leaving = Life::Ready.leaving(ExitReason::Recycled, now);
    let after = leaving.aborting(7, now).after_result(7, now);
    assert_eq!(after, Life::Leaving { reason: ExitReason::Recycled, deadline: now + KILL_AFTER });
  }

  #[test]
  fn a_second_abort_does_not_lengthen_the_grace() {
    let now = Instant::now();
    let (early, late) = (now + Duration::from_secs(1), now + Duration::from_secs(2));
    for (first, second) in [(early, late), (late, early)] {
      let Life::Aborting { deadline, .. } = Life::Ready.aborting(7, first).aborting(7, second) else { unreachable!() };
      assert_eq!(deadline, early);
    }
  }
}
