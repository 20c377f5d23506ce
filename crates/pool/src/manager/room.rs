//! The bound of a pool's queue: how many calls wait, and who hears when the queue is not full any more.

use super::Manager;

impl Manager {
  /// Whether [`Manager::submit`] would refuse a call for want of room.
  pub fn is_full(&self) -> bool {
    match self.config.max_queue {
      None => false,
      // The calls in lanes are counted only when they could matter: each is a look at shared memory.
      Some(max) => self.calls.len() >= max && self.queued() >= max,
    }
  }

  /// Has [`Event::Room`](crate::Event::Room) sent as soon as the queue is not full.
  pub fn await_room(&mut self) {
    if !self.awaits_room {
      self.awaits_room = true;
      // Workers do not tell when they claim a call: from its next round on the owner comes back to look.
      self.wake_again();
    }
  }

  /// Calls that no worker has claimed.
  pub fn queued(&self) -> usize {
    self.pending.len() + self.lanes.iter().map(|(_, lane)| lane.unclaimed()).sum::<usize>()
  }

  /// Calls that are pending, or queued in a lane behind another.
  pub(super) fn waiting(&self) -> usize {
    self.pending.len() + self.lanes.iter().map(|(_, lane)| lane.len().saturating_sub(1)).sum::<usize>()
  }

  /// Whether calls are pending, so that workers could run dry if the owner did not come by.
  pub fn has_pending(&self) -> bool {
    !self.pending.is_empty()
  }

  /// Whether calls wait that a death, or a long call, would keep from their turn.
  pub fn has_waiting(&self) -> bool {
    self.has_pending() || self.lanes.iter().any(|(_, lane)| lane.len() >= 2)
  }
}
