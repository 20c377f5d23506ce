//! Loans: blocks that their reader keeps after the call is over.
//!
//! The reader of a large payload can use the payload in place, without a copy, for as long as it wants. The block has a
//! handle then, and the handle has a word that both sides see:
//!
//! ```text
//! HOME ──► LENT   by the lender, before it publishes the slot that names the handle
//! LENT ──► HOME   by the borrower, when it does not need the block any more
//! ```
//!
//! So each word has one writer at a time. The lender looks at the words of its loans when it needs memory. Nobody waits
//! for a word: number and size of loans are bounded, and beyond the bound the reader copies.
//!
//! The owner of an arena may also lend a block to itself, to fill it in place. A borrower may pass its block on to the
//! other side instead of giving it back: the slot of a call or a result names the handle, nothing is copied, and the
//! word stays `LENT`.
//!
//! Only the lender knows which block a handle stands for, from its own books, and it looks only at words of handles
//! that are lent. So a borrower that gives a block back too early, or writes to one, damages only what it has been
//! given itself. A borrower that dies gives nothing back: its lane goes, with all memory.

use crate::block::Block;
use crate::sync::{AtomicU32, Ordering, SyncPoint};

/// Handles of each direction.
pub(crate) const LOANS: usize = 256;

/// Content of this size and more is lent to the worker. Smaller content is cheaper to copy than to lend: a loan costs
/// an object that the garbage collector has to find, and colder memory, since its block comes back only then.
pub const LENT_FROM: usize = 128 << 10;

/// Content of this size and more is lent to the host. A copy costs more there than in a worker: the host is one for all
/// workers, and its heap, which is not ours to tune, gives freed memory back to the system and gets fresh pages.
pub const RESULT_LENT_FROM: usize = 64 << 10;

/// Bytes that may be lent at a time, in each direction, on account of a payload's size alone: a bound on what the
/// borrower's garbage collector leaves lying around. Blocks that a side has asked for to fill in place count, and are
/// bounded by the arena alone.
const LENT_MAX: u64 = 512 << 20;

/// Names a lent block: an index into the words.
pub(crate) type Handle = u16;

const HOME: u32 = 0;
const LENT: u32 = 1;

/// The word of a handle.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct LoanWord(AtomicU32);

impl LoanWord {
  /// Host, while it formats the lane.
  pub(crate) fn format(&self) {
    self.0.store(HOME, Ordering::Relaxed);
  }

  /// Lender: visible to the borrower with the slot that names the handle.
  fn lend(&self) {
    self.0.store(LENT, Ordering::Relaxed);
  }

  /// Borrower: gives the block back, and does not touch it any more.
  pub(crate) fn give_back(&self) {
    // SYNC POINT LoanReturned: pairs with the lender's look. The borrower's accesses to the block are before.
    self.0.store(HOME, SyncPoint::LoanReturned.release());
  }

  /// Lender.
  fn is_home(&self) -> bool {
    // SYNC POINT LoanReturned: from here on the block is the lender's again.
    self.0.load(SyncPoint::LoanReturned.acquire()) != LENT
  }
}

#[cfg(all(test, loom))]
impl LoanWord {
  pub(crate) fn new() -> Self {
    Self(AtomicU32::new(HOME))
  }
}

/// The lender's books.
#[derive(Debug)]
pub(crate) struct Lender {
  /// The blocks that are lent, by handle.
  lent: Box<[Option<Block>]>,
  free: Vec<Handle>,
  bytes: u64,
}

impl Lender {
  pub(crate) fn new() -> Self {
    // The lowest handle on top.
    Self { lent: vec![None; LOANS].into_boxed_slice(), free: (0..LOANS as Handle).rev().collect(), bytes: 0 }
  }

  /// Bytes of all blocks that are lent.
  pub(crate) fn bytes(&self) -> u64 {
    self.bytes
  }

  /// Whether anything is lent.
  pub(crate) fn lends(&self) -> bool {
    self.free.len() < LOANS
  }

  /// Whether one more block can be lent.
  pub(crate) fn has_handle(&self) -> bool {
    !self.free.is_empty()
  }

  /// Whether a payload in a block of `bytes` may be lent, which nobody has asked for.
  pub(crate) fn may_lend(&self, bytes: u64) -> bool {
    self.has_handle() && self.bytes + bytes <= LENT_MAX
  }

  /// Lends a block, whose handle is to be published after this. `None` if there is no handle.
  pub(crate) fn lend(&mut self, words: &[LoanWord], block: Block) -> Option<Handle> {
    let handle = self.free.pop()?;
    words[usize::from(handle)].lend();
    self.lent[usize::from(handle)] = Some(block);
    self.bytes += block.size();
    Some(handle)
  }

  /// The block of a handle.
  pub(crate) fn block(&self, handle: Handle) -> Option<Block> {
    *self.lent.get(usize::from(handle))?
  }

  /// Takes back a block that never came to its borrower.
  pub(crate) fn recover(&mut self, handle: Handle) -> Option<Block> {
    let block = self.lent.get_mut(usize::from(handle))?.take()?;
    self.bytes -= block.size();
    self.free.push(handle);
    Some(block)
  }

  /// Hands out the blocks that were given back.
  pub(crate) fn reap(&mut self, words: &[LoanWord], mut free: impl FnMut(Block)) {
    if !self.lends() {
      return;
    }
    for handle in 0..LOANS as Handle {
      if self.lent[usize::from(handle)].is_some() && words[usize::from(handle)].is_home() {
        self.recover(handle).into_iter().for_each(&mut free);
      }
    }
  }
}

/// A lent block, in the hands of its borrower.
#[cfg(not(loom))]
#[derive(Debug)]
pub struct Borrowed {
  at: core::ptr::NonNull<u8>,
  len: usize,
  word: core::ptr::NonNull<LoanWord>,
}

// SAFETY: it belongs to no thread, and using its pointers takes unsafe code, which vouches for the mapping.
#[cfg(not(loom))]
unsafe impl Send for Borrowed {}

#[cfg(not(loom))]
impl Borrowed {
  pub(crate) fn new(at: core::ptr::NonNull<u8>, len: usize, word: &LoanWord) -> Self {
    Self { at, len, word: core::ptr::NonNull::from(word) }
  }

  /// The content: the borrower's to read and to write until the block is given back. A peer that breaks the rules
  /// writes to it, too, at any time; a reference to it would promise the compiler otherwise.
  pub fn as_ptr(&self) -> *mut u8 {
    self.at.as_ptr()
  }

  /// Bytes of the content.
  pub fn len(&self) -> usize {
    self.len
  }

  /// False: there is always content.
  pub fn is_empty(&self) -> bool {
    self.len == 0
  }

  /// Its handle, if the handle's word is one of `words`.
  pub(crate) fn handle(&self, words: &[LoanWord; LOANS]) -> Option<Handle> {
    let offset = (self.word.as_ptr() as usize).checked_sub(words.as_ptr() as usize)?;
    let index = offset / size_of::<LoanWord>();
    (index < LOANS).then_some(index as Handle)
  }

  /// Gives the block back.
  ///
  /// # Safety
  /// The memory of the block's lane is still mapped (the lane itself need not live), and nobody touches the content
  /// after this.
  pub unsafe fn give_back(&self) {
    // SAFETY: the caller vouches for the memory; the word is atomic, and any bit pattern is a value.
    unsafe { self.word.as_ref() }.give_back();
  }
}
