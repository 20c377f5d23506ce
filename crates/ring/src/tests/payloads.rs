//! Payloads of all sizes, and the memory that they cost.

use super::{DONE, Host, KIB, MIB, Worker, bytes, call_payload, consume, lane, lane_at, take, task};
use crate::{CommitError, Geometry, HeapMemory, HostLane, INLINE_CAPACITY, PushError, WorkerLane};

/// Sends `payload` there and back, cut into two parts at `cut`.
fn echo(host: &mut Host, worker: &mut Worker, payload: &[u8], cut: usize) {
  let (head, tail) = payload.split_at(cut);
  host.push(&task(1), head, tail).unwrap();
  let call = take(worker).unwrap();
  assert_eq!(call.inline_len() == payload.len(), payload.len() <= INLINE_CAPACITY);
  assert!(call_payload(worker, &call) == payload, "{} bytes, cut at {cut}", payload.len());
  worker.commit(&DONE, &call, head, tail).unwrap();
  let (result, back) = consume(host).unwrap();
  assert_eq!(result.is_inline(), payload.len() <= INLINE_CAPACITY);
  assert!(back == payload, "{} bytes, cut at {cut}", payload.len());
}

#[test]
fn payloads_of_all_sizes_arrive_in_both_directions() {
  let (mut host, mut worker) = lane(2, 16 * MIB);
  let sizes = [0, 1, 63, 471, 472, 473, 4096, 65_535, 65_536, 65_537, MIB, 5 * MIB + 3, 16 * MIB];
  for (seed, len) in sizes.into_iter().enumerate() {
    let payload = bytes(seed as u64, len);
    for cut in [0, len / 3, len] {
      echo(&mut host, &mut worker, &payload, cut);
    }
  }
  host.trim();
  assert_eq!(host.snapshot().arena_in_use, 0);
}

#[test]
fn a_payload_can_be_copied_in_pieces() {
  let (mut host, mut worker) = lane(2, MIB);
  for len in [400, 100_000] {
    let payload = bytes(1, len);
    host.push(&task(1), &payload, b"").unwrap();
    let call = take(&mut worker).unwrap();
    let mut copied = vec![0; len];
    for (index, piece) in copied.chunks_mut(37).enumerate() {
      worker.copy_payload(&call, index * 37, piece);
    }
    assert_eq!(copied, payload);
    worker.commit(&DONE, &call, &payload, b"").unwrap();
    consume(&mut host).unwrap();
  }
}

#[test]
fn a_full_arena_refuses_large_calls_and_still_takes_small_ones() {
  let (mut host, mut worker) = lane(8, 128 * KIB);
  host.push(&task(0), &bytes(0, 100 * KIB), b"").unwrap();
  assert_eq!(host.push(&task(1), &bytes(1, 100 * KIB), b""), Err(PushError::Full));
  assert!(host.has_room());
  host.push(&task(2), b"small", b"").unwrap();
  let call = take(&mut worker).unwrap();
  worker.commit(&DONE, &call, b"", b"").unwrap();
  consume(&mut host).unwrap();
  host.push(&task(1), &bytes(1, 100 * KIB), b"").unwrap();
}

#[test]
fn a_machine_without_memory_refuses_the_payload_and_nothing_else() {
  let geometry = Geometry::new(4, MIB as u64).unwrap();
  let budget = geometry.rings_end().next_multiple_of(4096) + 128 * KIB;
  let memory = HeapMemory::with_budget(geometry.segment_len(), budget);
  let mut host = HostLane::create(memory.clone(), geometry, super::IDENTITY).unwrap();
  let mut worker = WorkerLane::attach(memory.clone()).unwrap();
  let large = bytes(1, 200 * KIB);
  assert_eq!(host.push(&task(1), &large, b""), Err(PushError::NoMemory { errno: 12 }));
  assert_eq!((host.free_slots(), host.outstanding()), (4, 0));
  assert!(take(&mut worker).is_none());
  host.push(&task(1), b"small", b"").unwrap();
  let call = take(&mut worker).unwrap();
  assert_eq!(worker.commit(&DONE, &call, &large, b""), Err(CommitError::NoMemory { errno: 12 }));
  assert!(host.next_result().unwrap().is_none());
  worker.commit(&DONE, &call, b"no memory", b"").unwrap();
  assert_eq!(consume(&mut host).unwrap().1, b"no memory");
}

#[test]
fn unconsumed_results_hold_a_bounded_part_of_the_arena() {
  let (mut host, mut worker) = lane(16, 256 * MIB);
  for sequence in 0..16 {
    host.push(&task(sequence), b"", b"").unwrap();
  }
  let result = vec![7; 20 * MIB];
  let calls: Vec<_> = (0..16).map(|_| take(&mut worker).unwrap()).collect();
  for call in &calls[..3] {
    worker.commit(&DONE, call, &result, b"").unwrap();
  }
  assert_eq!(worker.commit(&DONE, &calls[3], &result, b""), Err(CommitError::NoRoom));
  worker.commit(&DONE, &calls[3], b"small", b"").unwrap();
  for _ in 0..4 {
    consume(&mut host).unwrap();
  }
  let huge = vec![8; 200 * MIB];
  worker.commit(&DONE, &calls[4], &huge, b"").unwrap();
  assert_eq!(worker.commit(&DONE, &calls[5], &result, b""), Err(CommitError::NoRoom));
  assert!(consume(&mut host).unwrap().1 == huge);
  worker.commit(&DONE, &calls[5], &result, b"").unwrap();
}

#[test]
fn hot_pages_are_used_again_and_a_burst_is_given_back() {
  let (mut host, mut worker, memory) = lane_at(8, 128 * MIB, 0);
  let rings = memory.committed_bytes();
  for seed in 0..20 {
    echo(&mut host, &mut worker, &bytes(seed, 100_000), 0);
  }
  let warm = memory.committed_bytes();
  assert!(warm <= rings + 4 * 128 * KIB, "{warm} bytes for payloads that were never there at once");

  let burst: Vec<u8> = bytes(1, 20 * MIB);
  for _ in 0..3 {
    host.push(&task(1), &burst, b"").unwrap();
  }
  for _ in 0..3 {
    let call = take(&mut worker).unwrap();
    worker.commit(&DONE, &call, &burst, b"").unwrap();
  }
  host.trim();
  worker.trim();
  // The arguments of calls that are answered, whose results nobody has read, are not needed any more.
  assert!(memory.committed_bytes() >= 60 * MIB, "trimmed what is in use");
  for _ in 0..3 {
    assert!(consume(&mut host).unwrap().1 == burst);
  }
  host.trim();
  worker.trim();
  assert!(memory.committed_bytes() <= 2 * 32 * MIB + rings, "{} bytes are left", memory.committed_bytes());
  echo(&mut host, &mut worker, &burst, 5);
}

#[test]
fn blocks_of_results_are_reclaimed_after_laps_of_small_ones() {
  let (mut host, mut worker) = lane(2, 64 * KIB);
  let large = bytes(5, 60 * KIB);
  for round in 0..40 {
    echo(&mut host, &mut worker, &large, 0);
    for _ in 0..round {
      echo(&mut host, &mut worker, b"small", 0);
    }
  }
}
