//! The host's results: found, checked, read, consumed.

use crate::bell::ROOM;
use crate::error::Corrupt;
use crate::host_lane::HostLane;
use crate::loan::Borrowed;
use crate::memory::Memory;
use crate::place::Direction;
use crate::place::Place;
use crate::record::{Arrival, Position, ResultRecord};
use crate::result_slot::{NOTICE, RESULT, RETURNED, ResultHead, Stamp};
use crate::view::check_range;

impl<M: Memory> HostLane<M> {
  /// The oldest result that was not consumed, with checked lengths and indexes. The result stays until
  /// [`HostLane::consume`].
  ///
  /// # Errors
  /// When no correct worker writes what is there. The lane stays corrupt: end the worker.
  #[inline]
  pub fn next_result(&mut self) -> Result<Option<Arrival>, Corrupt> {
    match self.results.look(self.view.results()) {
      Stamp::Empty => return Ok(None),
      Stamp::Committed => {}
      Stamp::Garbage => return Err(Corrupt { what: "the stamp of a result slot" }),
    }
    if self.armed.replace(false) {
      // The host is awake: without this its worker would ring for each result of the burst that it drains now.
      self.view.header().host_bell.disarm();
    }
    let entry = self.results.next();
    // SAFETY: a committed entry is the host's to read.
    let head = unsafe { self.results.slot(self.view.results(), entry).frame().read_head() };
    self.check(entry, head).map(Some)
  }

  #[inline]
  fn check(&self, entry: Position, head: ResultHead) -> Result<Arrival, Corrupt> {
    let Some(place) = Place::check(head.len, head.at, self.geometry.arena_bytes) else {
      return Err(Corrupt { what: "the length or the block of a result" });
    };
    let (is_notice, arena) = match head.kind {
      RESULT | RETURNED if self.calls.is_outstanding(head.position) => {
        (false, if head.kind == RETURNED { Direction::ToWorker } else { Direction::ToHost })
      }
      RESULT | RETURNED => return Err(Corrupt { what: "a result for a call that the worker does not have" }),
      NOTICE => (true, Direction::ToHost),
      _ => return Err(Corrupt { what: "the kind of a result" }),
    };
    let record = ResultRecord {
      position: head.position,
      status: head.status,
      codec: head.codec,
      flags: head.flags,
      ran_ns: head.ran_ns,
      len: head.len,
      entry,
      is_notice,
      place,
      arena,
    };
    if arena == Direction::ToWorker && !self.has_lent(&record) {
      return Err(Corrupt { what: "a block that the worker returns and does not have" });
    }
    Ok(if is_notice { Arrival::Notice(record) } else { Arrival::Result(record) })
  }

  /// Whether the block of a result is one that the host has lent.
  fn has_lent(&self, r: &ResultRecord) -> bool {
    let Place::Block { inline, offset, loan: Some(loan) } = r.place else { return false };
    let block = self.out.lender().block(loan);
    block.is_some_and(|block| block.offset() == offset && r.len - inline as u64 <= block.size())
  }

  /// Whether there is a result, or garbage in its place.
  pub fn has_result(&self) -> bool {
    self.results.look(self.view.results()) != Stamp::Empty
  }

  /// Whether the worker has committed a result for the call at `position`. The result may be behind others, and is not
  /// checked yet.
  pub fn has_answer(&self, position: Position) -> bool {
    let slots = self.view.results();
    let entries = (0..self.geometry.entries()).map(|step| self.results.next().wrapping_add(step));
    entries.take_while(|&entry| self.results.look_at(slots, entry) == Stamp::Committed).any(|entry| {
      // SAFETY: a committed entry is the host's to read.
      let head = unsafe { self.results.slot(slots, entry).frame().read_head() };
      matches!(head.kind, RESULT | RETURNED) && head.position == position
    })
  }

  /// Copies `dst.len()` bytes of a result's payload, from `at` on.
  ///
  /// # Panics
  /// When the range is not inside the payload, as with a slice.
  #[inline]
  pub fn copy_payload(&self, r: &ResultRecord, at: usize, dst: &mut [u8]) {
    check_range(r.len, at, dst.len());
    let slot = self.results.slot(self.view.results(), r.entry);
    // SAFETY: until it is consumed, the entry is the host's to read.
    unsafe { self.view.read_payload(r.arena, slot.frame(), r.place, at, dst) };
  }

  /// The content of a result's payload, which is all but the part in the slot, to be used in place. `None`: the worker
  /// does not lend it. Give the loan back, once, when the content is not needed any more. A worker that breaks the
  /// rules may change the content at any time.
  pub fn borrow(&self, r: &ResultRecord) -> Option<Borrowed> {
    let Place::Block { inline, offset, loan: Some(loan) } = r.place else { return None };
    if r.entry != self.results.next() || self.borrowed.get() == Some(r.entry) {
      return None;
    }
    self.borrowed.set(Some(r.entry));
    let len = r.payload_len() - inline;
    let word = &self.view.loan_words(r.arena)[usize::from(loan)];
    Some(Borrowed::new(self.view.address(r.arena, offset, len), len, word))
  }

  /// Ends the call of a result that has been read: slots and blocks of both are free again. Does nothing unless
  /// [`HostLane::next_result`] gave this result last.
  #[inline]
  pub fn consume(&mut self, r: &ResultRecord) {
    if r.entry != self.results.next() {
      return;
    }
    if !r.is_notice {
      if let Some(block) = self.calls.finish(r.position) {
        self.out.release(block);
      }
      self.calls.retire(self.view.calls(), |block| self.out.release(block));
    }
    if let Some(loan) = r.place.loan()
      && self.borrowed.take() != Some(r.entry)
    {
      self.view.loan_words(r.arena)[usize::from(loan)].give_back();
    }
    self.results.advance(&self.view.header().progress.consumed);
    if !r.is_inline() {
      // Only a block makes room that a worker may be waiting for: the ring itself never refuses a result.
      self.published.set(self.published.get() | ROOM);
    }
  }
}
