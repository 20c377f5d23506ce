//! Steps that the pool takes with a single worker. `lane/life.rs` has the states, and the table of events that lead
//! from one to the next.

use std::time::Instant;

use super::Manager;
use crate::event::{Event, ExitReason};
use crate::lane::Life;

impl Manager {
  /// Asks a worker to leave that has nothing to do.
  pub(super) fn dismiss(&mut self, index: usize, reason: ExitReason, now: Instant) {
    if let Some(lane) = self.lanes.get_mut(index) {
      lane.ask_to_leave(reason, now);
    }
  }

  /// A worker leaves after the call that it runs; what is queued behind that moves on.
  pub(super) fn retire(&mut self, index: usize, now: Instant) {
    if self.lanes.get(index).is_some_and(|lane| matches!(lane.life(), Life::Ready | Life::Leaving { .. })) {
      self.recall(index);
      self.dismiss(index, ExitReason::Recycled, now);
      self.fill(now);
    }
  }

  /// The memory of a lane makes no sense: its worker is killed, and no other worker loses anything.
  pub(super) fn condemn(&mut self, index: usize, what: &'static str) {
    if let Some(lane) = self.lanes.get_mut(index) {
      lane.condemn(what);
    }
    self.tell_refused_signal(index);
  }

  /// SIGTERM to a worker and to all that it has started.
  pub(super) fn terminate(&mut self, index: usize, reason: ExitReason, now: Instant) {
    if let Some(lane) = self.lanes.get_mut(index) {
      lane.terminate(reason, now);
    }
    self.tell_refused_signal(index);
  }

  /// SIGKILL to a worker and to all that it has started.
  pub(super) fn kill(&mut self, index: usize, reason: ExitReason) {
    if let Some(lane) = self.lanes.get_mut(index) {
      lane.kill(reason);
    }
    self.tell_refused_signal(index);
  }

  /// Tells, once, that the system does not let this process signal a worker. To be called after each signal.
  pub(super) fn tell_refused_signal(&mut self, index: usize) {
    if let Some(lane) = self.lanes.get(index).filter(|lane| !self.told_refused_signal && lane.is_signal_refused()) {
      self.told_refused_signal = true;
      self.events.push_back(Event::SignalRefused { pid: lane.pid() });
    }
  }

  /// A worker's end was seen: asks how it ended. The lane is drained before the end is dealt with.
  pub(super) fn note_end(&mut self, index: usize, now: Instant) {
    let Some(lane) = self.lanes.get_mut(index).filter(|lane| !lane.has_ended()) else { return };
    if lane.reap(now) {
      self.drain.add(index);
    } else if lane.is_watched_by_hangup() {
      // The hang-up stays: the status is asked for by time from now on.
      self.watch.remove_sentinel(index, lane);
    }
  }
}
