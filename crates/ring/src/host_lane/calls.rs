//! The host's calls: pushed, and taken back.

use crate::arena::Refused;
use crate::bell::WORK;
use crate::block::Block;
use crate::call_producer::Entry;
use crate::call_slot::CallHead;
use crate::error::PushError;
use crate::frame::{INLINE_CAPACITY, Parts};
use crate::host_lane::HostLane;
use crate::loan::Borrowed;
use crate::memory::{ENOMEM, Memory};
use crate::place::Direction;
use crate::place::{Place, Placement, inline_len};
use crate::record::{CallHeader, CallKind, Position, Reclaimed};

impl<M: Memory> HostLane<M> {
  /// Whether a push of a payload that fits a slot would succeed.
  pub fn has_room(&self) -> bool {
    let room = !self.calls.is_full() || self.calls.oldest_was_released(self.view.calls());
    if !room {
      self.starved.set(true);
    }
    room
  }

  /// Whether `count` such pushes would succeed, one after the other. If not, [`HostLane::arm`] looks for that many.
  pub fn has_slots(&self, count: u32) -> bool {
    let has = self.calls.vacancies(self.view.calls()) >= count;
    if !has {
      self.wanted_slots.set(count);
    }
    has
  }

  /// Queues a call with the payload `head ++ tail`.
  ///
  /// # Errors
  /// See [`PushError`]; nothing changes then.
  #[inline]
  pub fn push(&mut self, header: &CallHeader, head: &[u8], tail: &[u8]) -> Result<Position, PushError> {
    let parts = Parts { head, tail };
    let len = parts.len();
    if len > INLINE_CAPACITY {
      return self.push_block(header, parts);
    }
    if self.calls.is_full() {
      self.make_room()?;
    }
    let head = CallHead::new(header, len as u64, Placement::INLINE);
    Ok(self.publish(head, parts, None))
  }

  #[inline]
  fn publish(&mut self, head: CallHead, inline: Parts<'_>, block: Option<Block>) -> Position {
    self.published.set(self.published.get() | WORK);
    self.calls.push(self.view.calls(), head, inline, block)
  }

  /// A payload that does not fit a slot. The block is written before the slot, so that dying in between leaves nothing.
  fn push_block(&mut self, header: &CallHeader, parts: Parts<'_>) -> Result<Position, PushError> {
    let len = parts.len() as u64;
    let capacity = self.out.arena().capacity();
    if len > capacity {
      return Err(PushError::TooLarge { len, capacity });
    }
    self.make_room()?;
    let (inline, content) = parts.split(inline_len(parts));
    if content.len() >= self.out.lent_from() {
      self.out.reap_loans(&self.view);
    }
    let block = self.out.reserve_or_reap(&self.view, content.len() as u64).map_err(|refused| match refused {
      // Nothing is under way that would make room: what the worker keeps it may keep for ever.
      Refused::Full if self.calls.outstanding() == 0 && self.out.arena().in_use() == self.lent_bytes() => {
        PushError::NoMemory { errno: ENOMEM }
      }
      Refused::Full => {
        self.starved.set(true);
        PushError::Full
      }
      Refused::NoMemory(no_memory) => PushError::NoMemory { errno: no_memory.errno },
    })?;
    // SAFETY: the block was just allocated, and no slot names it.
    unsafe { self.view.write(Direction::ToWorker, block.offset(), content) };
    let may_lend = header.kind == CallKind::Task;
    let loan = if may_lend { self.out.lend(&self.view, block, content.len()) } else { None };
    let head = CallHead::new(header, len, Placement::new(inline.len(), block, loan));
    // A lent block comes back by its word, and not with the end of the call.
    Ok(self.publish(head, inline, if loan.is_some() { None } else { Some(block) }))
  }

  /// A block of `len` bytes (not 0) for the host to fill in place, and then to [push](HostLane::push_borrowed) or to
  /// give back. Its bytes are arbitrary.
  ///
  /// # Errors
  /// See [`PushError`]. [`PushError::Full`]: there is no handle, or too much is in use.
  pub fn allocate(&mut self, len: usize) -> Result<Borrowed, PushError> {
    self.calls.retire(self.view.calls(), |block| self.out.release(block));
    let capacity = self.out.arena().capacity();
    if len as u64 > capacity {
      return Err(PushError::TooLarge { len: len as u64, capacity });
    }
    self.out.allocate(&self.view, len).map_err(|refused| match refused {
      Refused::Full => PushError::Full,
      Refused::NoMemory(no_memory) => PushError::NoMemory { errno: no_memory.errno },
    })
  }

  /// Bytes of the call arena that are lent, or taken by [`HostLane::allocate`].
  pub fn lent_bytes(&self) -> u64 {
    self.out.lender().bytes()
  }

  /// Queues a call whose payload is `head` and the content of a block of this lane. The block is not copied: it is the
  /// worker's from then on, and not to be given back. `None`: the block cannot be passed on, push a copy.
  pub fn push_borrowed(&mut self, header: &CallHeader, head: &[u8], content: &Borrowed) -> Option<Position> {
    let handle = content.handle(self.view.loan_words(Direction::ToWorker))?;
    let block = self.out.lender().block(handle)?;
    let len = head.len() + content.len();
    if head.len() > INLINE_CAPACITY || len <= INLINE_CAPACITY || self.make_room().is_err() {
      return None;
    }
    let head_of_call = CallHead::new(header, len as u64, Placement::new(head.len(), block, Some(handle)));
    Some(self.publish(head_of_call, Parts { head, tail: &[] }, None))
  }

  /// Takes back the slots that the worker has passed by.
  fn make_room(&mut self) -> Result<(), PushError> {
    self.calls.retire(self.view.calls(), |block| self.out.release(block));
    if self.calls.is_full() {
      self.starved.set(true);
      return Err(PushError::Full);
    }
    Ok(())
  }

  /// The next push writes an impossible length and block.
  #[cfg(feature = "fault-injection")]
  pub fn corrupt_next_call(&mut self) {
    self.calls.corrupt_next = true;
  }

  /// Takes the call at `p` back if the worker has not claimed it. True: it will never run, and
  /// [`HostLane::reclaim`] or [`HostLane::abandon`] must follow.
  pub fn revoke(&mut self, p: Position) -> bool {
    self.calls.revoke(self.view.calls(), p)
  }

  /// Whether the call at `p` is outstanding and the worker has claimed it.
  pub fn is_claimed(&self, p: Position) -> bool {
    self.calls.is_claimed(self.view.calls(), p)
  }

  /// Moves a call that was revoked, or that is still queued (its worker died), out of the lane: `out` becomes its
  /// payload. `None` if there is no such call: it was claimed, or is not outstanding.
  pub fn reclaim(&mut self, p: Position, out: &mut Vec<u8>) -> Option<Reclaimed> {
    if self.calls.is_outstanding(p) && !self.revoke(p) {
      return None;
    }
    let Entry { head, .. } = *self.calls.revoked(p)?;
    // Length and place are what the host noted when it pushed: the slot's own words are not asked.
    out.clear();
    out.resize(head.len as usize, 0);
    let place = Place::check(head.len, head.at, self.geometry.arena_bytes)?;
    let (inline, content) = out.split_at_mut(place.inline_len(head.len));
    let slot = &self.view.calls()[(p & (self.geometry.slots - 1)) as usize];
    // SAFETY: a revoked slot is the host's to read.
    unsafe { slot.frame().read_inline(0, inline) };
    if let Place::Block { offset, .. } = place {
      self.view.read(Direction::ToWorker, offset, content);
    }
    let inline = inline.len();
    self.abandon(p);
    Some(Reclaimed { header: head.header()?, cut: inline })
  }

  /// The payload of the revoked call at `p` is not wanted.
  pub fn abandon(&mut self, p: Position) {
    let loan = self.calls.revoked(p).and_then(|entry| entry.head.at.loan());
    let block = self.calls.let_go(p);
    if let Some(block) = block {
      self.out.release(block);
    } else if let Some(loan) = loan {
      // The worker has not seen the call, so nobody gives the block back.
      self.out.recover(loan);
    }
    self.calls.retire(self.view.calls(), |block| self.out.release(block));
  }

  /// Calls that have been neither consumed nor taken back; definitions do not count.
  pub fn outstanding(&self) -> u32 {
    self.calls.outstanding()
  }

  /// Gives unused pages of the call arena back to the system, apart from a warm remainder. True: the worker keeps
  /// blocks, so there may be more to give back later.
  pub fn trim(&mut self) -> bool {
    self.calls.retire(self.view.calls(), |block| self.out.release(block));
    self.out.trim(&self.view)
  }
}
