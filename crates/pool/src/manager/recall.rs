//! Taking calls back from a lane whose worker has not claimed them.

use super::Manager;

impl Manager {
  /// Takes the unclaimed calls of a lane back, and puts them in front of the pending ones in their order.
  pub(super) fn recall(&mut self, index: usize) {
    self.recall_behind(index, 0, usize::MAX);
  }

  /// As [`Manager::recall`], but the first `kept` calls stay, and others once the payloads have `bytes`.
  pub(super) fn recall_behind(&mut self, index: usize, kept: usize, bytes: usize) {
    let mut recalled = 0;
    // From the youngest: the worker claims from the other end, so whatever this wins is a suffix, in order.
    while recalled < bytes
      && let Some((id, payload)) = self.lanes.get_mut(index).and_then(|lane| lane.take_back(kept))
    {
      if let Some(payload) = payload {
        recalled += payload.len();
        self.put_in_front(id, payload);
      }
    }
  }
}
