//! Taking calls back from lanes whose workers do not come to them, for others that would.
//!
//! A worker does not come to a call while it runs a long one before that; or for no reason that the host can see: it is stopped,
//! or busy with what an earlier task has left behind.

use std::time::{Duration, Instant};

use millrace_ring::Reclaimed;

use super::Manager;
use crate::calls::{Payload, Place};
use crate::lane::{Lane, Life};

/// A lane whose call has run so long while another worker is idle gives up the calls queued behind it.
pub(crate) const STALL: Duration = Duration::from_millis(1);

/// A worker that has nothing else to do claims a call within this time, or the call goes to another.
const UNCLAIMED: Duration = Duration::from_secs(1);

impl Manager {
  /// Takes back what is queued in a lane and puts it in front of the pending calls, in its order.
  pub(crate) fn recall(&mut self, index: usize) {
    self.recall_behind(index, 0);
  }

  /// The same with what is queued behind the first `kept` calls.
  fn recall_behind(&mut self, index: usize, kept: usize) {
    let Some(lane) = self.lanes[index].as_mut() else { return };
    // From the youngest: the worker claims from the other end, so whatever this wins is a suffix, in order.
    while lane.held.len() > kept {
      let last = lane.held.len() - 1;
      let Some(held) = lane.take_back(last) else { break };
      let mut payload = Vec::new();
      let Some(Reclaimed { cut, .. }) = lane.ring.reclaim(held.position, &mut payload) else { continue };
      let Some(call) = self.calls.get_mut(held.call) else { continue };
      call.place = Place::Pending;
      call.payload = Payload::reclaimed(payload, cut);
      self.pending.push_front(held.call, call.sequence);
    }
  }

  /// Whether some worker is idle while a call is queued behind another: worth a look in a moment.
  pub(crate) fn may_rebalance(&self) -> bool {
    self.pending.is_empty()
      && self.living().any(|(_, lane)| lane.held.len() >= 2 && !lane.stalled)
      && self.living().any(|(_, lane)| lane.is_idle())
  }

  /// When a call that its worker does not claim is taken back, if it could go elsewhere.
  pub(crate) fn next_unclaimed(&self) -> Option<Instant> {
    let elsewhere = self.live < self.config.max_workers as usize || self.living().any(|(_, lane)| lane.is_idle());
    if !elsewhere {
      return None;
    }
    self.living().filter(|(_, lane)| waits_for_its_claim(lane)).map(|(_, lane)| lane.front_since + UNCLAIMED).min()
  }

  /// Takes calls away from behind long ones: for idle workers, or to the front of those that are pending, which would
  /// otherwise all be started before them. And from workers that claim nothing, for others.
  pub(crate) fn rebalance(&mut self, now: Instant) {
    if self.next_unclaimed().is_some_and(|at| at <= now) {
      for index in self.indices() {
        if self.lanes[index]
          .as_ref()
          .is_some_and(|lane| waits_for_its_claim(lane) && lane.front_since + UNCLAIMED <= now)
        {
          self.give_up(index, 0);
        }
      }
      self.fill(now);
    }
    let overtaken = !self.pending.is_empty() && self.live > 1;
    if !overtaken && !self.may_rebalance() {
      return;
    }
    // While no worker is idle, a call that takes as long as others do is no reason to end the read-ahead.
    let usual = self.living().filter_map(|(_, lane)| lane.service_ns()).min().filter(|_| overtaken).unwrap_or(0);
    let patience = STALL.max(2 * Duration::from_nanos(usual.into()));
    for index in self.indices() {
      let Some(lane) = self.lanes[index].as_ref() else { continue };
      let busy = lane.held.len() >= 2 && matches!(lane.life, Life::Ready);
      if busy && !lane.stalled && now.duration_since(lane.front_since) >= patience {
        // The first one, if it is not claimed yet, waits for a worker that is on its way, and has more time for that.
        self.give_up(index, 1);
      }
    }
    self.fill(now);
  }

  /// Takes back what is queued behind the first `kept` calls, and queues nothing more there for now.
  fn give_up(&mut self, index: usize, kept: usize) {
    if let Some(lane) = self.lanes[index].as_mut() {
      lane.stalled = true;
      self.recall_behind(index, kept);
    }
  }
}

/// Whether the lane's only call is one that its worker could have claimed.
fn waits_for_its_claim(lane: &Lane) -> bool {
  lane.held.len() == 1 && lane.life == Life::Ready && lane.running().is_none()
}
