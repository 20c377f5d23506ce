//! Content of large payloads where it lies: in the memory of a lane, for as long as somebody needs it.
//!
//! A [`Loan`] is the right to use one block of a lane's arena. It comes with a received payload, or from an allocation
//! for a payload to be sent. It ends when the loan is dropped, and then the lane may use the block again; or when the
//! block is passed on with a call or a result, and then the block is the other side's.
//!
//! # Who may touch the bytes
//!
//! - In this process: who has the loan, and nobody else. The ring does not touch a block that is lent.
//! - The other process maps the same memory. A sound one does not touch the block while it is lent. A faulty one can
//!   write to it at any time, and nothing here can prevent that.
//!
//! So no Rust reference to the bytes is ever made, neither here nor by whoever uses [`Loan::as_ptr`]: a `&[u8]`
//! promises that the bytes do not change, and the compiler may rely on that. The bytes are copied by raw pointer. A
//! copy that meets a write of a faulty process yields arbitrary bytes. Each is a valid `u8`, and nothing is concluded
//! from a byte before it lies in private memory, where it does not change any more.
//!
//! The mapping lives as long as its loans, which may outlive the call, the lane and its worker.

use std::cell::Cell;
use std::sync::Arc;

use millrace_ring::Borrowed;
use millrace_sys::Mapping;

use crate::calls::Payload;

/// The content of a large payload, in the memory of a lane: all of it but the first part that was in the slot.
#[derive(Debug)]
pub struct Loan {
  content: Borrowed,
  mapping: Arc<Mapping>,
  is_passed_on: Cell<bool>,
}

impl Loan {
  /// `content` lies in `mapping`.
  pub(crate) fn new(content: Borrowed, mapping: &Arc<Mapping>) -> Self {
    Self { content, mapping: Arc::clone(mapping), is_passed_on: Cell::new(false) }
  }

  /// Where the content is: valid for reads and writes until the loan is dropped or passed on. The other process may
  /// write to it, too: no reference may be made of this pointer.
  pub fn as_ptr(&self) -> *mut u8 {
    self.content.as_ptr()
  }

  /// The content's length in bytes.
  pub fn len(&self) -> usize {
    self.content.len()
  }

  /// Whether there is no content; there always is some.
  pub fn is_empty(&self) -> bool {
    self.content.is_empty()
  }

  /// Hands the content over to a call or a result, which takes the block along if it can, and else copies the content.
  /// `None`: the block is the other side's already.
  ///
  /// # Safety
  /// There is no other [`Moved`] of this loan. Until this one is dropped nobody in this process writes to the content.
  /// If a call or a result has been made with it, nobody in this process touches the content after that by a pointer of
  /// this loan.
  pub unsafe fn hand_over(&self) -> Option<Moved<'_>> {
    (!self.is_passed_on.get()).then_some(Moved { loan: self })
  }
}

impl Drop for Loan {
  fn drop(&mut self) {
    if self.is_passed_on.get() || !self.mapping.is_here() {
      return;
    }
    // SAFETY: the lane's memory is still mapped, in this process, and the right to touch the content ends with the
    // loan.
    unsafe { self.content.give_back() };
  }
}

/// The content of a [`Loan`] that is handed over, once.
///
/// The block is this process's, and nobody in this process writes to it while this value exists ([`Loan::hand_over`]).
#[derive(Debug)]
pub struct Moved<'a> {
  loan: &'a Loan,
}

impl Moved<'_> {
  pub(crate) fn len(&self) -> usize {
    self.loan.len()
  }

  pub(crate) fn content(&self) -> &Borrowed {
    &self.loan.content
  }

  /// Whether the block lies in this memory.
  pub(crate) fn is_in(&self, mapping: &Arc<Mapping>) -> bool {
    Arc::ptr_eq(&self.loan.mapping, mapping)
  }

  /// A call or a result has taken the block to the other side.
  pub(crate) fn pass_on(&self) {
    self.loan.is_passed_on.set(true);
  }

  /// Copies the content into another block.
  pub(crate) fn copy_to(&self, block: &Loan) {
    let len = self.len().min(block.len());
    // SAFETY: both blocks are mapped for as long as their loans live, and lent at the same time, so that they do not
    // overlap. Nobody in this process writes to this one (`hand_over`), or uses the other one, whose loan is the
    // caller's. Bytes that a faulty process writes meanwhile are arbitrary, and valid.
    unsafe { block.as_ptr().copy_from_nonoverlapping(self.loan.as_ptr(), len) };
  }

  fn append_to(&self, bytes: &mut Vec<u8>) {
    let (old, len) = (bytes.len(), self.len());
    bytes.reserve_exact(len);
    let spare = bytes.spare_capacity_mut().as_mut_ptr().cast::<u8>();
    // SAFETY: the block is mapped for as long as its loan lives, and nobody in this process writes to it (`hand_over`).
    // `spare` has room for `len` bytes of private memory. Bytes that a faulty process writes meanwhile are arbitrary,
    // and valid.
    unsafe { spare.copy_from_nonoverlapping(self.loan.as_ptr(), len) };
    // SAFETY: the bytes up to this length were written above.
    unsafe { bytes.set_len(old + len) };
  }
}

/// The second part of a payload.
#[derive(Debug)]
pub enum Tail<'a> {
  /// Bytes of this process's own.
  Bytes(&'a [u8]),
  /// A block in the memory of a lane. That lane's worker is given the block without a copy, if it can be; another one's
  /// gets a copy.
  Moved(Moved<'a>),
}

impl Tail<'_> {
  pub(crate) fn len(&self) -> usize {
    match self {
      Self::Bytes(bytes) => bytes.len(),
      Self::Moved(moved) => moved.len(),
    }
  }

  /// A copy of a payload of which this is the second part.
  pub(crate) fn payload_behind(&self, head: &[u8]) -> Payload {
    let mut bytes = Vec::with_capacity(head.len() + self.len());
    bytes.extend_from_slice(head);
    match self {
      Self::Bytes(tail) => bytes.extend_from_slice(tail),
      Self::Moved(moved) => moved.append_to(&mut bytes),
    }
    Payload::new(bytes, head.len())
  }
}
