//! Payloads that are used where they lie.

use std::sync::Arc;

use millrace_ring::Borrowed;
use millrace_sys::Mapping;

/// The content of a large payload, in the memory of a lane: all of it but the first part that was in the slot. It stays, for
/// whoever has this, after the call, the lane and its worker are gone; dropped, its memory is used again.
#[derive(Debug)]
pub struct Loan {
  content: Borrowed,
  _mapping: Arc<Mapping>,
}

impl Loan {
  pub(crate) fn new(content: Borrowed, mapping: &Arc<Mapping>) -> Self {
    Self { content, _mapping: Arc::clone(mapping) }
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
    // SAFETY: the lane's memory is still mapped, and with the loan all right to touch the content ends.
    unsafe { self.content.give_back() };
  }
}
