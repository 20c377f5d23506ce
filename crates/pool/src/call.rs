//! The calls that a pool owes an answer, and where each of them is.

use std::collections::VecDeque;
use std::time::Duration;

use millrace_ring::{CallHeader, CallKind, Position};

use crate::completion::CallId;
use crate::payload::Payload;
use crate::retry::Retries;

/// How long a call may run.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
  /// From the claim on.
  pub timeout: Duration,
  /// From the abort signal to SIGTERM.
  pub grace: Duration,
}

/// Where a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
  /// In the pending queue; its payload is in the call itself.
  Pending,
  /// In the ring of a lane, which has the payload.
  Lane { lane: usize, position: Position },
  /// Its result was taken out of its lane, and waits for the owner.
  Answered,
}

/// One unfinished call.
#[derive(Debug)]
pub(crate) struct Call {
  pub(crate) sequence: u64,
  pub(crate) task: u32,
  pub(crate) codec: u8,
  pub(crate) flags: u16,
  pub(crate) limits: Option<Limits>,
  pub(crate) place: Place,
  /// The encoded arguments while the call is pending, else empty.
  pub(crate) payload: Payload,
  pub(crate) outcome: Outcome,
  /// `None`: it is never repeated.
  pub(crate) retries: Option<Retries>,
}

/// What becomes of the outcome of the attempt that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
  /// It is the call's.
  Delivered,
  /// Nobody waits for it any more (stopped by a timeout or a kill): it is dropped when it comes.
  Dropped,
  /// The same, and the call is started again then.
  Repeated,
}

impl Call {
  pub(crate) fn header(&self) -> CallHeader {
    CallHeader { kind: CallKind::Task, codec: self.codec, flags: self.flags, task: self.task, sequence: self.sequence }
  }
}

/// All unfinished calls, by number.
#[derive(Debug, Default)]
pub(crate) struct CallTable {
  entries: Vec<Option<Call>>,
  free: Vec<CallId>,
  /// Numbers of calls that have failed, of which the owner has not heard: not to be used again before.
  resting: Vec<CallId>,
  len: usize,
}

impl CallTable {
  pub(crate) fn insert(&mut self, call: Call) -> CallId {
    self.len += 1;
    match self.free.pop() {
      Some(id) => {
        self.entries[id as usize] = Some(call);
        id
      }
      None => {
        self.entries.push(Some(call));
        (self.entries.len() - 1) as CallId
      }
    }
  }

  pub(crate) fn get(&self, id: CallId) -> Option<&Call> {
    self.entries.get(id as usize)?.as_ref()
  }

  pub(crate) fn get_mut(&mut self, id: CallId) -> Option<&mut Call> {
    self.entries.get_mut(id as usize)?.as_mut()
  }

  pub(crate) fn remove(&mut self, id: CallId) -> Option<Call> {
    let call = self.entries.get_mut(id as usize)?.take()?;
    self.free.push(id);
    self.len -= 1;
    Some(call)
  }

  /// As [`CallTable::remove`], for a call whose failure the owner learns from an event.
  pub(crate) fn fail(&mut self, id: CallId) -> Option<Call> {
    let call = self.entries.get_mut(id as usize)?.take()?;
    self.resting.push(id);
    self.len -= 1;
    Some(call)
  }

  /// The owner takes the events: all numbers may be used again.
  pub(crate) fn recycle(&mut self) {
    self.free.append(&mut self.resting);
  }

  pub(crate) fn len(&self) -> usize {
    self.len
  }

  pub(crate) fn clear(&mut self) {
    self.entries.clear();
    self.free.clear();
    self.resting.clear();
    self.len = 0;
  }

  pub(crate) fn iter(&self) -> impl Iterator<Item = (CallId, &Call)> {
    self.entries.iter().enumerate().filter_map(|(id, call)| Some((id as CallId, call.as_ref()?)))
  }
}

/// The calls that are in no lane, in the order in which they start.
///
/// A call that is cancelled leaves its entry behind, which is known to be stale by its sequence number and skipped;
/// the queue compacts itself when stale entries outweigh the live ones, so it is bounded by what is really pending.
#[derive(Debug, Default)]
pub(crate) struct PendingQueue {
  entries: VecDeque<(CallId, u64)>,
  live: usize,
}

const COMPACT_ABOVE: usize = 1024;

impl PendingQueue {
  /// How many calls are pending.
  pub(crate) fn len(&self) -> usize {
    self.live
  }

  pub(crate) fn is_empty(&self) -> bool {
    self.live == 0
  }

  pub(crate) fn push_back(&mut self, id: CallId, sequence: u64) {
    self.entries.push_back((id, sequence));
    self.live += 1;
  }

  pub(crate) fn push_front(&mut self, id: CallId, sequence: u64) {
    self.entries.push_front((id, sequence));
    self.live += 1;
  }

  /// The next call to start, left where it is.
  pub(crate) fn peek(&mut self, calls: &CallTable) -> Option<CallId> {
    while let Some(&(id, sequence)) = self.entries.front() {
      if Self::is_live(calls, id, sequence) {
        return Some(id);
      }
      self.entries.pop_front();
    }
    None
  }

  /// Takes away what [`PendingQueue::peek`] showed.
  pub(crate) fn pop(&mut self) {
    if self.entries.pop_front().is_some() {
      self.live -= 1;
    }
  }

  /// A pending call was taken out of the table by other means (cancelled).
  pub(crate) fn forget_one(&mut self, calls: &CallTable) {
    self.live -= 1;
    if self.entries.len() > COMPACT_ABOVE + 2 * self.live {
      self.entries.retain(|&(id, sequence)| Self::is_live(calls, id, sequence));
    }
  }

  /// Empties the queue; the calls stay in the table.
  pub(crate) fn take_all(&mut self, calls: &CallTable) -> Vec<CallId> {
    self.live = 0;
    let all = self.entries.drain(..);
    all.filter(|&(id, sequence)| Self::is_live(calls, id, sequence)).map(|(id, _)| id).collect()
  }

  fn is_live(calls: &CallTable, id: CallId, sequence: u64) -> bool {
    calls.get(id).is_some_and(|call| call.sequence == sequence && call.place == Place::Pending)
  }
}

#[cfg(test)]
mod tests {
  use super::*;

  fn call(sequence: u64) -> Call {
    Call {
      sequence,
      task: 0,
      codec: 0,
      flags: 0,
      limits: None,
      place: Place::Pending,
      payload: Payload::default(),
      outcome: Outcome::Delivered,
      retries: None,
    }
  }

  #[test]
  fn a_number_is_used_again_only_after_its_call_has_gone() {
    let mut table = CallTable::default();
    let first = table.insert(call(1));
    let second = table.insert(call(2));
    assert_ne!(first, second);
    assert_eq!(table.remove(first).unwrap().sequence, 1);
    assert!(table.remove(first).is_none());
    assert_eq!(table.insert(call(3)), first);
    assert_eq!(table.len(), 2);
  }

  #[test]
  fn the_number_of_a_failed_call_rests_until_its_owner_has_heard() {
    let mut table = CallTable::default();
    let first = table.insert(call(1));
    assert_eq!(table.fail(first).unwrap().sequence, 1);
    assert!(table.fail(first).is_none());
    assert_eq!(table.len(), 0);
    let second = table.insert(call(2));
    assert_ne!(second, first);
    table.recycle();
    assert_eq!(table.insert(call(3)), first);
  }

  #[test]
  fn pending_calls_come_out_in_order_and_cancelled_ones_are_skipped() {
    let mut table = CallTable::default();
    let mut queue = PendingQueue::default();
    let ids: Vec<_> = (0..5)
      .map(|sequence| {
        let id = table.insert(call(sequence));
        queue.push_back(id, sequence);
        id
      })
      .collect();
    table.remove(ids[0]);
    queue.forget_one(&table);
    // The number of the cancelled call is used again: the stale entry must not pick the new call up early.
    let late = table.insert(call(9));
    assert_eq!(late, ids[0]);
    queue.push_back(late, 9);
    let mut order = Vec::new();
    while let Some(id) = queue.peek(&table) {
      order.push(table.get(id).unwrap().sequence);
      queue.pop();
      table.remove(id);
    }
    assert_eq!(order, [1, 2, 3, 4, 9]);
    assert!(queue.is_empty());
  }

  #[test]
  fn a_queue_of_cancelled_calls_does_not_grow() {
    let mut table = CallTable::default();
    let mut queue = PendingQueue::default();
    for sequence in 0..100_000 {
      let id = table.insert(call(sequence));
      queue.push_back(id, sequence);
      table.remove(id);
      queue.forget_one(&table);
    }
    assert_eq!(queue.len(), 0);
    assert!(queue.entries.len() <= COMPACT_ABOVE + 1);
  }
}
