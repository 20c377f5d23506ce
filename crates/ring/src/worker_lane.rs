//! The worker's half of a lane.

use core::cell::Cell;

use crate::arena::{Arena, Refused, WARM_REMAINDER};
use crate::block::Block;
use crate::call_consumer::CallConsumer;
use crate::error::{AttachError, CommitError, Corrupt};
use crate::frame::{INLINE_CAPACITY, Parts};
use crate::geometry::Geometry;
use crate::host_lane::{NEWS, ROOM, WORK, check_range};
use crate::layout::{Header, LAYOUT_VERSION, MAGIC};
use crate::memory::Memory;
use crate::probe::{Probe, Step, Unwatched, Watched};
use crate::record::{CallKind, CallRecord, Place, Position, ResultHeader, Taken, WorkerPhase};
use crate::result_producer::ResultProducer;
use crate::result_slot::{NOTICE, RESULT, ResultHead};
use crate::sync::{Ordering, SyncPoint};
use crate::view::{Direction, View};

/// Unconsumed results hold at most this much of the arena, or are one result: a host that is busy elsewhere must not
/// find its memory full of them.
const RESULT_WINDOW: u64 = 64 << 20;

/// The worker's half of a lane: takes calls, commits results.
///
/// After a commit, a notice, a new phase, a released definition, and before it sleeps, the worker asks
/// [`WorkerLane::needs_ring`]; it costs nothing when there was nothing.
#[derive(Debug)]
pub struct WorkerLane<M: Memory> {
  view: View,
  calls: CallConsumer,
  results: ResultProducer,
  arena: Arena,
  /// The block of each entry of the result ring, until the host has passed it.
  blocks: Box<[Option<Block>]>,
  /// The first position whose block may not have been released.
  reaped: Position,
  geometry: Geometry,
  /// Something was published since the last look at the host's bell.
  published: Cell<bool>,
  /// Whether the worker's bell is armed.
  armed: Cell<bool>,
  /// The host's cursor when a commit was refused; `None` since one was not.
  refused_at: Option<Position>,
  /// The host's count of aborts, as last seen.
  aborts_seen: Cell<u32>,
  #[cfg(feature = "fault-injection")]
  corrupt_next: bool,
  memory: M,
}

impl<M: Memory> WorkerLane<M> {
  /// Takes up the lane that a host has formatted.
  ///
  /// # Errors
  /// When it is none, or not of this version.
  pub fn attach(memory: M) -> Result<Self, AttachError> {
    let base = memory.base();
    if memory.len() < size_of::<Header>() || !base.cast::<Header>().is_aligned() {
      return Err(AttachError::Unusable);
    }
    // SAFETY: long enough and aligned; all atomics, for which every bit pattern is a value.
    let preamble = unsafe { &base.cast::<Header>().as_ref().preamble };
    // SYNC POINT LaneReady: everything that was formatted is visible.
    let ready = preamble.ready.load(SyncPoint::LaneReady.acquire());
    if ready != 1 || preamble.magic.load(Ordering::Relaxed) != MAGIC {
      return Err(AttachError::NotReady);
    }
    let found = preamble.version.load(Ordering::Relaxed);
    if found != LAYOUT_VERSION {
      return Err(AttachError::Version { found, expected: LAYOUT_VERSION });
    }
    let geometry = Geometry::new(preamble.slots.load(Ordering::Relaxed), preamble.arena_bytes.load(Ordering::Relaxed))?;
    let start = preamble.start.load(Ordering::Relaxed);
    // SAFETY: `memory` moves into the lane, next to the view.
    let view = unsafe { View::new(&memory, geometry)? };
    Ok(Self {
      view,
      calls: CallConsumer::new(geometry.slots, start),
      results: ResultProducer::new(geometry.entries(), start),
      arena: Arena::new(geometry.arena_bytes),
      blocks: vec![None; geometry.entries() as usize].into_boxed_slice(),
      reaped: start,
      geometry,
      published: Cell::new(false),
      armed: Cell::new(false),
      refused_at: None,
      aborts_seen: Cell::new(0),
      #[cfg(feature = "fault-injection")]
      corrupt_next: false,
      memory,
    })
  }

  /// The memory that the lane is in.
  pub fn memory(&self) -> &M {
    &self.memory
  }

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
    let Some(position) = self.claim(now_ns, probe) else { return Taken::Empty };
    let Some(position) = position else { return Taken::Stop };
    probe.at(Step::AfterClaim);
    if self.armed.replace(false) {
      // The worker is awake: without this the host would ring for each call that it pushes while this one runs.
      self.view.header().worker_bell.disarm();
    }
    match self.read(position) {
      Ok(record) => Taken::Call(record),
      Err(corrupt) => Taken::Corrupt(corrupt),
    }
  }

  /// `None`: nothing there. `Some(None)`: nothing there, and nothing will come.
  #[inline]
  fn claim<P: Probe>(&mut self, now_ns: impl FnOnce() -> u64, probe: &mut P) -> Option<Option<Position>> {
    let header = self.view.header();
    let slots = self.view.calls();
    let mut now_ns = Some(now_ns);
    let mut before_claim = || {
      if let Some(now_ns) = now_ns.take() {
        // Before the claim, which releases it (SYNC POINT CallClaimed): who sees the claim sees its time.
        header.clock.claimed_at.store(now_ns(), Ordering::Relaxed);
      }
      probe.at(Step::BeforeClaim);
    };
    let mut position = self.calls.take(slots, &mut before_claim);
    let mut stop = false;
    if position.is_none() {
      // SYNC POINT StopRequested: what was pushed before the request is visible to the second look.
      stop = header.control.stop.load(SyncPoint::StopRequested.acquire()) == 1;
      if stop {
        position = self.calls.take(slots, &mut before_claim);
      }
    }
    if core::mem::take(&mut self.calls.released) {
      self.published.set(true);
    }
    match position {
      Some(position) => Some(Some(position)),
      None if stop => Some(None),
      None => None,
    }
  }

  /// Reads the header of a claimed slot, and checks it.
  #[inline]
  fn read(&self, position: Position) -> Result<CallRecord, Corrupt> {
    // SAFETY: a claimed slot is the worker's to read.
    let head = unsafe { self.calls.slot(self.view.calls(), position).frame().read_head() };
    let Some(kind) = CallKind::from_u8(head.kind) else {
      return Err(Corrupt { what: "the kind of a call" });
    };
    let Some(place) = Place::check(head.len, head.block, self.geometry.arena_bytes) else {
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
    match c.place {
      // SAFETY: until its result is committed, a claimed slot is the worker's to read.
      Place::Inline => unsafe {
        self.calls.slot(self.view.calls(), c.position).frame().read_inline(at, dst);
      },
      Place::Block(offset) => self.view.read(Direction::ToWorker, offset + at as u64, dst),
    }
  }

  /// Lets go of a [`CallKind::Define`] that has been read. Nothing happens for another call.
  pub fn release_define(&mut self, c: &CallRecord) {
    if c.kind == CallKind::Define {
      self.calls.release(self.view.calls(), c.position);
      self.calls.released = false;
      self.published.set(true);
    }
  }

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

  /// Whether the caller must ring the host's doorbell now, for what was published since this was last asked.
  #[inline]
  pub fn needs_ring(&self) -> bool {
    self.published.replace(false) && self.view.header().host_bell.must_ring(NEWS)
  }

  /// Says that the worker is about to sleep, until there is a call or a request, or, after
  /// [`CommitError::NoRoom`], until the host has consumed results. True: that is so already, do not sleep.
  pub fn arm(&self) -> bool {
    let header = self.view.header();
    header.worker_bell.arm(if self.refused_at.is_some() { ROOM } else { WORK });
    self.armed.set(true);
    // SYNC POINT AbortRequested: the abort words of the slots are visible.
    let aborts = header.control.aborts.load(SyncPoint::AbortRequested.acquire());
    let found = match self.refused_at {
      Some(refused_at) => header.progress.consumed.load(Ordering::Relaxed) != refused_at,
      None => self.calls.has_work(self.view.calls()) || header.control.stop.load(Ordering::Relaxed) == 1,
    };
    let found = self.aborts_seen.replace(aborts) != aborts || found;
    if found {
      self.armed.set(false);
      header.worker_bell.disarm();
    }
    found
  }

  /// Tells the host how far this worker has come.
  pub fn set_phase(&self, phase: WorkerPhase) {
    // SYNC POINT PhaseChanged: who sees the phase sees what was done before.
    self.view.header().life.phase.store(phase as u32, SyncPoint::PhaseChanged.release());
    self.published.set(true);
  }

  /// Whether the host wants the call at `p`, which this worker runs, to be aborted.
  pub fn abort_requested(&self, p: Position) -> bool {
    self.calls.slot(self.view.calls(), p).abort_requested(p)
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
