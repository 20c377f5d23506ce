//! The lanes that a round drains, and the lanes whose workers do not ring.
//!
//! A lane is due after its worker rang or ended, or when a look before the owner's sleep found a result. So a round
//! costs nothing for lanes without news. A lane that was drained is unarmed: its worker does not ring for the next
//! result. Before the owner sleeps, all unarmed lanes are armed (`sleep.rs`).

use crate::spin::Spinner;

/// Results of one lane before another lane's turn.
const RESULTS_PER_TURN: u32 = 32;

/// The state of the current round and of the next sleep.
#[derive(Debug, Default)]
pub(super) struct Drain {
  /// Lanes to drain in this round, each once; the next one is the last.
  due: Vec<usize>,
  /// Results taken in a row since the last change of lanes.
  in_a_row: u32,
  /// Lanes whose workers do not ring.
  unarmed: Vec<usize>,
  spinner: Spinner,
  /// A look before the owner's sleep found something: the next turn need not ask the system who rang.
  found_before_sleep: bool,
}

impl Drain {
  /// Has a lane drained in this round.
  pub(super) fn add(&mut self, index: usize) {
    if !self.due.contains(&index) {
      self.due.push(index);
    }
  }

  /// The lane to go on with.
  pub(super) fn next(&self) -> Option<usize> {
    self.due.last().copied()
  }

  /// The lane of [`Drain::next`] is done.
  pub(super) fn done(&mut self) {
    self.due.pop();
  }

  /// Whether the round is over.
  pub(super) fn is_done(&self) -> bool {
    self.due.is_empty()
  }

  pub(super) fn is_due(&self, index: usize) -> bool {
    self.due.contains(&index)
  }

  /// A result was taken. After some results of one lane the next one follows: a worker that answers as fast as it is
  /// read would keep the others from being refilled.
  pub(super) fn take_turns(&mut self) {
    self.in_a_row += 1;
    if self.in_a_row == RESULTS_PER_TURN {
      self.in_a_row = 0;
      self.due.rotate_right(1);
    }
  }

  /// A lane was drained. It must not be listed yet.
  pub(super) fn add_unarmed(&mut self, index: usize) {
    self.unarmed.push(index);
  }

  pub(super) fn unarmed(&self) -> &[usize] {
    &self.unarmed
  }

  /// All unarmed lanes, which the caller arms.
  pub(super) fn take_unarmed(&mut self) -> Vec<usize> {
    std::mem::take(&mut self.unarmed)
  }

  /// Looks for a moment whether one of the unarmed lanes has a result. Such a lane is due.
  pub(super) fn spin(&mut self, has_result: impl Fn(usize) -> bool) -> bool {
    let Self { unarmed, spinner, .. } = self;
    let mut found = None;
    spinner.spin(|| {
      found = unarmed.iter().find(|&&index| has_result(index)).copied();
      found.is_some()
    });
    if let Some(index) = found {
      self.add(index);
    }
    found.is_some()
  }

  /// Notes what a look before the owner's sleep found.
  pub(super) fn note_found_before_sleep(&mut self, found: bool) {
    self.found_before_sleep |= found;
  }

  pub(super) fn take_found_before_sleep(&mut self) -> bool {
    std::mem::take(&mut self.found_before_sleep)
  }
}
