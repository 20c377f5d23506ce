//! The part of a chunk that its worker had finished when the chunk was sealed.

/// See the module.
#[derive(Debug)]
pub(crate) struct FinishedPart {
  /// How many items.
  pub(crate) done: u32,
  /// Whether item `done` is lost: it has begun, and has no outcome.
  pub(crate) is_lost: bool,
  /// Whether the chunk ended before its first item began.
  pub(crate) is_unbegun: bool,
  /// The outcomes of the finished items, as the worker has written them.
  pub(crate) journal: Vec<u8>,
}
