//! The chunk that a lane's worker runs: a call of many items, of which each has an outcome of its own.

use std::time::{Duration, Instant};

use millrace_ring::{CHUNK_ITEMS, Position, Progress, Sealed};

use super::finished_part::FinishedPart;
use super::{Held, Lane};
use crate::completion::CallId;

/// By how much a time of the worker's may be ahead of the host's, which was read before.
const CLOCK_SKEW_MS: i32 = 1000;

impl Lane {
  /// The call in front, if what the worker says of it can be believed.
  fn credible_front(&self) -> Option<Held> {
    self.held.front().copied().filter(|_| !self.is_corrupt())
  }

  /// Takes back the items of a chunk that have not begun. `None` if the worker runs no item of this call.
  pub(crate) fn cut(&self, id: CallId) -> Option<Progress> {
    let front = self.credible_front().filter(|front| front.call == id)?;
    self.ring.cut(front.position)
  }

  /// How far the running chunk has come.
  pub(crate) fn progress(&self) -> Option<Progress> {
    self.ring.progress(self.held.front()?.position)
  }

  /// Seals a chunk whose worker may live. `None`: it is answered, has come further than where `may` allows it, or
  /// another call is queued behind, whose items would overwrite the journal.
  pub(crate) fn interrupt(&self, id: CallId, may: impl Fn(Option<Progress>) -> bool) -> Option<FinishedPart> {
    if self.is_corrupt() {
      return None;
    }
    let position = self.unanswered_last(id)?;
    let sealed = self.ring.seal(position, may)?;
    // An item that ran is lost for good by the seal. Otherwise the worker may have answered just before.
    if !matches!(sealed, Sealed::At { .. }) && self.ring.has_answer(position) {
      self.unseal(position);
      return None;
    }
    Some(self.finished(sealed))
  }

  /// A chunk is answered that was sealed meanwhile.
  pub(crate) fn unseal(&self, position: Position) {
    self.ring.unseal(position);
  }

  /// What the worker, which has ended, had finished of the chunk in front.
  pub(crate) fn finished_part(&self) -> Option<FinishedPart> {
    let front = self.credible_front()?;
    Some(self.finished(self.ring.seal(front.position, |_| true)?))
  }

  fn finished(&self, sealed: Sealed) -> FinishedPart {
    let (done, is_lost) = match sealed {
      Sealed::Unbegun => (0, false),
      Sealed::At { done } => (done, true),
      Sealed::Over { done, is_lost } => (done, is_lost),
    };
    let journal = if done == 0 { Vec::new() } else { self.ring.journal() };
    FinishedPart { done: done.min(CHUNK_ITEMS), is_lost, is_unbegun: sealed == Sealed::Unbegun, journal }
  }

  /// When the present item of the running chunk began. The worker writes that time, so it is held against what the host
  /// knows: not before `since`, the claim of the chunk, and not after now.
  pub(crate) fn item_since(&self, since: Instant, now: Instant, now_ms: u64) -> Instant {
    let began = self.ring.item_began();
    if began == 0 || self.progress().is_none() {
      return since;
    }
    now.checked_sub(age(now_ms as u32, began)).map_or(since, |at| at.clamp(since.min(now), now))
  }
}

/// The time from `began` to `now`. The worker may have written `began` after the host has looked at the clock.
fn age(now: u32, began: u32) -> Duration {
  let age = now.wrapping_sub(began);
  let is_ahead = (-CLOCK_SKEW_MS..0).contains(&(age as i32));
  Duration::from_millis(if is_ahead { 0 } else { age.into() })
}

#[cfg(test)]
mod tests {
  use super::*;

  #[test]
  fn an_item_that_begins_while_the_host_looks_at_the_clock_has_begun_now() {
    for now in [0, 1, 5000, u32::MAX] {
      assert_eq!(age(now, now), Duration::ZERO);
      assert_eq!(age(now, now.wrapping_add(1)), Duration::ZERO);
      assert_eq!(age(now.wrapping_add(7), now), Duration::from_millis(7));
    }
  }

  #[test]
  fn a_time_that_no_item_can_have_begun_at_is_long_ago() {
    assert!(age(1000, 60_000_000) > Duration::from_secs(86_400));
  }
}
