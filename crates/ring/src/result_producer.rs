//! The worker's end of the result ring.
//!
//! | the worker dies | in memory | the host sees |
//! |---|---|---|
//! | before it writes | the entry of one lap before, which it has consumed | nothing |
//! | while or after it writes entry and block | bytes that no stamp vouches for | nothing |
//! | after the store of the stamp | a whole result | that result, as soon as it looks |
//!
//! With twice as many entries as call slots the ring never refuses a result: a call slot is pushed to again only after
//! its result was consumed, so at most N results are in the ring, and a notice is committed only while fewer than N
//! entries are taken.

use crate::record::Position;
use crate::result_slot::ResultSlot;
use crate::sync::{AtomicU32, SyncPoint};

#[derive(Debug)]
pub(crate) struct ResultProducer {
  mask: u32,
  next: Position,
  /// The host's cursor, as last seen.
  consumed: Position,
}

impl ResultProducer {
  /// For a ring of `entries` (a power of two) that was formatted to begin at `start`.
  pub(crate) fn new(entries: u32, start: Position) -> Self {
    Self { mask: entries - 1, next: start, consumed: start }
  }

  /// The position that the next commit fills.
  #[inline]
  pub(crate) fn next(&self) -> Position {
    self.next
  }

  /// The host's cursor, as last seen.
  #[inline]
  pub(crate) fn consumed(&self) -> Position {
    self.consumed
  }

  /// Number of entries.
  #[inline]
  pub(crate) fn entries(&self) -> u32 {
    self.mask + 1
  }

  /// Index of the entry at `position`.
  #[inline]
  pub(crate) fn index(&self, position: Position) -> usize {
    (position & self.mask) as usize
  }

  /// Entries that the host has not consumed, as far as is known without a look at shared memory.
  #[inline]
  pub(crate) fn in_use(&self) -> u32 {
    self.next.wrapping_sub(self.consumed)
  }

  /// Looks where the host is. A cursor that no correct host stores, outside of the committed entries, is ignored.
  #[inline]
  pub(crate) fn refresh(&mut self, consumed: &AtomicU32) {
    // SYNC POINT ResultConsumed: the host's reads of what it has passed are over.
    let seen = consumed.load(SyncPoint::ResultConsumed.acquire());
    if seen.wrapping_sub(self.consumed) <= self.in_use() {
      self.consumed = seen;
    }
  }

  /// Whether fewer than `limit` entries are taken. Asks shared memory only if the last known cursor does not say so.
  #[inline]
  pub(crate) fn has_room(&mut self, limit: u32, consumed: &AtomicU32) -> bool {
    if self.in_use() >= limit {
      self.refresh(consumed);
    }
    self.in_use() < limit
  }

  /// The entry that the next commit fills. The worker's to write after [`ResultProducer::has_room`] said so.
  #[inline]
  pub(crate) fn slot<'a>(&self, slots: &'a [ResultSlot]) -> &'a ResultSlot {
    &slots[self.index(self.next)]
  }

  /// Makes the entry visible, and steps on.
  #[inline]
  pub(crate) fn commit(&mut self, slots: &[ResultSlot]) {
    self.slot(slots).commit(self.next);
    self.next = self.next.wrapping_add(1);
  }
}
