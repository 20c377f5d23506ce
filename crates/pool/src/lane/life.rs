//! What the host wants of a worker.

use std::time::Instant;

use millrace_ring::Position;

use crate::event::ExitReason;

/// What the host wants of a lane's worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
  /// It boots; not ready before its boot call has been answered.
  Starting { deadline: Instant },
  /// It takes calls.
  Ready,
  /// It was asked to leave when it has nothing left to do.
  Leaving { reason: ExitReason, deadline: Instant },
  /// The call that it runs was told to abort, and it is terminated at `deadline` unless that call ends before; then it
  /// goes on, or leaves if it was leaving already.
  Aborting { position: Position, deadline: Instant, leaving: Option<ExitReason> },
  /// It was sent SIGTERM, and SIGKILL follows.
  Terminated { reason: ExitReason, deadline: Instant },
  /// It was sent SIGKILL.
  Killed { reason: ExitReason },
}
