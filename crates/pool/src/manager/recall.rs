//! Taking calls back from a lane whose worker has not claimed them.

use super::Manager;

impl Manager {
  /// Takes back what is queued in a lane, and puts it in front of the pending calls in its order.
  pub(super) fn recall(&mut self, index: usize) {
    self.recall_behind(index, 0);
  }

  /// The same with what is queued behind the first `kept` calls.
  pub(super) fn recall_behind(&mut self, index: usize, kept: usize) {
    // From the youngest: the worker claims from the other end, so whatever this wins is a suffix, in order.
    while let Some((id, payload)) = self.lanes.get_mut(index).and_then(|lane| lane.take_back(kept)) {
      if let Some(payload) = payload {
        self.put_in_front(id, payload);
      }
    }
  }
}
