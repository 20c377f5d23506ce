//! The host's view of the chunk that the worker runs.

use crate::chunk::{ChunkWord, Progress, Sealed};
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

  /// Takes back the items of the chunk at `p` that have not begun. `None` if the worker runs no item there.
  pub fn cut(&self, p: Position) -> Option<Progress> {
    self.chunk(p)?.cut()
  }

  /// Ends the chunk at `p`: no outcome counts from now on that is not in the journal. `None`: the worker has not
  /// claimed that call, or has come further than where `may` allows it.
  ///
  /// After [`Sealed::Unbegun`] the chunk may be answered all the same: [`HostLane::has_answer`] tells. Whenever the
  /// answer comes, [`HostLane::unseal`] has to follow before the answer is consumed.
  pub fn seal(&self, p: Position, may: impl Fn(Option<Progress>) -> bool) -> Option<Sealed> {
    self.chunk(p)?.seal(may)
  }

  /// The call at `p`, whose chunk was sealed, is answered: its slot can be used again.
  pub fn unseal(&self, p: Position) {
    if let Some(word) = self.chunk(p) {
      word.unseal();
    }
  }

  /// When the present item of a chunk began, by the worker's account: the lower 32 bits of the milliseconds of the
  /// monotonic clock. 0: unknown.
  pub fn item_began(&self) -> u32 {
    self.view.journal().began.load(Ordering::Relaxed)
  }

  /// The bytes of the journal. To be asked for when the worker is dead, or its chunk is sealed and no other is queued
  /// behind: what counts of the journal does not change then. The bytes are as untrusted as all that a worker writes.
  pub fn journal(&self) -> Vec<u8> {
    let end = self.view.journal().end.load(Ordering::Acquire) as usize;
    let mut bytes = vec![0; end.min(self.geometry.journal_capacity() as usize)];
    self.view.read_journal(&mut bytes);
    bytes
  }
}
