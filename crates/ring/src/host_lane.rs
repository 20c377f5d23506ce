//! The host's half of a lane.

use core::cell::Cell;

use crate::arena::{Arena, Refused, WARM_REMAINDER};
use crate::bell::Reasons;
use crate::block::Block;
use crate::call_producer::{CallProducer, Entry};
use crate::call_slot::CallHead;
use crate::error::{Corrupt, GeometryError, PushError};
use crate::frame::{INLINE_CAPACITY, Parts};
use crate::geometry::Geometry;
use crate::layout::{LAYOUT_VERSION, MAGIC};
use crate::memory::Memory;
use crate::record::{Arrival, CallHeader, Place, Position, ResultRecord, WorkerPhase};
use crate::result_consumer::ResultConsumer;
use crate::result_slot::{NOTICE, RESULT, ResultHead, Stamp};
use crate::sync::{Ordering, SyncPoint};
use crate::view::{Direction, View};

/// A worker waits for a call.
pub(crate) const WORK: Reasons = 1;
/// A worker waits for its results to be consumed.
pub(crate) const ROOM: Reasons = 2;
/// The worker is to look at its control words, whatever it waits for.
const CONTROL: Reasons = 4;
/// The host waits for whatever its worker has to say.
pub(crate) const NEWS: Reasons = 1;

/// Whose lane it is, for dumps and for the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
  /// The process that owns the pool.
  pub host_pid: u32,
  /// The worker's number in its pool.
  pub worker_id: u32,
}

/// The host's half of a lane: pushes calls, takes them back, drains results.
///
/// After anything that the worker may be waiting for (a push, a consumed result, a request) ask
/// [`HostLane::needs_ring`]; it costs nothing when there was nothing.
#[derive(Debug)]
pub struct HostLane<M: Memory> {
  pub(crate) view: View,
  pub(crate) calls: CallProducer,
  pub(crate) results: ResultConsumer,
  pub(crate) arena: Arena,
  pub(crate) geometry: Geometry,
  pub(crate) identity: Identity,
  /// What was published since the last look at the worker's bell.
  published: Cell<Reasons>,
  /// Whether the host's bell is armed.
  armed: Cell<bool>,
  /// A push was refused or foreseen to be, so a slot that becomes free is news.
  starved: Cell<bool>,
  /// The worker's phase, raw, as last seen.
  phase_seen: Cell<u32>,
  /// Requests to abort so far.
  aborts: Cell<u32>,
  memory: M,
}

impl<M: Memory> HostLane<M> {
  /// Formats a lane. A worker may attach as soon as this returns.
  ///
  /// # Errors
  /// When the geometry is not allowed, or does not match the memory.
  pub fn create(memory: M, geometry: Geometry, identity: Identity) -> Result<Self, GeometryError> {
    Self::create_at(memory, geometry, identity, 0)
  }

  /// The same, with rings that begin at `start` and not at 0: positions wrap, and a test need not wait for that.
  ///
  /// # Errors
  /// As [`HostLane::create`].
  pub fn create_at(memory: M, geometry: Geometry, identity: Identity, start: Position) -> Result<Self, GeometryError> {
    let geometry = geometry.checked()?;
    // SAFETY: `memory` moves into the lane, next to the view.
    let view = unsafe { View::new(&memory, geometry)? };
    memory.commit(0, geometry.rings_end()).map_err(|no_memory| GeometryError::NoMemory { errno: no_memory.errno })?;
    format(&view, geometry, identity, start);
    Ok(Self {
      view,
      calls: CallProducer::new(geometry.slots, start),
      results: ResultConsumer::new(geometry.entries(), start),
      arena: Arena::new(geometry.arena_bytes),
      geometry,
      identity,
      published: Cell::new(0),
      armed: Cell::new(false),
      starved: Cell::new(false),
      phase_seen: Cell::new(WorkerPhase::Starting as u32),
      aborts: Cell::new(0),
      memory,
    })
  }

  /// The memory that the lane is in.
  pub fn memory(&self) -> &M {
    &self.memory
  }

  /// Whether a push of a payload that fits a slot would succeed.
  pub fn has_room(&self) -> bool {
    let room = !self.calls.is_full() || self.calls.oldest_was_released(self.view.calls());
    if !room {
      self.starved.set(true);
    }
    room
  }

  /// How many such pushes would succeed, one after the other.
  pub fn free_slots(&self) -> u32 {
    let free = self.calls.vacancies(self.view.calls());
    if free == 0 {
      self.starved.set(true);
    }
    free
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
    let head = CallHead::new(header, len as u64, Place::NO_BLOCK);
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
    let capacity = self.arena.capacity();
    if len > capacity {
      return Err(PushError::TooLarge { len, capacity });
    }
    self.make_room()?;
    let base = self.geometry.call_arena().start;
    let memory = &self.memory;
    let commit =
      |range: core::ops::Range<u64>| memory.commit(base + range.start as usize, (range.end - range.start) as usize);
    let block = self.arena.allocate(len, commit).map_err(|refused| match refused {
      Refused::Full => {
        self.starved.set(true);
        PushError::Full
      }
      Refused::NoMemory(no_memory) => PushError::NoMemory { errno: no_memory.errno },
    })?;
    // SAFETY: the block was just allocated, and no slot names it.
    unsafe { self.view.write(Direction::ToWorker, block.offset(), parts) };
    let head = CallHead::new(header, len, block.offset());
    Ok(self.publish(head, Parts::EMPTY, Some(block)))
  }

  /// Takes back what the worker has passed by.
  fn make_room(&mut self) -> Result<(), PushError> {
    self.calls.retire(self.view.calls(), |block| self.arena.release(block));
    if self.calls.is_full() {
      self.starved.set(true);
      return Err(PushError::Full);
    }
    Ok(())
  }

  /// The next push says a length and a block that cannot be.
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
  pub fn reclaim(&mut self, p: Position, out: &mut Vec<u8>) -> Option<CallHeader> {
    if self.calls.is_outstanding(p) && !self.revoke(p) {
      return None;
    }
    let Entry { head, block, .. } = *self.calls.revoked(p)?;
    // Length and block are what the host noted when it pushed: the slot's own words are not asked.
    out.clear();
    out.resize(head.len as usize, 0);
    match block {
      Some(block) => self.view.read(Direction::ToWorker, block.offset(), out),
      None => {
        let slot = &self.view.calls()[(p & (self.geometry.slots - 1)) as usize];
        // SAFETY: a revoked slot is the host's to read.
        unsafe { slot.frame().read_inline(0, out) };
      }
    }
    self.abandon(p);
    head.header()
  }

  /// The payload of the revoked call at `p` is not wanted.
  pub fn abandon(&mut self, p: Position) {
    if let Some(block) = self.calls.let_go(p) {
      self.arena.release(block);
    }
    self.calls.retire(self.view.calls(), |block| self.arena.release(block));
  }

  /// The oldest result that was not consumed. Its lengths and indexes are checked; it stays until
  /// [`HostLane::consume`].
  ///
  /// # Errors
  /// When what the worker wrote cannot be. The lane stays so: end the worker.
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
    let Some(place) = Place::check(head.len, head.block, self.geometry.arena_bytes) else {
      return Err(Corrupt { what: "the length or the block of a result" });
    };
    let is_notice = match head.kind {
      RESULT if self.calls.is_outstanding(head.position) => false,
      RESULT => return Err(Corrupt { what: "a result for a call that the worker does not have" }),
      NOTICE => true,
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
    };
    Ok(if is_notice { Arrival::Notice(record) } else { Arrival::Result(record) })
  }

  /// Whether there is a result, or something in its place that is none.
  pub fn has_result(&self) -> bool {
    self.results.look(self.view.results()) != Stamp::Empty
  }

  /// Copies `dst.len()` bytes of a result's payload, from `at` on.
  ///
  /// # Panics
  /// When the range is not inside the payload, as with a slice.
  #[inline]
  pub fn copy_payload(&self, r: &ResultRecord, at: usize, dst: &mut [u8]) {
    check_range(r.len, at, dst.len());
    match r.place {
      // SAFETY: until it is consumed, the entry is the host's to read.
      Place::Inline => unsafe {
        self.results.slot(self.view.results(), r.entry).frame().read_inline(at, dst);
      },
      Place::Block(offset) => self.view.read(Direction::ToHost, offset + at as u64, dst),
    }
  }

  /// The result has been read: its call is over, and slots and blocks of both are free again. Nothing happens unless it
  /// is the one that [`HostLane::next_result`] gave last.
  #[inline]
  pub fn consume(&mut self, r: &ResultRecord) {
    if r.entry != self.results.next() {
      return;
    }
    if !r.is_notice {
      if let Some(block) = self.calls.finish(r.position) {
        self.arena.release(block);
      }
      self.calls.retire(self.view.calls(), |block| self.arena.release(block));
    }
    self.results.advance(&self.view.header().progress.consumed);
    if !r.is_inline() {
      // Only a block makes room that a worker may be waiting for: the ring itself never refuses a result.
      self.published.set(self.published.get() | ROOM);
    }
  }

  /// Whether the caller must ring the worker's doorbell now, for what was published since this was last asked.
  #[inline]
  pub fn needs_ring(&self) -> bool {
    let published = self.published.replace(0);
    if published == 0 {
      return false;
    }
    let bell = &self.view.header().worker_bell;
    if published & CONTROL != 0 {
      // A worker that runs something has not armed its bell, and may still sit in its event loop.
      bell.silence();
      return true;
    }
    bell.must_ring(published)
  }

  /// Says that the host is about to sleep. True: there is something to look at after all (a result, a new phase of the
  /// worker, room where there was none), so do not sleep.
  pub fn arm(&self) -> bool {
    let header = self.view.header();
    header.host_bell.arm(NEWS);
    self.armed.set(true);
    let phase = header.life.phase.load(SyncPoint::PhaseChanged.acquire());
    let news = self.has_result()
      || self.phase_seen.replace(phase) != phase
      || (self.starved.get() && self.calls.oldest_was_released(self.view.calls()));
    if news {
      self.starved.set(false);
      self.armed.set(false);
      header.host_bell.disarm();
    }
    news
  }

  /// The worker leaves when it finds no queued call. Push nothing after this.
  pub fn request_stop(&self) {
    // SYNC POINT StopRequested: a worker that sees this sees every call pushed before.
    self.view.header().control.stop.store(1, SyncPoint::StopRequested.release());
    self.published.set(self.published.get() | CONTROL);
  }

  /// The worker aborts the call at `p`, if it runs that.
  pub fn request_abort(&self, p: Position) {
    if self.calls.request_abort(self.view.calls(), p) {
      let aborts = self.aborts.get().wrapping_add(1);
      self.aborts.set(aborts);
      // SYNC POINT AbortRequested: a worker that sees the count sees the slot's word.
      self.view.header().control.aborts.store(aborts, SyncPoint::AbortRequested.release());
      self.published.set(self.published.get() | CONTROL);
    }
  }

  /// How far the worker says it has come; `None` if that makes no sense.
  pub fn phase(&self) -> Option<WorkerPhase> {
    // SYNC POINT PhaseChanged: what the worker did before is visible.
    let phase = self.view.header().life.phase.load(SyncPoint::PhaseChanged.acquire());
    self.phase_seen.set(phase);
    WorkerPhase::from_u32(phase)
  }

  /// When the worker made its last claim, by its own account, in nanoseconds of the monotonic clock. To be held against
  /// what the host knows.
  pub fn claimed_at(&self) -> u64 {
    self.view.header().clock.claimed_at.load(Ordering::Relaxed)
  }

  /// Calls that have been neither consumed nor taken back; definitions do not count.
  pub fn outstanding(&self) -> u32 {
    self.calls.outstanding()
  }

  /// Their positions, oldest first.
  pub fn outstanding_positions(&self) -> impl Iterator<Item = Position> + '_ {
    self.calls.positions()
  }

  /// Gives pages of the call arena back that no call uses, apart from a warm remainder.
  pub fn trim(&mut self) {
    self.calls.retire(self.view.calls(), |block| self.arena.release(block));
    let base = self.geometry.call_arena().start;
    self.arena.trim(WARM_REMAINDER, |range| {
      self.memory.discard(base + range.start as usize, (range.end - range.start) as usize);
    });
  }
}

/// Formats everything; magic and version, and `ready` with release, last.
fn format(view: &View, geometry: Geometry, identity: Identity, start: Position) {
  let header = view.header();
  let preamble = &header.preamble;
  preamble.ready.store(0, Ordering::Relaxed);
  for position in (0..geometry.slots).map(|step| start.wrapping_add(step)) {
    view.calls()[(position & (geometry.slots - 1)) as usize].format(position);
  }
  for position in (0..geometry.entries()).map(|step| start.wrapping_add(step)) {
    view.results()[(position & (geometry.entries() - 1)) as usize].format(position, geometry.entries());
  }
  header.progress.consumed.store(start, Ordering::Relaxed);
  header.control.stop.store(0, Ordering::Relaxed);
  header.control.aborts.store(0, Ordering::Relaxed);
  header.host_bell.format();
  header.worker_bell.format();
  header.clock.claimed_at.store(0, Ordering::Relaxed);
  header.life.phase.store(WorkerPhase::Starting as u32, Ordering::Relaxed);
  preamble.arena_bytes.store(geometry.arena_bytes, Ordering::Relaxed);
  preamble.slots.store(geometry.slots, Ordering::Relaxed);
  preamble.start.store(start, Ordering::Relaxed);
  preamble.host_pid.store(identity.host_pid, Ordering::Relaxed);
  preamble.worker_id.store(identity.worker_id, Ordering::Relaxed);
  preamble.magic.store(MAGIC, Ordering::Relaxed);
  preamble.version.store(LAYOUT_VERSION, Ordering::Relaxed);
  // SYNC POINT LaneReady: pairs with the worker's look in `attach`.
  preamble.ready.store(1, SyncPoint::LaneReady.release());
}

/// Refuses a range that is not inside a payload, as a slice does.
#[inline]
pub(crate) fn check_range(payload_len: u64, at: usize, len: usize) {
  let end = at.checked_add(len);
  assert!(end.is_some_and(|end| end as u64 <= payload_len), "a range outside the payload");
}
