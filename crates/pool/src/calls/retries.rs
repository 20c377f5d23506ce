//! The further attempts that a call has left.

use super::payload::Payload;

/// The attempts left of one call, and its arguments meanwhile.
#[derive(Debug)]
pub(crate) struct Retries {
  /// Attempts beyond the one that is under way; never 0.
  left: u32,
  /// The encoded arguments while the call is in a lane.
  payload: Payload,
}

impl Retries {
  pub(crate) fn new(left: u32) -> Option<Self> {
    (left > 0).then(|| Self { left, payload: Payload::default() })
  }

  /// Keeps the arguments of the attempt that goes into a lane.
  pub(crate) fn keep(&mut self, payload: Payload) {
    self.payload = payload;
  }

  /// Another attempt begins: what is left after it, and its arguments.
  pub(crate) fn use_one(self) -> (Option<Self>, Payload) {
    (Self::new(self.left - 1), self.payload)
  }
}
