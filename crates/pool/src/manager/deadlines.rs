//! What is due when: time limits of calls and of starts, graces, idle time-outs, trimming; and when to come back for them.

use std::time::{Duration, Instant};

use millrace_sys::monotonic_ns;

use super::Manager;
use super::rebalance::STALL;
use crate::completion::CallId;
use crate::event::{BreakCause, CallFailure, Event, ExitReason};
use crate::lane::Life;

impl Manager {
  /// Does for one lane what is due by now.
  pub(crate) fn tend(&mut self, index: usize, now: Instant) {
    let idle_timeout = self.config.idle_timeout;
    let Some(lane) = self.lanes[index].as_mut() else { return };
    if lane.trim_at.is_some_and(|at| at <= now) {
      lane.trim(now);
    }
    match lane.life {
      Life::Starting { deadline } if deadline <= now => {
        lane.boot_failure = Some(BreakCause::StartTimeout);
        self.kill(index, ExitReason::FailedStart);
      }
      Life::Leaving { .. } if !lane.held.is_empty() => self.enforce_timeout(index, now),
      Life::Leaving { reason, deadline } if deadline <= now => self.terminate(index, reason, now),
      Life::Aborting { deadline, .. } if deadline <= now => self.terminate(index, ExitReason::Killed, now),
      Life::Terminated { reason, deadline } if deadline <= now => self.kill(index, reason),
      Life::Ready => {
        if idle_timeout.is_some_and(|timeout| lane.is_idle() && now.duration_since(lane.front_since) >= timeout) {
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
    let Some((call, expires)) = self.expiry(index, now) else { return };
    if expires > now {
      return;
    }
    let Some(pid) = self.lanes[index].as_ref().map(|lane| lane.child.pid()) else { return };
    let grace = self.calls.get(call).and_then(|call| call.limits).map_or(Duration::ZERO, |limits| limits.grace);
    // The result may have been committed since the ring was looked through: a result that exists is delivered.
    if self.stop_running(index, call, grace, now) && !self.will_retry(call) {
      self.events.push_back(Event::CallFailed { id: call, failure: CallFailure::TimedOut { pid } });
    }
  }

  /// The running call of a lane that has a time limit, and when that is reached.
  fn expiry(&self, index: usize, now: Instant) -> Option<(CallId, Instant)> {
    let lane = self.lanes[index].as_ref()?;
    let front = lane.held.front()?;
    let timeout = self.calls.get(front.call)?.limits?.timeout;
    let since = if lane.running().is_some() { lane.running_since(now, monotonic_ns()) } else { now };
    Some((front.call, since.checked_add(timeout).unwrap_or(now + Duration::from_secs(86_400 * 365))))
  }

  /// When the next round is due, if nobody rings before.
  pub fn next_deadline(&self) -> Option<Instant> {
    let now = Instant::now();
    let mut next: Option<Instant> = None;
    let mut due = |at: Instant| next = Some(next.map_or(at, |earliest| earliest.min(at)));
    let mut unused = false;
    for (index, lane) in self.living() {
      lane.reap_at.into_iter().chain(lane.trim_at).for_each(&mut due);
      match lane.life {
        Life::Leaving { .. } if !lane.held.is_empty() => {
          if let Some((_, expires)) = self.expiry(index, now) {
            due(expires);
          }
        }
        Life::Starting { deadline }
        | Life::Leaving { deadline, .. }
        | Life::Aborting { deadline, .. }
        | Life::Terminated { deadline, .. } => due(deadline),
        Life::Ready => {
          unused |= lane.held.is_empty();
          if lane.is_idle()
            && let Some(timeout) = self.config.idle_timeout
          {
            due(lane.front_since + timeout);
          }
          if let Some((_, expires)) = self.expiry(index, now) {
            due(expires);
          }
        }
        Life::Killed { .. } => {}
      }
    }
    self.starter.deadline().into_iter().for_each(&mut due);
    // A worker that is idle while a call waits has slots to free first, or the call is behind another.
    if (unused && !self.pending.is_empty()) || self.may_rebalance() || self.waits_for_a_claim() {
      due(now + STALL);
    }
    if let Some(at) = self.next_unclaimed() {
      due(at);
    }
    if let Some(at) = self.start_after
      && (!self.owed.is_empty() || self.waiting() > 0 || self.fills_up())
    {
      due(at);
    }
    next
  }

  /// A full queue has room as soon as a worker claims a call, of which it does not tell.
  fn waits_for_a_claim(&self) -> bool {
    self.was_full && self.living().any(|(_, lane)| !lane.held.is_empty() && lane.running().is_none())
  }
}
