//! A lent block is used again only after its borrower's last access to it.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use super::{explore, explore_without};
use crate::block::Block;
use crate::loan::{LOANS, Lender, LoanWord};
use crate::sync::{Half, SyncPoint};

struct Lent {
  words: Vec<LoanWord>,
  /// Stands for the block's content: loom reports accesses that nothing orders.
  content: UnsafeCell<u32>,
}

// SAFETY: that its accesses are ordered is what the model checks.
unsafe impl Sync for Lent {}

/// The borrower reads and writes, and gives the block back; the lender, once it has it again, writes something else.
fn keep_and_return() {
  // The last words only: a model has no room for all, and the lender looks at those of what it has lent.
  let lent = Arc::new(Lent { words: (0..LOANS).map(|_| LoanWord::new()).collect(), content: UnsafeCell::new(1) });
  let mut lender = Lender::new();
  let block = Block { first: 0, count: core::num::NonZeroU32::MIN };
  let handle = lender.lend(&lent.words, block).unwrap();
  let borrower = Arc::clone(&lent);
  let using = thread::spawn(move || {
    // SAFETY: the block is lent to this side.
    let seen = borrower.content.with(|content| unsafe { *content });
    // SAFETY: as above.
    borrower.content.with_mut(|content| unsafe { *content = seen + 1 });
    borrower.words[usize::from(handle)].give_back();
    seen
  });
  let mut back = None;
  lender.reap(&lent.words, |block| back = Some(block));
  if back.is_some() {
    // SAFETY: the block is the lender's again.
    let seen = lent.content.with_mut(|content| unsafe { core::mem::replace(&mut *content, 9) });
    assert_eq!(seen, 2, "given back before it was done with");
  }
  assert_eq!(using.join().unwrap(), 1, "overwritten while it was lent");
  assert_eq!(lender.bytes(), if back.is_some() { 0 } else { block.size() });
}

#[test]
fn a_block_is_used_again_only_after_its_return() {
  explore(3, keep_and_return);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn a_return_that_releases_nothing_is_found() {
  explore_without(SyncPoint::LoanReturned, Half::Release, 3, keep_and_return);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn a_look_that_acquires_nothing_is_found() {
  explore_without(SyncPoint::LoanReturned, Half::Acquire, 3, keep_and_return);
}
