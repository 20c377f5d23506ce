//! The progress of a chunk: a call of many items, which a worker runs one after the other.
//!
//! A worker that dies in the middle of a chunk must cost the item that it ran, and no other. So the outcome of each
//! item lies in shared memory before the next item begins, in the lane's *journal*, and a word of the chunk's call slot
//! says how far the chunk has come:
//!
//! ```text
//!   items   0 … next - 1    next          next + 1 … limit - 1     limit …
//!           in the journal  begun         to run                   not this worker's
//! ```
//!
//! | word | writer | when |
//! |---|---|---|
//! | `ChunkWord`, one a call slot | worker | `begin`, `advance`, `end`; 0 outside of these |
//! | | host | `cut`: lowers `limit` |
//! | [`JournalHead::end`] | worker | after the bytes of an outcome, before `advance` |
//! | [`JournalHead::began`] | worker | when an item begins, of a chunk whose items have a time limit |
//!
//! One compare-and-swap both keeps the outcome of item `next` and begins the item behind. Exactly one of `advance` and
//! `cut` wins: an item that the host has taken back has not begun, and, cut at `next`, item `next` counts as not
//! finished whatever its worker does. The word is one of the call's own slot, so a `cut` meets no other chunk: the host
//! gives the slot to another call only after it has read the result of this one.
//!
//! The host reads the journal when the worker is dead, and trusts neither lengths nor bytes. After a death between
//! `end` and `advance` the journal has one outcome more than the word says; that outcome does not count.
//!
//! The worker's side of this protocol runs in TypeScript (`src/worker/journal.ts`), with sequentially consistent
//! atomics, since a step costs as much as a small item.

use crate::sync::{AtomicU32, Ordering};

/// Items that a chunk may have at most.
pub const CHUNK_ITEMS: u32 = 0xffff;

/// How far a chunk has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
  /// The number of items that have an outcome in the journal. The item behind them has begun, if it is below `limit`.
  pub next: u32,
  /// The first item that this worker does not run.
  pub limit: u32,
}

impl Progress {
  fn of(word: u32) -> Option<Self> {
    (word != 0).then_some(Self { next: word & CHUNK_ITEMS, limit: word >> 16 })
  }

  const fn word(self) -> u32 {
    self.limit << 16 | self.next
  }
}

/// The progress of the chunk in one call slot; 0 when no chunk runs there.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct ChunkWord(AtomicU32);

impl ChunkWord {
  /// Host, while it formats the lane.
  pub(crate) fn format(&self) {
    self.0.store(0, Ordering::Relaxed);
  }

  /// Host: how far the chunk has come. `None`: it has not begun, or its result is on the way.
  pub(crate) fn progress(&self) -> Option<Progress> {
    Progress::of(self.0.load(Ordering::Acquire))
  }

  /// Host: takes back all items that have not begun, and, without `keep_begun`, the outcome of the one that has.
  /// Returns how far the chunk has come, with the new limit. `None`: no item has begun and is not over.
  pub(crate) fn cut(&self, keep_begun: bool) -> Option<Progress> {
    loop {
      let before = Progress::of(self.0.load(Ordering::Acquire)).filter(|before| before.next < before.limit)?;
      let limit = before.limit.min(before.next + u32::from(keep_begun));
      let after = Progress { limit, ..before };
      if self.0.compare_exchange(before.word(), after.word(), Ordering::AcqRel, Ordering::Relaxed).is_ok() {
        return Some(after);
      }
    }
  }
}

/// The worker's steps, as TypeScript takes them, for tests.
#[cfg(test)]
impl ChunkWord {
  #[cfg(loom)]
  pub(crate) fn new() -> Self {
    Self(AtomicU32::new(0))
  }

  pub(crate) fn begin(&self, items: u32) {
    self.0.store(Progress { next: 0, limit: items }.word(), Ordering::SeqCst);
  }

  /// Item `next` is over and its outcome in the journal. False: the host has taken that item back.
  pub(crate) fn advance(&self) -> bool {
    loop {
      let Some(before) = Progress::of(self.0.load(Ordering::SeqCst)) else { return false };
      if before.next >= before.limit {
        return false;
      }
      let after = Progress { next: before.next + 1, ..before };
      if self.0.compare_exchange(before.word(), after.word(), Ordering::SeqCst, Ordering::SeqCst).is_ok() {
        return true;
      }
    }
  }

  pub(crate) fn end(&self) {
    self.0.store(0, Ordering::SeqCst);
  }
}

/// What precedes the journal.
#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct JournalHead {
  /// Bytes of outcomes.
  pub(crate) end: AtomicU32,
  /// When the present item began: the lower 32 bits of the milliseconds of the monotonic clock. 0: unknown.
  pub(crate) began: AtomicU32,
}
