//! Results that were taken out of their lanes while the owner was busy.

use std::collections::VecDeque;

use crate::completion::Completion;

/// Most bytes of results that wait for the owner. Beyond that the lanes fill up, and the workers wait.
const MAX_BYTES: usize = 64 << 20;

/// Most results that wait for the owner.
const MAX_RESULTS: usize = 1 << 20;

/// Results that wait for the owner, oldest first, with their payloads.
#[derive(Debug, Default)]
pub(super) struct Backlog {
  results: VecDeque<(Completion, Box<[u8]>)>,
  bytes: usize,
}

impl Backlog {
  /// The next result.
  pub(super) fn front(&self) -> Option<Completion> {
    self.results.front().map(|(completion, _)| *completion)
  }

  /// The payload of the next result.
  pub(super) fn payload(&self) -> &[u8] {
    self.results.front().map_or(&[], |(_, payload)| payload)
  }

  /// The next result has been read.
  pub(super) fn pop(&mut self) {
    if let Some((_, payload)) = self.results.pop_front() {
      self.bytes -= payload.len();
    }
  }

  pub(super) fn len(&self) -> usize {
    self.results.len()
  }

  pub(super) fn push(&mut self, completion: Completion, payload: Box<[u8]>) {
    self.bytes += payload.len();
    self.results.push_back((completion, payload));
  }

  pub(super) fn is_full(&self) -> bool {
    self.bytes >= MAX_BYTES || self.results.len() >= MAX_RESULTS
  }
}
