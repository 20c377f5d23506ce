//! The round: who rang, what came, what is due.
//!
//! The manager runs no code of its own accord. Its owner calls in: to submit or stop calls, and, whenever one of the
//! descriptors of [`Manager::pollables`] is readable or [`Manager::next_deadline`] has passed, to go through a round:
//!
//! ```text
//! turn()                       note who rang and who died
//! while let Some(completion) = next_completion()
//!     copy_payload(..)         read the result where it lies
//!     consume(completion)      give its room back, refill the lane
//! take_events()                everything else that happened, in order
//! ```
//!
//! `next_completion` drains the lanes that are due (`drain.rs`). When all are drained the round settles: ends are dealt
//! with, and what is due by now is done. Results come first, so that the result that a worker left behind is delivered
//! before its end means anything. A round that was broken off settles at the beginning of the next one.
//!
//! Before the owner sleeps it calls [`Manager::prepare_to_sleep`] (`sleep.rs`). [`Manager::wait`] prepares, sleeps, and
//! begins the next round.

use std::time::{Duration, Instant};

use millrace_ring::Arrival;

use super::Manager;
use super::watch::Source;
use crate::completion::Completion;
use crate::fault::{Point, hits};

/// How many looks at lanes in a row may yield nothing for the owner. A worker that sends notices, or changes its words,
/// without end must not keep the host's thread.
const STEPS_PER_ROUND: u32 = 4096;

impl Manager {
  /// Waits up to `timeout` (`None`: without bound) until somebody rings, dies, or something is due, and notes it.
  ///
  /// # Errors
  /// When the wait itself fails, which it does not on a sound descriptor.
  pub fn wait(&mut self, timeout: Option<Duration>) -> millrace_sys::Result<()> {
    let due = self.next_deadline().map(|at| at.saturating_duration_since(Instant::now()));
    let timeout = match (timeout, due) {
      (Some(a), Some(b)) => Some(a.min(b)),
      (a, b) => a.or(b),
    };
    self.owner.comes_by();
    let found = self.prepare_to_sleep(timeout != Some(Duration::ZERO));
    self.drain.take_found_before_sleep();
    self.collect(if found { Some(Duration::ZERO) } else { timeout })
  }

  /// Notes who rang and who died, without waiting.
  ///
  /// # Errors
  /// As [`Manager::wait`].
  pub fn turn(&mut self) -> millrace_sys::Result<()> {
    hits(Point::HostFirstTurn);
    self.owner.comes_by();
    if self.drain.take_found_before_sleep() { Ok(()) } else { self.look() }
  }

  /// Notes who rang and who died, for a round of anybody's.
  pub(super) fn look(&mut self) -> millrace_sys::Result<()> {
    self.collect(Some(Duration::ZERO))
  }

  fn collect(&mut self, timeout: Option<Duration>) -> millrace_sys::Result<()> {
    if !self.drain.is_done() {
      // The last round was broken off: under such a load what is due must not wait for a round that comes to its end.
      self.settle();
    }
    let (tokens, waited) = self.watch.wait(timeout);
    let now = Instant::now();
    for &token in &tokens {
      match Source::of(token) {
        Source::Wakeup => {}
        Source::Server => self.server_stirred(now),
        Source::Bell { index, worker_id } => {
          if let Some(lane) = self.lanes.get(index).filter(|lane| lane.worker_id() == worker_id) {
            // Cleared before the lane is looked at: a result that comes later rings again.
            lane.result_bell().clear();
            self.drain.add(index);
          }
        }
        Source::Sentinel { index, worker_id } => {
          if self.lanes.get(index).is_some_and(|lane| lane.worker_id() == worker_id) {
            self.note_end(index, now);
          }
        }
      }
    }
    self.watch.put_back(tokens);
    // Here and not when the round ends: the last results of these workers are drained before their ends are dealt with.
    let due = self.lanes.indices_where(|lane| lane.reap_at().is_some_and(|at| at <= now));
    due.into_iter().for_each(|index| self.note_end(index, now));
    waited
  }

  /// The next result of this round, or `None` when the round is over. Read it, then [`Manager::consume`] it.
  pub fn next_completion(&mut self) -> Option<Completion> {
    let next = self.backlog.front().or_else(|| self.next_in_lanes());
    self.owner.note_reading(next.is_some_and(|completion| !completion.is_taken_out()));
    next
  }

  /// The next result that is in a lane.
  pub(super) fn next_in_lanes(&mut self) -> Option<Completion> {
    let mut steps = 0;
    while let Some(index) = self.drain.next() {
      steps += 1;
      if steps > STEPS_PER_ROUND {
        // What is due stays due: the rest of the program gets a turn, then this goes on.
        self.wake_again();
        break;
      }
      let Some(lane) = self.lanes.get_mut(index).filter(|lane| !lane.is_corrupt()) else {
        self.drain.done();
        continue;
      };
      match lane.next_result() {
        Ok(Some(Arrival::Result(record))) => {
          if let Some(completion) = self.accept(index, record) {
            self.drain.take_turns();
            return Some(completion);
          }
        }
        Ok(Some(Arrival::Notice(record))) => self.notice(index, &record),
        Ok(None) => {
          self.drain.done();
          self.drained(index);
        }
        Err(corrupt) => {
          self.drain.done();
          self.condemn(index, corrupt.what);
        }
      }
    }
    self.settle();
    None
  }

  /// The end of a round: all lanes were drained. Now ends are dealt with, and what is due is done.
  fn settle(&mut self) {
    let now = Instant::now();
    if self.lanes.iter().any(|(_, lane)| lane.has_ended()) {
      self.bury(now);
    }
    for index in self.lanes.indices() {
      self.tend(index, now);
    }
    if !self.pending.is_empty() {
      self.placement.note_room();
      for index in self.lanes.indices() {
        self.note_idle(index);
      }
      self.fill(now);
    }
    self.look_for_silence(now);
    self.look_at_memory(now);
    self.rebalance(now);
    self.tend_server(now);
    self.start_owed(now);
    self.stop_if_done(now);
    self.tell_of_room();
  }
}
