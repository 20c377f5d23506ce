//! The worker's calls: claimed, checked, read.

use crate::call_consumer::Next;
use crate::error::Corrupt;
use crate::loan::Borrowed;
use crate::memory::Memory;
use crate::place::Direction;
use crate::place::Place;
use crate::probe::{Probe, Step, Unwatched, Watched};
use crate::record::{CallKind, CallRecord, Position, Taken};
use crate::sync::Ordering;
use crate::view::check_range;
use crate::worker_lane::WorkerLane;

impl<M: Memory> WorkerLane<M> {
  /// Claims the next call. `now_ns` is asked for the time once a call was seen.
  #[inline]
  pub fn take(&mut self, now_ns: impl FnOnce() -> u64) -> Taken {
    self.take_with(now_ns, &mut Unwatched)
  }

  /// [`WorkerLane::take`], telling `probe` of each step.
  pub fn take_probed(&mut self, now_ns: impl FnOnce() -> u64, probe: impl FnMut(Step)) -> Taken {
    self.take_with(now_ns, &mut Watched(probe))
  }

  #[inline]
  fn take_with<P: Probe>(&mut self, now_ns: impl FnOnce() -> u64, probe: &mut P) -> Taken {
    let position = match self.claim(now_ns, probe) {
      Next::Call(position) => position,
      Next::Nothing => return Taken::Empty,
      Next::Stop => return Taken::Stop,
    };
    probe.at(Step::AfterClaim);
    if self.armed.replace(false) {
      // The worker is awake: without this the host would ring for each call that it pushes while this one runs.
      self.view.header().worker_bell.disarm();
    }
    match self.read(position) {
      Ok(record) => {
        self.unborrowed = record.place.loan();
        Taken::Call(record)
      }
      Err(corrupt) => Taken::Corrupt(corrupt),
    }
  }

  #[inline]
  fn claim<P: Probe>(&mut self, now_ns: impl FnOnce() -> u64, probe: &mut P) -> Next {
    let header = self.view.header();
    let mut now_ns = Some(now_ns);
    let next = self.calls.next(self.view.calls(), &header.control.stop, |slot| {
      if let Some(now_ns) = now_ns.take() {
        // Before the claim, which releases it (SYNC POINT CallClaimed): who sees the claim sees its time.
        header.clock.claimed_at.store(now_ns(), Ordering::Relaxed);
      }
      // A definition is no call: it would put whoever counts calls out.
      if P::ACTIVE && !slot.holds_definition() {
        probe.at(Step::BeforeClaim);
      }
    });
    if core::mem::take(&mut self.calls.released) {
      self.published.set(true);
    }
    next
  }

  /// Reads the header of a claimed slot, and checks it.
  #[inline]
  fn read(&self, position: Position) -> Result<CallRecord, Corrupt> {
    // SAFETY: a claimed slot is the worker's to read.
    let head = unsafe { self.calls.slot(self.view.calls(), position).frame().read_head() };
    let Some(kind) = CallKind::from_u8(head.kind) else {
      return Err(Corrupt { what: "the kind of a call" });
    };
    let Some(place) = Place::check(head.len, head.at, self.geometry.arena_bytes) else {
      return Err(Corrupt { what: "the length or the block of a call" });
    };
    Ok(CallRecord {
      position,
      kind,
      codec: head.codec,
      flags: head.flags,
      task: head.task,
      sequence: head.sequence,
      len: head.len,
      place,
    })
  }

  /// Copies `dst.len()` bytes of a call's payload, from `at` on.
  ///
  /// # Panics
  /// When the range is not inside the payload, as with a slice.
  #[inline]
  pub fn copy_payload(&self, c: &CallRecord, at: usize, dst: &mut [u8]) {
    check_range(c.len, at, dst.len());
    let slot = self.calls.slot(self.view.calls(), c.position);
    // SAFETY: until its result is committed, a claimed slot is the worker's to read.
    unsafe { self.view.read_payload(Direction::ToWorker, slot.frame(), c.place, at, dst) };
  }

  /// The content of a call's payload, which is all but the part in the slot, to be used in place. `None`: the host does
  /// not lend it, it is borrowed already, or another call was taken since. Give the loan back, once, when the content
  /// is not needed any more: that may be long after the call.
  pub fn borrow(&mut self, c: &CallRecord) -> Option<Borrowed> {
    let Place::Block { inline, offset, loan: Some(loan) } = c.place else { return None };
    if self.unborrowed != Some(loan) {
      return None;
    }
    self.unborrowed = None;
    let len = c.payload_len() - inline;
    let word = &self.view.loan_words(Direction::ToWorker)[usize::from(loan)];
    Some(Borrowed::new(self.view.address(Direction::ToWorker, offset, len), len, word))
  }

  /// Gives the block back that came with the call taken last, if nobody has borrowed it.
  pub(crate) fn leave_unborrowed(&mut self) {
    if let Some(loan) = self.unborrowed.take() {
      self.view.loan_words(Direction::ToWorker)[usize::from(loan)].give_back();
    }
  }

  /// Frees the slot of a [`CallKind::Define`] that has been read. Does nothing for another call.
  pub fn release_define(&mut self, c: &CallRecord) {
    if c.kind == CallKind::Define {
      self.calls.release(self.view.calls(), c.position);
      self.calls.released = false;
      self.published.set(true);
    }
  }
}
