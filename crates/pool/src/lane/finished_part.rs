//! What is left of a chunk whose worker has ended.

/// The part of a chunk that a worker had finished when it ended.
#[derive(Debug)]
pub(crate) struct FinishedPart {
  /// How many items.
  pub(crate) done: u32,
  /// Their outcomes, as the worker has written them.
  pub(crate) journal: Vec<u8>,
}
