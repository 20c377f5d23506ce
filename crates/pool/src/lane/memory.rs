//! The memory of a worker, as it was seen last, and what the worker did then.
//!
//! The host learns the size of a worker at some moments only. A call is to blame for a size if the worker was smaller
//! when the call was seen before: so each look notes the call, and of a chunk the item.

use std::time::{Duration, Instant};

use millrace_ring::Position;

/// A look before a call is left out if there was one in this time.
const FRESH: Duration = Duration::from_millis(5);

/// Calls of this time may grow their worker by megabytes: after such a call no earlier look counts.
const LONG_NS: u32 = 1_000_000;

/// What a worker runs: a call, and the item if the call is a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Work {
  pub(super) position: Position,
  /// 0 for a call that is no chunk.
  pub(crate) item: u32,
}

/// The last look at the memory of a worker.
#[derive(Debug, Default)]
pub(super) struct MemorySeen {
  /// `None`: there was none.
  at: Option<Instant>,
  rss: u64,
  /// `None`: the worker was between two calls.
  work: Option<Work>,
  /// A call has ended since that was long enough to grow the worker.
  is_outdated: bool,
}

impl MemorySeen {
  /// Notes a look, and returns how many bytes more there are than at the look before.
  pub(super) fn note(&mut self, rss: u64, work: Option<Work>, now: Instant) -> u64 {
    let growth = if self.at.is_some() { rss.saturating_sub(self.rss) } else { 0 };
    *self = Self { at: Some(now), rss, work, is_outdated: false };
    growth
  }

  /// A call begins. If the look was made right before, the size that was seen is the size at that beginning.
  pub(super) fn call_begins(&mut self, position: Position, now: Instant) {
    if self.at == Some(now) {
      self.work = Some(Work { position, item: 0 });
    }
  }

  /// A call has ended.
  pub(super) fn call_ended(&mut self, ran_ns: u32) {
    self.is_outdated |= ran_ns >= LONG_NS;
  }

  /// Whether the worker had no more than `limit` bytes when it was seen at the same work before.
  pub(super) fn was_within(&self, limit: u64, work: Work) -> bool {
    self.work == Some(work) && self.rss <= limit
  }

  /// Whether a worker that is between two calls has still the size that was seen, or not much more.
  pub(super) fn is_fresh(&self, now: Instant) -> bool {
    !self.is_outdated && self.at.is_some_and(|at| now.duration_since(at) < FRESH)
  }
}

#[cfg(test)]
mod tests {
  use super::*;

  #[test]
  fn a_look_right_before_a_call_counts_as_one_at_its_beginning() {
    let (now, mut seen) = (Instant::now(), MemorySeen::default());
    let work = Work { position: 7, item: 0 };
    assert_eq!(seen.note(100, None, now), 0);
    seen.call_begins(7, now + Duration::from_millis(1));
    assert!(!seen.was_within(100, work));
    seen.call_begins(7, now);
    assert!(seen.was_within(100, work) && !seen.was_within(99, work));
    assert!(!seen.was_within(100, Work { item: 1, ..work }));
    assert_eq!(seen.note(130, Some(work), now), 30);
  }

  #[test]
  fn a_look_counts_until_some_time_has_passed_or_a_long_call_has_ended() {
    let (now, mut seen) = (Instant::now(), MemorySeen::default());
    assert!(!seen.is_fresh(now));
    seen.note(100, None, now);
    seen.call_ended(LONG_NS - 1);
    assert!(seen.is_fresh(now) && !seen.is_fresh(now + FRESH));
    seen.call_ended(LONG_NS);
    assert!(!seen.is_fresh(now));
    seen.note(100, None, now);
    assert!(seen.is_fresh(now));
  }
}
