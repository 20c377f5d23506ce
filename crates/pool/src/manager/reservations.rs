//! Room in the queue that is promised, and whether somebody is to hear of room.

/// The reservations of a pool's queue, as its owner has told them.
#[derive(Debug, Default)]
pub(super) struct Reservations {
  /// Calls for which room is kept.
  pub(super) kept: usize,
  /// Calls that wait for room, and go before others.
  pub(super) awaited: usize,
  /// [`Event::Room`](crate::Event::Room) is due once there is room that is not kept.
  pub(super) is_due: bool,
}

impl Reservations {
  /// Calls that have room, or get the next.
  pub(super) fn all(&self) -> usize {
    self.kept.saturating_add(self.awaited)
  }
}
