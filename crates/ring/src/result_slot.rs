//! A slot of the result ring, which only the worker writes.
//!
//! The entry for position `p` is committed when its stamp is `p + 1`. Until then the stamp is that of one lap before,
//! `p + 1 - entries`, as formatting leaves it, too. No correct worker stores any other value.

use crate::frame::{Frame, Parts};
use crate::place::Placement;
use crate::record::Position;
use crate::sync::{AtomicU32, Ordering, SyncPoint};

/// The result of a call.
pub(crate) const RESULT: u32 = 1;
/// A report that answers no call.
pub(crate) const NOTICE: u32 = 2;
/// The result of a call, with a block of the call arena that the host lent to the worker, and now has again.
pub(crate) const RETURNED: u32 = 3;

/// The header of a result, as it lies in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct ResultHead {
  pub(crate) len: u64,
  pub(crate) at: Placement,
  pub(crate) position: Position,
  pub(crate) ran_ns: u32,
  pub(crate) kind: u32,
  pub(crate) flags: u16,
  pub(crate) status: u8,
  pub(crate) codec: u8,
}

#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct ResultSlot {
  stamp: AtomicU32,
  /// Keeps the frame at the same offset as in a call slot.
  reserved: AtomicU32,
  frame: Frame<ResultHead>,
}

/// The meaning of a stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
  /// Not written yet.
  Empty,
  /// Whole, and the host's to read.
  Committed,
  /// Neither: garbage.
  Garbage,
}

impl ResultSlot {
  /// Host, while it formats the lane: empty for `position`, its first.
  pub(crate) fn format(&self, position: Position, entries: u32) {
    self.reserved.store(0, Ordering::Relaxed);
    self.stamp.store(empty_stamp(position, entries), Ordering::Relaxed);
  }

  /// Worker: makes what was written visible, all at once.
  ///
  /// Dying before leaves nothing; dying after has delivered the result.
  #[inline]
  pub(crate) fn commit(&self, position: Position) {
    // SYNC POINT ResultCommitted: pairs with the host's look at the stamp.
    self.stamp.store(position.wrapping_add(1), SyncPoint::ResultCommitted.release());
  }

  /// Host: what is at `position`.
  #[inline]
  pub(crate) fn look(&self, position: Position, entries: u32) -> Stamp {
    // SYNC POINT ResultCommitted: header and payload are visible.
    let stamp = self.stamp.load(SyncPoint::ResultCommitted.acquire());
    if stamp == position.wrapping_add(1) {
      Stamp::Committed
    } else if stamp == empty_stamp(position, entries) {
      Stamp::Empty
    } else {
      Stamp::Garbage
    }
  }

  /// Worker: writes inline payload, from `at` on.
  ///
  /// # Safety
  /// The entry is free, and `at + parts.len()` is at most [`crate::INLINE_CAPACITY`].
  #[inline]
  pub(crate) unsafe fn write_inline(&self, at: usize, parts: Parts<'_>) {
    // SAFETY: a free entry is the worker's, and the caller has checked the length.
    unsafe { self.frame.write_inline(at, parts) };
  }

  /// Worker: writes the header.
  ///
  /// # Safety
  /// The entry is free.
  #[inline]
  pub(crate) unsafe fn write_head(&self, head: ResultHead) {
    // SAFETY: a free entry is the worker's.
    unsafe { self.frame.write_head(head) };
  }

  pub(crate) fn frame(&self) -> &Frame<ResultHead> {
    &self.frame
  }
}

const fn empty_stamp(position: Position, entries: u32) -> u32 {
  position.wrapping_add(1).wrapping_sub(entries)
}

#[cfg(all(test, not(loom)))]
impl ResultSlot {
  /// Where the header is.
  pub(crate) const FRAME: usize = core::mem::offset_of!(Self, frame);
}

#[cfg(all(test, loom))]
impl ResultSlot {
  pub(crate) fn new(position: Position, entries: u32) -> Self {
    Self {
      stamp: AtomicU32::new(empty_stamp(position, entries)),
      reserved: AtomicU32::new(0),
      frame: Frame::new(ResultHead::default()),
    }
  }
}
