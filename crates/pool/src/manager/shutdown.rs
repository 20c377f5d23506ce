//! The end of a pool: it closes, is terminated, breaks, or is killed with its owner.

use std::time::{Duration, Instant};

use super::Manager;
use crate::calls::Outcome;
use crate::event::{BreakCause, CallFailure, Death, Event, ExitReason};
use crate::lane::Life;

impl Manager {
  /// Takes no more calls. When those that there are have been answered the workers leave, and [`Event::Stopped`] comes
  /// once the last of them is reaped.
  pub fn shut_down(&mut self) {
    self.lifecycle.close();
    self.wake_again();
  }

  /// Once a closing pool has answered every call, its workers go, and then it has stopped.
  pub(super) fn stop_if_done(&mut self, now: Instant) {
    if self.lifecycle.is_running() || self.lifecycle.is_stopped() || self.calls.len() > 0 {
      return;
    }
    if self.lifecycle.is_closing() {
      self.starts.forgive();
      let staying = |life| matches!(life, Life::Ready | Life::Starting { .. });
      for index in self.lanes.indices_where(|lane| staying(lane.life())) {
        self.dismiss(index, ExitReason::Shutdown, now);
      }
    }
    if self.lanes.live() == 0 {
      self.lifecycle.stop();
      self.drop_server();
      self.events.push_back(Event::Stopped);
    }
  }

  /// Stops everything now: running calls fail as terminated, waiting ones as cancelled, and the workers go with their
  /// process trees, by SIGKILL or by SIGTERM with SIGKILL to follow.
  pub fn terminate_all(&mut self, hard: bool) {
    let now = Instant::now();
    self.shut_down();
    for id in self.cancel_waiting() {
      self.events.push_back(Event::CallFailed { id, failure: CallFailure::Cancelled });
    }
    for index in self.lanes.indices() {
      self.drain.add(index);
      let Some(lane) = self.lanes.get(index) else { continue };
      let (pid, is_corrupt) = (lane.pid(), lane.is_corrupt());
      // Only claimed calls are left now. A call that has a result gets it, whether its worker has told of the result or
      // not.
      for (id, answered) in lane.answers().collect::<Vec<_>>() {
        let failure = CallFailure::Terminated { pid };
        let Some(call) = self.calls.get_mut(id) else { continue };
        if call.outcome == Outcome::Delivered && !answered && call.is_chunk() && !is_corrupt {
          self.interrupt(index, id, failure, |_| true);
          continue;
        }
        // No other attempt follows now, so an answer that was to be followed by one is no outcome.
        if call.outcome == Outcome::Repeated || (call.outcome == Outcome::Delivered && !answered) {
          call.outcome = Outcome::Dropped;
          self.events.push_back(Event::CallFailed { id, failure });
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
  /// A worker that is leaving already, used up or dead, is not replaced before that.
  pub fn dismiss_idle(&mut self) {
    let now = Instant::now();
    self.starts.dismiss();
    for index in self.lanes.indices_where(|lane| lane.is_idle() || !lane.life().has_booted()) {
      self.dismiss(index, ExitReason::Shutdown, now);
    }
  }

  /// Fails everything, and takes all workers down.
  pub(super) fn break_pool(&mut self, cause: BreakCause, deaths: Vec<Death>) {
    self.lifecycle.break_off();
    self.tell_last_parts();
    self.forget_calls();
    for index in self.lanes.indices() {
      self.kill(index, ExitReason::Shutdown);
    }
    self.events.push_back(Event::Broken { cause, deaths });
  }

  /// No call has an outcome any more, and no worker is owed.
  pub(super) fn forget_calls(&mut self) {
    self.starts.forgive();
    self.pending.take_all(&self.calls);
    self.calls.clear();
  }

  /// Kills all workers at once and waits up to `bound` in all until they are reaped: the last resort of an owner that
  /// is about to disappear.
  pub fn kill_now(&mut self, bound: Duration) {
    for index in self.lanes.indices() {
      self.kill(index, ExitReason::Shutdown);
    }
    let deadline = Instant::now() + bound;
    for index in self.lanes.indices() {
      if let Some(mut lane) = self.lanes.take(index) {
        self.watch.remove_lane(index, &lane);
        lane.wait(deadline.saturating_duration_since(Instant::now()));
      }
    }
  }
}
