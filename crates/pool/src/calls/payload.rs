//! The encoded arguments of a call that is in no lane.

/// Bytes in two parts, as their owner handed them over: a short first part has a place of its own in a lane, see
/// [`millrace_ring::Reclaimed`].
#[derive(Debug, Default)]
pub(crate) struct Payload {
  bytes: Box<[u8]>,
  /// Bytes of the first part.
  cut: usize,
}

impl Payload {
  pub(crate) fn new(bytes: Vec<u8>, cut: usize) -> Self {
    Self { bytes: bytes.into_boxed_slice(), cut }
  }

  pub(crate) fn len(&self) -> usize {
    self.bytes.len()
  }

  pub(crate) fn parts(&self) -> (&[u8], &[u8]) {
    self.bytes.split_at(self.cut)
  }
}
