//! Both halves against plain queues: what is pushed is taken in order, what is committed arrives in order, nothing is
//! lost, doubled or changed.

use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{DONE, Host, Worker, bytes, call_payload, define, lane_at, result_payload, task};
use crate::{Arrival, CallKind, CallRecord, CommitError, Position, PushError, ResultHeader, Taken};

#[derive(Clone, Debug)]
enum Step {
  Push { len: usize, cut: usize },
  Define { len: usize },
  Take,
  Commit { which: usize, len: usize },
  Notice { len: usize },
  Revoke { which: usize, wanted: bool },
  Consume,
  Trim,
}

fn len() -> impl Strategy<Value = usize> {
  prop_oneof![4 => 0..600_usize, 1 => 60_000..70_000_usize, 1 => 0..100 * 1024_usize]
}

fn step() -> impl Strategy<Value = Step> {
  let which = 0..64_usize;
  prop_oneof![
    6 => (len(), any::<prop::sample::Index>())
      .prop_map(|(len, cut)| Step::Push { len, cut: cut.index(len + 1) }),
    1 => len().prop_map(|len| Step::Define { len }),
    6 => Just(Step::Take),
    5 => (which.clone(), len()).prop_map(|(which, len)| Step::Commit { which, len }),
    1 => len().prop_map(|len| Step::Notice { len }),
    2 => (which, any::<bool>()).prop_map(|(which, wanted)| Step::Revoke { which, wanted }),
    6 => Just(Step::Consume),
    1 => Just(Step::Trim),
  ]
}

/// A call or a definition in the ring.
#[derive(Clone, Debug)]
struct Queued {
  position: Position,
  kind: CallKind,
  seed: u64,
  len: usize,
}

/// What the worker has committed: the call that it answers, or none.
struct Sent {
  position: Option<Position>,
  seed: u64,
  len: usize,
}

struct Model {
  host: Host,
  worker: Worker,
  slots: usize,
  queued: VecDeque<Queued>,
  claimed: Vec<(CallRecord, Queued)>,
  sent: VecDeque<Sent>,
  next: u64,
}

impl Model {
  fn new(slots: u32, start: Position) -> Self {
    // So small that two large payloads do not fit.
    let (host, worker, _) = lane_at(slots, 128 * 1024, start);
    let (queued, claimed, sent) = (VecDeque::new(), Vec::new(), VecDeque::new());
    Self { host, worker, slots: slots as usize, queued, claimed, sent, next: 0 }
  }

  fn seed(&mut self) -> u64 {
    self.next += 1;
    self.next
  }

  fn outstanding(&self) -> usize {
    let tasks = self.queued.iter().filter(|call| call.kind == CallKind::Task).count();
    tasks + self.claimed.len() + self.sent.iter().filter(|sent| sent.position.is_some()).count()
  }

  fn push(&mut self, kind: CallKind, len: usize, cut: usize) {
    let seed = self.seed();
    let payload = bytes(seed, len);
    let header = if kind == CallKind::Task { task(seed) } else { define(seed as u32) };
    let (room, free) = (self.host.has_room(), self.host.free_slots());
    assert_eq!(room, free > 0);
    match self.host.push(&header, &payload[..cut], &payload[cut..]) {
      Ok(position) => {
        assert!(room, "pushed into a full ring");
        assert_eq!(self.host.free_slots(), free - 1);
        self.queued.push_back(Queued { position, kind, seed, len });
      }
      Err(error) => {
        assert_eq!(error, PushError::Full);
        assert!(!room || len > crate::INLINE_CAPACITY, "refused for no reason");
      }
    }
  }

  fn take(&mut self) {
    match self.worker.take(|| 5) {
      Taken::Empty => assert!(self.queued.is_empty(), "overlooked a call"),
      Taken::Call(call) => {
        let expected = self.queued.pop_front().expect("a call that was not pushed");
        assert_eq!((call.position, call.kind), (expected.position, expected.kind));
        assert!(call_payload(&self.worker, &call) == bytes(expected.seed, expected.len), "not what was pushed");
        match call.kind {
          CallKind::Define => {
            assert_eq!(call.task, expected.seed as u32);
            self.worker.release_define(&call);
          }
          _ => {
            assert_eq!(call.sequence, expected.seed);
            assert!(self.host.is_claimed(call.position));
            self.claimed.push((call, expected));
          }
        }
      }
      other => panic!("unexpected: {other:?}"),
    }
  }

  fn commit(&mut self, which: usize, len: usize) {
    if self.claimed.is_empty() {
      return;
    }
    let which = which % self.claimed.len();
    let seed = self.seed();
    let payload = bytes(seed, len);
    let header = ResultHeader { ran_ns: seed as u32, ..DONE };
    let (call, queued) = &self.claimed[which];
    match self.worker.commit(&header, call, &payload, b"") {
      Ok(()) => {
        self.sent.push_back(Sent { position: Some(queued.position), seed, len });
        self.claimed.remove(which);
      }
      Err(error) => {
        assert_eq!(error, CommitError::NoRoom);
        assert!(
          self.sent.iter().any(|sent| sent.len > crate::INLINE_CAPACITY),
          "no room, though nothing is in the way"
        );
      }
    }
  }

  fn notice(&mut self, len: usize) {
    let seed = self.seed();
    if self.worker.notice(200, 0, &bytes(seed, len), b"") {
      self.sent.push_back(Sent { position: None, seed, len });
    } else {
      assert!(!self.sent.is_empty());
    }
  }

  fn revoke(&mut self, which: usize, wanted: bool) {
    let candidates: Vec<_> = self.host.outstanding_positions().collect();
    if candidates.is_empty() {
      return;
    }
    let position = candidates[which % candidates.len()];
    let queued = self.queued.iter().position(|call| call.position == position);
    let won = self.host.revoke(position);
    assert_eq!(won, queued.is_some(), "only what is not claimed can be taken back");
    let Some(index) = queued else { return };
    let call = self.queued.remove(index).unwrap();
    if wanted {
      let mut back = Vec::new();
      assert_eq!(self.host.reclaim(position, &mut back).map(|back| back.header), Some(task(call.seed)));
      assert!(back == bytes(call.seed, call.len), "not what was pushed");
    } else {
      self.host.abandon(position);
    }
  }

  fn consume(&mut self) {
    let arrival = self.host.next_result().expect("a sound lane");
    let Some(expected) = self.sent.pop_front() else {
      assert!(arrival.is_none(), "a result that was not committed");
      return;
    };
    let record = match (arrival, expected.position) {
      (Some(Arrival::Result(record)), Some(position)) => {
        assert_eq!((record.position, record.ran_ns), (position, expected.seed as u32));
        record
      }
      (Some(Arrival::Notice(record)), None) => record,
      _ => panic!("not what was committed"),
    };
    assert!(result_payload(&self.host, &record) == bytes(expected.seed, expected.len), "not what was committed");
    self.host.consume(&record);
  }

  fn run(&mut self, step: Step) {
    match step {
      Step::Push { len, cut } => self.push(CallKind::Task, len, cut),
      Step::Define { len } => self.push(CallKind::Define, len, 0),
      Step::Take => self.take(),
      Step::Commit { which, len } => self.commit(which, len),
      Step::Notice { len } => self.notice(len),
      Step::Revoke { which, wanted } => self.revoke(which, wanted),
      Step::Consume => self.consume(),
      Step::Trim => {
        self.host.trim();
        self.worker.trim();
      }
    }
    assert_eq!(self.host.outstanding() as usize, self.outstanding());
    assert!(self.outstanding() <= self.slots);
  }

  /// Everything that is under way comes to its end, and the lane is as it was.
  fn finish(&mut self) {
    while self.outstanding() > 0 || !self.sent.is_empty() || !self.queued.is_empty() {
      self.take();
      self.commit(0, 10);
      self.consume();
    }
    assert!(matches!(self.worker.take(|| 5), Taken::Empty));
    assert_eq!(self.host.free_slots() as usize, self.slots);
    self.host.trim();
    assert_eq!(self.host.snapshot().arena_in_use, 0);
    assert_eq!(self.host.outstanding_positions().count(), 0);
  }
}

proptest! {
  #![proptest_config(ProptestConfig::with_cases(300))]

  #[test]
  fn a_lane_is_two_queues(
    slots in prop_oneof![3 => Just(2_u32), 1 => Just(4), 1 => Just(8)],
    start in prop_oneof![2 => u32::MAX - 20..=u32::MAX, 1 => any::<u32>()],
    steps in vec(step(), 1..250),
  ) {
    let mut model = Model::new(slots, start);
    for step in steps {
      model.run(step);
    }
    model.finish();
  }
}
