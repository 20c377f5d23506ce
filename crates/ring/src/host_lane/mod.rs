//! The host's half of a lane.

mod calls;
mod results;
mod signals;
mod snapshot;

pub use snapshot::{LaneSnapshot, SlotState, StateRun};

use core::cell::Cell;

use crate::bell::Reasons;
use crate::call_producer::CallProducer;
use crate::error::GeometryError;
use crate::geometry::Geometry;
use crate::layout::{LAYOUT_VERSION, MAGIC};
use crate::loan::LoanWord;
use crate::memory::Memory;
use crate::out_arena::OutArena;
use crate::place::Direction;
use crate::record::{Position, WorkerPhase};
use crate::result_consumer::ResultConsumer;
use crate::sync::{Ordering, SyncPoint};
use crate::view::View;

/// The owner of a lane, for dumps and for the worker.
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
  /// The call arena.
  pub(crate) out: OutArena<M>,
  /// The result whose block the host has borrowed.
  borrowed: Cell<Option<Position>>,
  pub(crate) geometry: Geometry,
  pub(crate) identity: Identity,
  /// Reasons to ring that have come up since the last look at the worker's bell.
  published: Cell<Reasons>,
  /// Whether the host's bell is armed.
  armed: Cell<bool>,
  /// A push was refused, or would have been: a slot that becomes free is news.
  starved: Cell<bool>,
  /// As many free slots are news, since somebody has asked for them in vain. 0: nobody has.
  wanted_slots: Cell<u32>,
  /// The worker's phase, unchecked, as last seen.
  phase_seen: Cell<u32>,
  /// Requests to abort so far.
  aborts: Cell<u32>,
  /// Whether the worker may spin, as it was told last.
  lets_spin: Cell<bool>,
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
    // SAFETY: `memory` moves into the lane's arena, next to the view, and stays as long as the lane does.
    let view = unsafe { View::new(&memory, geometry)? };
    memory.commit(0, geometry.rings_end()).map_err(|no_memory| GeometryError::NoMemory { errno: no_memory.errno })?;
    format(&view, geometry, identity, start);
    Ok(Self {
      view,
      calls: CallProducer::new(geometry.slots, start),
      results: ResultConsumer::new(geometry.entries(), start),
      out: OutArena::new(memory, geometry, Direction::ToWorker),
      borrowed: Cell::new(None),
      geometry,
      identity,
      published: Cell::new(0),
      armed: Cell::new(false),
      starved: Cell::new(false),
      wanted_slots: Cell::new(0),
      phase_seen: Cell::new(WorkerPhase::Starting as u32),
      aborts: Cell::new(0),
      lets_spin: Cell::new(false),
    })
  }

  /// The memory that the lane is in.
  pub fn memory(&self) -> &M {
    self.out.memory()
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
  header.control.spin.store(0, Ordering::Relaxed);
  header.control.signals.store(0, Ordering::Relaxed);
  header.host_bell.format();
  header.worker_bell.format();
  header.lent_to_worker.words.iter().for_each(LoanWord::format);
  header.lent_to_host.words.iter().for_each(LoanWord::format);
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
