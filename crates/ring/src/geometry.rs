//! The sizes of a lane.

use core::ops::Range;

use crate::block::GRANULE;
use crate::call_slot::CallSlot;
use crate::chunk::JournalHead;
use crate::error::GeometryError;
use crate::layout::Header;
use crate::result_slot::ResultSlot;

/// The header has a page to itself.
const HEADER_LEN: usize = 4096;

const _: () = assert!(size_of::<Header>() <= HEADER_LEN);

/// Bytes of outcomes that the journal of a lane has room for at most. A worker commits memory to it as it needs.
pub const JOURNAL_BYTES: usize = 4 << 20;

/// Arenas begin at a multiple of this, which is a multiple of every page size in use: so their pages can be given back.
pub(crate) const ARENA_ALIGN: u64 = 64 * 1024;

/// An arena has at most this size, so that its granules can be counted in 32 bits with room to spare.
const ARENA_MAX: u64 = 128 << 30;

const _: () = assert!(ARENA_MAX / GRANULE <= 1 << 31);

/// The sizes of a lane: they follow from the number of call slots and the size of an arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
  /// Call slots: a power of two from 2 to 4096. There are twice as many result slots.
  pub slots: u32,
  /// Bytes of payload arena, per direction: a multiple of 64 KiB, at least that. Only used pages cost memory.
  pub arena_bytes: u64,
}

impl Geometry {
  /// Checks the two numbers.
  ///
  /// # Errors
  /// When one is not allowed.
  pub const fn new(slots: u32, arena_bytes: u64) -> Result<Self, GeometryError> {
    if !slots.is_power_of_two() || slots < 2 || slots > 4096 {
      return Err(GeometryError::Slots(slots));
    }
    let geometry = Self { slots, arena_bytes };
    let too_large = arena_bytes > ARENA_MAX || geometry.end() > isize::MAX as u64;
    if arena_bytes == 0 || !arena_bytes.is_multiple_of(ARENA_ALIGN) || too_large {
      return Err(GeometryError::Arena(arena_bytes));
    }
    Ok(geometry)
  }

  /// The same with arenas so small, if need be, that a lane takes at most `bytes`; the smallest ones if even they do
  /// not fit.
  #[must_use]
  pub const fn within(self, bytes: u64) -> Self {
    let rest = self.end() - 2 * self.arena_bytes - self.journal_capacity();
    let room = bytes.saturating_sub(rest);
    let fitting = if room >= 5 * JOURNAL_BYTES as u64 {
      (room - JOURNAL_BYTES as u64) / 2
    } else {
      // The journal has half of an arena, and at most one alignment more.
      room.saturating_sub(ARENA_ALIGN) * 2 / 5
    };
    let fitting = fitting / ARENA_ALIGN * ARENA_ALIGN;
    let arena_bytes = if fitting >= self.arena_bytes {
      self.arena_bytes
    } else if fitting < ARENA_ALIGN {
      ARENA_ALIGN
    } else {
      fitting
    };
    Self { arena_bytes, ..self }
  }

  /// The same numbers, checked: the fields are public.
  pub(crate) const fn checked(self) -> Result<Self, GeometryError> {
    Self::new(self.slots, self.arena_bytes)
  }

  /// Length of the memory that a lane of this geometry needs.
  pub const fn segment_len(&self) -> usize {
    self.end() as usize
  }

  /// Number of result slots.
  pub(crate) const fn entries(&self) -> u32 {
    self.slots * 2
  }

  pub(crate) const fn calls_offset(&self) -> usize {
    HEADER_LEN
  }

  pub(crate) const fn results_offset(&self) -> usize {
    self.calls_offset() + self.slots as usize * size_of::<CallSlot>()
  }

  /// Where the rings end. All pages before are needed from the start.
  pub(crate) const fn rings_end(&self) -> usize {
    self.results_offset() + self.entries() as usize * size_of::<ResultSlot>()
  }

  pub(crate) const fn call_arena(&self) -> Range<usize> {
    let start = self.rings_end().next_multiple_of(ARENA_ALIGN as usize);
    start..start + self.arena_bytes as usize
  }

  pub(crate) const fn result_arena(&self) -> Range<usize> {
    let start = self.call_arena().end;
    start..start + self.arena_bytes as usize
  }

  /// The journal: its head, a word for each call slot, and from [`Geometry::journal_bytes`] on its bytes.
  pub(crate) const fn journal(&self) -> Range<usize> {
    let start = self.result_arena().end;
    start..self.journal_bytes() + self.journal_capacity() as usize
  }

  /// Bytes of outcomes that the journal has room for. A chunk's answer is a copy of them in an arena, with one outcome
  /// that the journal has no room for: so they are about half of what an arena has.
  pub(crate) const fn journal_capacity(&self) -> u64 {
    let half = (self.arena_bytes / 2).next_multiple_of(ARENA_ALIGN);
    if half < JOURNAL_BYTES as u64 { half } else { JOURNAL_BYTES as u64 }
  }

  /// Where the words of the chunks are.
  pub(crate) const fn chunk_words(&self) -> usize {
    self.journal().start + size_of::<JournalHead>()
  }

  /// Head and words of the journal, whose pages are needed from the start.
  pub(crate) const fn journal_words(&self) -> Range<usize> {
    self.journal().start..self.chunk_words() + self.slots as usize * 4
  }

  /// Where the bytes of the journal begin.
  pub(crate) const fn journal_bytes(&self) -> usize {
    self.result_arena().end
      + (size_of::<JournalHead>() + self.slots as usize * 4).next_multiple_of(ARENA_ALIGN as usize)
  }

  /// In 64 bits, where it cannot overflow before the numbers are checked.
  const fn end(&self) -> u64 {
    let rings = HEADER_LEN as u64 + self.slots as u64 * (size_of::<CallSlot>() + 2 * size_of::<ResultSlot>()) as u64;
    // The head and the words of the journal have the room of one alignment.
    let journal = ARENA_ALIGN + self.journal_capacity();
    rings.next_multiple_of(ARENA_ALIGN).saturating_add(self.arena_bytes.saturating_mul(2)).saturating_add(journal)
  }
}
