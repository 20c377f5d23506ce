//! The host's view of the chunk that the worker runs.

use crate::chunk::{ChunkWord, Progress};
use crate::geometry::JOURNAL_BYTES;
use crate::host_lane::HostLane;
use crate::memory::Memory;
use crate::record::Position;
use crate::sync::Ordering;

impl<M: Memory> HostLane<M> {
  fn chunk(&self, p: Position) -> Option<&ChunkWord> {
    self.is_claimed(p).then(|| &self.view.chunks()[(p & (self.geometry.slots - 1)) as usize])
  }

  /// How far the call at `p` has come, if that is a chunk and the worker runs it.
  pub fn progress(&self, p: Position) -> Option<Progress> {
    self.chunk(p)?.progress()
  }

  /// Takes back the items of the chunk at `p` that have not begun; without `keep_begun` also the one that has, whose
  /// outcome does not count then. `None` if the worker runs no chunk there.
  pub fn cut(&self, p: Position, keep_begun: bool) -> Option<Progress> {
    self.chunk(p)?.cut(keep_begun)
  }

  /// When the present item of a chunk began, by the worker's account: the lower 32 bits of the milliseconds of the
  /// monotonic clock. 0: unknown.
  pub fn item_began(&self) -> u32 {
    self.view.journal().began.load(Ordering::Relaxed)
  }

  /// The bytes of the journal. To be asked for when the worker is dead. They are as untrusted as all that it has
  /// written.
  pub fn journal(&self) -> Vec<u8> {
    let end = self.view.journal().end.load(Ordering::Acquire) as usize;
    let mut bytes = vec![0; end.min(JOURNAL_BYTES)];
    self.view.read_journal(&mut bytes);
    bytes
  }
}
