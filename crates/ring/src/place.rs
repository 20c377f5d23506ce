//! The place of a payload: in its slot, or in its slot and a block.
//!
//! A payload that fits a slot lies in the slot. A longer payload has its first part in the slot, if that part fits, and
//! the rest in a block. So the rest, which may be the content of a typed array, begins at a page, and its reader can
//! use it in place.

use crate::block::{Block, GRANULE};
use crate::frame::{INLINE_CAPACITY, Parts};
use crate::loan::{Handle, LOANS};

/// The place of a payload, as a slot names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Placement {
  /// The block's first granule, or [`Placement::NO_BLOCK`].
  pub(crate) block: u32,
  /// Bytes of the payload in the slot, if there is a block.
  pub(crate) inline: u16,
  /// The block's handle if it is lent, or [`Placement::NOT_LENT`].
  pub(crate) loan: u16,
}

impl Placement {
  pub(crate) const NO_BLOCK: u32 = u32::MAX;
  pub(crate) const NOT_LENT: u16 = u16::MAX;

  /// In the slot alone.
  pub(crate) const INLINE: Self = Self { block: Self::NO_BLOCK, inline: 0, loan: Self::NOT_LENT };

  /// `inline` bytes in the slot, the others in `block`.
  pub(crate) fn new(inline: usize, block: Block, loan: Option<Handle>) -> Self {
    Self { block: block.first, inline: inline as u16, loan: loan.unwrap_or(Self::NOT_LENT) }
  }

  /// An impossible placement, for a test of its reader.
  #[cfg(feature = "fault-injection")]
  pub(crate) fn corrupted(self) -> Self {
    Self { block: !self.block, ..self }
  }

  pub(crate) fn loan(self) -> Option<Handle> {
    (self.loan != Self::NOT_LENT).then_some(self.loan)
  }
}

impl Default for Placement {
  fn default() -> Self {
    Self::INLINE
  }
}

/// A checked [`Placement`]: it can be used without a look at shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
  /// In the slot.
  Inline,
  /// In the slot and in a block of the sender's arena.
  Block {
    /// Bytes in the slot.
    inline: usize,
    /// Where the others are in the arena.
    offset: u64,
    /// Whether the reader may keep the block.
    loan: Option<Handle>,
  },
}

impl Place {
  /// The place that a slot names, if it is possible: in the slot exactly if the payload fits, else as [`Place::Block`]
  /// says, whole inside an arena of `capacity` bytes.
  #[inline]
  pub(crate) fn check(len: u64, at: Placement, capacity: u64) -> Option<Self> {
    if len <= INLINE_CAPACITY as u64 {
      return (at == Placement::INLINE).then_some(Self::Inline);
    }
    let inline = usize::from(at.inline);
    let offset = u64::from(at.block) * GRANULE;
    if inline > INLINE_CAPACITY {
      return None;
    }
    // Not below zero: the payload is longer than what fits a slot.
    let end = offset.checked_add(len - inline as u64)?;
    let loan = at.loan();
    let is_possible = end <= capacity && loan.is_none_or(|loan| usize::from(loan) < LOANS);
    is_possible.then_some(Self::Block { inline, offset, loan })
  }

  /// The handle of a lent block.
  pub(crate) fn loan(self) -> Option<Handle> {
    match self {
      Self::Inline => None,
      Self::Block { loan, .. } => loan,
    }
  }

  /// Bytes in the slot of a payload of `len`.
  pub(crate) fn inline_len(self, len: u64) -> usize {
    match self {
      Self::Inline => len as usize,
      Self::Block { inline, .. } => inline,
    }
  }
}

/// How much of a payload goes into its slot: all if it fits; else the first part, if that fits and there is a second;
/// else nothing.
#[inline]
pub(crate) fn inline_len(parts: Parts<'_>) -> usize {
  if parts.len() <= INLINE_CAPACITY {
    parts.len()
  } else if parts.head.len() <= INLINE_CAPACITY && !parts.tail.is_empty() {
    parts.head.len()
  } else {
    0
  }
}

/// Which arena: each is written by one side and read by the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
  ToWorker,
  ToHost,
}
