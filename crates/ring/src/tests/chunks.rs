//! Chunks: the worker takes its steps as TypeScript does, and the host cuts, seals and reads.

use core::sync::atomic::Ordering;

use super::{DONE, Host, KIB, Worker, consume, lane, lane_at, take, task};
use crate::chunk::{ChunkWord, Progress, Sealed};
use crate::{CallRecord, Geometry, Position};

const ITEMS: u32 = 4;

impl Worker {
  fn word(&self, call: &CallRecord) -> &ChunkWord {
    &self.view.chunks()[self.chunk_index(call.position) as usize]
  }

  /// Keeps an outcome, behind `end` bytes of others.
  fn keep(&self, end: usize, outcome: &[u8]) {
    let (address, len) = self.journal();
    assert!(self.journal_offset() + end + outcome.len() <= len);
    // SAFETY: inside of the journal, as was checked.
    let to = unsafe { address.add(self.journal_offset() + end) };
    // SAFETY: as above, and the outcome is no part of the journal.
    unsafe { to.as_ptr().copy_from_nonoverlapping(outcome.as_ptr(), outcome.len()) };
    self.view.journal().end.store((end + outcome.len()) as u32, Ordering::Release);
  }
}

/// A worker that has claimed a chunk.
fn claimed() -> (Host, Worker, Position, CallRecord) {
  let (mut host, mut worker) = lane(4, 64 * KIB);
  let position = host.push(&task(1), b"items", b"").unwrap();
  assert_eq!((host.progress(position), host.seal(position, |_| true)), (None, None), "not claimed");
  let call = take(&mut worker).unwrap();
  (host, worker, position, call)
}

#[test]
fn the_progress_of_a_chunk_and_its_outcomes_are_to_be_seen() {
  let (host, worker, position, call) = claimed();
  assert_eq!((host.progress(position), host.cut(position)), (None, None), "not begun");
  assert!(worker.word(&call).begin(ITEMS));
  assert_eq!(host.progress(position), Some(Progress { next: 0, limit: ITEMS }));
  worker.keep(0, b"first");
  worker.word(&call).advance(false);
  worker.keep(5, b"half a second");
  assert_eq!(host.progress(position), Some(Progress { next: 1, limit: ITEMS }));
  assert_eq!(host.seal(position, |_| true), Some(Sealed::At { done: 1 }));
  assert_eq!(&host.journal()[..5], b"first");
  assert_eq!(worker.word(&call).advance(false), None, "the outcome of an item that is lost");
  assert_eq!(host.cut(position), None);
  assert_eq!(host.seal(position, |_| true), Some(Sealed::Over { done: 1, is_lost: true }));
}

#[test]
fn a_chunk_that_has_come_further_is_not_sealed() {
  let (host, worker, position, call) = claimed();
  assert!(worker.word(&call).begin(ITEMS));
  worker.word(&call).advance(false);
  let is_first = |progress: Option<Progress>| progress.is_some_and(|progress| progress.next == 0);
  assert_eq!(host.seal(position, is_first), None);
  assert_eq!(host.progress(position), Some(Progress { next: 1, limit: ITEMS }));
}

#[test]
fn items_that_are_taken_back_stay_so_and_the_present_one_counts() {
  let (host, worker, position, call) = claimed();
  assert!(worker.word(&call).begin(ITEMS));
  assert_eq!(host.cut(position), Some(Progress { next: 0, limit: 1 }));
  assert_eq!(worker.word(&call).advance(false), Some(Progress { next: 1, limit: 1 }));
  assert_eq!(host.seal(position, |_| true), Some(Sealed::Over { done: 1, is_lost: false }));
}

#[test]
fn a_chunk_that_ends_early_says_so() {
  let (host, worker, position, call) = claimed();
  assert!(worker.word(&call).begin(ITEMS));
  worker.word(&call).advance(true);
  assert_eq!(host.seal(position, |_| true), Some(Sealed::Over { done: 1, is_lost: false }));

  let (host, worker, position, call) = claimed();
  assert!(worker.word(&call).begin(ITEMS));
  worker.word(&call).advance(false);
  worker.word(&call).seal_own();
  assert_eq!(host.seal(position, |_| true), Some(Sealed::Over { done: 1, is_lost: true }));
}

#[test]
fn a_chunk_that_is_sealed_before_it_begins_does_not_begin_and_the_next_one_of_its_slot_does() {
  let (mut host, mut worker, position, call) = claimed();
  assert_eq!(host.seal(position, |_| true), Some(Sealed::Unbegun));
  assert_eq!(host.progress(position), None);
  assert!(!worker.word(&call).begin(ITEMS));
  worker.commit(&DONE, &call, b"", b"").unwrap();
  assert!(host.has_answer(position));
  host.unseal(position);
  consume(&mut host).unwrap();
  for sequence in 2..6 {
    let position = host.push(&task(sequence), b"items", b"").unwrap();
    let call = take(&mut worker).unwrap();
    assert!(worker.word(&call).begin(ITEMS), "call {sequence}");
    worker.commit(&DONE, &call, b"", b"").unwrap();
    worker.word(&call).end();
    // Sealed when the answer was committed, and the host did not know of that.
    assert_eq!(host.seal(position, |_| true), Some(Sealed::Unbegun));
    host.unseal(position);
    consume(&mut host).unwrap();
  }
}

#[test]
fn what_a_worker_says_of_its_journal_is_not_believed() {
  let (host, worker, ..) = claimed();
  worker.view.journal().end.store(u32::MAX, Ordering::Relaxed);
  assert_eq!(host.journal().len(), 64 * KIB);
}

#[test]
fn a_journal_has_half_of_an_arena_at_most() {
  let arenas = [(64, 64), (128, 64), (192, 128), (1024, 512), (8128, 4096), (8192, 4096), (1 << 20, 4096)];
  for (arena, journal) in arenas.map(|(arena, journal)| (arena * KIB, journal * KIB)) {
    let (_, worker, _) = lane_at(4, arena, 0);
    let (_, len) = worker.journal();
    assert_eq!(len - worker.journal_offset(), journal);
    let geometry = Geometry::new(4, arena as u64).unwrap();
    assert_eq!(geometry.journal().end, geometry.segment_len());
  }
}
