//! Entries that come out of a lane: results for the owner, answers to boot calls, notices.

use std::time::Instant;

use millrace_ring::ResultRecord;

use super::Manager;
use crate::calls::Outcome;
use crate::completion::{Completion, status};
use crate::event::{CallFailure, Event};
use crate::lane::{Life, Loan};

impl Manager {
  /// Sorts a result out: some are the manager's own business, the others the owner's.
  pub(super) fn accept(&mut self, index: usize, record: ResultRecord) -> Option<Completion> {
    let lane = self.lanes.get(index)?;
    if lane.is_boot(record.position) {
      self.booted(index, &record);
      return None;
    }
    let Some(id) = lane.call_at(record.position) else {
      self.condemn(index, "a result for a call that it was not given");
      return None;
    };
    let completion = Completion::in_lane(index, lane.pid(), id, record);
    if self.calls.get(id).is_some_and(|call| call.outcome == Outcome::Overdue) {
      self.overdue_answered(&completion);
      return None;
    }
    if self.calls.get(id).is_none_or(|call| call.outcome != Outcome::Delivered) {
      self.unseal(index, id, record.position);
      self.consume(&completion);
      return None;
    }
    Some(completion)
  }

  /// A call that ran for too long, and that its owner repeats, was answered within its grace.
  fn overdue_answered(&mut self, completion: &Completion) {
    let failure = CallFailure::TimedOut { pid: completion.pid };
    self.consume(completion);
    self.events.push_back(Event::CallFailed { id: completion.id, failure });
  }

  /// Copies `dst.len()` bytes of a result's payload, from `at` on. The result must not have been consumed.
  pub fn copy_payload(&self, completion: &Completion, at: usize, dst: &mut [u8]) {
    if completion.is_taken_out() {
      dst.copy_from_slice(&self.backlog.payload()[at..at + dst.len()]);
    } else if let Some(lane) = self.lanes.get(completion.lane()) {
      lane.copy_payload(completion.record(), at, dst);
    }
  }

  /// The content of a large result where it lies; `None` if the worker does not lend it. The result must not have been
  /// consumed.
  pub fn borrow(&self, completion: &Completion) -> Option<Loan> {
    if completion.is_taken_out() {
      return None;
    }
    self.lanes.get(completion.lane())?.borrow(completion.record())
  }

  /// A result has been read: its call is over.
  pub fn consume(&mut self, completion: &Completion) {
    // Large results, one after the other, can take the owner longer than the relief thread is patient.
    self.owner.comes_by();
    self.owner.note_reading(false);
    if completion.is_taken_out() {
      self.backlog.pop();
    } else {
      self.vacate(completion);
    }
    if self.retry_stopped(completion.id) {
      return;
    }
    if self.calls.get(completion.id).is_some_and(|call| call.outcome == Outcome::Delivered) {
      self.calls.remove(completion.id);
    } else {
      // The owner may not have heard yet that the call ran out of time.
      self.calls.fail(completion.id);
    }
  }

  /// A result is out of its lane: its room is given back, and its worker gets more to do.
  pub(super) fn vacate(&mut self, completion: &Completion) {
    let now = Instant::now();
    let index = completion.lane();
    let Some(lane) = self.lanes.get_mut(index) else { return };
    lane.consume(completion.record(), now);
    if let Some(call) = self.calls.get(completion.id) {
      self.durations.note(call.task, completion.record().ran_ns);
    }
    self.starts.call_finished();
    self.placement.note_room();
    if completion.status == status::EXIT {
      self.retire(index, now);
    } else {
      self.refill(index, now);
      self.note_idle(index);
    }
  }

  /// A lane was drained: its worker is between calls, or busy with the next.
  pub(super) fn drained(&mut self, index: usize) {
    let Some(lane) = self.lanes.get_mut(index) else { return };
    if !lane.list_unarmed(true) {
      self.drain.add_unarmed(index);
    }
    if lane.has_ended() || lane.life() != Life::Ready {
      return;
    }
    let is_too_large = |max| millrace_sys::resident_bytes(lane.pid()).is_some_and(|used| used > max);
    if lane.is_used_up() || (lane.tasks_done() > 0 && self.config.max_memory.is_some_and(is_too_large)) {
      self.retire(index, Instant::now());
    }
  }

  /// A worker reports an error that belongs to no call.
  pub(super) fn notice(&mut self, index: usize, record: &ResultRecord) {
    let Some(lane) = self.lanes.get_mut(index) else { return };
    let (pid, report) = (lane.pid(), lane.take_report(record));
    self.events.push_back(Event::Stray { pid, report });
    if record.status == status::STRAY_RETIRING {
      self.retire(index, Instant::now());
    }
  }

  /// The boot call was answered.
  fn booted(&mut self, index: usize, record: &ResultRecord) {
    let now = Instant::now();
    if self.lanes.get_mut(index).is_some_and(|lane| lane.boot_answered(record, now)) {
      self.placement.note_room();
      self.refill(index, now);
      self.note_idle(index);
    }
  }
}
