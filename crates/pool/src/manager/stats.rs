//! The workers of a pool in numbers.

use std::time::Instant;

use super::Manager;
use crate::completion::CallId;
use crate::lane::{Lane, Life};

/// The state of a worker, as users see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerState {
  /// The worker boots.
  Starting,
  /// The worker has nothing to do.
  Idle,
  /// The worker has calls.
  Busy,
  /// The worker was asked to leave, is being stopped, or has left and is not reaped yet.
  Leaving,
}

impl WorkerState {
  /// The state's name, as users see it.
  pub fn name(self) -> &'static str {
    match self {
      Self::Starting => "starting",
      Self::Idle => "idle",
      Self::Busy => "busy",
      Self::Leaving => "leaving",
    }
  }
}

/// One worker in numbers.
#[derive(Clone, Copy, Debug)]
pub struct WorkerStats {
  /// The process id.
  pub pid: u32,
  /// The number in the pool.
  pub worker_id: u32,
  /// The state.
  pub state: WorkerState,
  /// The call that the worker runs.
  pub running: Option<CallId>,
  /// How many calls the worker has finished.
  pub tasks_done: u64,
  /// Milliseconds since the worker was started.
  pub age_ms: u64,
  /// The resident memory in bytes, where the system tells.
  pub rss: Option<u64>,
}

impl Manager {
  /// One entry for each living worker. A worker that is reaped has none, even before its end is dealt with: its process
  /// id may be another process's by now.
  pub fn worker_stats(&self) -> Vec<WorkerStats> {
    let now = Instant::now();
    self
      .lanes
      .iter()
      .filter(|(_, lane)| !lane.has_ended())
      .map(|(_, lane)| WorkerStats {
        pid: lane.pid(),
        worker_id: lane.worker_id(),
        state: state_of(lane),
        running: lane.running(),
        tasks_done: lane.tasks_done(),
        age_ms: now.duration_since(lane.started_at()).as_millis() as u64,
        rss: millrace_sys::resident_bytes(lane.pid()),
      })
      .collect()
  }

  /// Workers started in the place of others.
  pub fn restarts(&self) -> u64 {
    self.starts.replaced()
  }
}

fn state_of(lane: &Lane) -> WorkerState {
  // What a worker says of its own end, and the end itself, can be there before the host has dealt with them.
  if lane.has_left() {
    return WorkerState::Leaving;
  }
  match lane.life() {
    Life::Starting { .. } => WorkerState::Starting,
    Life::Terminated { .. } | Life::Killed { .. } => WorkerState::Leaving,
    Life::Ready | Life::Aborting { .. } | Life::Leaving { .. } if lane.running().is_some() => WorkerState::Busy,
    Life::Leaving { .. } => WorkerState::Leaving,
    Life::Ready | Life::Aborting { .. } if lane.says_goodbye() => WorkerState::Leaving,
    Life::Ready | Life::Aborting { .. } if lane.is_empty() => WorkerState::Idle,
    Life::Ready | Life::Aborting { .. } => WorkerState::Busy,
  }
}
