//! Stopping calls: those that wait, and those that run.

use std::time::{Duration, Instant};

use super::Manager;
use crate::calls::{Outcome, Place};
use crate::completion::CallId;
use crate::event::ExitReason;

impl Manager {
  /// Takes a call back that no worker has claimed. True: the call never runs, and is forgotten.
  pub fn cancel(&mut self, id: CallId) -> bool {
    match self.calls.get(id).map(|call| call.place) {
      None | Some(Place::Answered) => return false,
      Some(Place::Pending) => {
        self.calls.remove(id);
        self.pending.forget_one(&self.calls);
      }
      Some(Place::Lane { lane: index, position }) => {
        if !self.lanes.get_mut(index).is_some_and(|lane| lane.cancel(position)) {
          return false;
        }
        self.calls.remove(id);
        self.placement.note_room();
        self.note_idle(index);
      }
    }
    // The call may have been the last one that a closing pool waited for, or what filled the queue.
    if self.is_room_due() || (!self.lifecycle.is_running() && self.calls.len() == 0) {
      self.wake_again();
    }
    true
  }

  /// Takes back the items of a running chunk that have not begun, and returns the number of those that stay with its
  /// worker. `None`: the chunk has not begun, or is over.
  pub fn cut_chunk(&mut self, id: CallId) -> Option<u32> {
    let Some(Place::Lane { lane: index, .. }) = self.calls.get(id).map(|call| call.place) else { return None };
    self.lanes.get(index)?.cut(id).map(|progress| progress.limit)
  }

  /// Cancels every call that no worker has claimed, and returns them.
  pub fn cancel_waiting(&mut self) -> Vec<CallId> {
    let waited_for = self.calls.iter().filter(|(_, call)| call.outcome == Outcome::Delivered);
    let mut ids: Vec<CallId> = waited_for.map(|(id, _)| id).collect();
    ids.retain(|&id| self.cancel(id));
    ids
  }

  /// Ends the owner's interest in a call, and stops the worker that runs the call: abort signal, after `grace` SIGTERM,
  /// then SIGKILL. A call that waits is cancelled. False when the call is over already.
  pub fn stop_call(&mut self, id: CallId, grace: Duration) -> bool {
    if self.cancel(id) {
      return true;
    }
    let Some(Place::Lane { lane: index, .. }) = self.calls.get(id).map(|call| call.place) else { return false };
    let was_stopped = self.forgo_retry(id);
    if self.lanes.get(index).is_none_or(|lane| lane.has_ended()) {
      return was_stopped;
    }
    self.stop_running(index, id, grace, Instant::now()) || was_stopped
  }

  /// Stops a call that a lane's worker has claimed; false when it is over already and its result waits to be read.
  ///
  /// The calls queued behind are taken back first, by compare-and-swap, and the lane is given nothing else. If one of
  /// them is left, the worker has come to it, and this call is over. If none is left, the worker can be stopped without
  /// hurting another call.
  pub(super) fn stop_running(&mut self, index: usize, id: CallId, grace: Duration, now: Instant) -> bool {
    self.recall(index);
    // The owner has to come by: to read the result, when the grace is over, or to start a worker for the calls taken
    // back.
    self.wake_again();
    let Some(lane) = self.lanes.get_mut(index) else { return false };
    let Some(position) = lane.unanswered_last(id) else {
      self.drain.add(index);
      self.fill(now);
      return false;
    };
    lane.abort(position, now + grace);
    if let Some(call) = self.calls.get_mut(id) {
      call.outcome = Outcome::Dropped;
    }
    if grace.is_zero() {
      self.terminate(index, ExitReason::Killed, now);
    }
    self.fill(now);
    true
  }
}
