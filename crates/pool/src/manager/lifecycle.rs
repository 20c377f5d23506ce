//! How far the life of a pool has come.

use crate::event::PoolState;

/// The state of a pool, which only moves on: `Running`, `Closing`, stopped; and `Broken` from each of the first two.
#[derive(Debug)]
pub(super) struct Lifecycle {
  state: PoolState,
  /// The owner was told that the last worker is reaped.
  is_stopped: bool,
}

impl Lifecycle {
  pub(super) fn new() -> Self {
    Self { state: PoolState::Running, is_stopped: false }
  }

  pub(super) fn state(&self) -> PoolState {
    self.state
  }

  pub(super) fn is_running(&self) -> bool {
    self.state == PoolState::Running
  }

  pub(super) fn is_closing(&self) -> bool {
    self.state == PoolState::Closing
  }

  pub(super) fn is_broken(&self) -> bool {
    self.state == PoolState::Broken
  }

  pub(super) fn is_stopped(&self) -> bool {
    self.is_stopped
  }

  /// No more calls are taken.
  pub(super) fn close(&mut self) {
    if self.is_running() {
      self.state = PoolState::Closing;
    }
  }

  pub(super) fn break_off(&mut self) {
    self.state = PoolState::Broken;
  }

  pub(super) fn stop(&mut self) {
    self.is_stopped = true;
  }
}
