//! Workers that do not come to their calls any more: they are ended, and their calls move on.
//!
//! A call that waits for such a worker would never start, its time limit with it, and a pool that closes would wait for
//! ever. `lane/silence.rs` tells when a worker is given up. Its calls were never claimed, so none of them fails; the
//! pool itself ends the worker, so that its end is no death that breaks a pool.
//!
//! One look at all lanes a second is enough. It is due from the moment that a call goes into a lane until no lane waits
//! for a claim.

use std::time::Instant;

use super::Manager;
use crate::lane::{Heard, LOOK};

impl Manager {
  /// When the lanes are to be looked at next: for claims that workers owe, or for the memory of workers.
  pub fn next_look(&self) -> Option<Instant> {
    match (self.next_look, self.next_memory_look()) {
      (Some(a), Some(b)) => Some(a.min(b)),
      (a, b) => a.or(b),
    }
  }

  /// A call went into a lane: its worker owes a claim.
  pub(super) fn look_later(&mut self, now: Instant) {
    self.next_look.get_or_insert(now + LOOK);
  }

  /// Looks at all lanes if the time has come, and ends the workers that have been silent for too long.
  pub(super) fn look_for_silence(&mut self, now: Instant) {
    if self.next_look.is_some_and(|at| at > now) {
      return;
    }
    self.next_look = None;
    for index in 0..self.lanes.places() {
      let Some(lane) = self.lanes.get_mut(index) else { continue };
      match lane.listen(now) {
        Heard::Something => {}
        Heard::Nothing => self.look_later(now),
        Heard::NothingForTooLong => self.give_worker_up(index, now),
      }
    }
  }

  fn give_worker_up(&mut self, index: usize, now: Instant) {
    self.recall(index);
    // A call that could not be taken back was claimed at this very moment: the worker has come.
    if let Some(lane) = self.lanes.get_mut(index).filter(|lane| lane.is_empty() && lane.is_silent()) {
      lane.give_up(now);
    }
    self.tell_refused_signal(index);
    self.fill(now);
  }
}
