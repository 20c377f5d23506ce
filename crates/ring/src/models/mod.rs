//! The protocols under loom's model checker: every order of every access that the memory model allows, for two
//! processes (threads here) and two slots.
//!
//! Each model has a twin with one half of a pair taken away, which must fail: so the model is able to find the bug.

mod chunks;
mod handover;
mod handshake;
mod loans;
mod requests;
mod revocation;

use loom::sync::Arc;

use crate::bell::Bell;
use crate::call_consumer::CallConsumer;
use crate::call_producer::CallProducer;
use crate::call_slot::{CallHead, CallSlot};
use crate::frame::Parts;
use crate::place::Placement;
use crate::record::{CallHeader, CallKind, Position};
use crate::result_consumer::ResultConsumer;
use crate::result_producer::ResultProducer;
use crate::result_slot::{NOTICE, RESULT, ResultHead, ResultSlot, Stamp};
use crate::sync::{AtomicU32, Half, Ordering, SyncPoint, sabotage};

/// Slots of a model's call ring, and entries of its result ring.
const SLOTS: u32 = 2;

/// Just before the positions wrap.
const START: Position = u32::MAX - 1;

/// Runs a model in all its interleavings, with no more than `preemptions` switches away from a thread that could go on,
/// and says how many those were (`cargo test … -- --show-output` shows it).
#[allow(clippy::print_stdout, reason = "shown on demand, with the test that it belongs to")]
fn explore(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
  let mut builder = loom::model::Builder::new();
  builder.preemption_bound = Some(preemptions);
  // Not loom's: it counts the runs, and is no part of them.
  let runs = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
  let counter = std::sync::Arc::clone(&runs);
  builder.check(move || {
    counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    model();
  });
  println!("{} interleavings", runs.load(std::sync::atomic::Ordering::Relaxed));
}

/// The same without one half of a pair.
fn explore_without(point: SyncPoint, half: Half, preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
  sabotage::weaken(point, half);
  explore(preemptions, model);
}

/// What both ends share.
struct Shared {
  calls: Vec<CallSlot>,
  results: Vec<ResultSlot>,
  consumed: AtomicU32,
  bell: Bell,
}

impl Shared {
  fn new() -> Arc<Self> {
    let mut calls: Vec<_> = (0..SLOTS).map(|i| START.wrapping_add(i)).map(CallSlot::new).collect();
    let mut results: Vec<_> =
      (0..SLOTS).map(|i| START.wrapping_add(i)).map(|position| ResultSlot::new(position, SLOTS)).collect();
    // Slot 0 is for even positions, and so on.
    calls.rotate_left((START % SLOTS) as usize);
    results.rotate_left((START % SLOTS) as usize);
    Arc::new(Self { calls, results, consumed: AtomicU32::new(START), bell: Bell::new() })
  }
}

/// The host's private half, as `HostLane` has it.
struct HostEnd {
  shared: Arc<Shared>,
  calls: CallProducer,
  results: ResultConsumer,
}

impl HostEnd {
  fn new(shared: &Arc<Shared>) -> Self {
    Self {
      shared: Arc::clone(shared),
      calls: CallProducer::new(SLOTS, START),
      results: ResultConsumer::new(SLOTS, START),
    }
  }

  /// Pushes a call whose payload is `value`, if there is room.
  fn try_push(&mut self, kind: CallKind, value: u64) -> Option<Position> {
    self.calls.retire(&self.shared.calls, |_| ());
    if self.calls.is_full() {
      return None;
    }
    let header = CallHeader { kind, codec: 0, flags: 0, task: 0, sequence: value };
    let payload = value.to_le_bytes();
    let head = CallHead::new(&header, payload.len() as u64, Placement::INLINE);
    Some(self.calls.push(&self.shared.calls, head, Parts { head: &payload, tail: &[] }, None))
  }

  fn push(&mut self, kind: CallKind, value: u64) -> Position {
    loop {
      if let Some(position) = self.try_push(kind, value) {
        return position;
      }
      loom::thread::yield_now();
    }
  }

  /// Consumes a result, if there is one: the call that it answers, and its payload.
  fn try_consume(&mut self) -> Option<(Position, u64)> {
    match self.results.look(&self.shared.results) {
      Stamp::Empty => return None,
      Stamp::Committed => {}
      Stamp::Garbage => panic!("a stamp that nobody stores"),
    }
    let frame = self.results.slot(&self.shared.results, self.results.next()).frame();
    // SAFETY: a committed entry is the host's to read.
    let head = unsafe { frame.read_head() };
    let mut payload = [0; 8];
    // SAFETY: as above.
    unsafe { frame.read_inline(0, &mut payload) };
    if head.kind == RESULT {
      assert!(self.calls.is_outstanding(head.position), "a result for no call");
      self.calls.finish(head.position);
    }
    self.results.advance(&self.shared.consumed);
    Some((head.position, u64::from_le_bytes(payload)))
  }

  fn consume(&mut self) -> (Position, u64) {
    loop {
      if let Some(result) = self.try_consume() {
        return result;
      }
      loom::thread::yield_now();
    }
  }

  fn has_result(&self) -> bool {
    self.results.look(&self.shared.results) != Stamp::Empty
  }
}

/// The worker's private half, as `WorkerLane` has it.
struct WorkerEnd {
  shared: Arc<Shared>,
  calls: CallConsumer,
  results: ResultProducer,
}

impl WorkerEnd {
  fn new(shared: &Arc<Shared>) -> Self {
    Self {
      shared: Arc::clone(shared),
      calls: CallConsumer::new(SLOTS, START),
      results: ResultProducer::new(SLOTS, START),
    }
  }

  fn try_take(&mut self) -> Option<Position> {
    self.calls.take(&self.shared.calls, |_| ())
  }

  fn take(&mut self) -> Position {
    loop {
      if let Some(position) = self.try_take() {
        return position;
      }
      loom::thread::yield_now();
    }
  }

  /// The payload of a claimed call. Header and payload must be of the same call.
  fn read(&self, position: Position) -> u64 {
    let frame = self.calls.slot(&self.shared.calls, position).frame();
    // SAFETY: a claimed slot is the worker's to read.
    let head = unsafe { frame.read_head() };
    let mut payload = [0; 8];
    // SAFETY: as above.
    unsafe { frame.read_inline(0, &mut payload) };
    assert_eq!(head.sequence, u64::from_le_bytes(payload), "torn");
    head.sequence
  }

  /// Commits an entry with the payload `value`, if less than `limit` are taken.
  fn try_send(&mut self, kind: u32, position: Position, value: u64, limit: u32) -> bool {
    if !self.results.has_room(limit, &self.shared.consumed) {
      return false;
    }
    let payload = value.to_le_bytes();
    let slot = self.results.slot(&self.shared.results);
    // SAFETY: there is room, and the payload is short.
    unsafe { slot.write_inline(0, Parts { head: &payload, tail: &[] }) };
    let len = payload.len() as u64;
    let head = ResultHead { len, at: Placement::INLINE, position, kind, ..ResultHead::default() };
    // SAFETY: there is room.
    unsafe { slot.write_head(head) };
    self.results.commit(&self.shared.results);
    true
  }

  fn commit(&mut self, position: Position, value: u64) {
    while !self.try_send(RESULT, position, value, SLOTS) {
      loom::thread::yield_now();
    }
  }

  fn notice(&mut self, value: u64) {
    while !self.try_send(NOTICE, 0, value, SLOTS) {
      loom::thread::yield_now();
    }
  }
}

/// A doorbell as the operating system gives it: rings are not lost, and any number of them is one.
struct Doorbell {
  rung: AtomicU32,
  /// The writer has nothing more to say.
  closed: AtomicU32,
}

impl Doorbell {
  fn new() -> Arc<Self> {
    Arc::new(Self { rung: AtomicU32::new(0), closed: AtomicU32::new(0) })
  }

  fn ring(&self) {
    self.rung.swap(1, Ordering::AcqRel);
  }

  /// The writer leaves: whoever sleeps now, and was not rung for, sleeps for ever.
  fn close(&self) {
    self.closed.store(1, Ordering::Release);
  }

  /// Sleeps until rung.
  fn wait(&self) {
    loop {
      let closed = self.closed.load(Ordering::Acquire) == 1;
      if self.rung.swap(0, Ordering::AcqRel) == 1 {
        return;
      }
      assert!(!closed, "a wake-up was lost");
      loom::thread::yield_now();
    }
  }
}
