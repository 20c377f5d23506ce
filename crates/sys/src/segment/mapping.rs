//! The mapping of a segment, which may outlive the segment.

use std::ffi::c_void;
use std::os::fd::BorrowedFd;
use std::ptr::{self, NonNull};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::HUGE;
use crate::{Error, Result};

/// A shared mapping of a whole file. The file's descriptor may be closed meanwhile.
#[derive(Debug)]
pub struct Mapping {
  base: NonNull<u8>,
  len: usize,
  /// The process that has the mapping: in a fork of that process there is nothing at this address, or something else.
  owner: u32,
}

// SAFETY: the mapping belongs to no thread, and all that is handed out of it is a raw pointer.
unsafe impl Send for Mapping {}

// SAFETY: `&Mapping` gives no access to the bytes but by the raw pointer.
unsafe impl Sync for Mapping {}

impl Mapping {
  pub(super) fn of(fd: BorrowedFd<'_>, len: usize) -> Result<Self> {
    let base = Self::map(fd, len)?;
    // From here on the mapping has an owner, which unmaps it if the next step fails.
    let mapping = Self { base, len, owner: std::process::id() };
    mapping.keep_from_forks()?;
    Ok(mapping)
  }

  /// Maps the file, if possible at an address at which huge pages can be mapped: such an address and the offset in the
  /// file differ by whole huge pages.
  fn map(fd: BorrowedFd<'_>, len: usize) -> Result<NonNull<u8>> {
    let first = Self::map_near(ptr::null_mut(), fd, len)?;
    let wanted = first.addr().get() / HUGE * HUGE;
    if len < HUGE || wanted == first.addr().get() {
      return Ok(first);
    }
    // Nobody knows of the first mapping. What is a bit below is free, as a rule.
    // SAFETY: the mapping was made above, with this address and length.
    unsafe { munmap(first.as_ptr().cast(), len) }.map_err(Error::at("munmap"))?;
    Self::map_near(ptr::without_provenance_mut(wanted), fd, len)
  }

  /// Maps the file at this address, or elsewhere if something is there.
  fn map_near(wanted: *mut c_void, fd: BorrowedFd<'_>, len: usize) -> Result<NonNull<u8>> {
    let access = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: without `MapFlags::FIXED` the address is a wish: a new mapping touches nothing that exists.
    let base = unsafe { mmap(wanted, len, access, MapFlags::SHARED, fd, 0) }.map_err(Error::at("mmap"))?;
    NonNull::new(base.cast()).ok_or_else(|| Error::from_errno("mmap", libc::ENOMEM))
  }

  /// Whether the mapping is in the memory of the calling process, and not only in that of the process it was forked
  /// from.
  pub fn is_here(&self) -> bool {
    self.owner == std::process::id()
  }

  pub(super) fn base(&self) -> NonNull<u8> {
    self.base
  }

  pub(super) fn len(&self) -> usize {
    self.len
  }

  #[cfg(target_os = "linux")]
  fn keep_from_forks(&self) -> Result<()> {
    use rustix::mm::{Advice, madvise};

    // SAFETY: the range is this mapping; the advice changes what a child of `fork` gets, nothing here.
    unsafe { madvise(self.base.as_ptr().cast(), self.len, Advice::LinuxDontFork) }.map_err(Error::at("madvise"))
  }

  #[cfg(not(target_os = "linux"))]
  fn keep_from_forks(&self) -> Result<()> {
    // SAFETY: the range is this mapping; the call changes what a child of `fork` gets, nothing here.
    let outcome = unsafe { libc::minherit(self.base.as_ptr().cast(), self.len, libc::VM_INHERIT_NONE) };
    if outcome == 0 { Ok(()) } else { Err(Error::new("minherit", std::io::Error::last_os_error())) }
  }
}

impl Drop for Mapping {
  fn drop(&mut self) {
    if !self.is_here() {
      return;
    }
    // SAFETY: `of` made the mapping, with this address and length, in this process. Nobody uses `base` any more: who
    // does has to keep the mapping (see `Segment::base`).
    let outcome = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
    debug_assert!(outcome.is_ok(), "munmap of an own mapping: {outcome:?}");
  }
}
