//! Memory of lanes for tests: both sides in one process.

use core::alloc::Layout;
use core::ptr::NonNull;
use std::alloc::{alloc_zeroed, dealloc, handle_alloc_error};
use std::sync::{Arc, Mutex, PoisonError};

use crate::memory::{Memory, NoMemory};

const PAGE: usize = 4096;

/// `ENOMEM`.
const OUT_OF_MEMORY: i32 = 12;

/// Memory of this process, for tests of the lanes and of what is built on them: host and worker are two clones, in one
/// process. It keeps account of which pages were committed, and can be told to have only so many.
///
/// ```
/// use millrace_ring::{Geometry, HeapMemory, HostLane, Identity, WorkerLane};
///
/// let geometry = Geometry::new(8, 1 << 20)?;
/// let memory = HeapMemory::new(geometry.segment_len());
/// let host = HostLane::create(memory.clone(), geometry, Identity { host_pid: 1, worker_id: 1 })?;
/// let worker = WorkerLane::attach(memory)?;
/// # assert!(host.has_room() && worker.arm() == false);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct HeapMemory(Arc<Allocation>);

#[derive(Debug)]
struct Allocation {
  base: NonNull<u8>,
  layout: Layout,
  pages: Mutex<Pages>,
}

#[derive(Debug)]
struct Pages {
  committed: Vec<bool>,
  count: usize,
  budget: usize,
}

// SAFETY: the pointer is to memory that this owns, and which is shared on purpose: the lanes order their accesses.
unsafe impl Send for Allocation {}
// SAFETY: as above.
unsafe impl Sync for Allocation {}

impl HeapMemory {
  /// Zeroed memory of `len` bytes.
  pub fn new(len: usize) -> Self {
    Self::with_budget(len, usize::MAX)
  }

  /// The same, of which no more than `budget` bytes can be committed at a time.
  ///
  /// # Panics
  /// When `len` is larger than an allocation can be.
  #[allow(clippy::expect_used, reason = "a test that asks for an impossible length is wrong")]
  pub fn with_budget(len: usize, budget: usize) -> Self {
    let layout = Layout::from_size_align(len.max(1), PAGE).expect("a length that can be allocated");
    // SAFETY: the layout's size is not zero.
    let base = unsafe { alloc_zeroed(layout) };
    let Some(base) = NonNull::new(base) else { handle_alloc_error(layout) };
    let pages = Pages { committed: vec![false; len.div_ceil(PAGE)], count: 0, budget: budget / PAGE };
    Self(Arc::new(Allocation { base, layout, pages: Mutex::new(pages) }))
  }

  /// Bytes of pages that were committed and not discarded.
  pub fn committed_bytes(&self) -> usize {
    self.pages().count * PAGE
  }

  fn pages(&self) -> std::sync::MutexGuard<'_, Pages> {
    self.0.pages.lock().unwrap_or_else(PoisonError::into_inner)
  }
}

impl Drop for Allocation {
  fn drop(&mut self) {
    // SAFETY: allocated with this layout, and nobody is left who could use it.
    unsafe { dealloc(self.base.as_ptr(), self.layout) };
  }
}

// SAFETY: the allocation lives, where it is, as long as any clone does, and nothing but lanes can get at it. (Tests of
// what a broken peer does write to it by `base`, in the peer's place.)
unsafe impl Memory for HeapMemory {
  fn base(&self) -> NonNull<u8> {
    self.0.base
  }

  fn len(&self) -> usize {
    self.0.layout.size()
  }

  fn commit(&self, offset: usize, len: usize) -> Result<(), NoMemory> {
    let mut pages = self.pages();
    let range = offset / PAGE..(offset + len).div_ceil(PAGE);
    let fresh = pages.committed[range.clone()].iter().filter(|&&committed| !committed).count();
    if pages.count + fresh > pages.budget {
      return Err(NoMemory { errno: OUT_OF_MEMORY });
    }
    pages.committed[range].fill(true);
    pages.count += fresh;
    Ok(())
  }

  fn discard(&self, offset: usize, len: usize) {
    let mut pages = self.pages();
    let range = offset.div_ceil(PAGE)..(offset + len) / PAGE;
    let given_back = pages.committed[range.clone()].iter().filter(|&&committed| committed).count();
    pages.count -= given_back;
    pages.committed[range.clone()].fill(false);
    // SAFETY: `range` was in bounds for the vector of pages.
    let first = unsafe { self.0.base.add(range.start * PAGE) };
    // SAFETY: the same range, of pages in which no block is in use: no lane reads or writes them.
    unsafe { first.write_bytes(0, range.len() * PAGE) };
  }
}
