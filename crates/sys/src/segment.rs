//! Shared memory: one anonymous file, mapped whole.
//!
//! # Guarantees
//!
//! - The file has no name, so nothing is left behind however the processes end. A memfd is not counted against the size
//!   of `/dev/shm`.
//! - The file has its full length from the start and is sparse: only touched pages cost memory. The address of the
//!   mapping never changes.
//! - A memfd is sealed against shrinking and growing before anyone else sees it. A peer can write garbage, but it
//!   cannot truncate the file, which would turn our next access into `SIGBUS`. (POSIX shared memory has no seals.)
//! - A `fork` by other code in this process does not inherit the mapping and so cannot become a second writer.
//!
//! A store to a page that does not exist yet allocates it, and when memory is short that store is `SIGBUS`.
//! [`Segment::commit`] allocates first and reports the shortage as an error. [`Segment::populate`] also maps the pages,
//! as huge ones where it can.

mod create;
mod mapping;
#[cfg(target_os = "linux")]
mod populate;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::Arc;
use std::{fmt, io};

use rustix::fs::fstat;
use rustix::process::{Resource, getrlimit};

use crate::fd::set_cloexec;
pub use mapping::Mapping;

use crate::{Error, Result, SegmentKind};

/// The size of a huge page where pages have 4 KiB.
const HUGE: usize = 2 << 20;

/// A shared file and the mapping of its whole length.
pub struct Segment {
  fd: OwnedFd,
  mapping: Arc<Mapping>,
}

impl Segment {
  /// The largest length that a segment of this process may have (`RLIMIT_FSIZE`): a file in memory is a file.
  ///
  /// # References
  ///  - [Linux](https://man7.org/linux/man-pages/man2/getrlimit.2.html)
  pub fn largest() -> u64 {
    getrlimit(Resource::Fsize).current.unwrap_or(u64::MAX)
  }

  /// A new segment of `len` zero bytes.
  ///
  /// # References
  ///  - [Linux `memfd_create`](https://man7.org/linux/man-pages/man2/memfd_create.2.html)
  ///  - [Linux `shm_open`](https://man7.org/linux/man-pages/man3/shm_open.3.html)
  ///  - [Linux file seals](https://man7.org/linux/man-pages/man2/F_GET_SEALS.2const.html)
  pub fn create(kind: SegmentKind, len: usize) -> Result<Self> {
    let fd = match kind {
      SegmentKind::Memfd => create::memfd(len)?,
      SegmentKind::Shm => create::shm(len)?,
    };
    Self::map(fd, len)
  }

  /// The segment of `len` bytes that another process created. An error if the file has any other length.
  pub fn from_fd(fd: OwnedFd, len: usize) -> Result<Self> {
    set_cloexec(&fd)?;
    let size = fstat(&fd).map_err(Error::at("fstat"))?.st_size;
    if !is_length_of(size, len) {
      let reason = format!("the segment has {size} bytes, not {len}");
      return Err(Error::new("fstat", io::Error::new(io::ErrorKind::InvalidData, reason)));
    }
    Self::map(fd, len)
  }

  fn map(fd: OwnedFd, len: usize) -> Result<Self> {
    let mapping = Arc::new(Mapping::of(fd.as_fd(), len)?);
    Ok(Self { fd, mapping })
  }

  /// The mapping, which keeps the bytes where they are for somebody who uses some of them longer than this segment
  /// lives.
  pub fn mapping(&self) -> &Arc<Mapping> {
    &self.mapping
  }

  /// The first byte. [`len`](Self::len) bytes from there are valid for reads and writes for as long as the segment, or
  /// its [`mapping`](Self::mapping), lives. Other processes read and write them at the same time: what is read is
  /// arbitrary, and only accesses that stand that (atomic ones, and copies of plain bytes) make sense.
  pub fn base(&self) -> NonNull<u8> {
    self.mapping.base()
  }

  /// The length in bytes; never zero.
  #[expect(clippy::len_without_is_empty, reason = "a mapping is never empty")]
  pub fn len(&self) -> usize {
    self.mapping.len()
  }

  /// Makes the pages of the range exist, so that a machine without memory answers `ENOMEM` or `ENOSPC` here and not
  /// with `SIGBUS` at a later store. Bytes that exist keep their value. Does nothing on systems that cannot.
  ///
  /// # References
  ///  - [Linux `fallocate`](https://man7.org/linux/man-pages/man2/fallocate.2.html)
  pub fn commit(&self, offset: usize, len: usize) -> Result<()> {
    self.check("fallocate", offset, len)?;
    if len == 0 { Ok(()) } else { self.allocate(offset, len) }
  }

  /// Gives the whole pages inside the range back to the system, for all processes that map them; their bytes are zero
  /// afterwards. Does nothing on systems that cannot.
  ///
  /// # References
  ///  - [Linux `fallocate`](https://man7.org/linux/man-pages/man2/fallocate.2.html)
  pub fn discard(&self, offset: usize, len: usize) -> Result<()> {
    self.check("fallocate", offset, len)?;
    let page = rustix::param::page_size();
    let first = offset.next_multiple_of(page);
    let end = (offset + len) / page * page;
    if end <= first { Ok(()) } else { self.punch(first, end - first) }
  }

  /// `EINVAL` for a range that is not inside the segment.
  fn check(&self, syscall: &'static str, offset: usize, len: usize) -> Result<()> {
    match offset.checked_add(len) {
      Some(end) if end <= self.len() => Ok(()),
      _ => Err(Error::from_errno(syscall, libc::EINVAL)),
    }
  }
}

#[cfg(target_os = "linux")]
impl Segment {
  fn allocate(&self, offset: usize, len: usize) -> Result<()> {
    use crate::signals::SignalsBlocked;
    use rustix::fs::{FallocateFlags, fallocate};

    // Most kernels let any signal interrupt this, and tmpfs then undoes all its work: under a profiler's timer a large
    // range would never be done, however often it is tried again. Newer ones stop for fatal signals only.
    let _quiet = SignalsBlocked::new();
    tolerate_unsupported(fallocate(&self.fd, FallocateFlags::empty(), offset as u64, len as u64))
  }

  fn punch(&self, offset: usize, len: usize) -> Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};

    let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    let punch = || fallocate(&self.fd, hole, offset as u64, len as u64);
    tolerate_unsupported(rustix::io::retry_on_intr(punch))
  }
}

#[cfg(target_os = "linux")]
fn tolerate_unsupported(outcome: rustix::io::Result<()>) -> Result<()> {
  use rustix::io::Errno;

  match outcome {
    // The last two: a sandbox forbids the call, which is as if there were none.
    Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM | Errno::ACCESS) => Ok(()),
    Err(errno) => Err(Error::at("fallocate")(errno)),
  }
}

/// macOS backs shared memory by its compressor and swap and has no call to allocate it or to punch holes into it.
#[cfg(not(target_os = "linux"))]
impl Segment {
  /// Does as [`Segment::commit`]. Returns the end of the range: this system has no way to make more pages exist.
  pub fn populate(&self, range: std::ops::Range<usize>, _room: usize) -> Result<usize> {
    self.commit(range.start, range.len())?;
    Ok(range.end)
  }

  fn allocate(&self, _offset: usize, _len: usize) -> Result<()> {
    Ok(())
  }

  fn punch(&self, _offset: usize, _len: usize) -> Result<()> {
    Ok(())
  }
}

/// Is `size` what a file of `len` bytes reports? macOS rounds the size of shared memory up to whole pages.
fn is_length_of(size: i64, len: usize) -> bool {
  let reported = if cfg!(target_os = "macos") { len.next_multiple_of(rustix::param::page_size()) } else { len };
  usize::try_from(size).is_ok_and(|size| size == len || size == reported)
}

impl AsFd for Segment {
  fn as_fd(&self) -> BorrowedFd<'_> {
    self.fd.as_fd()
  }
}

impl fmt::Debug for Segment {
  fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.debug_struct("Segment").field("fd", &self.fd).field("len", &self.len()).finish_non_exhaustive()
  }
}
