//! Time limits of calls and of starts, graces, idle time-outs, trimming: what is due by now, and when the next round
//! is due.

use std::time::{Duration, Instant};

use millrace_ring::Progress;
use millrace_sys::monotonic_ns;

use super::Manager;
use super::rebalance::STALL;
use crate::calls::{Call, Outcome};
use crate::completion::CallId;
use crate::event::{CallFailure, Event, ExitReason};
use crate::lane::{Lane, Life};

/// Stands for "never" where a time limit is too long for an [`Instant`].
const A_YEAR: Duration = Duration::from_secs(86_400 * 365);

/// The time limit of a call that is in front of its lane.
struct Expiry {
  call: CallId,
  /// The item of a chunk that runs.
  item: Option<u32>,
  at: Instant,
}

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
    let Some(Expiry { call, item, at }) = self.expiry(lane, now) else { return };
    if at > now {
      return;
    }
    let pid = lane.pid();
    let grace = self.calls.get(call).and_then(|call| call.limits).map_or(Duration::ZERO, |limits| limits.grace);
    let is_chunk = self.is_chunk(call) && !lane.is_corrupt();
    if is_chunk {
      // A worker that has come to another item meanwhile is left in peace.
      let is_same = |progress: Option<Progress>| progress.map(|progress| progress.next) == item;
      if !self.interrupt(index, call, CallFailure::TimedOut { pid }, is_same) {
        self.drain.add(index);
        self.wake_again();
        self.fill(now);
        return;
      }
    }
    // The result may have been committed since the lane was drained: a result that exists is delivered.
    let was_running = self.stop_running(index, call, grace, now);
    let repeating = |call: &&mut Call| was_running && !is_chunk && call.owner_repeats;
    if let Some(call) = self.calls.get_mut(call).filter(repeating) {
      call.outcome = Outcome::Overdue;
    } else if was_running && !is_chunk && !self.will_retry(call) {
      self.events.push_back(Event::CallFailed { id: call, failure: CallFailure::TimedOut { pid } });
    }
  }

  /// The call in front of a lane if it has a time limit, and when that is reached.
  fn expiry(&self, lane: &Lane, now: Instant) -> Option<Expiry> {
    let call = lane.front()?;
    let timeout = self.calls.get(call)?.limits?.timeout;
    // Before the time at which the item began: that of a later item is later.
    let item = lane.progress().map(|progress| progress.next);
    let since = if lane.running().is_some() {
      let now_ns = monotonic_ns();
      lane.item_since(lane.running_since(now, now_ns), now, now_ns / 1_000_000)
    } else {
      now
    };
    Some(Expiry { call, item, at: since.checked_add(timeout).unwrap_or(now + A_YEAR) })
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
          self.expiry(lane, now).into_iter().for_each(|expiry| due(expiry.at));
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
          self.expiry(lane, now).into_iter().for_each(|expiry| due(expiry.at));
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
