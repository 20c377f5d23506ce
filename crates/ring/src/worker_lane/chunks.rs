//! The worker's journal, which TypeScript writes.

use core::ptr::NonNull;

use crate::memory::{Memory, NoMemory};
use crate::record::Position;
use crate::worker_lane::WorkerLane;

impl<M: Memory> WorkerLane<M> {
  /// The memory from the journal's head to the end of its bytes, which begin at [`WorkerLane::journal_offset`]. It is
  /// mapped as long as the lane's memory.
  pub fn journal(&self) -> (NonNull<u8>, usize) {
    (self.view.journal_address(), self.geometry.journal().len())
  }

  /// Where the bytes of the journal begin, behind its head and the words of the chunks.
  pub fn journal_offset(&self) -> usize {
    self.geometry.journal_bytes() - self.geometry.journal().start
  }

  /// The index of the word of the call at `p`, among those of all call slots.
  pub fn chunk_index(&self, p: Position) -> u32 {
    p & (self.geometry.slots - 1)
  }

  /// Makes the pages exist of a range of the journal's bytes.
  ///
  /// # Errors
  /// When the machine has no memory for them.
  pub fn commit_journal(&self, from: usize, to: usize) -> Result<(), NoMemory> {
    let capacity = self.geometry.journal_capacity() as usize;
    let (from, to) = (from.min(capacity), to.min(capacity));
    self.memory().commit(self.geometry.journal_bytes() + from, to.saturating_sub(from))
  }

  /// Gives the pages of the journal's bytes back, from `from` on.
  pub fn trim_journal(&self, from: usize) {
    let capacity = self.geometry.journal_capacity() as usize;
    let from = from.min(capacity);
    self.memory().discard(self.geometry.journal_bytes() + from, capacity - from);
  }
}
