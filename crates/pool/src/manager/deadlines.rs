//! Time limits of calls and of starts, graces, idle time-outs, trimming: what is due by now, and when the next round
//! is due.

use std::time::{Duration, Instant};

use millrace_ring::Progress;
use millrace_sys::monotonic_ns;

use super::Manager;
use super::rebalance::STALL;
use crate::completion::CallId;
use crate::event::{CallFailure, Event, ExitReason};
use crate::lane::{Lane, Life};

/// Stands for "never" where a time limit is too long for an [`Instant`].
const A_YEAR: Duration = Duration::from_secs(86_400 * 365);

impl Manager {
  /// Does for one lane what is due by now.
  pub(super) fn tend(&mut self, index: usize, now: Instant) {
    let Some(lane) = self.lanes.get_mut(index) else { return };
    lane.trim_if_due(now);
    match lane.life() {
      Life::Starting { deadline } if deadline <= now => {
        lane.fail_start();
        self.tell_refused_signal(index);
      }
      Life::Leaving { .. } if !lane.is_empty() => self.enforce_timeout(index, now),
      Life::Leaving { reason, deadline } if deadline <= now => self.terminate(index, reason, now),
      Life::Aborting { deadline, .. } if deadline <= now => self.terminate(index, ExitReason::Killed, now),
      Life::Terminated { reason, deadline } if deadline <= now => self.kill(index, reason),
      Life::Ready => {
        let idle_for = now.duration_since(lane.front_since());
        if self.config.idle_timeout.is_some_and(|timeout| lane.is_idle() && idle_for >= timeout) {
          self.dismiss(index, ExitReason::Idle, now);
        } else {
          self.enforce_timeout(index, now);
        }
      }
      _ => {}
    }
  }

  /// Stops the running call of a lane if it has run for longer than it may.
  fn enforce_timeout(&mut self, index: usize, now: Instant) {
    let Some(lane) = self.lanes.get(index) else { return };
    // Before the time at which the item began: a worker that has come to another item meanwhile is left in peace.
    let before = lane.progress().map(|progress| progress.next);
    let Some((call, expires)) = self.expiry(lane, now) else { return };
    if expires > now {
      return;
    }
    let pid = lane.pid();
    let grace = self.calls.get(call).and_then(|call| call.limits).map_or(Duration::ZERO, |limits| limits.grace);
    let is_chunk = self.is_chunk(call) && !lane.is_corrupt();
    if is_chunk {
      let is_same_item = |progress: Option<Progress>| progress.map(|progress| progress.next) == before;
      if !self.interrupt(index, call, CallFailure::TimedOut { pid }, is_same_item) {
        self.drain.add(index);
        self.wake_again();
        self.fill(now);
        return;
      }
    }
    // The result may have been committed since the lane was drained: a result that exists is delivered.
    let was_running = self.stop_running(index, call, grace, now);
    if was_running && !is_chunk && !self.will_retry(call) {
      self.events.push_back(Event::CallFailed { id: call, failure: CallFailure::TimedOut { pid } });
    }
  }

  /// The call in front of a lane if it has a time limit, and when that is reached.
  fn expiry(&self, lane: &Lane, now: Instant) -> Option<(CallId, Instant)> {
    let front = lane.front()?;
    let timeout = self.calls.get(front)?.limits?.timeout;
    let since = if lane.running().is_some() {
      let now_ns = monotonic_ns();
      lane.item_since(lane.running_since(now, now_ns), now, now_ns / 1_000_000)
    } else {
      now
    };
    Some((front, since.checked_add(timeout).unwrap_or(now + A_YEAR)))
  }

  /// When the next round is due, if nobody rings before.
  pub fn next_deadline(&self) -> Option<Instant> {
    let now = Instant::now();
    let mut next: Option<Instant> = None;
    let mut due = |at: Instant| next = Some(next.map_or(at, |earliest| earliest.min(at)));
    let mut unused = false;
    for (_, lane) in self.lanes.iter() {
      lane.reap_at().into_iter().chain(lane.trim_at()).for_each(&mut due);
      match lane.life() {
        Life::Leaving { .. } if !lane.is_empty() => {
          if let Some((_, expires)) = self.expiry(lane, now) {
            due(expires);
          }
        }
        Life::Starting { deadline }
        | Life::Leaving { deadline, .. }
        | Life::Aborting { deadline, .. }
        | Life::Terminated { deadline, .. } => due(deadline),
        Life::Ready => {
          unused |= lane.is_empty();
          if lane.is_idle()
            && let Some(timeout) = self.config.idle_timeout
          {
            due(lane.front_since() + timeout);
          }
          if let Some((_, expires)) = self.expiry(lane, now) {
            due(expires);
          }
        }
        Life::Killed { .. } => {}
      }
    }
    self.next_look().filter(|_| self.lanes.live() > 0).into_iter().for_each(&mut due);
    self.starter.deadline().into_iter().for_each(&mut due);
    // A worker that is idle while a call waits has slots to free first, or the call is behind another one.
    if (unused && !self.pending.is_empty()) || self.may_rebalance() {
      due(now + STALL);
    }
    if let Some(at) = self.next_unclaimed() {
      due(at);
    }
    if let Some(at) = self.starts.not_before()
      && (self.starts.owed() > 0 || self.waiting() > 0 || self.fills_up())
    {
      due(at);
    }
    next
  }
}
