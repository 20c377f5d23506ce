//! Feeding the workers while the owner is busy with something else.
//!
//! The owner's thread may compute for long, and workers would run dry: their lanes hold some hundred microseconds of work. So
//! another thread, which shares the manager with the owner through a lock, goes through rounds in its place: it copies
//! results out of the lanes, which makes room, and refills them. What it took out the owner finds first in its next round.

use super::Manager;
use crate::calls::Place;
use crate::completion::Completion;
use crate::lane::READ_AHEAD_NS;

/// Nobody comes by for about a millisecond: so much work is given to a lane.
const RELIEF_AHEAD_NS: u32 = 4_000_000;

/// Results that are copied before the owner may have the manager again.
const RESULTS_PER_STEP: usize = 64;

/// The same, in bytes.
const BYTES_PER_STEP: usize = 1 << 20;

impl Manager {
  /// Whether workers could run dry if the owner did not come by.
  pub fn has_pending(&self) -> bool {
    !self.pending.is_empty()
  }

  /// Whether calls wait that a death, or a long call, would keep from their turn.
  pub fn has_waiting(&self) -> bool {
    self.has_pending() || self.living().any(|(_, lane)| lane.held.len() >= 2)
  }

  /// Changes whenever the owner comes by.
  pub fn owner_turns(&self) -> u64 {
    self.owner_turns
  }

  /// For another thread: a part of a round in the owner's place. True: there is more to do at once.
  ///
  /// # Errors
  /// As [`Manager::wait`].
  pub fn relieve(&mut self) -> millrace_sys::Result<bool> {
    if self.lent {
      // It is reading a result, which would be taken from under it.
      return Ok(false);
    }
    self.look()?;
    self.read_ahead_ns = RELIEF_AHEAD_NS;
    let more = self.take_out();
    self.read_ahead_ns = READ_AHEAD_NS;
    // The owner may sleep, and these workers do not ring: it was this thread that looked through their lanes.
    let more = self.prepare_to_sleep(false) || more;
    if more || self.backlog.front().is_some() || self.has_events() {
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
      self.backlog.push(Completion { taken_out: true, lent: false, ..completion }, payload);
    }
    false
  }
}
