//! A block: the piece of an arena that one payload has.

use core::num::NonZeroU32;

/// Arenas are cut in pieces of this many bytes: a cache line, so that two payloads never share one.
pub(crate) const GRANULE: u64 = 64;

/// A piece of an arena, in granules. The sender of a payload owns the block from allocation to release. Only the offset
/// goes through shared memory, and the sender does not read it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
  pub(crate) first: u32,
  pub(crate) count: NonZeroU32,
}

impl Block {
  /// Offset of its first byte in the arena.
  pub(crate) const fn offset(self) -> u64 {
    self.first as u64 * GRANULE
  }

  /// Bytes.
  pub(crate) const fn size(self) -> u64 {
    self.count.get() as u64 * GRANULE
  }

  /// The granule behind the block. Cannot overflow: an arena has at most `u32::MAX` granules.
  pub(crate) const fn end(self) -> u32 {
    self.first + self.count.get()
  }
}
