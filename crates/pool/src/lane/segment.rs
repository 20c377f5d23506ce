//! The one place where the operating system's segments become the rings' memory.

use std::ptr::NonNull;

use millrace_ring::{Memory, NoMemory};
use millrace_sys::Segment;

/// A lane's memory: a shared segment.
#[derive(Debug)]
pub struct LaneSegment(pub(crate) Segment);

// SAFETY: a segment stays mapped at one address, for its whole length, until it is dropped, and the mapping is writable.
unsafe impl Memory for LaneSegment {
  fn base(&self) -> NonNull<u8> {
    self.0.base()
  }

  fn len(&self) -> usize {
    self.0.len()
  }

  fn commit(&self, offset: usize, len: usize) -> Result<(), NoMemory> {
    self.0.commit(offset, len).map_err(|error| NoMemory { errno: error.errno().unwrap_or(libc::ENOMEM) })
  }

  fn discard(&self, offset: usize, len: usize) {
    // Only an optimisation: pages that cannot be given back stay and are used again.
    let _ = self.0.discard(offset, len);
  }
}
