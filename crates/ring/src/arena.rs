//! The allocator of an arena: private books of the side that writes payloads.
//!
//! First fit from the lowest address. A fresh page of shared memory costs a hundred times a used one, so used pages are
//! used again, and pages above them are not touched. An arena that grows may get some more pages than it needs: many at
//! once cost less.

use core::num::NonZeroU32;
use core::ops::Range;

use crate::block::{Block, GRANULE};
use crate::geometry::ARENA_ALIGN;
use crate::memory::NoMemory;

/// Blocks of this size and more begin at a page and have whole ones.
pub(crate) const LARGE: u64 = 64 * 1024;

const PAGE_GRANULES: u32 = (4096 / GRANULE) as u32;

/// Fresh pages are committed this much at a time, or a multiple.
const COMMIT_GRANULES: u32 = (ARENA_ALIGN / GRANULE) as u32;

/// Fresh pages beyond those that are needed, at most: as much as a huge page has.
const ROOM_GRANULES: u32 = ((2 << 20) / GRANULE) as u32;

/// What stays committed of an idle arena, so that the next burst begins on used pages.
pub(crate) const WARM_REMAINDER: u64 = 32 << 20;

/// Why there is no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
  /// There is no room until other blocks are released.
  Full,
  /// The machine has no memory for the block.
  NoMemory(NoMemory),
}

#[derive(Debug)]
pub(crate) struct Arena {
  /// Free ranges in granules: sorted, not empty, no two adjacent.
  free: Vec<Range<u32>>,
  capacity: u32,
  /// All granules below are committed.
  committed: u32,
  in_use: u32,
}

impl Arena {
  /// An empty arena of `bytes`, as a checked geometry has them.
  #[allow(clippy::single_range_in_vec_init, reason = "one free range is meant, not its numbers")]
  pub(crate) fn new(bytes: u64) -> Self {
    let capacity = (bytes / GRANULE) as u32;
    Self { free: vec![0..capacity], capacity, committed: 0, in_use: 0 }
  }

  /// The size of the largest payload.
  pub(crate) fn capacity(&self) -> u64 {
    u64::from(self.capacity) * GRANULE
  }

  /// Bytes of all blocks.
  pub(crate) fn in_use(&self) -> u64 {
    u64::from(self.in_use) * GRANULE
  }

  /// Bytes that were committed and not discarded.
  pub(crate) fn committed(&self) -> u64 {
    u64::from(self.committed) * GRANULE
  }

  /// Size of the block for a payload of `len` bytes, at most the capacity.
  pub(crate) fn block_size(len: u64) -> u64 {
    if len < LARGE { len.max(1).next_multiple_of(GRANULE) } else { len.next_multiple_of(4096) }
  }

  /// A block for `len` bytes (not 0). `populate` is asked to back fresh pages, a range of bytes of the arena, and may
  /// back more up to a bound: it returns where the backed pages end. If `populate` fails, nothing changes.
  pub(crate) fn allocate(
    &mut self,
    len: u64,
    populate: impl FnOnce(Range<u64>, u64) -> Result<u64, NoMemory>,
  ) -> Result<Block, Refused> {
    if len > self.capacity() {
      return Err(Refused::Full);
    }
    // The capacity is a multiple of a page, so the rounded size is not above it either, and fits.
    let Some(count) = NonZeroU32::new((Self::block_size(len) / GRANULE) as u32) else { return Err(Refused::Full) };
    let align = if len < LARGE { 1 } else { PAGE_GRANULES };
    let fit = self.free.iter().enumerate().find_map(|(index, range)| {
      let first = range.start.next_multiple_of(align);
      (first <= range.end && range.end - first >= count.get()).then_some((index, first))
    });
    let Some((index, first)) = fit else { return Err(Refused::Full) };
    let block = Block { first, count };
    if block.end() > self.committed {
      let end = block.end().next_multiple_of(COMMIT_GRANULES);
      let room = end.saturating_add(ROOM_GRANULES).min(self.capacity);
      let needed = self.committed()..u64::from(end) * GRANULE;
      let backed = populate(needed, u64::from(room) * GRANULE).map_err(Refused::NoMemory)?;
      // Whole steps that are backed, and no less than what is needed.
      self.committed = ((backed / ARENA_ALIGN * ARENA_ALIGN / GRANULE) as u32).clamp(end, room);
    }
    self.take(index, block);
    Ok(block)
  }

  /// Cuts a block out of the free range at `index`.
  fn take(&mut self, index: usize, block: Block) {
    let range = self.free[index].clone();
    let before = range.start..block.first;
    let after = block.end()..range.end;
    match (before.is_empty(), after.is_empty()) {
      (true, true) => {
        self.free.remove(index);
      }
      (true, false) => self.free[index] = after,
      (false, true) => self.free[index] = before,
      (false, false) => {
        self.free[index] = before;
        self.free.insert(index + 1, after);
      }
    }
    self.in_use += block.count.get();
  }

  /// Takes back a block that [`Arena::allocate`] gave and nobody uses any more.
  pub(crate) fn release(&mut self, block: Block) {
    let index = self.free.partition_point(|range| range.start < block.first);
    let joins_before = index > 0 && self.free[index - 1].end == block.first;
    let joins_after = self.free.get(index).is_some_and(|range| range.start == block.end());
    match (joins_before, joins_after) {
      (true, true) => {
        self.free[index - 1].end = self.free[index].end;
        self.free.remove(index);
      }
      (true, false) => self.free[index - 1].end = block.end(),
      (false, true) => self.free[index].start = block.first,
      (false, false) => self.free.insert(index, block.first..block.end()),
    }
    self.in_use -= block.count.get();
  }

  /// Discards committed pages above the last block in use, but not the lowest `keep` bytes.
  pub(crate) fn trim(&mut self, keep: u64, discard: impl FnOnce(Range<u64>)) {
    let last_used = match self.free.last() {
      Some(range) if range.end == self.capacity => range.start,
      _ => self.capacity,
    };
    let keep = keep.min(self.capacity()).div_ceil(GRANULE) as u32;
    let end = last_used.max(keep).next_multiple_of(COMMIT_GRANULES);
    if end < self.committed {
      discard(u64::from(end) * GRANULE..self.committed());
      self.committed = end;
    }
  }

  /// The free ranges, in bytes.
  pub(crate) fn free_ranges(&self) -> impl Iterator<Item = Range<u64>> + '_ {
    self.free.iter().map(|range| u64::from(range.start) * GRANULE..u64::from(range.end) * GRANULE)
  }
}
