//! A side's own arena, with all that is needed to send a payload in it: the allocator, the books of loans, and the
//! memory.

use core::ops::Range;

use crate::arena::{Arena, LARGE, Refused, WARM_REMAINDER};
use crate::block::Block;
use crate::geometry::Geometry;
use crate::loan::{Borrowed, Handle, LENT_FROM, Lender, RESULT_LENT_FROM};
use crate::memory::{Memory, NoMemory};
use crate::place::Direction;
use crate::view::View;

/// The arena that one side writes and the other reads.
#[derive(Debug)]
pub(crate) struct OutArena<M> {
  arena: Arena,
  /// Blocks that the other side keeps for now, and those that this side fills in place.
  lender: Lender,
  direction: Direction,
  /// Where the arena begins in the memory.
  start: usize,
  memory: M,
}

impl<M: Memory> OutArena<M> {
  /// The unused arena for payloads in this direction.
  pub(crate) fn new(memory: M, geometry: Geometry, direction: Direction) -> Self {
    let start = match direction {
      Direction::ToWorker => geometry.call_arena().start,
      Direction::ToHost => geometry.result_arena().start,
    };
    Self { arena: Arena::new(geometry.arena_bytes), lender: Lender::new(), direction, start, memory }
  }

  /// The memory of the whole lane.
  pub(crate) fn memory(&self) -> &M {
    &self.memory
  }

  /// The allocator.
  pub(crate) fn arena(&self) -> &Arena {
    &self.arena
  }

  /// The books of loans.
  pub(crate) fn lender(&self) -> &Lender {
    &self.lender
  }

  /// A block for `len` bytes (not 0), whose pages exist.
  pub(crate) fn reserve(&mut self, len: u64) -> Result<Block, Refused> {
    let Self { start, ref memory, .. } = *self;
    let populate = |needed: Range<u64>, room: u64| -> Result<u64, NoMemory> {
      let range = start + needed.start as usize..start + needed.end as usize;
      if len < LARGE {
        // Most of these pages are not used soon.
        memory.commit(range.start, range.len())?;
        return Ok(needed.end);
      }
      Ok((memory.populate(range, start + room as usize)? - start) as u64)
    };
    self.arena.allocate(len, populate)
  }

  /// As [`OutArena::reserve`]. Where there is no room, blocks that were lent may have come back.
  pub(crate) fn reserve_or_reap(&mut self, view: &View, len: u64) -> Result<Block, Refused> {
    match self.reserve(len) {
      Err(Refused::Full) if self.lender.lends() => {
        self.reap_loans(view);
        self.reserve(len)
      }
      reserved => reserved,
    }
  }

  /// The size of content from which on it is lent.
  pub(crate) fn lent_from(&self) -> usize {
    match self.direction {
      Direction::ToWorker => LENT_FROM,
      Direction::ToHost => RESULT_LENT_FROM,
    }
  }

  /// Lends the block of a payload whose content has `len` bytes, if that is worth it and not too much is lent already.
  /// The handle is to be published after this.
  pub(crate) fn lend(&mut self, view: &View, block: Block, len: usize) -> Option<Handle> {
    if len < self.lent_from() || !self.lender.may_lend(block.size()) {
      return None;
    }
    self.lender.lend(view.loan_words(self.direction), block)
  }

  /// A block of `len` bytes (not 0, and at most the capacity) for this side to fill in place, lent to this side itself.
  /// Its bytes are arbitrary. [`Refused::Full`]: also when there is no handle.
  ///
  /// What is lent already is no bound here: whoever asks for a block in place would otherwise take as much memory
  /// elsewhere, and copy.
  pub(crate) fn allocate(&mut self, view: &View, len: usize) -> Result<Borrowed, Refused> {
    self.reap_loans(view);
    if !self.lender.has_handle() {
      return Err(Refused::Full);
    }
    let block = self.reserve(len as u64)?;
    let words = view.loan_words(self.direction);
    let Some(handle) = self.lender.lend(words, block) else {
      self.arena.release(block);
      return Err(Refused::Full);
    };
    let at = view.address(self.direction, block.offset(), len);
    Ok(Borrowed::new(at, len, &words[usize::from(handle)]))
  }

  /// Takes a block back that nobody uses any more, and that is not lent.
  pub(crate) fn release(&mut self, block: Block) {
    self.arena.release(block);
  }

  /// Takes a lent block back that never came to the other side.
  pub(crate) fn recover(&mut self, handle: Handle) {
    if let Some(block) = self.lender.recover(handle) {
      self.arena.release(block);
    }
  }

  /// Takes back the loans that were given back.
  pub(crate) fn reap_loans(&mut self, view: &View) {
    self.lender.reap(view.loan_words(self.direction), |block| self.arena.release(block));
  }

  /// Gives unused pages back to the system, apart from a warm remainder. True: something is lent, so there may be more
  /// to give back later.
  pub(crate) fn trim(&mut self, view: &View) -> bool {
    self.reap_loans(view);
    self.arena.trim(WARM_REMAINDER, |range| {
      self.memory.discard(self.start + range.start as usize, (range.end - range.start) as usize);
    });
    self.lender.lends()
  }
}
