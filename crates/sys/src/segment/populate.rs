//! Pages of a segment that exist before they are used, and are mapped in this process.
//!
//! A store to a fresh page is a page fault. For 4 KiB that takes some hundred times as long as the store, so a large
//! payload would spend more time in page faults than in copies. Three ways to have fewer of them, of which the first
//! that works is taken:
//!
//! 1. A huge page in place of 512 (`MADV_COLLAPSE`, Linux 6.1). To clear one takes an eighth of the time of 512 faults,
//!    and every process that maps the segment has one fault in place of all of them. The call is for whole huge pages,
//!    and works on shared memory unless the system denies huge pages there.
//! 2. Pages that are allocated and cleared by two calls, and mapped 16 at a time (`MADV_POPULATE_READ`, Linux 5.14). A
//!    shared page that is mapped by a read is writable. It takes three quarters of the time of the page faults.
//! 3. Pages that are allocated and cleared, and mapped when they are used.
//!
//! # References
//!  - [Linux `madvise`](https://man7.org/linux/man-pages/man2/madvise.2.html)

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::mm::{Advice, madvise};

use super::{HUGE, Segment};
use crate::clock::thread_cpu_ns;
use crate::{Error, Result};

/// `MADV_COLLAPSE`.
const COLLAPSE: libc::c_int = 25;

/// Huge pages that are left out after one that could not be had, or took too long: memory is short of them, or in
/// pieces.
const LEFT_OUT: u32 = 32;

/// Processor time from which on a huge page takes longer than its small pages: memory has to be moved to make room, or
/// the machine is a virtual one whose free huge pages were given back to its host.
const TOO_LONG_NS: u64 = 1_500_000;

/// How many huge pages are still left out.
static LEAVE_OUT: AtomicU32 = AtomicU32::new(0);

impl Segment {
  /// Does as [`Segment::commit`] for a range of whole pages that is about to be used, and maps them in this process. A
  /// short range that ends within a huge page gets all of it, if that is within `room`. Returns where the populated
  /// pages end.
  pub fn populate(&self, range: Range<usize>, room: usize) -> Result<usize> {
    self.check("fallocate", range.start, room.max(range.end).saturating_sub(range.start))?;
    let rounded = range.end.next_multiple_of(HUGE);
    // Else it ends in a huge page of which there are small ones already.
    let begins_one = range.end > range.start.next_multiple_of(HUGE);
    let is_short = range.len() <= 2 * HUGE;
    let end = if may_be_huge() && begins_one && is_short && rounded <= room { rounded } else { range.end };
    match self.populate_up_to(range.start, end) {
      Ok(()) => Ok(end),
      // There is no memory for more: there may be some for what is needed.
      Err(_) if end > range.end => self.commit(range.start, range.len()).map(|()| range.end),
      Err(error) => Err(error),
    }
  }

  fn populate_up_to(&self, start: usize, end: usize) -> Result<()> {
    let first = start.next_multiple_of(HUGE).min(end);
    let last = if may_be_huge() { first.max(end / HUGE * HUGE) } else { first };
    self.populate_small(start..first)?;
    for at in (first..last).step_by(HUGE) {
      if !self.populate_huge(at) {
        self.populate_small(at..at + HUGE)?;
      }
    }
    self.populate_small(last..end)
  }

  fn populate_small(&self, range: Range<usize>) -> Result<()> {
    if range.is_empty() {
      return Ok(());
    }
    self.commit(range.start, range.len())?;
    // The first call leaves the pages to be cleared by their first use, which would be one fault for each. The second
    // one clears them, and cleared pages are mapped 16 at a time.
    self.commit(range.start, range.len())?;
    // SAFETY: the range is inside of this segment's mapping. Nothing there changes but page tables.
    let start = unsafe { self.base().add(range.start) };
    // An optimisation: older systems do not know the advice, and then each page is mapped when it is used.
    // SAFETY: as above.
    let _ = unsafe { madvise(start.as_ptr().cast(), range.len(), Advice::LinuxPopulateRead) };
    Ok(())
  }

  /// One huge page, from `at` on. False: there is none, and some small pages may exist.
  fn populate_huge(&self, at: usize) -> bool {
    let page = rustix::param::page_size();
    let left = LEAVE_OUT.load(Ordering::Relaxed);
    if left > 0 {
      // Several threads at once leave one more out, or one fewer.
      LEAVE_OUT.store(left - 1, Ordering::Relaxed);
      return false;
    }
    // Nothing is collapsed where there is nothing.
    if self.commit(at, page).is_err() {
      return false;
    }
    let started = thread_cpu_ns();
    let collapsed = self.collapse(at);
    if collapsed.is_err() || thread_cpu_ns() - started > TOO_LONG_NS {
      LEAVE_OUT.store(LEFT_OUT, Ordering::Relaxed);
    }
    collapsed.is_ok()
  }

  fn collapse(&self, at: usize) -> Result<()> {
    // SAFETY: a huge page inside of this segment, which `populate` has checked.
    let start = unsafe { self.base().add(at) };
    // SAFETY: the range is this segment's mapping. The bytes keep their values: the call copies them.
    if unsafe { libc::madvise(start.as_ptr().cast(), HUGE, COLLAPSE) } == 0 {
      Ok(())
    } else {
      Err(Error::new("madvise", std::io::Error::last_os_error()))
    }
  }
}

fn may_be_huge() -> bool {
  rustix::param::page_size() == 4096
}
