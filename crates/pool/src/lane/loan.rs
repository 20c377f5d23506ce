//! Payloads that are used where they lie.

use std::cell::Cell;
use std::sync::Arc;

use millrace_ring::Borrowed;
use millrace_sys::Mapping;

/// The content of a large payload, in the memory of a lane: all of it but the first part that was in the slot. It stays, for
/// whoever has this, after the call, the lane and its worker are gone; dropped, its memory is used again.
#[derive(Debug)]
pub struct Loan {
  content: Borrowed,
  mapping: Arc<Mapping>,
  /// It has gone to the other side.
  passed_on: Cell<bool>,
}

impl Loan {
  pub(crate) fn new(content: Borrowed, mapping: &Arc<Mapping>) -> Self {
    Self { content, mapping: Arc::clone(mapping), passed_on: Cell::new(false) }
  }

  pub(crate) fn borrowed(&self) -> &Borrowed {
    &self.content
  }

  /// Whether it lies in this memory, and is here.
  pub(crate) fn is_in(&self, mapping: &Arc<Mapping>) -> bool {
    !self.passed_on.get() && Arc::ptr_eq(&self.mapping, mapping)
  }

  /// A call or a result has taken it to the other side, whose it is from then on.
  pub(crate) fn pass_on(&self) {
    self.passed_on.set(true);
  }

  /// The content: not to be used while somebody writes to it.
  ///
  /// # Safety
  /// Neither this process nor the other one writes to it while the slice is in use, and the loan is here.
  pub unsafe fn content(&self) -> &[u8] {
    // SAFETY: mapped, for as long as this lives; the caller vouches for the rest.
    unsafe { std::slice::from_raw_parts(self.as_ptr(), self.len()) }
  }

  /// Where it is: valid for reads and writes for as long as the loan lives. The other process can write to it, too.
  pub fn as_ptr(&self) -> *mut u8 {
    self.content.as_ptr()
  }

  /// Its length in bytes.
  pub fn len(&self) -> usize {
    self.content.len()
  }

  /// Whether it has none; it always has some.
  pub fn is_empty(&self) -> bool {
    self.content.is_empty()
  }
}

impl Drop for Loan {
  fn drop(&mut self) {
    if self.passed_on.get() || !self.mapping.is_here() {
      return;
    }
    // SAFETY: the lane's memory is still mapped, and with the loan all right to touch the content ends.
    unsafe { self.content.give_back() };
  }
}

/// The second part of a payload.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tail<'a> {
  Bytes(&'a [u8]),
  /// In the memory of a lane: copied only if that is another one.
  Loan(&'a Loan),
}

impl Tail<'_> {
  pub(super) fn len(self) -> usize {
    match self {
      Self::Bytes(bytes) => bytes.len(),
      Self::Loan(loan) => loan.len(),
    }
  }
}
