//! Points inside of operations, for tests that kill a worker there.

/// Where a worker is inside [`crate::WorkerLane::take`] or [`crate::WorkerLane::commit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
  /// A queued call was seen, and is not claimed yet. Definitions are passed over.
  BeforeClaim,
  /// It is claimed.
  AfterClaim,
  /// Slot and block of a result are reserved; nothing is written.
  ResultReserved,
  /// Half of the result's payload is written.
  MidResult,
  /// All is written, and nothing is committed.
  BeforeCommit,
}

/// Told of each step; [`Unwatched`] costs nothing.
pub(crate) trait Probe {
  /// Whether payloads are to be written in two halves.
  const ACTIVE: bool;

  fn at(&mut self, step: Step);
}

pub(crate) struct Unwatched;

impl Probe for Unwatched {
  const ACTIVE: bool = false;

  #[inline(always)]
  fn at(&mut self, _step: Step) {}
}

pub(crate) struct Watched<F>(pub(crate) F);

impl<F: FnMut(Step)> Probe for Watched<F> {
  const ACTIVE: bool = true;

  fn at(&mut self, step: Step) {
    (self.0)(step);
  }
}
