//! What a pool is doing, as numbers and as text.

use std::fmt::Write;
use std::time::Instant;

use crate::lane::{Lane, Life};
use crate::manager::Manager;

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
  /// One entry a living worker.
  pub fn worker_stats(&self) -> Vec<WorkerStats> {
    let now = Instant::now();
    self
      .living()
      .map(|(_, lane)| WorkerStats {
        pid: lane.child.pid(),
        worker_id: lane.worker_id,
        state: state_of(lane),
        running: lane.running().map(|held| held.call),
        tasks_done: lane.tasks_done,
        age_ms: now.duration_since(lane.started_at).as_millis() as u64,
        rss: millrace_sys::resident_bytes(lane.child.pid()),
      })
      .collect()
  }

  /// Workers started in the place of others.
  pub fn restarts(&self) -> u64 {
    self.restarts
  }

  /// Everything that helps to explain a pool that does not do what it should.
  pub fn dump(&self) -> String {
    let now = Instant::now();
    let mut text = String::new();
    let _ = writeln!(
      text,
      "pool: {:?}, {} of {} workers, {} unfinished calls, {} pending, {} running, on death {:?}",
      self.state,
      self.live,
      self.config.max_workers,
      self.calls.len(),
      self.pending.len(),
      self.living().filter(|(_, lane)| lane.running().is_some()).count(),
      self.config.on_death,
    );
    let _ = writeln!(
      text,
      "platform: segment {:?}, wake-up {:?}, poller {:?}, sentinel {:?}",
      self.capabilities.segment, self.capabilities.wakeup, self.capabilities.poller, self.capabilities.sentinel,
    );
    if self.failed_starts > 0 || !self.owed.is_empty() {
      let wait = self.start_after.map_or(0, |at| at.saturating_duration_since(now).as_millis());
      let _ = writeln!(
        text,
        "starts: {} failed in a row, {} workers owed, next attempt in {wait} ms",
        self.failed_starts,
        self.owed.len()
      );
    }
    for (index, lane) in self.living() {
      let _ = writeln!(
        text,
        "worker {} pid {} lane {index}: {:?}, {} calls held ({} bytes), {} done, service {} ns, front for {} ms, budget {:?}, {}{}",
        lane.worker_id,
        lane.child.pid(),
        lane.life,
        lane.held.len(),
        lane.held_bytes(),
        lane.tasks_done,
        lane.service_ns().map_or_else(|| "unknown".to_owned(), |ns| ns.to_string()),
        now.duration_since(lane.front_since).as_millis(),
        lane.budget,
        if lane.stalled { "stalled, " } else { "" },
        lane.exit.map_or_else(|| "alive".to_owned(), |exit| format!("ended: {exit:?}")),
      );
      if let Some(held) = lane.running() {
        let sequence = self.sequence(held.call).unwrap_or(0);
        let _ = writeln!(text, "  runs call {} (task id {sequence})", held.call);
      }
      let _ = writeln!(text, "  ring: {:?}", lane.ring.snapshot());
    }
    text
  }
}

fn state_of(lane: &Lane) -> WorkerState {
  match lane.life {
    Life::Starting { .. } => WorkerState::Starting,
    Life::Ready | Life::Aborting { .. } if lane.held.is_empty() => WorkerState::Idle,
    Life::Ready | Life::Aborting { .. } => WorkerState::Busy,
    Life::Leaving { .. } if lane.running().is_some() => WorkerState::Busy,
    Life::Leaving { .. } | Life::Terminated { .. } | Life::Killed { .. } => WorkerState::Leaving,
  }
}
