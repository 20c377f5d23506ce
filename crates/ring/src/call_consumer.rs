//! The worker's end of the call ring.
//!
//! The worker looks only at the slot at its cursor, and steps on when it has claimed or skipped the slot. So calls
//! start in the order in which they were pushed.
//!
//! | the worker dies | the slot is | the host |
//! |---|---|---|
//! | before the compare-and-swap | `QUEUED` | takes the call back, unchanged |
//! | after it | `CLAIMED` | reports the call as lost, unless a result was committed |
//! | between seeing `REVOKED` and storing `FREE` | `REVOKED` | had already taken the call back |

use crate::call_slot::{CallSlot, QUEUED, REVOKED};
use crate::record::Position;
use crate::sync::{AtomicU32, SyncPoint};

/// What the worker finds at its cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
  /// A call, now claimed.
  Call(Position),
  /// Nothing.
  Nothing,
  /// Nothing, and the host will push no more.
  Stop,
}

#[derive(Debug)]
pub(crate) struct CallConsumer {
  mask: u32,
  cursor: Position,
  /// Slots were handed back since this was last cleared. The host may be waiting for one.
  pub(crate) released: bool,
}

impl CallConsumer {
  /// For a ring of `slots` (a power of two) that was formatted to begin at `start`.
  pub(crate) fn new(slots: u32, start: Position) -> Self {
    Self { mask: slots - 1, cursor: start, released: false }
  }

  #[inline]
  pub(crate) fn slot<'a>(&self, slots: &'a [CallSlot], position: Position) -> &'a CallSlot {
    &slots[(position & self.mask) as usize]
  }

  /// Claims the next call, or finds that there is none and that none will come.
  #[inline]
  pub(crate) fn next(&mut self, slots: &[CallSlot], stop: &AtomicU32, mut before_claim: impl FnMut(&CallSlot)) -> Next {
    if let Some(position) = self.take(slots, &mut before_claim) {
      return Next::Call(position);
    }
    // SYNC POINT StopRequested: what was pushed before the request is visible from here on, but need not have been to
    // the look above. So look once more.
    if stop.load(SyncPoint::StopRequested.acquire()) != 1 {
      return Next::Nothing;
    }
    self.take(slots, before_claim).map_or(Next::Stop, Next::Call)
  }

  /// Claims the next call, and skips what was revoked before it. `before_claim` runs just before each attempt.
  #[inline]
  pub(crate) fn take(&mut self, slots: &[CallSlot], mut before_claim: impl FnMut(&CallSlot)) -> Option<Position> {
    loop {
      let position = self.cursor;
      let slot = self.slot(slots, position);
      match slot.peek() {
        QUEUED => {
          before_claim(slot);
          if slot.claim() {
            self.cursor = position.wrapping_add(1);
            return Some(position);
          }
          // Revoked at this moment: skipped in the next pass.
        }
        REVOKED => {
          slot.release();
          self.released = true;
          self.cursor = position.wrapping_add(1);
        }
        _ => return None,
      }
    }
  }

  /// Whether there is something at the cursor: a call, or a slot to hand back.
  #[inline]
  pub(crate) fn has_work(&self, slots: &[CallSlot]) -> bool {
    matches!(self.slot(slots, self.cursor).peek(), QUEUED | REVOKED)
  }

  /// Lets go of a call that is not answered by a result.
  pub(crate) fn release(&mut self, slots: &[CallSlot], position: Position) {
    self.slot(slots, position).release();
    self.released = true;
  }
}
