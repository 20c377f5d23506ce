//! The sleep handshake: a writer makes a system call for its peer if, and only if, the peer sleeps.
//!
//! ```text
//! sleeper                                 writer
//!   awaited = reasons                       publish
//!   fence(SeqCst)                           fence(SeqCst)
//!   look once more; found: awaited = 0      awaited has a reason of mine, and swap(awaited, 0) != 0: ring
//!   sleep until rung
//! ```
//!
//! Either fence comes first in the one order of all sequentially consistent fences. If the sleeper's does, the writer
//! sees `awaited` and rings; if the writer's does, the sleeper sees what was published and does not sleep.
//!
//! A killed sleeper leaves `awaited` set: the writer rings once for nobody. A writer killed between publication and
//! ring wakes nobody: so the host also drains a lane whose worker has died. (A worker does not outlive its host.)

use crate::sync::{AtomicU32, Half, Ordering, SyncPoint};

/// What a sleeper waits for; a set of bits.
pub(crate) type Reasons = u32;

/// A worker waits for a call.
pub(crate) const WORK: Reasons = 1;
/// A worker waits for its results to be consumed.
pub(crate) const ROOM: Reasons = 2;
/// The worker is to look at its control words, whatever it waits for.
pub(crate) const CONTROL: Reasons = 4;
/// The host waits for whatever its worker has to say.
pub(crate) const NEWS: Reasons = 1;

/// One side's word, on a line of its own, since the writer looks at the word after each publication.
///
/// Both sides write the word, always by a swap: so its values have one order that both agree on, and an arming is
/// either seen by a later writer or was taken away by one that rings.
#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct Bell {
  awaited: AtomicU32,
}

impl Bell {
  /// Host, while it formats the lane.
  pub(crate) fn format(&self) {
    self.awaited.store(0, Ordering::Relaxed);
  }

  /// Sleeper: says what it waits for. After this the sleeper must look once more, and not sleep if it finds something.
  pub(crate) fn arm(&self, reasons: Reasons) {
    self.awaited.swap(reasons, Ordering::Relaxed);
    // SYNC POINT Sleep: pairs with the fence in `must_ring`.
    SyncPoint::Sleep.fence(Half::Acquire);
  }

  /// Sleeper: takes the arming back. A writer that has seen it already rings for nothing.
  pub(crate) fn disarm(&self) {
    self.awaited.swap(0, Ordering::Relaxed);
  }

  /// Writer, after it has published for `reasons`: whether it must ring.
  #[inline]
  pub(crate) fn must_ring(&self, reasons: Reasons) -> bool {
    // SYNC POINT Sleep: pairs with the fence in `arm`.
    SyncPoint::Sleep.fence(Half::Release);
    // Not `swap(0) & reasons`: the sleeper may have armed itself for something else in between, and that arming is gone
    // with the swap, so it must be woken for it.
    self.awaited.load(Ordering::Relaxed) & reasons != 0 && self.silence()
  }

  /// Writer: takes the arming away, since it rings. Returns whether there was one.
  pub(crate) fn silence(&self) -> bool {
    self.awaited.swap(0, Ordering::Relaxed) != 0
  }

  /// What the sleeper waits for, for dumps.
  pub(crate) fn awaited(&self) -> Reasons {
    self.awaited.load(Ordering::Relaxed)
  }
}

#[cfg(all(test, loom))]
impl Bell {
  pub(crate) fn new() -> Self {
    Self { awaited: AtomicU32::new(0) }
  }

  /// [`Bell::silence`] that returns the reasons, for a writer that does the wrong thing with them.
  pub(crate) fn silenced(&self) -> Reasons {
    self.awaited.swap(0, Ordering::Relaxed)
  }
}
