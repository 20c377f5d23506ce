//! The size of a lane's worker: looks at its memory, and its end by that.

use std::time::Instant;

use millrace_ring::{Position, WorkerPhase};

use super::Lane;
use super::memory::Work;

impl Lane {
  /// What the worker runs now.
  pub(crate) fn work(&self) -> Option<Work> {
    let position = self.held.front()?.position;
    if !self.ring.is_claimed(position) {
      return None;
    }
    Some(Work { position, item: self.ring.progress(position).map_or(0, |progress| progress.next) })
  }

  /// Notes a look at the worker, which has `rss` resident bytes and runs `work`. Returns how many bytes more they are
  /// than at the look before.
  pub(crate) fn note_memory(&mut self, rss: u64, work: Option<Work>, now: Instant) -> u64 {
    self.memory_seen.note(rss, work, now)
  }

  /// The call at `position` begins. A look that was made right before counts as one at that beginning.
  pub(crate) fn note_beginning(&mut self, position: Position, now: Instant) {
    self.memory_seen.call_begins(position, now);
  }

  /// Whether the worker had no more than `limit` bytes when it was seen at the same work before.
  pub(crate) fn was_within(&self, limit: u64, work: Work) -> bool {
    self.memory_seen.was_within(limit, work)
  }

  /// Whether the size that was seen last counts for a worker that is between two calls.
  pub(crate) fn has_fresh_memory(&self, now: Instant) -> bool {
    self.memory_seen.is_fresh(now)
  }

  /// The worker is about to be killed because it has `rss` resident bytes.
  pub(crate) fn note_outgrown(&mut self, rss: u64) {
    self.outgrown = Some(rss);
  }

  /// The resident bytes for which the worker was killed.
  pub(crate) fn outgrown(&self) -> Option<u64> {
    self.outgrown
  }

  /// Whether the worker has said that its heap is full. It aborts then.
  pub(crate) fn is_out_of_memory(&self) -> bool {
    self.ring.phase() == Some(WorkerPhase::OutOfMemory)
  }
}
