//! Whether a worker is heard: the look at its lane, and its end when it is not. `silence.rs` has the rule.

use std::time::{Duration, Instant};

use super::silence::{GivenUp, Heard, Silence, UNCLAIMED};
use super::{Lane, Life};
use crate::event::ExitReason;

impl Lane {
  /// Looks whether the worker comes to its calls.
  pub(crate) fn listen(&mut self, now: Instant) -> Heard {
    if !self.is_silent() {
      self.silence = None;
      self.unheard_since = None;
      return Heard::Something;
    }
    let since = self.silent_since();
    if since + UNCLAIMED > now {
      return Heard::Nothing;
    }
    let pid = self.pid();
    let Some(silence) = self.silence.as_mut().filter(|silence| silence.since == since) else {
      self.silence = Some(Silence::new(since, now, pid));
      return Heard::Nothing;
    };
    if silence.look(now, pid) { Heard::NothingForTooLong } else { Heard::Nothing }
  }

  /// Whether the worker has been rung, has claimed nothing, and has not come to its loop since, as far as can be seen.
  pub(crate) fn is_silent(&self) -> bool {
    let owes_a_claim = match self.held.front() {
      Some(front) => !self.ring.is_claimed(front.position),
      None => self.unheard_since.is_some() && !self.ring.worker_sleeps(),
    };
    owes_a_claim && self.life == Life::Ready && !self.has_ended() && !self.is_corrupt()
  }

  fn silent_since(&self) -> Instant {
    self.unheard_since.unwrap_or(self.front_since)
  }

  /// How long the silence that is under way has been watched.
  pub(crate) fn watched(&self) -> Option<Duration> {
    self.silence.filter(|silence| silence.since == self.silent_since()).map(|silence| silence.watched)
  }

  /// Ends a silent worker that holds no call any more.
  pub(crate) fn give_up(&mut self, now: Instant) {
    self.given_up = Some(GivenUp { silent_for: now.saturating_duration_since(self.silent_since()) });
    self.terminate(ExitReason::Killed, now);
  }

  /// How the worker was given up, if it was.
  pub(crate) fn given_up(&self) -> Option<GivenUp> {
    self.given_up
  }

  /// Number and version of the task that the worker finished last.
  pub(crate) fn last_task(&self) -> Option<(u32, u32)> {
    let task = self.last_task?;
    Some((task, *self.known_tasks.get(task as usize)?))
  }
}
