//! The worker's half of a lane.

mod calls;
mod chunks;
mod results;
mod signals;

use core::cell::Cell;

use crate::block::Block;
use crate::call_consumer::CallConsumer;
use crate::error::AttachError;
use crate::geometry::Geometry;
use crate::layout::{Header, LAYOUT_VERSION, MAGIC};
use crate::loan::Handle;
use crate::memory::Memory;
use crate::out_arena::OutArena;
use crate::place::Direction;
use crate::record::Position;
use crate::result_producer::ResultProducer;
use crate::sync::{Ordering, SyncPoint};
use crate::view::View;

/// The worker's half of a lane: takes calls, commits results.
///
/// After a commit, a notice, a new phase, a released definition, and before it sleeps, the worker asks
/// [`WorkerLane::needs_ring`]; it costs nothing when there was nothing.
#[derive(Debug)]
pub struct WorkerLane<M: Memory> {
  pub(crate) view: View,
  calls: CallConsumer,
  results: ResultProducer,
  /// The result arena.
  out: OutArena<M>,
  /// The block that came with the call taken last, if it is lent and nobody has borrowed it.
  unborrowed: Option<Handle>,
  /// The block of each entry of the result ring, until the host has passed it.
  blocks: Box<[Option<Sent>]>,
  /// Bytes of those blocks.
  unconsumed: u64,
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
}

/// The block of a result.
#[derive(Clone, Copy, Debug)]
struct Sent {
  block: Block,
  /// It comes back by the word of its loan, and not when the host has passed the entry.
  is_lent: bool,
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
    // SAFETY: long enough and aligned, and `memory` outlives the reference; all atomics, for which every bit pattern is
    // a value.
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
    // SAFETY: `memory` moves into the lane's arena, next to the view, and stays as long as the lane does.
    let view = unsafe { View::new(&memory, geometry)? };
    Ok(Self {
      view,
      calls: CallConsumer::new(geometry.slots, start),
      results: ResultProducer::new(geometry.entries(), start),
      out: OutArena::new(memory, geometry, Direction::ToHost),
      unborrowed: None,
      blocks: vec![None; geometry.entries() as usize].into_boxed_slice(),
      unconsumed: 0,
      reaped: start,
      geometry,
      published: Cell::new(false),
      armed: Cell::new(false),
      refused_at: None,
      aborts_seen: Cell::new(0),
      #[cfg(feature = "fault-injection")]
      corrupt_next: false,
    })
  }

  /// The memory that the lane is in.
  pub fn memory(&self) -> &M {
    self.out.memory()
  }
}
