//! Where the bytes of a lane live, and why a peer that breaks every rule does no more harm than wrong bytes.
//!
//! Rust's memory model is about the threads of one program. Two processes that keep to the protocol are ordered like
//! two threads: what one writes before a release store, the other reads after the acquire load that sees the store
//! (`sync.rs`). A broken peer may store anything, anywhere in the memory, at any time. Such a store is no data race of
//! this program. It lies outside of the model, like that of a device, and this crate has to stand whatever it leaves:
//!
//! - Header and rings are reached through shared references to atomics and to cells ([`crate::frame::Frame`]), of whose
//!   content the compiler assumes nothing. Every bit pattern is a value of each.
//! - To the arenas this crate makes no references. It copies bytes, by raw pointers. Lent content is read in place by
//!   its borrower, and never looked at here.
//! - No decision rests on shared bytes, only on private copies. A word is copied by its atomic load, the header of a
//!   slot by one volatile read. A payload is copied plainly, and [`copied`] follows: up to that point the compiler may
//!   read a byte twice, from there on it has to use the copy.
//!
//! So every decision rests on one value of each byte. A broken peer chooses the value, but cannot change it after the
//! check. (Atomic copies would put even a broken peer into the model. Rust has none, and a loop over atomic words costs
//! a multiple of `memcpy`.)

use core::ops::Range;
use core::ptr::NonNull;
use core::sync::atomic::{Ordering, compiler_fence};

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
/// value is dropped, also when it is moved. `commit` and `discard` do not change that.
///
/// Nothing in this process touches these bytes but the lanes of this crate, and, in a block that a lane has lent
/// ([`crate::Borrowed`]), whoever has the loan. What another process does to them is not promised.
#[expect(clippy::len_without_is_empty, reason = "the memory of a lane is never empty")]
pub unsafe trait Memory: Send {
  /// Its first byte, at a page boundary.
  fn base(&self) -> NonNull<u8>;

  /// Its length.
  fn len(&self) -> usize;

  /// Makes the pages of a range exist, so that a machine without memory is an error here and not a signal at a store.
  ///
  /// # Errors
  /// When they cannot be had; then nothing is stored to them.
  fn commit(&self, offset: usize, len: usize) -> Result<(), NoMemory>;

  /// Does as [`Memory::commit`] for a range that is about to be used, and for more behind the range, up to `room` at
  /// most, where more pages cost less. Returns where the pages end that exist now.
  ///
  /// # Errors
  /// As [`Memory::commit`], when the range itself cannot be had.
  fn populate(&self, range: Range<usize>, room: usize) -> Result<usize, NoMemory> {
    let _ = room;
    self.commit(range.start, range.len())?;
    Ok(range.end)
  }

  /// Gives the pages of a range back to the system. Their bytes are lost.
  fn discard(&self, offset: usize, len: usize);
}

/// To be called between a plain copy out of shared memory and any use of the copy: the compiler must not read the
/// shared bytes again in place of the private ones. Costs nothing at run time.
#[inline(always)]
pub(crate) fn copied() {
  compiler_fence(Ordering::SeqCst);
}
