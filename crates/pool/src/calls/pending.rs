//! The queue of pending calls: those that are in no lane, in the order in which they start.

use std::collections::VecDeque;

use super::table::{CallTable, Place};
use crate::completion::CallId;

/// The calls that are in no lane, in the order in which they start.
///
/// A cancelled call leaves its entry behind. The entry is recognized as stale by its sequence number, and skipped. The
/// queue drops all stale entries when they outnumber the live ones by far, so its size is bounded by the number of
/// pending calls.
#[derive(Debug, Default)]
pub(crate) struct PendingQueue {
  /// Numbers and sequence numbers.
  entries: VecDeque<(CallId, u64)>,
  /// How many entries are not stale.
  live: usize,
}

/// Stale entries of a queue that has no live ones, before they are dropped.
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

  /// A pending call was cancelled, and is in the table no more.
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
  use super::super::table::Call;
  use super::*;

  #[test]
  fn pending_calls_come_out_in_order_and_cancelled_ones_are_skipped() {
    let mut table = CallTable::default();
    let mut queue = PendingQueue::default();
    let ids: Vec<_> = (0..5)
      .map(|sequence| {
        let id = table.insert(Call::numbered(sequence));
        queue.push_back(id, sequence);
        id
      })
      .collect();
    table.remove(ids[0]);
    queue.forget_one(&table);
    // The number of the cancelled call is used again: the stale entry must not pick the new call up early.
    let late = table.insert(Call::numbered(9));
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
      let id = table.insert(Call::numbered(sequence));
      queue.push_back(id, sequence);
      table.remove(id);
      queue.forget_one(&table);
    }
    assert_eq!(queue.len(), 0);
    assert!(queue.entries.len() <= COMPACT_ABOVE + 1);
  }
}
