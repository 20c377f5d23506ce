//! The typed parts of a lane's memory.

use core::ptr::NonNull;
use core::slice;

use crate::block::GRANULE;
use crate::call_slot::CallSlot;
use crate::chunk::{ChunkWord, JournalHead};
use crate::error::GeometryError;
use crate::frame::{Frame, Parts};
use crate::geometry::Geometry;
use crate::layout::Header;
use crate::loan::{LOANS, LoanWord};
use crate::memory::{Memory, copied};
use crate::place::{Direction, Place};
use crate::result_slot::ResultSlot;

/// Everything in the mapping is reached through here: header and rings by shared references to atomics and
/// [`crate::frame::Frame`]s, the arenas by copies. `memory.rs` says why a peer may write meanwhile.
#[derive(Debug)]
pub(crate) struct View {
  header: NonNull<Header>,
  calls: NonNull<CallSlot>,
  results: NonNull<ResultSlot>,
  call_arena: NonNull<u8>,
  result_arena: NonNull<u8>,
  journal: NonNull<JournalHead>,
  chunks: NonNull<ChunkWord>,
  journal_bytes: NonNull<u8>,
  journal_capacity: usize,
  slots: usize,
  entries: usize,
  arena_bytes: u64,
}

// SAFETY: the pointers are into a `Memory`, which is `Send` and stays at its address.
unsafe impl Send for View {}

impl View {
  /// For memory of exactly the length that a (checked) geometry needs.
  ///
  /// # Safety
  /// `memory` must live as long as this does.
  pub(crate) unsafe fn new(memory: &impl Memory, geometry: Geometry) -> Result<Self, GeometryError> {
    let expected = geometry.segment_len();
    if memory.len() != expected {
      return Err(GeometryError::Length { expected, actual: memory.len() });
    }
    let base = memory.base();
    if !base.cast::<Header>().is_aligned() || !(base.as_ptr() as usize).is_multiple_of(4096) {
      return Err(GeometryError::Misaligned);
    }
    // SAFETY: `offset` is inside the memory, which has the length that the geometry needs.
    let at = |offset: usize| unsafe { base.add(offset) };
    Ok(Self {
      header: base.cast(),
      calls: at(geometry.calls_offset()).cast(),
      results: at(geometry.results_offset()).cast(),
      call_arena: at(geometry.call_arena().start),
      result_arena: at(geometry.result_arena().start),
      journal: at(geometry.journal().start).cast(),
      chunks: at(geometry.chunk_words()).cast(),
      journal_bytes: at(geometry.journal_bytes()),
      journal_capacity: geometry.journal_capacity() as usize,
      slots: geometry.slots as usize,
      entries: geometry.entries() as usize,
      arena_bytes: geometry.arena_bytes,
    })
  }

  #[inline]
  pub(crate) fn header(&self) -> &Header {
    // SAFETY: mapped and aligned, as long as this lives; all atomics, for which every bit pattern is a value.
    unsafe { self.header.as_ref() }
  }

  /// The words of the loans in an arena.
  pub(crate) fn loan_words(&self, direction: Direction) -> &[LoanWord; LOANS] {
    let header = self.header();
    match direction {
      Direction::ToWorker => &header.lent_to_worker.words,
      Direction::ToHost => &header.lent_to_host.words,
    }
  }

  #[inline]
  pub(crate) fn calls(&self) -> &[CallSlot] {
    // SAFETY: `slots` of them are mapped and aligned; atomics and a frame, for which every bit pattern is a value.
    unsafe { slice::from_raw_parts(self.calls.as_ptr(), self.slots) }
  }

  #[inline]
  pub(crate) fn results(&self) -> &[ResultSlot] {
    // SAFETY: `entries` of them are mapped and aligned; as for the calls.
    unsafe { slice::from_raw_parts(self.results.as_ptr(), self.entries) }
  }

  pub(crate) fn journal(&self) -> &JournalHead {
    // SAFETY: as for the header.
    unsafe { self.journal.as_ref() }
  }

  /// The words of the chunks, one a call slot.
  pub(crate) fn chunks(&self) -> &[ChunkWord] {
    // SAFETY: `slots` of them are mapped and aligned; atomics, for which every bit pattern is a value.
    unsafe { slice::from_raw_parts(self.chunks.as_ptr(), self.slots) }
  }

  /// The address of the journal's head, behind which words and bytes follow.
  pub(crate) fn journal_address(&self) -> NonNull<u8> {
    self.journal.cast()
  }

  /// Copies the first bytes of the journal. A peer that writes to them at the same time makes the copy arbitrary.
  ///
  /// # Panics
  /// When the journal has fewer bytes.
  pub(crate) fn read_journal(&self, to: &mut [u8]) {
    assert!(to.len() <= self.journal_capacity, "a range outside the journal");
    // SAFETY: the range is mapped, and any bytes are bytes. An exclusive slice does not overlap the mapping.
    unsafe { to.as_mut_ptr().copy_from_nonoverlapping(self.journal_bytes.as_ptr(), to.len()) };
    copied();
  }

  /// Pointer to a range of an arena.
  ///
  /// # Panics
  /// When the range is not inside the arena. Offsets from shared memory were checked before ([`crate::place::Place`]).
  #[inline]
  fn range(&self, direction: Direction, offset: u64, len: usize) -> NonNull<u8> {
    let end = offset.checked_add(len as u64);
    assert!(end.is_some_and(|end| end <= self.arena_bytes), "a range outside the arena");
    let arena = match direction {
      Direction::ToWorker => self.call_arena,
      Direction::ToHost => self.result_arena,
    };
    // SAFETY: the range was checked to be in the arena, all of which is mapped.
    unsafe { arena.add(offset as usize) }
  }

  /// The address of a range of an arena, for a borrower.
  pub(crate) fn address(&self, direction: Direction, offset: u64, len: usize) -> NonNull<u8> {
    self.range(direction, offset, len)
  }

  /// The granule of an arena in which an address lies.
  pub(crate) fn granule(&self, direction: Direction, address: *const u8) -> u32 {
    let arena = match direction {
      Direction::ToWorker => self.call_arena,
      Direction::ToHost => self.result_arena,
    };
    ((address as usize).saturating_sub(arena.as_ptr() as usize) as u64 / GRANULE) as u32
  }

  /// Writes a payload to an arena.
  ///
  /// # Safety
  /// The range belongs to the caller: a block that it allocated and has not published.
  #[inline]
  pub(crate) unsafe fn write(&self, direction: Direction, offset: u64, parts: Parts<'_>) {
    let to = self.range(direction, offset, parts.len());
    // SAFETY: the range is mapped, and nobody else uses a block that was allocated and not published. So the parts do
    // not overlap it: they are other memory, or the content of a block that is in use.
    unsafe { parts.copy_to(to.as_ptr()) };
  }

  /// Copies `to.len()` bytes of a payload, from `at` on. The range is inside the payload.
  ///
  /// # Safety
  /// The caller owns the slot that `frame` is in for reading.
  #[inline]
  pub(crate) unsafe fn read_payload<H: Copy>(
    &self,
    direction: Direction,
    frame: &Frame<H>,
    place: Place,
    at: usize,
    to: &mut [u8],
  ) {
    match place {
      // SAFETY: the caller vouches for the slot.
      Place::Inline => unsafe { frame.read_inline(at, to) },
      Place::Block { inline, offset, .. } => {
        let (first, rest) = to.split_at_mut(inline.saturating_sub(at).min(to.len()));
        if !first.is_empty() {
          // SAFETY: as above.
          unsafe { frame.read_inline(at, first) };
        }
        if !rest.is_empty() {
          self.read(direction, offset + (at + first.len() - inline) as u64, rest);
        }
      }
    }
  }

  /// Copies from an arena. A peer that writes to the block at the same time makes the bytes of the copy arbitrary.
  #[inline]
  pub(crate) fn read(&self, direction: Direction, offset: u64, to: &mut [u8]) {
    let from = self.range(direction, offset, to.len());
    // SAFETY: the range is mapped, and any bytes are bytes. An exclusive slice overlaps no arena, of which nobody has
    // one.
    unsafe { to.as_mut_ptr().copy_from_nonoverlapping(from.as_ptr(), to.len()) };
    copied();
  }
}

/// Refuses a range that is not inside a payload, as a slice does.
#[inline]
pub(crate) fn check_range(payload_len: u64, at: usize, len: usize) {
  let end = at.checked_add(len);
  assert!(end.is_some_and(|end| end as u64 <= payload_len), "a range outside the payload");
}
