//! The worker's results: written and committed, and their blocks.

use crate::arena::{Arena, Refused};
use crate::block::Block;
use crate::error::CommitError;
use crate::frame::{INLINE_CAPACITY, Parts};
use crate::loan::Borrowed;
use crate::memory::{ENOMEM, Memory};
use crate::place::Direction;
use crate::place::{Placement, inline_len};
use crate::probe::{Probe, Step, Unwatched, Watched};
use crate::record::{CallRecord, Position, ResultHeader};
use crate::result_slot::{NOTICE, RESULT, RETURNED, ResultHead};
use crate::worker_lane::{Sent, WorkerLane};

/// Unconsumed results have at most this much of the arena, unless there is only one: they must not fill the memory of a
/// host that is busy elsewhere.
const RESULT_WINDOW: u64 = 64 << 20;

impl<M: Memory> WorkerLane<M> {
  /// Commits the result of `call` with the payload `head ++ tail`.
  ///
  /// # Errors
  /// See [`CommitError`]; nothing changes then. After [`CommitError::NoRoom`] the worker commits nothing else before
  /// this result: it sleeps by [`WorkerLane::arm`], which waits for room then, and tries again.
  #[inline]
  pub fn commit(&mut self, r: &ResultHeader, call: &CallRecord, head: &[u8], tail: &[u8]) -> Result<(), CommitError> {
    self.leave_unborrowed();
    let header = result_head(RESULT, call.position, r);
    self.send(header, Parts { head, tail }, self.results.entries(), &mut Unwatched)
  }

  /// [`WorkerLane::commit`], telling `probe` of each step.
  ///
  /// # Errors
  /// As [`WorkerLane::commit`].
  pub fn commit_probed(
    &mut self,
    r: &ResultHeader,
    call: &CallRecord,
    head: &[u8],
    tail: &[u8],
    probe: impl FnMut(Step),
  ) -> Result<(), CommitError> {
    self.leave_unborrowed();
    let header = result_head(RESULT, call.position, r);
    self.send(header, Parts { head, tail }, self.results.entries(), &mut Watched(probe))
  }

  /// A block of `len` bytes (not 0) for the worker to fill in place, and then to [commit](WorkerLane::commit_borrowed)
  /// or to give back. Its bytes are arbitrary.
  ///
  /// # Errors
  /// See [`CommitError`]. [`CommitError::NoRoom`]: there is no handle, or too much is in use.
  pub fn allocate(&mut self, len: usize) -> Result<Borrowed, CommitError> {
    let needed = len as u64;
    self.check_capacity(needed)?;
    self.reap();
    if self.exceeds_window(needed) {
      return Err(CommitError::NoRoom);
    }
    self.out.allocate(&self.view, len).map_err(|refused| match refused {
      Refused::Full => CommitError::NoRoom,
      Refused::NoMemory(no_memory) => CommitError::NoMemory { errno: no_memory.errno },
    })
  }

  /// Commits the result of `call` with the payload `head` and the content of a block of this lane. The block is not
  /// copied: it is the host's from then on, and not to be given back. False: the block cannot be passed on, commit a
  /// copy.
  pub fn commit_borrowed(&mut self, r: &ResultHeader, call: &CallRecord, head: &[u8], content: &Borrowed) -> bool {
    let len = head.len() + content.len();
    if head.len() > INLINE_CAPACITY || len <= INLINE_CAPACITY {
      return false;
    }
    let own = content.handle(self.view.loan_words(Direction::ToHost));
    let (kind, handle, first) = match (own, content.handle(self.view.loan_words(Direction::ToWorker))) {
      (Some(handle), _) => match self.out.lender().block(handle) {
        Some(block) => (RESULT, handle, block.first),
        None => return false,
      },
      (None, Some(handle)) => (RETURNED, handle, self.view.granule(Direction::ToWorker, content.as_ptr())),
      (None, None) => return false,
    };
    self.leave_unborrowed();
    if !self.results.has_room(self.results.entries(), &self.view.header().progress.consumed) {
      return false;
    }
    let index = self.results.index(self.results.next());
    self.passed(index);
    let at = Placement { block: first, inline: head.len() as u16, loan: handle };
    let result = ResultHead { len: len as u64, at, ..result_head(kind, call.position, r) };
    self.write(None, 0, Parts { head, tail: &[] });
    // SAFETY: there is room, so the entry is the worker's.
    unsafe { self.results.slot(self.view.results()).write_head(result) };
    self.results.commit(self.view.results());
    self.refused_at = None;
    self.published.set(true);
    true
  }

  /// Sends a report that answers no call. False: there is no room for the report, which is dropped.
  pub fn notice(&mut self, status: u8, codec: u8, head: &[u8], tail: &[u8]) -> bool {
    let header = result_head(NOTICE, 0, &ResultHeader { status, codec, flags: 0, ran_ns: 0 });
    let refused_at = self.refused_at;
    // Half of the ring is for results, so that none is ever refused an entry.
    let sent = self.send(header, Parts { head, tail }, self.geometry.slots, &mut Unwatched).is_ok();
    // A notice says nothing about a result that waits for room.
    self.refused_at = refused_at;
    sent
  }

  /// The next result has an impossible length and block.
  #[cfg(feature = "fault-injection")]
  pub fn corrupt_next_result(&mut self) {
    self.corrupt_next = true;
  }

  /// Writes an entry and its block, and commits them by one store.
  #[inline]
  fn send<P: Probe>(
    &mut self,
    mut head: ResultHead,
    parts: Parts<'_>,
    limit: u32,
    probe: &mut P,
  ) -> Result<(), CommitError> {
    if !self.results.has_room(limit, &self.view.header().progress.consumed) {
      return Err(self.no_room());
    }
    let index = self.results.index(self.results.next());
    // Of one lap before: the host has passed that entry, else there were no room.
    self.passed(index);
    let len = parts.len();
    head.len = len as u64;
    let (inline, content) = parts.split(inline_len(parts));
    let block = if content.len() > 0 { Some(self.reserve(content.len() as u64)?) } else { None };
    probe.at(Step::ResultReserved);
    let rest = if block.is_some() {
      self.write(None, 0, inline);
      content
    } else {
      inline
    };
    if P::ACTIVE {
      let (first, second) = rest.split(rest.len() / 2);
      self.write(block, 0, first);
      probe.at(Step::MidResult);
      self.write(block, first.len(), second);
    } else {
      self.write(block, 0, rest);
    }
    let lent = block.filter(|_| head.kind == RESULT);
    let loan = lent.and_then(|block| self.out.lend(&self.view, block, content.len()));
    head.at = block.map_or(Placement::INLINE, |block| Placement::new(inline.len(), block, loan));
    #[cfg(feature = "fault-injection")]
    if core::mem::take(&mut self.corrupt_next) {
      head = ResultHead { len: u64::MAX - head.len, at: head.at.corrupted(), ..head };
    }
    // SAFETY: there is room, so the entry is the worker's.
    unsafe { self.results.slot(self.view.results()).write_head(head) };
    probe.at(Step::BeforeCommit);
    if let Some(block) = block {
      self.blocks[index] = Some(Sent { block, is_lent: loan.is_some() });
      self.unconsumed += block.size();
    }
    self.results.commit(self.view.results());
    self.refused_at = None;
    self.published.set(true);
    Ok(())
  }

  #[inline]
  fn write(&self, block: Option<Block>, at: usize, parts: Parts<'_>) {
    match block {
      // SAFETY: the block was just allocated, and no entry names it.
      Some(block) => unsafe { self.view.write(Direction::ToHost, block.offset() + at as u64, parts) },
      // SAFETY: there is room, so the entry is the worker's; the callers' parts fit a slot.
      None => unsafe { self.results.slot(self.view.results()).write_inline(at, parts) },
    }
  }

  fn no_room(&mut self) -> CommitError {
    self.refused_at = Some(self.results.consumed());
    CommitError::NoRoom
  }

  fn check_capacity(&self, len: u64) -> Result<(), CommitError> {
    let capacity = self.out.arena().capacity();
    if len > capacity { Err(CommitError::TooLarge { len, capacity }) } else { Ok(()) }
  }

  /// Whether with `len` bytes more the host would have too much to consume.
  fn exceeds_window(&self, len: u64) -> bool {
    self.unconsumed > 0 && self.unconsumed + Arena::block_size(len) > RESULT_WINDOW
  }

  /// A block for the content of a result.
  fn reserve(&mut self, len: u64) -> Result<Block, CommitError> {
    self.check_capacity(len)?;
    self.reap();
    if len as usize >= self.out.lent_from() {
      self.out.reap_loans(&self.view);
    }
    if self.exceeds_window(len) {
      return Err(self.no_room());
    }
    self.out.reserve_or_reap(&self.view, len).map_err(|refused| match refused {
      // Nothing to wait for: what the host keeps it may keep for ever.
      Refused::Full if self.unconsumed == 0 => CommitError::NoMemory { errno: ENOMEM },
      Refused::Full => self.no_room(),
      Refused::NoMemory(no_memory) => CommitError::NoMemory { errno: no_memory.errno },
    })
  }

  /// Releases the blocks of all results that the host has passed.
  fn reap(&mut self) {
    self.results.refresh(&self.view.header().progress.consumed);
    let consumed = self.results.consumed();
    let behind = consumed.wrapping_sub(self.reaped);
    // More than a lap behind: those entries have been used again, and gave their blocks back then.
    let steps = behind.min(self.results.entries());
    for step in (0..steps).map(|step| consumed.wrapping_sub(steps).wrapping_add(step)) {
      let index = self.results.index(step);
      self.passed(index);
    }
    self.reaped = consumed;
  }

  /// The host has passed the entry at `index`.
  fn passed(&mut self, index: usize) {
    let Some(Sent { block, is_lent }) = self.blocks[index].take() else { return };
    self.unconsumed -= block.size();
    if !is_lent {
      self.out.release(block);
    }
  }

  /// Gives unused pages of the result arena back to the system, apart from a warm remainder. True: the host keeps
  /// blocks, so there may be more to give back later.
  pub fn trim(&mut self) -> bool {
    self.reap();
    self.out.trim(&self.view)
  }
}

#[inline]
fn result_head(kind: u32, position: Position, r: &ResultHeader) -> ResultHead {
  ResultHead {
    len: 0,
    at: Placement::INLINE,
    position,
    ran_ns: r.ran_ns,
    kind,
    flags: r.flags,
    status: r.status,
    codec: r.codec,
  }
}
