//! Both halves of a lane in one process, over heap memory.

mod arena;
mod attach;
mod chunks;
mod deaths;
mod garbage;
mod layout;
mod lifecycle;
mod loans;
mod out_arena;
mod payloads;
mod queue_model;
mod requests;
mod threads;
mod wakeups;

use crate::call_producer::Standing;
use crate::{
  Arrival, CallHeader, CallKind, CallRecord, Geometry, HeapMemory, HostLane, Identity, Memory, Position, ResultHeader,
  ResultRecord, Taken, WorkerLane,
};

type Host = HostLane<HeapMemory>;
type Worker = WorkerLane<HeapMemory>;

const IDENTITY: Identity = Identity { host_pid: 1, worker_id: 2 };
const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

fn lane_at(slots: u32, arena_bytes: usize, start: Position) -> (Host, Worker, HeapMemory) {
  let geometry = Geometry::new(slots, arena_bytes as u64).unwrap();
  let memory = HeapMemory::new(geometry.segment_len());
  let host = HostLane::create_at(memory.clone(), geometry, IDENTITY, start).unwrap();
  let worker = WorkerLane::attach(memory.clone()).unwrap();
  (host, worker, memory)
}

fn lane(slots: u32, arena_bytes: usize) -> (Host, Worker) {
  let (host, worker, _) = lane_at(slots, arena_bytes, 0);
  (host, worker)
}

fn task(sequence: u64) -> CallHeader {
  CallHeader { kind: CallKind::Task, codec: 3, flags: 0x0102, task: 77, sequence }
}

fn define(task: u32) -> CallHeader {
  CallHeader { kind: CallKind::Define, codec: 0, flags: 0, task, sequence: 0 }
}

const DONE: ResultHeader = ResultHeader { status: 1, codec: 4, flags: 0x0304, ran_ns: 1234 };

/// Bytes that differ from those of any other seed, at any offset.
fn bytes(seed: u64, len: usize) -> Vec<u8> {
  let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
  let mut out = Vec::with_capacity(len + 8);
  while out.len() < len {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    out.extend_from_slice(&state.to_le_bytes());
  }
  out.truncate(len);
  out
}

impl<M: Memory> HostLane<M> {
  /// How many pushes of payloads that fit a slot would succeed, one after the other.
  fn free_slots(&self) -> u32 {
    self.calls.vacancies(self.view.calls())
  }

  /// The positions of calls that have been neither consumed nor taken back, oldest first.
  fn outstanding_positions(&self) -> impl Iterator<Item = Position> + '_ {
    let (oldest, next) = (self.calls.oldest(), self.calls.next());
    (0..next.wrapping_sub(oldest)).map(move |age| oldest.wrapping_add(age)).filter(|&position| {
      let standing = self.calls.entry(position).map(|entry| entry.standing);
      matches!(standing, Some(Standing::Outstanding | Standing::Revoked))
    })
  }
}

fn take(worker: &mut Worker) -> Option<CallRecord> {
  match worker.take(|| 1) {
    Taken::Call(call) => Some(call),
    Taken::Empty => None,
    other => panic!("unexpected: {other:?}"),
  }
}

fn call_payload(worker: &Worker, call: &CallRecord) -> Vec<u8> {
  let mut payload = vec![0; call.payload_len()];
  worker.copy_payload(call, 0, &mut payload);
  payload
}

fn result_payload(host: &Host, result: &ResultRecord) -> Vec<u8> {
  let mut payload = vec![0; result.payload_len()];
  host.copy_payload(result, 0, &mut payload);
  payload
}

/// The next result and its payload, consumed.
fn consume(host: &mut Host) -> Option<(ResultRecord, Vec<u8>)> {
  let Some(Arrival::Result(result)) = host.next_result().unwrap() else { return None };
  let payload = result_payload(host, &result);
  host.consume(&result);
  Some((result, payload))
}
