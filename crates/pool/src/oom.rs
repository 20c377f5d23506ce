//! Whether a SIGKILL came from the kernel's out-of-memory killer. Nothing in a process's end tells, but the kernel counts its
//! victims before it kills them.

use millrace_sys::oom_kills;

/// The victims that have been accounted for.
#[derive(Debug, Default)]
pub(crate) struct OomVictims {
  /// `None`: the system does not count.
  known: Option<u64>,
}

impl OomVictims {
  /// There are no workers: whatever was killed before was none.
  pub(crate) fn forget_others(&mut self) {
    self.known = oom_kills();
  }

  /// A worker was killed by SIGKILL, and not by this pool: whether there is a victim that it can have been. Some other
  /// process of the group may have been meant; so this is as much as can be known.
  pub(crate) fn claim_one(&mut self) -> Option<bool> {
    let known = self.known.as_mut()?;
    let is_one = oom_kills()? > *known;
    // One victim is one worker, also if several died at once.
    *known += u64::from(is_one);
    Some(is_one)
  }
}
