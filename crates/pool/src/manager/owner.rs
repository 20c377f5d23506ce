//! The doings of a pool's owner, as far as the relief thread has to know them.

/// The owner's visits to the manager.
#[derive(Debug, Default)]
pub(super) struct Owner {
  turns: u64,
  reads_in_place: bool,
}

impl Owner {
  /// Grows whenever the owner comes by.
  pub(super) fn turns(&self) -> u64 {
    self.turns
  }

  /// The owner comes by.
  pub(super) fn comes_by(&mut self) {
    self.turns += 1;
  }

  /// Whether the owner has a result that lies in a lane, and has not consumed it.
  pub(super) fn reads_in_place(&self) -> bool {
    self.reads_in_place
  }

  pub(super) fn note_reading(&mut self, in_place: bool) {
    self.reads_in_place = in_place;
  }
}
