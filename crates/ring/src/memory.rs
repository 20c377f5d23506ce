//! Where the bytes of a lane live.

use core::ptr::NonNull;

use thiserror::Error;

/// The machine has no memory to back a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no memory (errno {errno})")]
pub struct NoMemory {
  /// As the operating system reported it.
  pub errno: i32,
}

/// What a machine without memory says, on every system that we know.
pub(crate) const ENOMEM: i32 = 12;

/// A block of memory that host and worker both see.
///
/// Fresh memory need not be zero: the host formats what is read before it is written.
///
/// # Safety
/// From [`Memory::base`] on, [`Memory::len`] bytes are readable and writable, at this address and no other, until the
/// value is dropped, also when it is moved. No Rust reference to any of them exists but those that this crate makes.
/// `commit` and `discard` do not change that.
#[expect(clippy::len_without_is_empty, reason = "the memory of a lane is never empty")]
pub unsafe trait Memory: Send {
  /// Its first byte, at a page boundary.
  fn base(&self) -> NonNull<u8>;

  /// Its length.
  fn len(&self) -> usize;

  /// Makes sure that the pages of a range exist, so that a full machine is an error here and not a signal at a store.
  ///
  /// # Errors
  /// When they cannot be had; then nothing is stored to them.
  fn commit(&self, offset: usize, len: usize) -> Result<(), NoMemory>;

  /// Gives the pages of a range back; what was in them is lost.
  fn discard(&self, offset: usize, len: usize);
}
