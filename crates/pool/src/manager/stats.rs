//! What a pool is doing, as numbers.

use std::time::Instant;

use super::Manager;
use crate::lane::{Lane, Life};

/// What one worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerState {
  /// It boots.
  Starting,
  /// It has nothing to do.
  Idle,
  /// It has calls.
  Busy,
  /// It was asked to leave, or is being stopped.
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

/// One worker.
#[derive(Clone, Copy, Debug)]
pub struct WorkerStats {
  /// Its process id.
  pub pid: u32,
  /// Its number in the pool.
  pub worker_id: u32,
  /// What it does.
  pub state: WorkerState,
  /// The call that it runs.
  pub running: Option<u32>,
  /// Calls that it has finished.
  pub tasks_done: u64,
  /// How long ago it was started, in milliseconds.
  pub age_ms: u64,
  /// Its resident memory in bytes, where the system tells.
  pub rss: Option<u64>,
}

impl Manager {
  /// One entry a living worker. One that is reaped is not among them, though its end may not have been dealt with: its
  /// number may be another process's by now.
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
  match lane.life() {
    Life::Starting { .. } => WorkerState::Starting,
    Life::Ready | Life::Aborting { .. } if lane.is_empty() => WorkerState::Idle,
    Life::Ready | Life::Aborting { .. } => WorkerState::Busy,
    Life::Leaving { .. } if lane.running().is_some() => WorkerState::Busy,
    Life::Leaving { .. } | Life::Terminated { .. } | Life::Killed { .. } => WorkerState::Leaving,
  }
}
