//! The state of a lane at a moment, for dumps.

use crate::call_producer::Standing;
use crate::host_lane::{HostLane, Identity};
use crate::memory::Memory;
use crate::record::{Position, WorkerPhase};
use crate::sync::Ordering;

/// What has become of the call in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotState {
  /// Over; its room waits for older calls.
  Done,
  /// The worker has not come to it.
  Queued,
  /// The worker has claimed it.
  Claimed,
  /// A definition, or taken back: the worker has yet to pass by.
  Skipping,
}

/// Consecutive positions in the same state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateRun {
  /// The first of them.
  pub from: Position,
  /// How many.
  pub count: u32,
  /// Their state.
  pub state: SlotState,
}

/// What the host knows of a lane at a moment. The worker goes on meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneSnapshot {
  /// Whose lane it is.
  pub identity: Identity,
  /// Number of call slots.
  pub slots: u32,
  /// Oldest position in the call ring that is not done with.
  pub oldest_call: Position,
  /// Position of the next call.
  pub next_call: Position,
  /// Calls that have been neither consumed nor taken back.
  pub outstanding: u32,
  /// All positions in use, oldest first.
  pub calls: Vec<StateRun>,
  /// Position of the next result.
  pub next_result: Position,
  /// Whether that is there.
  pub has_result: bool,
  /// How far the worker says it has come.
  pub phase: Option<WorkerPhase>,
  /// When the worker made its last claim, by its own account.
  pub claimed_at: u64,
  /// Whether the worker is asked to leave.
  pub stop_requested: bool,
  /// Whether the host has said that it sleeps.
  pub host_sleeps: bool,
  /// Whether the worker has said that it sleeps.
  pub worker_sleeps: bool,
  /// Bytes of the call arena in use.
  pub arena_in_use: u64,
  /// Bytes of the call arena that are backed by memory.
  pub arena_committed: u64,
  /// The largest block that the call arena could give.
  pub arena_largest_free: u64,
}

impl<M: Memory> HostLane<M> {
  /// The lane's state, for dumps.
  pub fn snapshot(&self) -> LaneSnapshot {
    let header = self.view.header();
    LaneSnapshot {
      identity: self.identity,
      slots: self.geometry.slots,
      oldest_call: self.calls.oldest(),
      next_call: self.calls.next(),
      outstanding: self.outstanding(),
      calls: self.runs(),
      next_result: self.results.next(),
      has_result: self.has_result(),
      phase: WorkerPhase::from_u32(header.life.phase.load(Ordering::Relaxed)),
      claimed_at: self.claimed_at(),
      stop_requested: header.control.stop.load(Ordering::Relaxed) == 1,
      host_sleeps: header.host_bell.awaited() != 0,
      worker_sleeps: header.worker_bell.awaited() != 0,
      arena_in_use: self.out.arena().in_use(),
      arena_committed: self.out.arena().committed(),
      arena_largest_free: self.out.arena().free_ranges().map(|range| range.end - range.start).max().unwrap_or(0),
    }
  }

  fn runs(&self) -> Vec<StateRun> {
    let mut runs: Vec<StateRun> = Vec::new();
    let in_use = self.calls.next().wrapping_sub(self.calls.oldest());
    for position in (0..in_use).map(|age| self.calls.oldest().wrapping_add(age)) {
      let state = match self.calls.entry(position).map(|entry| entry.standing) {
        Some(Standing::Outstanding) if self.is_claimed(position) => SlotState::Claimed,
        Some(Standing::Outstanding) => SlotState::Queued,
        Some(Standing::Revoked | Standing::Skipping) => SlotState::Skipping,
        Some(Standing::Vacant) | None => SlotState::Done,
      };
      match runs.last_mut() {
        Some(run) if run.state == state => run.count += 1,
        _ => runs.push(StateRun { from: position, count: 1, state }),
      }
    }
    runs
  }
}
