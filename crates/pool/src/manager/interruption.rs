//! Chunks that end in the middle, with their workers or before them.
//!
//! The items of a chunk that have an outcome in the lane's journal are finished, whatever becomes of the worker: the
//! owner gets these outcomes, and hears at most one item fail (`ring/src/chunk.rs` tells why that is certain). So a
//! chunk that is ended is sealed first. After that its answer does not count any more.
//!
//! | the chunk ends | by | the item that ran |
//! |---|---|---|
//! | with its worker | [`Manager::release`] | fails with the death |
//! | an item runs for too long | `enforce_timeout` | fails as timed out |
//! | the owner terminates the pool | `terminate_all` | fails as terminated |
//! | the pool breaks | `break_pool` | fails with the pool |

use millrace_ring::{Position, Progress};

use super::Manager;
use crate::calls::{Call, Outcome};
use crate::completion::CallId;
use crate::event::{CallFailure, Event};
use crate::lane::FinishedPart;

impl Manager {
  pub(super) fn is_chunk(&self, id: CallId) -> bool {
    self.calls.get(id).is_some_and(Call::is_chunk)
  }

  /// Ends a chunk that a worker runs, and tells what has become of its items. False: the chunk is answered, has come
  /// further than where `may` allows it, or its lane is damaged.
  pub(super) fn interrupt(
    &mut self,
    index: usize,
    id: CallId,
    failure: CallFailure,
    may: impl Fn(Option<Progress>) -> bool,
  ) -> bool {
    // What is queued behind would overwrite the journal.
    self.recall(index);
    let Some(lane) = self.lanes.get(index) else { return false };
    let Some(part) = lane.interrupt(id, may) else { return false };
    let pid = lane.pid();
    if let Some(call) = self.calls.get_mut(id) {
      call.outcome = Outcome::Dropped;
    }
    self.tell_part(id, pid, part, failure);
    true
  }

  /// Tells of the part of a chunk that has outcomes.
  pub(super) fn tell_part(&mut self, id: CallId, pid: u32, part: FinishedPart, failure: CallFailure) {
    let FinishedPart { done, is_lost, is_unbegun, journal } = part;
    let failure = (is_lost || is_unbegun).then_some(failure);
    self.events.push_back(Event::ChunkInterrupted { id, pid, failure, is_unbegun, done, journal });
  }

  /// Tells of the finished items of a chunk whose other items go down with the pool.
  pub(super) fn tell_last_part(&mut self, id: CallId, pid: u32, part: FinishedPart) {
    if part.done > 0 && self.calls.get(id).is_some_and(|call| call.outcome == Outcome::Delivered) {
      let FinishedPart { done, journal, .. } = part;
      self.events.push_back(Event::ChunkInterrupted { id, pid, failure: None, is_unbegun: false, done, journal });
    }
  }

  /// As [`Manager::tell_last_part`], of the chunks of all living workers.
  pub(super) fn tell_last_parts(&mut self) {
    for index in self.lanes.indices() {
      self.recall(index);
      let Some(lane) = self.lanes.get(index) else { continue };
      let Some(id) = lane.running().filter(|&id| self.is_chunk(id)) else { continue };
      if let Some(part) = lane.interrupt(id, |_| true) {
        let pid = lane.pid();
        self.tell_last_part(id, pid, part);
      }
    }
  }

  /// A call is answered whose outcome is dropped: if its chunk was sealed, its slot can be used again.
  pub(super) fn unseal(&self, index: usize, id: CallId, position: Position) {
    if let Some(lane) = self.lanes.get(index).filter(|_| self.is_chunk(id)) {
      lane.unseal(position);
    }
  }
}
