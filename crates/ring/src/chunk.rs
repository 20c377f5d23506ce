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
//! | the word | says | what the host concludes if there is no answer |
//! |---|---|---|
//! | 0 | the chunk has not begun, or is answered | no item has run |
//! | `next < limit` | item `next` runs | item `next` is lost |
//! | `next = limit` | the answer is next | nothing is lost: all outcomes are in the journal |
//! | `next + 1`, and no limit | sealed at `next` | item `next` is lost |
//! | [`UNBEGUN`] | sealed before the first item | no item has run |
//!
//! | word | writer | when |
//! |---|---|---|
//! | `ChunkWord`, one a call slot | worker | `begin`, `advance`, its own seal; `end` behind the answer |
//! | | host | `cut` lowers `limit`, `seal` ends the chunk; `unseal` behind the answer |
//! | [`JournalHead::end`] | worker | after the bytes of an outcome, before `advance` |
//! | [`JournalHead::began`] | worker | before `begin` and `advance`, of a chunk whose items have a time limit |
//!
//! All steps before the answer are compare-and-swaps: one both keeps the outcome of item `next` and begins the item
//! behind. Exactly one of two racing sides wins.
//!
//! - An item that the host has taken back (`cut`) does not begin.
//! - Once the host has sealed a chunk, the outcome of item `next` counts as lost, whatever its worker does, and no
//!   further item begins. What the journal holds of the items before stays as it is. So the host reads the journal of a
//!   sealed chunk at once, also while the worker lives, as long as that worker has no other chunk to begin.
//! - A worker seals for itself when an outcome does not fit the journal: that outcome travels with the answer only.
//!   Until the answer is committed the item counts as lost.
//! - A worker that ends a chunk before its last item lowers `limit` as it advances. So no item counts as begun that has
//!   not.
//! - A word of 0 that the host has sealed may have been answered just before: so the host looks for the answer after
//!   that.
//!
//! The word is one of the call's own slot. The host gives the slot to another call only after it has read the answer of
//! this one, so that neither `cut` nor `seal` meets another chunk.
//!
//! The host trusts neither lengths nor bytes of the journal. Between `end` and `advance` the journal has one outcome
//! more than the word says; that outcome does not count.
//!
//! The worker's side of this protocol runs in TypeScript (`src/worker/journal.ts`), with sequentially consistent
//! atomics, since a step costs as much as a small item.

use crate::sync::{AtomicU32, Ordering};

/// Half of a word: `limit` is the upper one.
const HALF: u32 = 0xffff;

/// Sealed before the first item has begun.
const UNBEGUN: u32 = HALF;

/// Items that a chunk may have at most. So the word of a chunk that is sealed at its last item is not [`UNBEGUN`].
pub const CHUNK_ITEMS: u32 = HALF - 1;

/// How far a chunk has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
  /// The number of items that have an outcome in the journal. The item behind them has begun, if it is below `limit`.
  pub next: u32,
  /// The first item that this worker does not run; 0: the chunk is sealed.
  pub limit: u32,
}

impl Progress {
  fn of(word: u32) -> Option<Self> {
    let (low, limit) = (word & HALF, word >> 16);
    match limit {
      0 if low == 0 || low == UNBEGUN => None,
      0 => Some(Self { next: low - 1, limit }),
      _ => Some(Self { next: low, limit }),
    }
  }

  const fn word(self) -> u32 {
    if self.limit == 0 { self.next + 1 } else { self.limit << 16 | self.next }
  }

  const fn sealed(self) -> Self {
    Self { limit: 0, ..self }
  }
}

/// What a chunk was when the host sealed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealed {
  /// It had not begun, or its answer is committed.
  Unbegun,
  /// Item `done` ran, and is lost.
  At {
    /// The number of finished items.
    done: u32,
  },
  /// The worker was about to answer, and may have done so by now.
  Over {
    /// The number of outcomes in the journal.
    done: u32,
    /// Whether item `done` has run, and its outcome is nowhere but in the answer.
    is_lost: bool,
  },
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

  /// Host: how far the chunk has come. `None`: it has not begun, or its answer is committed.
  pub(crate) fn progress(&self) -> Option<Progress> {
    Progress::of(self.0.load(Ordering::Acquire))
  }

  /// Host: takes back all items that have not begun. Returns how far the chunk has come, with the new limit. `None`: no
  /// item runs.
  pub(crate) fn cut(&self) -> Option<Progress> {
    loop {
      let before = self.progress().filter(|before| before.next < before.limit)?;
      let after = Progress { limit: before.next + 1, ..before };
      if self.exchange(before.word(), after.word()) {
        return Some(after);
      }
    }
  }

  /// Host: from now on no outcome counts that is not in the journal. `None`: the chunk has come further than where
  /// `may` allows it.
  pub(crate) fn seal(&self, may: impl Fn(Option<Progress>) -> bool) -> Option<Sealed> {
    loop {
      let word = self.0.load(Ordering::Acquire);
      let before = Progress::of(word);
      if !may(before) {
        return None;
      }
      let (sealed, after) = match before {
        None => (Sealed::Unbegun, UNBEGUN),
        Some(before) if before.next < before.limit => (Sealed::At { done: before.next }, before.sealed().word()),
        Some(Progress { next: done, limit }) => return Some(Sealed::Over { done, is_lost: limit == 0 }),
      };
      if self.exchange(word, after) {
        return Some(sealed);
      }
    }
  }

  /// Host: a chunk that was sealed before it began is answered. The worker has left the word alone, or made it 0.
  pub(crate) fn unseal(&self) {
    self.0.store(0, Ordering::Relaxed);
  }

  fn exchange(&self, before: u32, after: u32) -> bool {
    self.0.compare_exchange(before, after, Ordering::AcqRel, Ordering::Relaxed).is_ok()
  }
}

/// The worker's steps, as TypeScript takes them, for tests.
#[cfg(test)]
impl ChunkWord {
  #[cfg(loom)]
  pub(crate) fn new() -> Self {
    Self(AtomicU32::new(0))
  }

  /// False: the host has sealed the chunk.
  pub(crate) fn begin(&self, items: u32) -> bool {
    self.step(0, Progress { next: 0, limit: items }.word())
  }

  /// Item `next` is over, with its outcome in the journal, and the item behind begins if there is one; with `is_last`
  /// there is none. `None`: the host has sealed the chunk, and the outcome does not count.
  pub(crate) fn advance(&self, is_last: bool) -> Option<Progress> {
    self.leave(|Progress { next, limit }| {
      let next = next + 1;
      Progress { next, limit: if is_last { next } else { limit } }
    })
  }

  /// Item `next` is over, and its outcome is not in the journal. `None`: as for `advance`.
  pub(crate) fn seal_own(&self) -> Option<Progress> {
    self.leave(Progress::sealed)
  }

  fn leave(&self, change: impl Fn(Progress) -> Progress) -> Option<Progress> {
    loop {
      let before = Progress::of(self.0.load(Ordering::SeqCst)).filter(|before| before.next < before.limit)?;
      let after = change(before);
      if self.step(before.word(), after.word()) {
        return Some(after);
      }
    }
  }

  fn step(&self, before: u32, after: u32) -> bool {
    self.0.compare_exchange(before, after, Ordering::SeqCst, Ordering::SeqCst).is_ok()
  }

  /// The chunk is answered.
  pub(crate) fn end(&self) {
    self.0.store(0, Ordering::SeqCst);
  }
}

/// The host's steps as they must not be: a look, then a store.
#[cfg(all(test, loom))]
impl ChunkWord {
  pub(crate) fn cut_in_two_steps(&self) -> Option<Progress> {
    let before = self.progress().filter(|before| before.next < before.limit)?;
    let after = Progress { limit: before.next + 1, ..before };
    self.0.store(after.word(), Ordering::SeqCst);
    Some(after)
  }

  pub(crate) fn seal_in_two_steps(&self) -> Option<Sealed> {
    let before = self.progress().filter(|before| before.next < before.limit)?;
    self.0.store(before.sealed().word(), Ordering::SeqCst);
    Some(Sealed::At { done: before.next })
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
