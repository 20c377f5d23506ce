//! Calls that move from a lane whose worker does not come to them, to workers that would.
//!
//! A worker does not come to a call while it runs a long one before that call; or for no reason that the host can see:
//! the worker is stopped, or busy with what an earlier task has left behind. If it stays so, `silence.rs` ends it.

use std::time::{Duration, Instant};

use super::Manager;
use crate::lane::{Life, UNCLAIMED};

/// How long a call may run while another worker is idle, before its lane gives up the calls queued behind it.
pub(super) const STALL: Duration = Duration::from_millis(1);

/// Payload bytes after which a lane gives up no more at a time: enough for an idle worker for a while. Each byte is
/// copied twice more, and the worker may come to the rest by itself.
const GIVEN_UP_BYTES: usize = 4 << 20;

impl Manager {
  /// Whether some worker is idle while a call is queued behind another: worth a look in a moment.
  pub(super) fn may_rebalance(&self) -> bool {
    self.pending.is_empty() && self.lanes.iter().any(|(_, lane)| lane.len() >= 2) && self.lanes.has_idle()
  }

  /// When a call that its worker does not claim is taken back, if it could go elsewhere.
  pub(super) fn next_unclaimed(&self) -> Option<Instant> {
    let elsewhere = self.lanes.live() < self.config.max_workers as usize || self.lanes.has_idle();
    if !elsewhere {
      return None;
    }
    let unclaimed = self.lanes.iter().filter(|(_, lane)| lane.waits_for_its_claim());
    unclaimed.map(|(_, lane)| lane.front_since() + UNCLAIMED).min()
  }

  /// Takes calls away from behind long ones: for idle workers, or to the front of the pending ones, which would
  /// otherwise all be started first. And takes calls away from workers that claim nothing.
  pub(super) fn rebalance(&mut self, now: Instant) {
    if self.next_unclaimed().is_some_and(|at| at <= now) {
      for index in self.lanes.indices() {
        let lane = self.lanes.get(index);
        if lane.is_some_and(|lane| lane.waits_for_its_claim() && lane.front_since() + UNCLAIMED <= now) {
          self.give_up(index, 0, now);
        }
      }
      self.fill(now);
    }
    let overtaken = !self.pending.is_empty() && self.lanes.live() > 1;
    if !overtaken && !self.may_rebalance() {
      return;
    }
    // While no worker is idle, a call that takes as long as others do is no reason to end the read-ahead.
    let shortest = self.lanes.iter().filter_map(|(_, lane)| lane.service_ns()).min();
    let usual = shortest.filter(|_| overtaken).unwrap_or(0);
    let patience = STALL.max(2 * Duration::from_nanos(usual.into()));
    for index in self.lanes.indices() {
      let Some(lane) = self.lanes.get(index) else { continue };
      let busy = lane.len() >= 2 && lane.life() == Life::Ready;
      if busy && now.duration_since(lane.stalled_since()) >= patience {
        // The first one, if it is not claimed yet, waits for a worker that is on its way, and has more time for that.
        self.give_up(index, 1, now);
      }
    }
    self.fill(now);
  }

  /// Takes back calls behind the first `kept`, and queues nothing more in this lane for now. What is left, because it
  /// has too many bytes to be taken back at once, is looked at again in a while.
  fn give_up(&mut self, index: usize, kept: usize, now: Instant) {
    if let Some(lane) = self.lanes.get_mut(index) {
      lane.stall(now);
      self.recall_behind(index, kept, GIVEN_UP_BYTES);
    }
  }
}
