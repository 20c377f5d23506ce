//! Buffers that JavaScript and this side share: numbers and payloads pass through them.

use napi::bindgen_prelude::Uint8Array;

/// A buffer that TypeScript allocates once and keeps.
///
/// Holding the `Uint8Array` keeps its memory alive and in place: V8 does not move backing stores, and TypeScript, which
/// alone has another reference, never transfers the buffer.
pub(crate) struct Staging {
  array: Uint8Array,
}

impl Staging {
  pub(crate) fn new(array: Uint8Array) -> Self {
    Self { array }
  }

  /// The first `len` bytes, or all if the buffer is shorter.
  pub(crate) fn bytes(&self, len: u32) -> &[u8] {
    let all: &[u8] = self.array.as_ref();
    &all[..all.len().min(len as usize)]
  }

  pub(crate) fn all(&self) -> &[u8] {
    self.array.as_ref()
  }

  pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
    // SAFETY: TypeScript keeps the buffer on this thread, where no JavaScript runs while a native call holds this
    // borrow; and the exclusive reference to `self` keeps native code from having another.
    unsafe { self.array.as_mut() }
  }
}

/// Writes `words` at word `at` of a buffer, in the byte order of the machine, as a `Uint32Array` over it reads them.
pub(crate) fn write_words(buffer: &mut [u8], at: usize, words: &[u32]) {
  for (target, word) in buffer[at * 4..].chunks_exact_mut(4).zip(words) {
    target.copy_from_slice(&word.to_ne_bytes());
  }
}

/// The words at the start of a buffer. Words behind the end of a buffer that is too short are 0.
pub(crate) fn read_words<const N: usize>(buffer: &[u8]) -> [u32; N] {
  let mut words = [0; N];
  for (word, bytes) in words.iter_mut().zip(buffer.chunks_exact(4)) {
    *word = u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
  }
  words
}

/// Payloads up to this size pass through an inbox; larger payloads are copied straight to their destination.
pub(crate) const STAGED_MAX: usize = 16 << 10;
