//! Stopping what waits, what runs, and the pool.

use std::time::{Duration, Instant};

use super::Manager;
use crate::calls::{Outcome, Place};
use crate::completion::CallId;
use crate::config::KILL_AFTER;
use crate::event::{CallFailure, Event, ExitReason, PoolState};
use crate::lane::Life;

impl Manager {
  /// Takes a call back that no worker has claimed: true means that it never runs and is forgotten.
  pub fn cancel(&mut self, id: CallId) -> bool {
    match self.calls.get(id).map(|call| call.place) {
      None | Some(Place::Answered) => false,
      Some(Place::Pending) => {
        self.calls.remove(id);
        self.pending.forget_one(&self.calls);
        self.after_cancel();
        true
      }
      Some(Place::Lane { lane: index, position }) => {
        let Some(lane) = self.lane_mut(index) else { return false };
        let Some(at) = lane.held.iter().rposition(|held| held.position == position) else { return false };
        if lane.take_back(at).is_none() {
          return false;
        }
        lane.ring.abandon(position);
        self.calls.remove(id);
        self.saturated = false;
        self.note_idle(index);
        self.after_cancel();
        true
      }
    }
  }

  /// A cancelled call may have been the last thing that a closing pool waited for, or what filled its queue.
  fn after_cancel(&mut self) {
    if self.was_full || (self.state != PoolState::Running && self.calls.len() == 0) {
      self.wake_again();
    }
  }

  /// Cancels every call that no worker has claimed, and returns them.
  pub fn cancel_waiting(&mut self) -> Vec<CallId> {
    let mut ids: Vec<CallId> =
      self.calls.iter().filter(|(_, call)| call.outcome == Outcome::Delivered).map(|(id, _)| id).collect();
    ids.retain(|&id| self.cancel(id));
    ids
  }

  /// Ends the owner's interest in a call, and stops the worker that runs it: abort signal, after `grace` SIGTERM,
  /// then SIGKILL. A call that waits is cancelled. False when the call is over already.
  pub fn stop_call(&mut self, id: CallId, grace: Duration) -> bool {
    if self.cancel(id) {
      return true;
    }
    let Some(Place::Lane { lane: index, .. }) = self.calls.get(id).map(|call| call.place) else { return false };
    let was_stopped = self.forgo_retry(id);
    if self.lanes[index].as_ref().is_none_or(|lane| lane.exit.is_some()) {
      return was_stopped;
    }
    self.stop_running(index, id, grace, Instant::now()) || was_stopped
  }

  /// Stops a call that a lane's worker has claimed; false when it is over already and its result waits to be read.
  ///
  /// What is queued behind it is taken back first, by compare-and-swap, and the lane is given nothing else. So if a call
  /// is left behind it, the worker has come to that and this one is over; and if none is, the worker can be stopped
  /// without hurting another call.
  pub(crate) fn stop_running(&mut self, index: usize, id: CallId, grace: Duration, now: Instant) -> bool {
    self.recall(index);
    // Somebody has to come by to read the result, when the grace is over, or to start a worker for what was taken back.
    self.wake_again();
    let Some(lane) = self.lanes[index].as_mut() else { return false };
    let last = lane.held.back().copied().filter(|last| last.call == id && !lane.ring.has_answer(last.position));
    let Some(last) = last else {
      self.heat(index);
      self.fill(now);
      return false;
    };
    lane.ring.request_abort(last.position);
    lane.ring();
    let deadline = now + grace;
    let (deadline, leaving) = match lane.life {
      Life::Aborting { deadline: before, leaving, .. } => (deadline.min(before), leaving),
      Life::Leaving { reason, .. } => (deadline, Some(reason)),
      _ => (deadline, None),
    };
    if matches!(lane.life, Life::Ready | Life::Leaving { .. } | Life::Aborting { .. }) {
      lane.life = Life::Aborting { position: last.position, deadline, leaving };
    }
    if let Some(call) = self.calls.get_mut(id) {
      call.outcome = Outcome::Dropped;
    }
    if grace.is_zero() {
      self.terminate(index, ExitReason::Killed, now);
    }
    self.fill(now);
    true
  }

  /// SIGTERM to a worker and its process tree.
  pub(crate) fn terminate(&mut self, index: usize, reason: ExitReason, now: Instant) {
    let Some(lane) = self.lanes[index].as_mut() else { return };
    if lane.exit.is_none() && !matches!(lane.life, Life::Terminated { .. } | Life::Killed { .. }) {
      lane.life = Life::Terminated { reason, deadline: now + KILL_AFTER };
      let _ = lane.child.signal_group(libc::SIGTERM);
      // One that is stopped, by a debugger's hand or a terminal's, would not hear of it before SIGKILL.
      let _ = lane.child.signal_group(libc::SIGCONT);
    }
  }

  /// SIGKILL to a worker and its process tree.
  pub(crate) fn kill(&mut self, index: usize, reason: ExitReason) {
    let Some(lane) = self.lanes[index].as_mut() else { return };
    if lane.exit.is_none() {
      lane.life = Life::Killed { reason };
      let _ = lane.child.signal_group(libc::SIGKILL);
    }
  }

  /// Takes no more calls; when those that there are have been answered the workers leave, and [`Event::Stopped`]
  /// comes once the last of them is reaped.
  pub fn close(&mut self) {
    if self.state == PoolState::Running {
      self.state = PoolState::Closing;
    }
    self.wake_again();
  }

  /// Stops everything now: running calls fail as terminated, waiting ones as cancelled, and the workers go with their
  /// process trees, by SIGKILL or by SIGTERM with SIGKILL to follow.
  pub fn terminate_all(&mut self, hard: bool) {
    let now = Instant::now();
    self.close();
    for id in self.cancel_waiting() {
      self.events.push_back(Event::CallFailed { id, failure: CallFailure::Cancelled });
    }
    for index in self.indices() {
      let Some(lane) = self.lanes[index].as_ref() else { continue };
      let pid = lane.child.pid();
      // What is claimed and left now. Its result is delivered if there is one, whether its worker has told of it or not.
      let has_answer = |position| lane.corrupt.is_none() && lane.ring.has_answer(position);
      let left: Vec<(CallId, bool)> = lane.held.iter().map(|held| (held.call, has_answer(held.position))).collect();
      self.heat(index);
      for (id, answered) in left {
        let Some(call) = self.calls.get_mut(id) else { continue };
        // An answer that is to be followed by another attempt is not the call's, and there is no other attempt now.
        if call.outcome == Outcome::Repeated || (call.outcome == Outcome::Delivered && !answered) {
          call.outcome = Outcome::Dropped;
          self.events.push_back(Event::CallFailed { id, failure: CallFailure::Terminated { pid } });
        }
      }
      if hard {
        self.kill(index, ExitReason::Killed);
      } else {
        self.terminate(index, ExitReason::Killed, now);
      }
    }
    self.wake_again();
  }

  /// Asks the workers that have nothing to do to leave, for a process that is about to end. New calls start new ones.
  /// One that is leaving already, used up or dead, is not replaced before that.
  pub fn dismiss_idle(&mut self) {
    let now = Instant::now();
    self.dismissed = true;
    self.owed.clear();
    for index in self.indices() {
      if self.lanes[index].as_ref().is_some_and(|lane| lane.is_idle() || !lane.has_booted()) {
        self.dismiss(index, ExitReason::Shutdown, now);
      }
    }
  }

  /// Kills all workers at once and waits up to `bound` in all until they are reaped: the last resort of an owner that
  /// is about to disappear.
  pub fn kill_now(&mut self, bound: Duration) {
    for index in self.indices() {
      self.kill(index, ExitReason::Shutdown);
    }
    let deadline = Instant::now() + bound;
    for index in self.indices() {
      self.unwatch(index);
      if let Some(mut lane) = self.lanes[index].take()
        && lane.exit.is_none()
      {
        let _ = lane.child.wait_timeout(deadline.saturating_duration_since(Instant::now()));
      }
      self.live -= 1;
    }
  }
}
