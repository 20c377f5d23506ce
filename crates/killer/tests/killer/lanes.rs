//! Lanes in a real shared segment, which both sides map, and the calls that go through them.

use std::ptr::NonNull;

use millrace_ring::{
  Arrival, CallHeader, CallKind, CallRecord, Geometry, HostLane, Identity, Memory, NoMemory, Position, ResultHeader,
  Taken, WorkerLane,
};
use millrace_sys::{Segment, SegmentKind};

pub(crate) type Host = HostLane<SharedMemory>;
pub(crate) type Worker = WorkerLane<SharedMemory>;

/// Few, so that each slot of both rings has been used before the operation that is looked at.
pub(crate) const SLOTS: u32 = 4;
const ARENA_BYTES: u64 = 64 * 1024;

/// Rounds that a lane has seen: two laps of the call ring, one of the result ring.
const ROUNDS: u32 = 2 * SLOTS;

/// So that the positions wrap within the operations that follow.
const START: Position = u32::MAX - ROUNDS;

/// The payload is in the slot.
pub(crate) const SMALL: usize = 300;
/// The payload is in the arena.
pub(crate) const LARGE: usize = 2000;

/// What a worker writes as the time of its claim.
pub(crate) const CLAIMED_AT: u64 = 0x0123_4567_89ab_cdef;

pub(crate) const DONE: ResultHeader = ResultHeader { status: 1, codec: 4, flags: 0x0304, ran_ns: 1234 };

/// One mapping of a shared segment, which a forked child has too.
pub(crate) struct SharedMemory(Segment);

impl SharedMemory {
  /// A new segment.
  pub(crate) fn create(len: usize) -> Self {
    Self::inherited(Segment::create(SegmentKind::Memfd, len).unwrap())
  }

  /// Another mapping of the same segment, at another address, as the other process of a pair has it.
  fn again(&self) -> Self {
    use std::os::fd::AsFd;

    let fd = self.0.as_fd().try_clone_to_owned().unwrap();
    Self::inherited(Segment::from_fd(fd, self.0.len()).unwrap())
  }

  /// Millrace keeps forks from inheriting segments; here a fork is how a victim gets its half of a lane.
  fn inherited(segment: Segment) -> Self {
    // SAFETY: the range is the segment's mapping; the advice changes what a child of `fork` gets, nothing here.
    let outcome = unsafe { libc::madvise(segment.base().as_ptr().cast(), segment.len(), libc::MADV_DOFORK) };
    assert_eq!(outcome, 0, "madvise: {}", std::io::Error::last_os_error());
    Self(segment)
  }

  /// Its first byte.
  pub(crate) fn start(&self) -> NonNull<u8> {
    self.0.base()
  }
}

// SAFETY: a segment stays mapped at one address, for its whole length, until it is dropped, and the mapping is
// writable. Only lanes touch its bytes, or a test in the place of a peer.
unsafe impl Memory for SharedMemory {
  fn base(&self) -> NonNull<u8> {
    self.0.base()
  }

  fn len(&self) -> usize {
    self.0.len()
  }

  fn commit(&self, offset: usize, len: usize) -> Result<(), NoMemory> {
    self.0.commit(offset, len).map_err(|error| NoMemory { errno: error.errno().unwrap_or(libc::ENOMEM) })
  }

  fn discard(&self, offset: usize, len: usize) {
    let _ = self.0.discard(offset, len);
  }
}

/// A call as it was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
  pub(crate) header: CallHeader,
  pub(crate) payload: Vec<u8>,
}

impl Call {
  /// A task with `len` bytes that no other call has.
  pub(crate) fn task(sequence: u64, len: usize) -> Self {
    let header = CallHeader { kind: CallKind::Task, codec: 3, flags: 0x0102, task: 77, sequence };
    Self { header, payload: bytes(sequence, len) }
  }

  /// A definition, of a task with this number.
  pub(crate) fn definition(task: u32, len: usize) -> Self {
    let header = CallHeader { kind: CallKind::Define, codec: 0, flags: 0, task, sequence: 0 };
    Self { header, payload: bytes(task.into(), len) }
  }

  pub(crate) fn push_to(&self, host: &mut Host) -> Position {
    // In two parts, cut anywhere: as calls are pushed, with a frame of their own around the caller's bytes.
    let (head, tail) = self.payload.split_at(self.payload.len() / 3);
    host.push(&self.header, head, tail).unwrap()
  }
}

/// The two halves of a lane on which `ROUNDS` calls and results of `len` bytes have come and gone.
pub(crate) fn used_lane(len: usize) -> (Host, Worker) {
  let geometry = Geometry::new(SLOTS, ARENA_BYTES).unwrap();
  let memory = SharedMemory::create(geometry.segment_len());
  let its_memory = memory.again();
  let mut host = HostLane::create_at(memory, geometry, Identity { host_pid: 1, worker_id: 2 }, START).unwrap();
  let mut worker = WorkerLane::attach(its_memory).unwrap();
  for round in 0..ROUNDS {
    let payload = vec![round as u8; len];
    host.push(&Call::task(0, 0).header, &payload, &[]).unwrap();
    let Taken::Call(record) = worker.take(|| u64::from(round)) else { panic!("a call got lost") };
    worker.commit(&DONE, &record, &payload, &[]).unwrap();
    let Ok(Some(Arrival::Result(result))) = host.next_result() else { panic!("a result got lost") };
    host.consume(&result);
  }
  assert!(!host.needs_ring() && !worker.needs_ring(), "nobody has gone to sleep yet");
  (host, worker)
}

/// The next call, which must be there.
pub(crate) fn take(worker: &mut Worker) -> CallRecord {
  match worker.take(|| CLAIMED_AT) {
    Taken::Call(call) => call,
    other => panic!("no call but {other:?}"),
  }
}

/// Copies a call's payload, for a victim that has no memory of its own to lose.
pub(crate) fn take_and_copy(worker: &mut Worker, into: &mut [u8]) -> CallRecord {
  let call = take(worker);
  worker.copy_payload(&call, 0, &mut into[..call.payload_len()]);
  call
}

/// Bytes that differ from those of any other seed, at any offset.
pub(crate) fn bytes(seed: u64, len: usize) -> Vec<u8> {
  let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
  let mut words = Vec::with_capacity(len.div_ceil(8));
  while words.len() * 8 < len {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    words.push(state.to_le_bytes());
  }
  let mut bytes = words.concat();
  bytes.truncate(len);
  bytes
}
