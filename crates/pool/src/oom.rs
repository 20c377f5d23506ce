//! Whether a SIGKILL came from the kernel's out-of-memory killer.
//!
//! Nothing in the end of a process tells. But the kernel counts its victims before it kills them, so a count that has
//! grown explains a SIGKILL that is nobody else's.

use millrace_sys::oom_kills;

/// The victims that are accounted for.
#[derive(Debug, Default)]
pub(crate) struct OomVictims {
  /// `None`: the system does not count.
  known: Option<u64>,
}

impl OomVictims {
  /// The pool has no worker: all victims so far were others.
  pub(crate) fn forget_others(&mut self) {
    self.known = oom_kills();
  }

  /// A worker was killed by SIGKILL, and not by this pool: whether there is a victim that the worker can have been.
  /// More cannot be known, since the victim may have been another process of the group.
  pub(crate) fn claim_one(&mut self) -> Option<bool> {
    let known = self.known.as_mut()?;
    let is_one = oom_kills()? > *known;
    // One victim explains one worker, also if several died at once.
    *known += u64::from(is_one);
    Some(is_one)
  }
}
