//! The host's end of the result ring.
//!
//! The host never writes to the slots. Its cursor is private; a copy, `consumed`, tells the worker which slots it may
//! overwrite. A worker that dies has committed whole results only, so a drain after its death finds all of them and
//! nothing else.

use crate::record::Position;
use crate::result_slot::{ResultSlot, Stamp};
use crate::sync::{AtomicU32, SyncPoint};

#[derive(Debug)]
pub(crate) struct ResultConsumer {
  mask: u32,
  next: Position,
}

impl ResultConsumer {
  /// For a ring of `entries` (a power of two) that was formatted to begin at `start`.
  pub(crate) fn new(entries: u32, start: Position) -> Self {
    Self { mask: entries - 1, next: start }
  }

  /// The position to look at.
  #[inline]
  pub(crate) fn next(&self) -> Position {
    self.next
  }

  /// The slot at `position`.
  #[inline]
  pub(crate) fn slot<'a>(&self, slots: &'a [ResultSlot], position: Position) -> &'a ResultSlot {
    &slots[(position & self.mask) as usize]
  }

  /// What is at the cursor.
  #[inline]
  pub(crate) fn look(&self, slots: &[ResultSlot]) -> Stamp {
    self.look_at(slots, self.next)
  }

  /// What is at `position`, which is at most a lap ahead of the cursor.
  #[inline]
  pub(crate) fn look_at(&self, slots: &[ResultSlot], position: Position) -> Stamp {
    self.slot(slots, position).look(position, self.mask + 1)
  }

  /// Steps on: the entry and its block are the worker's again.
  #[inline]
  pub(crate) fn advance(&mut self, consumed: &AtomicU32) {
    self.next = self.next.wrapping_add(1);
    // SYNC POINT ResultConsumed: pairs with the worker's look for room. The host's reads are before.
    consumed.store(self.next, SyncPoint::ResultConsumed.release());
  }
}
