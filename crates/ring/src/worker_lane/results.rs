//! Results: written and committed; their memory.

use crate::arena::{Arena, Refused, WARM_REMAINDER};
use crate::block::Block;
use crate::error::CommitError;
use crate::frame::{INLINE_CAPACITY, Parts};
use crate::memory::Memory;
use crate::probe::{Probe, Step, Unwatched, Watched};
use crate::record::{CallRecord, Place, Position, ResultHeader};
use crate::result_slot::{NOTICE, RESULT, ResultHead};
use crate::view::Direction;
use crate::worker_lane::WorkerLane;

/// Unconsumed results hold at most this much of the arena, or are one result: a host that is busy elsewhere must not
/// find its memory full of them.
const RESULT_WINDOW: u64 = 64 << 20;

impl<M: Memory> WorkerLane<M> {
  /// Commits the result of `call` with the payload `head ++ tail`.
  ///
  /// # Errors
  /// See [`CommitError`]; nothing changes then. After [`CommitError::NoRoom`] the worker commits nothing else before
  /// this result: it sleeps by [`WorkerLane::arm`], which waits for room then, and tries again.
  #[inline]
  pub fn commit(&mut self, r: &ResultHeader, call: &CallRecord, head: &[u8], tail: &[u8]) -> Result<(), CommitError> {
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
    let header = result_head(RESULT, call.position, r);
    self.send(header, Parts { head, tail }, self.results.entries(), &mut Watched(probe))
  }

  /// Sends a report that answers no call. False: there is no room for it, and it is dropped.
  pub fn notice(&mut self, status: u8, codec: u8, head: &[u8], tail: &[u8]) -> bool {
    let header = result_head(NOTICE, 0, &ResultHeader { status, codec, flags: 0, ran_ns: 0 });
    let refused_at = self.refused_at;
    // Half of the ring is for results, so that none is ever refused an entry.
    let sent = self.send(header, Parts { head, tail }, self.geometry.slots, &mut Unwatched).is_ok();
    // A notice says nothing about a result that waits for room.
    self.refused_at = refused_at;
    sent
  }

  /// The next result says a length and a block that cannot be.
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
    if let Some(block) = self.blocks[index].take() {
      // Of one lap before: the host has passed that entry, else there were no room.
      self.arena.release(block);
    }
    let len = parts.len();
    head.len = len as u64;
    let block = if len > INLINE_CAPACITY { Some(self.reserve(len as u64)?) } else { None };
    head.block = block.map_or(Place::NO_BLOCK, Block::offset);
    probe.at(Step::ResultReserved);
    if P::ACTIVE {
      let (first, second) = parts.split(len / 2);
      self.write(block, 0, first);
      probe.at(Step::MidResult);
      self.write(block, first.len(), second);
    } else {
      self.write(block, 0, parts);
    }
    #[cfg(feature = "fault-injection")]
    if core::mem::take(&mut self.corrupt_next) {
      head = ResultHead { len: u64::MAX - head.len, block: !head.block, ..head };
    }
    // SAFETY: there is room, so the entry is the worker's.
    unsafe { self.results.slot(self.view.results()).write_head(head) };
    probe.at(Step::BeforeCommit);
    self.blocks[index] = block;
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
      // SAFETY: there is room, so the entry is the worker's; without a block the payload fits a slot.
      None => unsafe { self.results.slot(self.view.results()).write_inline(at, parts) },
    }
  }

  fn no_room(&mut self) -> CommitError {
    self.refused_at = Some(self.results.consumed());
    CommitError::NoRoom
  }

  fn reserve(&mut self, len: u64) -> Result<Block, CommitError> {
    let capacity = self.arena.capacity();
    if len > capacity {
      return Err(CommitError::TooLarge { len, capacity });
    }
    self.reap();
    let in_use = self.arena.in_use();
    if in_use > 0 && in_use + Arena::block_size(len) > RESULT_WINDOW {
      return Err(self.no_room());
    }
    let base = self.geometry.result_arena().start;
    let memory = &self.memory;
    let commit =
      |range: core::ops::Range<u64>| memory.commit(base + range.start as usize, (range.end - range.start) as usize);
    self.arena.allocate(len, commit).map_err(|refused| match refused {
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
      if let Some(block) = self.blocks[index].take() {
        self.arena.release(block);
      }
    }
    self.reaped = consumed;
  }

  /// Gives pages of the result arena back that no result uses, apart from a warm remainder.
  pub fn trim(&mut self) {
    self.reap();
    let base = self.geometry.result_arena().start;
    self.arena.trim(WARM_REMAINDER, |range| {
      self.memory.discard(base + range.start as usize, (range.end - range.start) as usize);
    });
  }
}

#[inline]
fn result_head(kind: u32, position: Position, r: &ResultHeader) -> ResultHead {
  ResultHead {
    len: 0,
    block: Place::NO_BLOCK,
    position,
    ran_ns: r.ran_ns,
    kind,
    flags: r.flags,
    status: r.status,
    codec: r.codec,
  }
}
