//! What a call costs in the rings alone: both halves of a lane in one thread, over heap memory. No process is woken,
//! and no cache line moves between processors.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use millrace_ring::{
  Arrival, CallHeader, CallKind, Geometry, HeapMemory, HostLane, Identity, ResultHeader, Taken, WorkerLane,
};

type Host = HostLane<HeapMemory>;
type Worker = WorkerLane<HeapMemory>;

const SLOTS: u32 = 1024;
const ARENA: u64 = 64 << 20;

const CALL: CallHeader = CallHeader { kind: CallKind::Task, codec: 1, flags: 0, task: 7, sequence: 1 };
const DONE: ResultHeader = ResultHeader { status: 0, codec: 1, flags: 0, ran_ns: 100 };

fn main() {
  divan::main();
}

fn lane() -> (Host, Worker) {
  let geometry = Geometry::new(SLOTS, ARENA).expect("an allowed geometry");
  let memory = HeapMemory::new(geometry.segment_len());
  let identity = Identity { host_pid: 1, worker_id: 1 };
  let host = HostLane::create(memory.clone(), geometry, identity).expect("a lane");
  let worker = WorkerLane::attach(memory).expect("the lane of the host");
  (host, worker)
}

/// Takes one call, answers with its payload and reports whether the host has to be rung.
fn answer(worker: &mut Worker, payload: &mut [u8]) -> bool {
  let Taken::Call(call) = worker.take(|| 1) else { panic!("there is a call") };
  worker.copy_payload(&call, 0, payload);
  worker.commit(&DONE, &call, payload, &[]).expect("room for the result");
  worker.needs_ring()
}

fn consume(host: &mut Host, payload: &mut [u8]) {
  let Ok(Some(Arrival::Result(result))) = host.next_result() else { panic!("there is a result") };
  host.copy_payload(&result, 0, payload);
  host.consume(&result);
}

/// Push, take, commit, consume: one call after the other, with payloads of so many bytes each way. Those of more than a
/// slot holds go through the arenas.
#[divan::bench(args = [0, 16, 40, 240, 1024, 65_536, 1_048_576])]
fn round(bencher: Bencher, len: usize) {
  let (mut host, mut worker) = lane();
  let mut payload = vec![7; len];
  bencher.counter(ItemsCount::new(1_usize)).counter(BytesCount::new(2 * len)).bench_local(|| {
    host.push(&CALL, &payload, &[]).expect("room for a call");
    black_box(host.needs_ring());
    black_box(answer(&mut worker, &mut payload));
    consume(&mut host, &mut payload);
  });
}

/// The same in batches: so many calls are pushed, then taken and answered, then consumed.
#[divan::bench(args = [16, 256, 1024])]
fn batch(bencher: Bencher, calls: u32) {
  let (mut host, mut worker) = lane();
  let mut payload = [7; 16];
  bencher.counter(ItemsCount::new(calls)).bench_local(|| {
    for _ in 0..calls {
      host.push(&CALL, &payload, &[]).expect("room for a call");
    }
    for _ in 0..calls {
      black_box(answer(&mut worker, &mut payload));
    }
    for _ in 0..calls {
      consume(&mut host, &mut payload);
    }
  });
}

/// A call is taken back before the worker has seen it, as when a future is cancelled.
#[divan::bench]
fn revoke(bencher: Bencher) {
  let (mut host, mut worker) = lane();
  bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
    let position = host.push(&CALL, &[7; 16], &[]).expect("room for a call");
    assert!(host.revoke(position));
    // The worker passes by the slot, which is free again then.
    black_box(worker.take(|| 1));
    host.abandon(position);
  });
}

/// What both sides pay for looking before they sleep, when there is nothing.
#[divan::bench]
fn arm(bencher: Bencher) {
  let (host, worker) = lane();
  bencher.bench_local(|| (black_box(host.arm()), black_box(worker.arm())));
}
