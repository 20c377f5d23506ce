//! The table of all unfinished calls: what was asked for, where each call is, what becomes of its outcome.

use std::time::Duration;

use millrace_ring::{CallHeader, CallKind, Position};

use super::payload::Payload;
use super::retries::Retries;
use crate::completion::{CHUNK, CallId};

/// How long a call may run.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
  /// From the claim on.
  pub timeout: Duration,
  /// From the abort signal to SIGTERM.
  pub grace: Duration,
}

/// Where an unfinished call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
  /// In the pending queue. The call itself has the payload.
  Pending,
  /// In the ring of a lane, which has the payload. `lane` is the index of that lane.
  Lane { lane: usize, position: Position },
  /// In no lane any more: the result was taken out of its lane, and waits for the owner.
  Answered,
}

/// One unfinished call.
#[derive(Debug)]
pub(crate) struct Call {
  /// Tells a call from earlier ones in the same place of the table.
  pub(crate) sequence: u64,
  /// The public number: the task id. All attempts of a call have the same.
  pub(crate) number: u64,
  /// The owner makes the further attempts of the call. So the owner hears of a time-out when the attempt is over.
  pub(crate) owner_repeats: bool,
  pub(crate) task: u32,
  pub(crate) codec: u8,
  pub(crate) flags: u16,
  pub(crate) limits: Option<Limits>,
  pub(crate) place: Place,
  /// The encoded arguments while the call is pending, else empty.
  pub(crate) payload: Payload,
  pub(crate) outcome: Outcome,
  /// `None`: the call is not repeated any more.
  pub(crate) retries: Option<Retries>,
}

/// The use of the outcome of the attempt that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
  /// The owner gets the outcome.
  Delivered,
  /// The outcome is dropped: the call was stopped by a timeout or a kill, and nobody waits any more.
  Dropped,
  /// The outcome is dropped, and the call is started again.
  Repeated,
  /// The call ran for too long. Its owner, who repeats it, hears of that when the worker has ended, or has answered
  /// within the grace: no two attempts overlap.
  Overdue,
}

impl Call {
  /// Whether the call has items, each with an outcome of its own.
  pub(crate) fn is_chunk(&self) -> bool {
    self.flags & CHUNK != 0
  }

  pub(crate) fn header(&self) -> CallHeader {
    CallHeader { kind: CallKind::Task, codec: self.codec, flags: self.flags, task: self.task, sequence: self.number }
  }
}

/// All unfinished calls, by number.
#[derive(Debug, Default)]
pub(crate) struct CallTable {
  entries: Vec<Option<Call>>,
  free: Vec<CallId>,
  /// Numbers of calls that have failed. They are free once the owner has heard of the failures.
  resting: Vec<CallId>,
  len: usize,
  /// How many sequence numbers were given out.
  sequences: u64,
  /// How many public numbers were given out.
  numbers: u64,
}

impl CallTable {
  /// The sequence number of a new entry, from 1 on. No two entries of a pool have the same.
  pub(crate) fn next_sequence(&mut self) -> u64 {
    self.sequences += 1;
    self.sequences
  }

  /// The public number of a new call, from 1 on.
  pub(crate) fn next_number(&mut self) -> u64 {
    self.numbers += 1;
    self.numbers
  }

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

  /// As [`CallTable::remove`], for a call whose failure the owner learns from an event: its number rests until then.
  pub(crate) fn fail(&mut self, id: CallId) -> Option<Call> {
    let call = self.entries.get_mut(id as usize)?.take()?;
    self.resting.push(id);
    self.len -= 1;
    Some(call)
  }

  /// The owner takes the events: the numbers of failed calls are free.
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

#[cfg(test)]
impl Call {
  /// A pending call for tests.
  pub(crate) fn numbered(sequence: u64) -> Self {
    Self {
      sequence,
      number: sequence,
      owner_repeats: false,
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
}

#[cfg(test)]
mod tests {
  use super::*;

  #[test]
  fn a_number_is_used_again_only_after_its_call_has_gone() {
    let mut table = CallTable::default();
    let first = table.insert(Call::numbered(1));
    let second = table.insert(Call::numbered(2));
    assert_ne!(first, second);
    assert_eq!(table.remove(first).unwrap().sequence, 1);
    assert!(table.remove(first).is_none());
    assert_eq!(table.insert(Call::numbered(3)), first);
    assert_eq!(table.len(), 2);
  }

  #[test]
  fn the_number_of_a_failed_call_rests_until_its_owner_has_heard() {
    let mut table = CallTable::default();
    let first = table.insert(Call::numbered(1));
    assert_eq!(table.fail(first).unwrap().sequence, 1);
    assert!(table.fail(first).is_none());
    assert_eq!(table.len(), 0);
    let second = table.insert(Call::numbered(2));
    assert_ne!(second, first);
    table.recycle();
    assert_eq!(table.insert(Call::numbered(3)), first);
  }
}
