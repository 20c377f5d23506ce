//! Rounds of the relief thread, which feeds the workers while the owner is busy with something else.
//!
//! While the owner's thread computes, workers would run dry: their lanes hold some hundred microseconds of work. So the
//! relief thread, which shares the manager with the owner through a lock, goes through rounds in the owner's place. It
//! copies results out of the lanes, which makes room, and refills the lanes. The owner finds the copies first in its
//! next round (`backlog.rs`).
//!
//! The thread also goes through rounds while the owner merely sleeps, with its clock set for what was due then. A
//! worker whose news this thread hears first may have something due earlier: a time limit starts with the claim that
//! follows. The owner is woken for that, to set its clock anew.

use std::time::Instant;

use super::Manager;
use crate::calls::Place;

/// Results that are copied before the owner may have the manager again.
const RESULTS_PER_STEP: usize = 64;

/// Bytes that are copied before the owner may have the manager again.
const BYTES_PER_STEP: usize = 1 << 20;

impl Manager {
  /// Changes whenever the owner comes by.
  pub fn owner_turns(&self) -> u64 {
    self.owner.turns()
  }

  /// The owner comes by at `at`, whatever happens: its clock is set to what [`Manager::next_deadline`] said.
  pub fn owner_comes_at(&mut self, at: Option<Instant>) {
    self.owner.set_clock(at);
  }

  /// For the relief thread: a part of a round in the owner's place. True: there is more to do at once.
  ///
  /// # Errors
  /// As [`Manager::wait`].
  pub fn relieve(&mut self) -> millrace_sys::Result<bool> {
    if self.owner.reads_in_place() {
      // The result would be taken from under the owner.
      return Ok(false);
    }
    self.look()?;
    self.placement.reserve_for_relief(true);
    let more = self.take_out();
    self.placement.reserve_for_relief(false);
    // The owner may sleep, and does not hear of these workers: this thread has drained their lanes, so they do not
    // ring.
    let more = self.prepare_to_sleep(false) || more;
    // Looked at in each round, not only when it changes: the next `look` takes back a wake that the owner has not seen.
    let too_late = self.owner.would_miss(self.next_deadline());
    if more || too_late || self.backlog.front().is_some() || self.has_events() {
      self.wake_again();
    }
    Ok(more)
  }

  fn take_out(&mut self) -> bool {
    let (mut results, mut bytes) = (0, 0);
    while !self.backlog.is_full() {
      if results == RESULTS_PER_STEP || bytes >= BYTES_PER_STEP {
        return true;
      }
      let Some(completion) = self.next_in_lanes() else { return false };
      let mut payload = vec![0; completion.len].into_boxed_slice();
      self.copy_payload(&completion, 0, &mut payload);
      results += 1;
      bytes += payload.len();
      self.vacate(&completion);
      // Its number stays in use until the owner has read the result.
      if let Some(call) = self.calls.get_mut(completion.id) {
        call.place = Place::Answered;
      }
      self.backlog.push(completion.taken_out(), payload);
    }
    false
  }
}
