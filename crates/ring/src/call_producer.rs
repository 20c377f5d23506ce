//! The host's end of the call ring, with a private copy of the ring's content.
//!
//! ```text
//!   oldest                        next            oldest + N
//!     │ outstanding, revoked, skipping │    vacant    │
//! ```
//!
//! `oldest` and `next` are private. The worker learns of a call by the state of its slot, in order of position; the
//! host learns of the end of a call by its result, or by its slot turning `FREE`. So there is no cursor that a peer
//! could set wrongly. Lengths and blocks that are needed at the end of a call come from the private copy, never from
//! the slot.

use crate::block::Block;
use crate::call_slot::{CallHead, CallSlot};
use crate::frame::Parts;
use crate::record::{CallKind, Position};

/// What the host knows of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
  /// Free to push to.
  Vacant,
  /// A call that a result will answer.
  Outstanding,
  /// Revoked; its payload is still to be copied back or dropped.
  Revoked,
  /// A definition, or a revoked call: the worker has yet to pass by.
  Skipping,
}

/// The private copy of a slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
  pub(crate) head: CallHead,
  pub(crate) block: Option<Block>,
  pub(crate) standing: Standing,
}

#[derive(Debug)]
pub(crate) struct CallProducer {
  mirror: Box<[Entry]>,
  mask: u32,
  next: Position,
  oldest: Position,
  outstanding: u32,
  /// The next slot is written with a length and a block that cannot be.
  #[cfg(feature = "fault-injection")]
  pub(crate) corrupt_next: bool,
}

impl CallProducer {
  /// For a ring of `slots` (a power of two) that was formatted to begin at `start`.
  pub(crate) fn new(slots: u32, start: Position) -> Self {
    let vacant = Entry { head: CallHead::default(), block: None, standing: Standing::Vacant };
    Self {
      mirror: vec![vacant; slots as usize].into_boxed_slice(),
      mask: slots - 1,
      next: start,
      oldest: start,
      outstanding: 0,
      #[cfg(feature = "fault-injection")]
      corrupt_next: false,
    }
  }

  #[inline]
  fn index(&self, position: Position) -> usize {
    (position & self.mask) as usize
  }

  #[inline]
  fn in_use(&self) -> u32 {
    self.next.wrapping_sub(self.oldest)
  }

  /// Whether all slots are in use, by the private copy alone.
  #[inline]
  pub(crate) fn is_full(&self) -> bool {
    self.in_use() > self.mask
  }

  /// The next position to push to.
  pub(crate) fn next(&self) -> Position {
    self.next
  }

  /// The oldest position in use.
  pub(crate) fn oldest(&self) -> Position {
    self.oldest
  }

  /// Calls that have been neither consumed nor taken back; definitions do not count.
  pub(crate) fn outstanding(&self) -> u32 {
    self.outstanding
  }

  /// Whether the oldest slot is free again because the worker has passed by.
  pub(crate) fn oldest_was_released(&self, slots: &[CallSlot]) -> bool {
    let index = self.index(self.oldest);
    self.in_use() != 0 && self.mirror[index].standing == Standing::Skipping && slots[index].is_free()
  }

  /// Pushes that would succeed, one after the other.
  pub(crate) fn vacancies(&self, slots: &[CallSlot]) -> u32 {
    let mut oldest = self.oldest;
    while oldest != self.next {
      let index = self.index(oldest);
      let done = match self.mirror[index].standing {
        Standing::Vacant => true,
        Standing::Skipping => slots[index].is_free(),
        Standing::Outstanding | Standing::Revoked => false,
      };
      if !done {
        break;
      }
      oldest = oldest.wrapping_add(1);
    }
    self.mask + 1 - self.next.wrapping_sub(oldest)
  }

  /// Moves `oldest` past everything that is done with, and hands out the blocks of definitions that have been read.
  #[inline]
  pub(crate) fn retire(&mut self, slots: &[CallSlot], mut free: impl FnMut(Block)) {
    while self.oldest != self.next {
      let index = self.index(self.oldest);
      let entry = &mut self.mirror[index];
      match entry.standing {
        Standing::Vacant => {}
        Standing::Skipping if slots[index].is_free() => {
          entry.standing = Standing::Vacant;
          if let Some(block) = entry.block.take() {
            free(block);
          }
        }
        _ => break,
      }
      self.oldest = self.oldest.wrapping_add(1);
    }
  }

  /// Writes a call into the next slot and makes it visible. The ring must not be full, and `inline` must fit a slot;
  /// both are checked by the caller, which has more to decide by them.
  #[inline]
  pub(crate) fn push(
    &mut self,
    slots: &[CallSlot],
    head: CallHead,
    inline: Parts<'_>,
    block: Option<Block>,
  ) -> Position {
    assert!(!self.is_full() && inline.len() <= crate::INLINE_CAPACITY, "push to a slot that cannot take it");
    let position = self.next;
    let index = self.index(position);
    let is_define = head.kind == CallKind::Define as u8;
    let standing = if is_define { Standing::Skipping } else { Standing::Outstanding };
    self.mirror[index] = Entry { head, block, standing };
    #[cfg(feature = "fault-injection")]
    let head = if core::mem::take(&mut self.corrupt_next) {
      CallHead { len: u64::MAX - head.len, at: head.at.corrupted(), ..head }
    } else {
      head
    };
    // SAFETY: the slot is vacant (the ring is not full), and the length was checked.
    unsafe { slots[index].publish(position, head, inline) };
    self.next = position.wrapping_add(1);
    self.outstanding += u32::from(!is_define);
    position
  }

  /// The private copy of the slot at `position`, if that is in use.
  #[inline]
  pub(crate) fn entry(&self, position: Position) -> Option<&Entry> {
    (position.wrapping_sub(self.oldest) < self.in_use()).then(|| &self.mirror[self.index(position)])
  }

  #[inline]
  fn standing(&self, position: Position) -> Standing {
    self.entry(position).map_or(Standing::Vacant, |entry| entry.standing)
  }

  /// Whether `position` is that of a call that a result may answer.
  #[inline]
  pub(crate) fn is_outstanding(&self, position: Position) -> bool {
    self.standing(position) == Standing::Outstanding
  }

  /// Whether the worker has claimed the call at `position`, which is outstanding.
  pub(crate) fn is_claimed(&self, slots: &[CallSlot], position: Position) -> bool {
    self.is_outstanding(position) && !slots[self.index(position)].is_queued()
  }

  /// The private copy of the call at `position`, which was revoked and whose payload is still there.
  pub(crate) fn revoked(&self, position: Position) -> Option<&Entry> {
    self.entry(position).filter(|entry| entry.standing == Standing::Revoked)
  }

  /// Takes the call at `position` back, if the worker has not claimed it. True: it will never run.
  pub(crate) fn revoke(&mut self, slots: &[CallSlot], position: Position) -> bool {
    let index = self.index(position);
    let won = self.is_outstanding(position) && slots[index].revoke();
    if won {
      self.mirror[index].standing = Standing::Revoked;
    }
    won
  }

  /// Asks for the abort of the call at `position`; false if it is not outstanding.
  pub(crate) fn request_abort(&self, slots: &[CallSlot], position: Position) -> bool {
    let outstanding = self.is_outstanding(position);
    if outstanding {
      slots[self.index(position)].request_abort(position);
    }
    outstanding
  }

  /// The payload of a revoked call is not needed any more: its slot waits for the worker to skip it.
  pub(crate) fn let_go(&mut self, position: Position) -> Option<Block> {
    if self.standing(position) != Standing::Revoked {
      return None;
    }
    let index = self.index(position);
    let entry = &mut self.mirror[index];
    entry.standing = Standing::Skipping;
    self.outstanding -= 1;
    entry.block.take()
  }

  /// The result of the call at `position` has been consumed: its slot is vacant.
  ///
  /// The worker's last read of the slot came before its commit, which the host has acquired (SYNC POINT
  /// ResultCommitted), so the slot's own word need not be asked.
  #[inline]
  pub(crate) fn finish(&mut self, position: Position) -> Option<Block> {
    if !self.is_outstanding(position) {
      return None;
    }
    let index = self.index(position);
    let entry = &mut self.mirror[index];
    entry.standing = Standing::Vacant;
    self.outstanding -= 1;
    entry.block.take()
  }
}
