//! The bound of a pool's queue: whether there is room for one more call, and who hears when there is again.
//!
//! A call needs a place or room in the queue. Each worker is a place, and so is each worker that can still be started.
//! So a pool with a bound has room for as many unfinished calls as it has places, and `max_queue` more:
//!
//! ```text
//! unclaimed calls - places without a call  <=  max_queue      is the same as
//! unfinished calls                         <=  max_queue + places
//! ```
//!
//! The second form needs no look at shared memory, where calls are claimed and finished at any time. So the number of
//! calls that one turn of the owner's may submit does not depend on how fast the workers are.

use super::Manager;
use crate::event::Event;

impl Manager {
  /// Whether [`Manager::submit`] would refuse a call for want of room.
  pub fn is_full(&self) -> bool {
    !self.has_room_beyond(self.reservations.all())
  }

  /// Whether there is room that is not kept.
  pub fn has_room(&self) -> bool {
    self.has_room_beyond(self.reservations.kept)
  }

  /// Whether there is room for one call more than `calls`.
  fn has_room_beyond(&self, calls: usize) -> bool {
    match self.config.max_queue {
      None => true,
      Some(max) => self.calls.len().saturating_add(calls) < max.saturating_add(self.places()),
    }
  }

  /// How many workers there are and can be.
  fn places(&self) -> usize {
    if self.replaces() || self.awaits_forks() { self.config.max_workers as usize } else { self.lanes.live() }
  }

  /// Keeps room for `kept` calls, and lets no other call have the room that `awaited` more wait for.
  pub fn reserve(&mut self, kept: usize, awaited: usize) {
    self.reservations.kept = kept;
    self.reservations.awaited = awaited;
    self.hasten_room();
  }

  /// Has [`Event::Room`] sent as soon as there is room that is not kept.
  pub fn await_room(&mut self) {
    self.reservations.is_due = true;
    self.hasten_room();
  }

  /// A call was taken. If it was the last one that fitted, its owner hears when there is room again.
  pub(super) fn note_filled_up(&mut self) {
    if !self.has_room_beyond(0) {
      self.reservations.is_due = true;
    }
  }

  /// Brings the owner, who hears of room in the next round.
  fn hasten_room(&self) {
    if self.reservations.is_due && self.has_room() {
      self.wake_again();
    }
  }

  /// Whether the owner waits to hear of room.
  pub(super) fn is_room_due(&self) -> bool {
    self.reservations.is_due
  }

  /// At the end of a round: tells of room.
  pub(super) fn tell_of_room(&mut self) {
    if self.reservations.is_due && self.has_room() {
      self.reservations.is_due = false;
      self.events.push_back(Event::Room);
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
