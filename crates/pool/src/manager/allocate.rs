//! Blocks of lanes' memory for the owner to fill in place.

use std::time::Instant;

use super::Manager;
use crate::error::AllocateError;
use crate::lane::Loan;

impl Manager {
  /// A block of `len` bytes (not 0) in the memory of some worker's lane: a call with it goes to that worker, without a
  /// copy, if that can be. What is in it is arbitrary. `None` if there is no room in any lane.
  ///
  /// # Errors
  /// As [`AllocateError`] says.
  pub fn allocate(&mut self, len: usize) -> Result<Option<Loan>, AllocateError> {
    if !self.lifecycle.is_running() {
      return Err(AllocateError::NotRunning(self.lifecycle.state()));
    }
    if self.lanes.live() == 0 {
      let _ = self.start_worker(Instant::now()).map_err(AllocateError::Spawn)?;
      self.wake_again();
    }
    // Lanes first that could take a call at once, and of these the one with the least to do.
    let mut lanes: Vec<_> = self.lanes.iter_mut().filter(|lane| !lane.has_ended()).collect();
    lanes.sort_by_key(|lane| (!lane.accepts(), lane.len(), lane.lent_bytes()));
    Ok(lanes.into_iter().find_map(|lane| lane.allocate(len).ok()))
  }
}
