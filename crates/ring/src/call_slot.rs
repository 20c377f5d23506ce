//! A slot of the call ring, and its states.
//!
//! ```text
//! FREE ──host──► QUEUED ──worker──► CLAIMED ──(its result is consumed, or a definition is read)──► vacant
//!                  └────host─────► REVOKED ──worker skips it─────────────────────────────────────► FREE
//! ```
//!
//! | state | header and payload belong to | moved on by |
//! |---|---|---|
//! | `FREE` | the host | the host: a store (`QUEUED`) |
//! | `QUEUED` | nobody may write; the host's to take back, the worker's to claim | whoever wins the compare-and-swap |
//! | `CLAIMED` (definition) | the worker, to read | the worker: a store (`FREE`) |
//! | `CLAIMED` (call) | the worker, to read, until its result is consumed | the host: the next push |
//! | `REVOKED` | the host, to read (it may copy the call back) | the worker: a store (`FREE`) as it passes by |
//!
//! The slot of a consumed call keeps the word `CLAIMED` until the next push to the slot. The worker, which looks at the
//! slot one lap later, takes `CLAIMED` like `FREE`: no call here. The host asks its own books, not the word. That saves
//! a store into a cache line that the worker has.

use crate::frame::{Frame, Parts};
use crate::place::Placement;
use crate::record::{CallHeader, CallKind, Position};
use crate::sync::{AtomicU32, Ordering, SyncPoint};

pub(crate) const FREE: u32 = 0;
pub(crate) const QUEUED: u32 = 1;
pub(crate) const CLAIMED: u32 = 2;
pub(crate) const REVOKED: u32 = 3;

/// The header of a call, as it lies in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct CallHead {
  pub(crate) sequence: u64,
  pub(crate) len: u64,
  pub(crate) at: Placement,
  pub(crate) task: u32,
  pub(crate) flags: u16,
  pub(crate) kind: u8,
  pub(crate) codec: u8,
}

impl CallHead {
  pub(crate) fn new(header: &CallHeader, len: u64, at: Placement) -> Self {
    Self {
      sequence: header.sequence,
      len,
      at,
      task: header.task,
      flags: header.flags,
      kind: header.kind as u8,
      codec: header.codec,
    }
  }

  /// The header that was pushed. `None` for a kind that does not exist.
  pub(crate) fn header(&self) -> Option<CallHeader> {
    let kind = CallKind::from_u8(self.kind)?;
    Some(CallHeader { kind, codec: self.codec, flags: self.flags, task: self.task, sequence: self.sequence })
  }
}

#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct CallSlot {
  /// One of the four states.
  state: AtomicU32,
  /// Written by the host only: `position + 1` once it wants the call at `position` aborted. Any other value says no,
  /// so a request cannot be taken for one to the slot's next call.
  abort: AtomicU32,
  frame: Frame<CallHead>,
}

impl CallSlot {
  /// Host, while it formats the lane.
  pub(crate) fn format(&self, position: Position) {
    self.state.store(FREE, Ordering::Relaxed);
    self.abort.store(position, Ordering::Relaxed);
  }

  /// Host: writes a call and makes it visible.
  ///
  /// Dying before the store of `QUEUED` leaves the slot as vacant as it was.
  ///
  /// # Safety
  /// The slot is vacant, and `inline.len()` is at most [`crate::INLINE_CAPACITY`].
  #[inline]
  pub(crate) unsafe fn publish(&self, position: Position, head: CallHead, inline: Parts<'_>) {
    // SAFETY: a vacant slot is the host's.
    unsafe { self.frame.write_head(head) };
    // SAFETY: the same, and the caller has checked the length.
    unsafe { self.frame.write_inline(0, inline) };
    self.abort.store(position, Ordering::Relaxed);
    // SYNC POINT CallQueued: pairs with the worker's claim.
    self.state.store(QUEUED, SyncPoint::CallQueued.release());
  }

  /// Host: takes a call back, if the worker has not claimed it. Exactly one of this and [`CallSlot::claim`] wins.
  ///
  /// A success hands nothing over, since the worker does not read a revoked slot, and orders nothing. A failure has
  /// seen the claim.
  pub(crate) fn revoke(&self) -> bool {
    // SYNC POINT CallClaimed (failure).
    self.state.compare_exchange(QUEUED, REVOKED, Ordering::Relaxed, SyncPoint::CallClaimed.acquire()).is_ok()
  }

  /// Host: whether the call is queued, so that the worker has not decided on it.
  pub(crate) fn is_queued(&self) -> bool {
    // SYNC POINT CallClaimed: whoever sees that it is claimed sees when.
    self.state.load(SyncPoint::CallClaimed.acquire()) == QUEUED
  }

  /// Host: whether the worker has let go of a slot that is not answered by a result.
  pub(crate) fn is_free(&self) -> bool {
    // SYNC POINT CallReleased: the worker's last read of the slot was before.
    self.state.load(SyncPoint::CallReleased.acquire()) == FREE
  }

  /// Worker: the state, as a hint of what to do next.
  #[inline]
  pub(crate) fn peek(&self) -> u32 {
    self.state.load(Ordering::Relaxed)
  }

  /// Worker: whether it is a definition that is queued here.
  pub(crate) fn holds_definition(&self) -> bool {
    // SYNC POINT CallQueued: as in a claim.
    let queued = self.state.load(SyncPoint::CallQueued.acquire()) == QUEUED;
    // SAFETY: nobody writes to a queued slot, nor to one that is revoked meanwhile before this worker has released it.
    queued && unsafe { self.frame.read_head() }.kind == CallKind::Define as u8
  }

  /// Worker: claims a queued call; false if the host took it back first.
  #[inline]
  pub(crate) fn claim(&self) -> bool {
    // SYNC POINT CallQueued (acquire: header and payload), SYNC POINT CallClaimed (release: the time of the claim).
    let order = match (SyncPoint::CallQueued.acquire(), SyncPoint::CallClaimed.release()) {
      (Ordering::Acquire, Ordering::Release) => Ordering::AcqRel,
      (Ordering::Acquire, _) => Ordering::Acquire,
      (_, order) => order,
    };
    self.state.compare_exchange(QUEUED, CLAIMED, order, Ordering::Relaxed).is_ok()
  }

  /// Worker: lets go of a slot that it skips, or has read and will not answer.
  #[inline]
  pub(crate) fn release(&self) {
    // SYNC POINT CallReleased: pairs with the host's look before it reuses the slot.
    self.state.store(FREE, SyncPoint::CallReleased.release());
  }

  /// Host: asks for the call at `position` to be aborted.
  pub(crate) fn request_abort(&self, position: Position) {
    self.abort.store(position.wrapping_add(1), Ordering::Relaxed);
  }

  /// Worker: whether the host has asked for the abort of the call at `position`.
  pub(crate) fn abort_requested(&self, position: Position) -> bool {
    self.abort.load(Ordering::Relaxed) == position.wrapping_add(1)
  }

  pub(crate) fn frame(&self) -> &Frame<CallHead> {
    &self.frame
  }
}

#[cfg(all(test, not(loom)))]
impl CallSlot {
  /// Where the header is.
  pub(crate) const FRAME: usize = core::mem::offset_of!(Self, frame);
}

#[cfg(all(test, loom))]
impl CallSlot {
  pub(crate) fn new(position: Position) -> Self {
    Self { state: AtomicU32::new(FREE), abort: AtomicU32::new(position), frame: Frame::new(CallHead::default()) }
  }

  /// A claim that does not ask, for a worker that claims in two steps.
  pub(crate) fn claim_blindly(&self) {
    self.state.store(CLAIMED, Ordering::Relaxed);
  }
}
