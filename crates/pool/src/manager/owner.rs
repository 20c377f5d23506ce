//! The doings of a pool's owner, as far as the relief thread has to know them.

use std::time::{Duration, Instant};

/// The precision of the owner's clock: it is not woken for less.
const TICK: Duration = Duration::from_millis(1);

/// The owner's visits to the manager.
#[derive(Debug, Default)]
pub(super) struct Owner {
  turns: u64,
  reads_in_place: bool,
  /// The time for which the owner has set its clock; `None`: it sleeps until somebody wakes it.
  clock: Option<Instant>,
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

  /// The owner sets its clock, before it sleeps.
  pub(super) fn set_clock(&mut self, at: Option<Instant>) {
    self.clock = at;
  }

  /// Whether the owner sleeps beyond the time when something is due.
  pub(super) fn would_miss(&self, due: Option<Instant>) -> bool {
    due.is_some_and(|due| self.clock.is_none_or(|clock| due + TICK < clock))
  }

  /// Whether the owner has a result that lies in a lane, and has not consumed it.
  pub(super) fn reads_in_place(&self) -> bool {
    self.reads_in_place
  }

  pub(super) fn note_reading(&mut self, in_place: bool) {
    self.reads_in_place = in_place;
  }
}
