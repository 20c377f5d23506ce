//! Atomics, from one place so that the model checker can replace them, and the names of the orderings on which the
//! protocols rest.

#[cfg(loom)]
pub(crate) use {
  interleaved::AtomicU32,
  loom::{
    cell::UnsafeCell,
    sync::atomic::{Ordering, fence},
  },
};

#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

#[cfg(not(loom))]
pub(crate) use std_cell::UnsafeCell;

/// A place where one process hands something to the other. Both halves name it, so that a search for the name finds
/// the store and the load that pair up, and the model checker can take either half away and must then find the bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SyncPoint {
  /// Host `state = QUEUED` → worker's claim: the call's header and payload.
  CallQueued,
  /// Worker's claim → host sees the slot not `QUEUED`: the time of the claim.
  CallClaimed,
  /// Worker `state = FREE` → host reuses the slot: the worker's reads of it are over.
  CallReleased,
  /// Worker `stamp` → host reads the result: the result's header and payload.
  ResultCommitted,
  /// Host `consumed` → worker reuses slot and block: the host's reads of them are over.
  ResultConsumed,
  /// Borrower `HOME` → lender uses the block again: the borrower's accesses to it are over.
  LoanReturned,
  /// Host `stop = 1` → worker looks once more for a call: every call pushed before.
  StopRequested,
  /// Host's abort counter → worker: the abort word of the call's slot.
  AbortRequested,
  /// Worker `phase` → host: what the worker did before.
  PhaseChanged,
  /// Host `ready` → worker attaches: everything that was formatted.
  LaneReady,
  /// Sleeper's fence between "I sleep" and its last look ↔ writer's fence between its publication and its look at that
  /// word: at least one of the two sees the other's store.
  Sleep,
}

impl SyncPoint {
  #[inline(always)]
  pub(crate) fn release(self) -> Ordering {
    if self.is_broken(Half::Release) { Ordering::Relaxed } else { Ordering::Release }
  }

  #[inline(always)]
  pub(crate) fn acquire(self) -> Ordering {
    if self.is_broken(Half::Acquire) { Ordering::Relaxed } else { Ordering::Acquire }
  }

  #[inline(always)]
  pub(crate) fn fence(self, half: Half) {
    if !self.is_broken(half) {
      fence(Ordering::SeqCst);
    }
  }

  #[cfg(not(all(test, loom)))]
  #[inline(always)]
  const fn is_broken(self, _half: Half) -> bool {
    false
  }

  #[cfg(all(test, loom))]
  fn is_broken(self, half: Half) -> bool {
    sabotage::BROKEN.get() == Some((self, half))
  }
}

/// Which half of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
  /// The one that publishes; of a fence pair, the writer's.
  Release,
  /// The one that observes; of a fence pair, the sleeper's.
  Acquire,
}

/// Takes one half of a pair away, for models that must then fail.
#[cfg(all(test, loom))]
pub(crate) mod sabotage {
  use super::{Half, SyncPoint};
  use std::cell::Cell;

  std::thread_local! {
    // loom runs all threads of a model on the thread of its test, and tests run on threads of their own.
    pub(super) static BROKEN: Cell<Option<(SyncPoint, Half)>> = const { Cell::new(None) };
  }

  pub(crate) fn weaken(point: SyncPoint, half: Half) {
    BROKEN.set(Some((point, half)));
  }
}

/// loom's atomic, so that really every order of accesses is tried.
///
/// loom remembers only the last access to a word: where one thread loads a word twice, it does not see that the first
/// of these loads could have come after another thread's store. Here each access is preceded by one to a word that all
/// have in common. That word is only ever added to, relaxed, so it orders nothing; it only makes all accesses depend on
/// each other for loom's choice of what to try.
#[cfg(loom)]
mod interleaved {
  use loom::sync::atomic::{AtomicU32 as Inner, Ordering};

  loom::lazy_static! {
    static ref TURN: Inner = Inner::new(0);
  }

  #[derive(Debug)]
  pub(crate) struct AtomicU32(Inner);

  impl AtomicU32 {
    pub(crate) fn new(value: u32) -> Self {
      // The first access to `TURN` makes it, and what came before that is ordered before all later ones: so make it
      // now.
      TURN.fetch_add(1, Ordering::Relaxed);
      Self(Inner::new(value))
    }

    fn inner(&self) -> &Inner {
      TURN.fetch_add(1, Ordering::Relaxed);
      &self.0
    }

    pub(crate) fn load(&self, order: Ordering) -> u32 {
      self.inner().load(order)
    }

    pub(crate) fn store(&self, value: u32, order: Ordering) {
      self.inner().store(value, order);
    }

    pub(crate) fn swap(&self, value: u32, order: Ordering) -> u32 {
      self.inner().swap(value, order)
    }

    pub(crate) fn compare_exchange(&self, old: u32, new: u32, ok: Ordering, failed: Ordering) -> Result<u32, u32> {
      self.inner().compare_exchange(old, new, ok, failed)
    }
  }
}

/// `core`'s cell with loom's interface.
#[cfg(not(loom))]
mod std_cell {
  #[derive(Debug)]
  #[repr(transparent)]
  pub(crate) struct UnsafeCell<T>(core::cell::UnsafeCell<T>);

  impl<T> UnsafeCell<T> {
    #[inline(always)]
    pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
      f(self.0.get())
    }

    #[inline(always)]
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
      f(self.0.get())
    }
  }
}
