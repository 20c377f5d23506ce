//! A shared segment of the operating system as the memory of a lane's rings.

use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::Arc;

use millrace_ring::{Memory, NoMemory};
use millrace_sys::{Mapping, Segment};

use crate::fault::{Point, hits};

/// A lane's memory: a shared segment.
#[derive(Debug)]
pub(crate) struct LaneSegment(Segment);

impl LaneSegment {
  pub(crate) fn new(segment: Segment) -> Self {
    Self(segment)
  }

  /// The mapping, for a loan that outlives the lane.
  pub(crate) fn mapping(&self) -> &Arc<Mapping> {
    self.0.mapping()
  }
}

impl AsFd for LaneSegment {
  fn as_fd(&self) -> BorrowedFd<'_> {
    self.0.as_fd()
  }
}

// SAFETY: a segment stays mapped at one address, for its whole length, until it is dropped, and the mapping is
// writable. Only lanes touch its bytes, and, by raw pointers, whoever has a loan (`loan.rs`).
unsafe impl Memory for LaneSegment {
  fn base(&self) -> NonNull<u8> {
    self.0.base()
  }

  fn len(&self) -> usize {
    self.0.len()
  }

  fn commit(&self, offset: usize, len: usize) -> Result<(), NoMemory> {
    self.0.commit(offset, len).map_err(no_memory)
  }

  fn populate(&self, range: Range<usize>, room: usize) -> Result<usize, NoMemory> {
    let populated = self.0.populate(range, room).map_err(no_memory)?;
    hits(Point::PagesPopulated);
    Ok(populated)
  }

  fn discard(&self, offset: usize, len: usize) {
    // An optimisation: pages that cannot be given back stay, and are used again.
    let _ = self.0.discard(offset, len);
  }
}

fn no_memory(error: millrace_sys::Error) -> NoMemory {
  NoMemory { errno: error.errno().unwrap_or(libc::ENOMEM) }
}
