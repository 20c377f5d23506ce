//! The content of a slot: a fixed header, and the inline part of a payload.

use crate::memory::copied;
use crate::sync::UnsafeCell;

/// Payload bytes that travel in a slot; longer payloads go through the arena.
///
/// So a slot has 512 bytes. Its words and its header take 40, which leaves 24 payload bytes in the first cache line:
/// enough for a call with a few numbers.
pub const INLINE_CAPACITY: usize = 472;

/// A payload in two parts, which lie in different places.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'a> {
  pub(crate) head: &'a [u8],
  pub(crate) tail: &'a [u8],
}

impl<'a> Parts<'a> {
  #[inline]
  pub(crate) fn len(self) -> usize {
    // Two slices cannot overflow this: no slice is longer than `isize::MAX`.
    self.head.len() + self.tail.len()
  }

  /// The first `mid` bytes, and the rest.
  pub(crate) fn split(self, mid: usize) -> (Self, Self) {
    if mid <= self.head.len() {
      let (first, second) = self.head.split_at(mid);
      (Self { head: first, tail: &[] }, Self { head: second, tail: self.tail })
    } else {
      let (first, second) = self.tail.split_at((mid - self.head.len()).min(self.tail.len()));
      (Self { head: self.head, tail: first }, Self { head: second, tail: &[] })
    }
  }

  /// Copies everything to `to`.
  ///
  /// # Safety
  /// `to` must be valid for writes of `self.len()` bytes, and must not overlap the parts.
  #[inline]
  pub(crate) unsafe fn copy_to(self, to: *mut u8) {
    // SAFETY: the caller vouches for the first `head.len()` bytes of `to`.
    unsafe { to.copy_from_nonoverlapping(self.head.as_ptr(), self.head.len()) };
    if !self.tail.is_empty() {
      // SAFETY: within the range that the caller vouches for.
      let rest = unsafe { to.add(self.head.len()) };
      // SAFETY: `rest` has `tail.len()` bytes left of that range.
      unsafe { rest.copy_from_nonoverlapping(self.tail.as_ptr(), self.tail.len()) };
    }
  }
}

/// Header and inline payload. Whoever the slot's word names as the owner may touch them, nobody else: `memory.rs` says
/// what a peer that does so all the same can bring about.
///
/// `H` is plain integers without padding: every bit pattern is a value, since the peer may have written anything.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Frame<H> {
  body: UnsafeCell<Body<H>>,
}

#[derive(Debug)]
#[repr(C)]
struct Body<H> {
  head: H,
  inline: [u8; INLINE_CAPACITY],
}

// SAFETY: a frame is only touched through its unsafe methods, whose callers own the slot at that time. (Two processes
// need no `Sync`; the model checker's threads do.)
#[cfg(loom)]
unsafe impl<H: Send> Sync for Frame<H> {}

impl<H: Copy> Frame<H> {
  /// Writes the header.
  ///
  /// # Safety
  /// The caller owns the slot for writing.
  #[inline]
  pub(crate) unsafe fn write_head(&self, head: H) {
    self.body.with_mut(|body| {
      // SAFETY: `body` points to this frame.
      let to = unsafe { &raw mut (*body).head };
      // SAFETY: valid and aligned; the caller owns the slot, so no other thread of this process touches it.
      unsafe { to.write(head) };
    });
  }

  /// Writes inline payload from `at` on.
  ///
  /// # Safety
  /// The caller owns the slot for writing, and `at + parts.len()` is at most [`INLINE_CAPACITY`].
  #[inline]
  pub(crate) unsafe fn write_inline(&self, at: usize, parts: Parts<'_>) {
    self.body.with_mut(|body| {
      // SAFETY: `body` points to this frame.
      let inline = unsafe { &raw mut (*body).inline };
      // SAFETY: `at` is inside `inline`, or just behind it.
      let to = unsafe { inline.cast::<u8>().add(at) };
      // SAFETY: the caller owns the slot and has checked the length.
      unsafe { parts.copy_to(to) };
    });
  }

  /// Takes one private copy of the header. Checks are made on that copy only: the peer may write at any time.
  ///
  /// # Safety
  /// The caller owns the slot for reading: no thread of this process writes to it meanwhile. A peer that does makes the
  /// value arbitrary.
  #[inline]
  pub(crate) unsafe fn read_head(&self) -> H {
    self.body.with(|body| {
      // SAFETY: `body` points to this frame.
      let from = unsafe { &raw const (*body).head };
      // SAFETY: `from` is valid and aligned, and any bytes are an `H`. Volatile: the compiler reads it here, once, and
      // not again in place of the copy.
      unsafe { from.read_volatile() }
    })
  }

  /// Copies inline payload from `at` on.
  ///
  /// # Panics
  /// When the range is not inside the inline part.
  ///
  /// # Safety
  /// As [`Frame::read_head`].
  #[inline]
  pub(crate) unsafe fn read_inline(&self, at: usize, to: &mut [u8]) {
    assert!(at <= INLINE_CAPACITY && to.len() <= INLINE_CAPACITY - at, "a range outside the inline payload");
    self.body.with(|body| {
      // SAFETY: `body` points to this frame.
      let inline = unsafe { &raw const (*body).inline };
      // SAFETY: `at` was checked.
      let from = unsafe { inline.cast::<u8>().add(at) };
      // SAFETY: the range was checked, and any bytes are bytes. An exclusive slice overlaps no slot, of which nobody
      // has one.
      unsafe { to.as_mut_ptr().copy_from_nonoverlapping(from, to.len()) };
    });
    copied();
  }
}

#[cfg(all(test, loom))]
impl<H> Frame<H> {
  pub(crate) fn new(head: H) -> Self {
    Self { body: UnsafeCell::new(Body { head, inline: [0; INLINE_CAPACITY] }) }
  }
}
