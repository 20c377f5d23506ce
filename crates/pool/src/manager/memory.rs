//! The hard limit of a worker's memory: a worker that grows beyond it is killed in the middle of its call.
//!
//! While some worker has a call, its memory is looked at each [`EVERY`], and sooner when the worker would be beyond the
//! limit at the next look. A pool whose workers have nothing to do is not looked at. The owner's round looks, and the
//! relief thread when the owner does not come by.
//!
//! The call that is killed has to be the one that has grown the worker:
//!
//! | the worker is beyond the limit | so |
//! |---|---|
//! | before it is given a call, and has run one | it leaves, and the call goes to another |
//! | and was not when the same call, or item of a chunk, was seen before | it is killed: the call has failed |
//! | at the first sight of a call or item | it leaves after that, or is killed beyond the limit and the `doubt` |
//!
//! In the last case an earlier call may be to blame, which has ended since the last look. The calls and items behind go
//! elsewhere in each case.

use std::time::{Duration, Instant};

use millrace_ring::{Position, Progress};
use millrace_sys::{Exit, resident_bytes};

use super::Manager;
use crate::calls::Outcome;
use crate::event::{CallFailure, ExitReason, Outgrown};
use crate::lane::{Lane, Life, Work};

/// How often workers that run something are looked at.
const EVERY: Duration = Duration::from_millis(50);

/// How soon a worker is looked at again that comes near the limit.
const SOON: Duration = Duration::from_millis(10);

/// Bytes by which a worker may have grown since the last look: 1 GB/s for [`EVERY`], and some.
const GROWTH: u64 = 64 << 20;

impl Manager {
  /// When the memory of the workers is to be looked at next. `None`: there is no limit, or no worker has a call.
  pub fn next_memory_look(&self) -> Option<Instant> {
    self.next_memory_look
  }

  /// A call went into a lane.
  pub(super) fn look_at_memory_later(&mut self, index: usize, position: Position, now: Instant) {
    if self.config.hard_memory_limit.is_none() {
      return;
    }
    self.next_memory_look.get_or_insert(now + EVERY);
    if let Some(lane) = self.lanes.get_mut(index) {
      lane.note_beginning(position, now);
    }
  }

  /// Bytes beyond the limit that a worker may have at the first sight of a call.
  fn doubt(limit: u64) -> u64 {
    GROWTH.min(limit / 4)
  }

  /// Whether the worker of an empty lane is too large for another call: it leaves then. A worker that is too large
  /// without having run a call is given one all the same, since its successor would be as large.
  pub(super) fn has_outgrown_calls(&mut self, index: usize, now: Instant) -> bool {
    let Some(limit) = self.config.hard_memory_limit else { return false };
    let replaces = self.replaces();
    let Some(lane) = self.lanes.get_mut(index) else { return false };
    if lane.has_fresh_memory(now) {
      return false;
    }
    let Some(rss) = resident_bytes(lane.pid()) else { return false };
    lane.note_memory(rss, None, now);
    if rss <= limit || lane.tasks_done() == 0 || !replaces {
      return false;
    }
    self.dismiss(index, ExitReason::Recycled, now);
    // The call waits for another worker, which a round finds.
    self.wake_again();
    true
  }

  /// Looks at the workers that run something, if the time has come.
  pub fn look_at_memory(&mut self, now: Instant) {
    let Some(limit) = self.config.hard_memory_limit else { return };
    if self.next_memory_look.is_none_or(|at| at > now) {
      return;
    }
    self.next_memory_look = None;
    for index in 0..self.lanes.places() {
      let Some(lane) = self.lanes.get(index) else { continue };
      if lane.is_empty() || lane.has_ended() || matches!(lane.life(), Life::Killed { .. }) {
        continue;
      }
      let next = now + self.look_at_lane(index, limit, now);
      self.next_memory_look = Some(self.next_memory_look.map_or(next, |at| at.min(next)));
    }
  }

  /// Looks at one worker, and returns when to look again.
  fn look_at_lane(&mut self, index: usize, limit: u64, now: Instant) -> Duration {
    let Some(lane) = self.lanes.get_mut(index).filter(|lane| !lane.is_corrupt()) else { return EVERY };
    let Some(work) = lane.work() else { return EVERY };
    let Some(rss) = resident_bytes(lane.pid()) else { return EVERY };
    if lane.work() != Some(work) {
      // Nobody knows which of the two the size belongs to.
      return if rss > limit { SOON } else { EVERY };
    }
    let was_within = lane.was_within(limit, work);
    let growth = lane.note_memory(rss, Some(work), now);
    if rss <= limit {
      return if rss + growth > limit { SOON } else { EVERY };
    }
    if was_within || rss - limit > Self::doubt(limit) {
      self.kill_for_memory(index, work, rss, now);
    } else {
      self.retire_for_memory(index, now);
    }
    SOON
  }

  /// Has a worker leave after the call, or the item, that it runs.
  fn retire_for_memory(&mut self, index: usize, now: Instant) {
    let Some(lane) = self.lanes.get(index).filter(|lane| lane.life() == Life::Ready) else { return };
    if !self.replaces() {
      return;
    }
    if let Some(id) = lane.running() {
      lane.cut(id);
    }
    self.retire(index, now);
    self.wake_again();
  }

  /// Kills a worker, whose call has grown it to `rss` bytes.
  fn kill_for_memory(&mut self, index: usize, work: Work, rss: u64, now: Instant) {
    let Some(lane) = self.lanes.get(index) else { return };
    let Some(id) = lane.running() else { return };
    if self.is_chunk(id)
      && self.calls.get(id).is_some_and(|call| call.outcome == Outcome::Delivered)
      && !self.breaks_on_death()
    {
      let failure = self.killed_for_memory(lane.pid(), rss);
      // As `Lane::work` tells the item.
      let is_same = |now: Option<Progress>| now.map_or(0, |now| now.next) == work.item;
      if !self.interrupt(index, id, failure, is_same) {
        // The item was finished at this very moment.
        self.drain.add(index);
        self.wake_again();
        self.fill(now);
        return;
      }
    }
    // As in `stop_running`: if a call is left behind this one, the worker has come to it, and this one is over.
    self.recall(index);
    self.wake_again();
    let Some(lane) = self.lanes.get_mut(index) else { return };
    if lane.unanswered_last(id).is_none() {
      self.drain.add(index);
    } else {
      lane.note_outgrown(rss);
      let reason = match lane.life() {
        Life::Aborting { .. } => ExitReason::Killed,
        Life::Terminated { reason, .. } => reason,
        _ => ExitReason::Died,
      };
      self.kill(index, reason);
    }
    self.fill(now);
  }

  /// The size of a worker that has ended, if that is why.
  pub(super) fn outgrown(&self, lane: &Lane, reason: ExitReason) -> Option<Outgrown> {
    let limit = self.config.hard_memory_limit?;
    let is_full = lane.is_out_of_memory() && matches!(reason, ExitReason::Died | ExitReason::FailedStart);
    (is_full || lane.outgrown().is_some()).then(|| Outgrown { limit, rss: lane.outgrown() })
  }

  /// The failure of an item whose worker is about to be killed for its memory.
  pub(super) fn killed_for_memory(&self, pid: u32, rss: u64) -> CallFailure {
    let outgrown = self.config.hard_memory_limit.map(|limit| Outgrown { limit, rss: Some(rss) });
    let exit = Exit::Signal(libc::SIGKILL);
    CallFailure::WorkerDied { pid, exit, corrupt: None, out_of_memory: None, outgrown }
  }
}
