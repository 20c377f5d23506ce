//! The chunk that a lane's worker runs: a call of many items, of which each has an outcome of its own.

use std::time::{Duration, Instant};

use millrace_ring::{CHUNK_ITEMS, Progress};

use super::Lane;
use super::finished_part::FinishedPart;
use crate::completion::CallId;

impl Lane {
  /// Takes back the items of a chunk that have not begun; without `keep_begun` also the one that has. `None` if the
  /// worker does not run this call, or the call is no chunk.
  pub(crate) fn cut(&self, id: CallId, keep_begun: bool) -> Option<Progress> {
    let front = self.held.front().filter(|front| front.call == id && !self.is_corrupt())?;
    self.ring.cut(front.position, keep_begun)
  }

  /// What the worker, which has ended, had finished of the chunk that it ran.
  pub(crate) fn finished_part(&self) -> Option<FinishedPart> {
    let front = self.held.front().filter(|_| !self.is_corrupt())?;
    let Progress { next: done, limit } = self.ring.progress(front.position)?;
    // No correct worker goes beyond the limit.
    (done <= limit && limit <= CHUNK_ITEMS).then(|| FinishedPart { done, journal: self.ring.journal() })
  }

  /// When the present item of the running chunk began. The worker writes that time, so it is held against what the host
  /// knows: not before `since`, the claim of the chunk, and not after now.
  pub(crate) fn item_since(&self, since: Instant, now: Instant, now_ms: u64) -> Instant {
    let front = self.held.front();
    let began = self.ring.item_began();
    if began == 0 || front.is_none_or(|front| self.ring.progress(front.position).is_none()) {
      return since;
    }
    let age = Duration::from_millis(u64::from((now_ms as u32).wrapping_sub(began)));
    now.checked_sub(age).map_or(since, |at| at.clamp(since.min(now), now))
  }
}
