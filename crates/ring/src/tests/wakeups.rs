//! When a doorbell has to be rung. (That no wake-up is lost is proved by the models.)

use super::{DONE, KIB, bytes, consume, define, lane, take, task};
use crate::{CommitError, WorkerPhase};

const ARENA: usize = 256 * KIB;

#[test]
fn nobody_rings_for_a_worker_that_is_awake() {
  let (mut host, mut worker) = lane(4, ARENA);
  assert!(!host.needs_ring());
  host.push(&task(1), b"", b"").unwrap();
  assert!(!host.needs_ring());
  let call = take(&mut worker).unwrap();
  worker.commit(&DONE, &call, b"", b"").unwrap();
  assert!(!worker.needs_ring());
}

#[test]
fn a_sleeping_worker_is_rung_for_once() {
  let (mut host, worker) = lane(4, ARENA);
  assert!(!worker.arm());
  assert!(!host.needs_ring(), "for nothing");
  host.push(&task(1), b"", b"").unwrap();
  assert!(host.needs_ring());
  assert!(!host.needs_ring(), "twice for one call");
  host.push(&task(2), b"", b"").unwrap();
  assert!(!host.needs_ring(), "it is rung for already");
}

#[test]
fn a_worker_that_finds_a_call_does_not_sleep_and_is_not_rung_for() {
  let (mut host, mut worker) = lane(4, ARENA);
  host.push(&task(1), b"", b"").unwrap();
  assert!(worker.arm());
  assert!(!host.needs_ring());
  assert!(!{
    take(&mut worker).unwrap();
    worker.arm()
  });
  host.push(&task(2), b"", b"").unwrap();
  // It woke by itself, and found the call before the host looked.
  take(&mut worker).unwrap();
  assert!(!host.needs_ring());
}

#[test]
fn a_sleeping_host_is_rung_for_a_result_a_notice_and_a_phase() {
  let (mut host, mut worker) = lane(4, ARENA);
  host.push(&task(1), b"", b"").unwrap();
  let call = take(&mut worker).unwrap();
  assert!(!host.arm());
  worker.commit(&DONE, &call, b"", b"").unwrap();
  assert!(worker.needs_ring() && !worker.needs_ring());
  assert!(host.arm(), "there is a result");
  consume(&mut host).unwrap();

  assert!(!host.arm());
  assert!(worker.notice(1, 1, b"", b"") && worker.needs_ring());
  let Ok(Some(crate::Arrival::Notice(notice))) = host.next_result() else { panic!("no notice") };
  host.consume(&notice);

  assert!(!host.arm());
  worker.set_phase(WorkerPhase::Ready);
  assert!(worker.needs_ring());
  assert!(host.arm(), "a phase that the host has not seen");
  assert!(!host.arm(), "it was told of that");
  assert_eq!(host.phase(), Some(WorkerPhase::Ready));
}

#[test]
fn a_host_that_drains_is_not_rung_for() {
  let (mut host, mut worker) = lane(4, ARENA);
  for sequence in 0..2 {
    host.push(&task(sequence), b"", b"").unwrap();
  }
  assert!(!host.arm());
  let (first, second) = (take(&mut worker).unwrap(), take(&mut worker).unwrap());
  worker.commit(&DONE, &first, b"", b"").unwrap();
  consume(&mut host).unwrap();
  worker.commit(&DONE, &second, b"", b"").unwrap();
  assert!(!worker.needs_ring());
}

#[test]
fn requests_ring_even_for_a_worker_that_is_awake() {
  let (mut host, mut worker) = lane(4, ARENA);
  let position = host.push(&task(1), b"", b"").unwrap();
  take(&mut worker).unwrap();
  assert!(!host.needs_ring());
  assert!(!worker.arm());
  host.request_abort(position);
  assert!(host.needs_ring() && !host.needs_ring());
  assert!(worker.arm(), "there is a request");
  assert!(!worker.arm(), "it was told of that");
  host.request_stop();
  assert!(host.needs_ring());
  assert!(worker.arm(), "there is nothing to wait for any more");
}

#[test]
fn a_worker_that_waits_for_room_is_rung_for_when_a_block_is_consumed() {
  let (mut host, mut worker) = lane(4, ARENA);
  for sequence in 0..3 {
    host.push(&task(sequence), b"", b"").unwrap();
  }
  assert!(!host.needs_ring());
  let calls: Vec<_> = (0..3).map(|_| take(&mut worker).unwrap()).collect();
  let large = bytes(1, 200 * KIB);
  worker.commit(&DONE, &calls[0], b"small", b"").unwrap();
  worker.commit(&DONE, &calls[1], &large, b"").unwrap();
  assert_eq!(worker.commit(&DONE, &calls[2], &large, b""), Err(CommitError::NoRoom));
  assert!(!worker.arm());
  host.push(&task(4), b"", b"").unwrap();
  assert!(!host.needs_ring(), "it does not wait for calls");
  consume(&mut host).unwrap();
  assert!(!host.needs_ring(), "a small result makes no room");
  consume(&mut host).unwrap();
  assert!(host.needs_ring());
  worker.commit(&DONE, &calls[2], &large, b"").unwrap();
  assert!(worker.arm(), "now it waits for calls again, and there is one");
  take(&mut worker).unwrap();
  assert!(!worker.arm(), "there is no other");
}

#[test]
fn a_worker_that_waits_for_room_does_not_sleep_if_there_is_some() {
  let (mut host, mut worker) = lane(4, ARENA);
  for sequence in 0..3 {
    host.push(&task(sequence), b"", b"").unwrap();
  }
  let calls: Vec<_> = (0..2).map(|_| take(&mut worker).unwrap()).collect();
  let large = bytes(1, 200 * KIB);
  worker.commit(&DONE, &calls[0], &large, b"").unwrap();
  assert_eq!(worker.commit(&DONE, &calls[1], &large, b""), Err(CommitError::NoRoom));
  assert!(!worker.notice(1, 1, &large, b""));
  assert!(worker.notice(1, 1, b"small", b""));
  assert!(!worker.arm(), "there is a call, but it waits for room");
  consume(&mut host).unwrap();
  assert!(worker.arm());
}

#[test]
fn a_host_without_a_free_slot_is_told_when_one_was_passed_by() {
  let (mut host, mut worker) = lane(2, ARENA);
  host.push(&define(1), b"", b"").unwrap();
  let position = host.push(&task(1), b"", b"").unwrap();
  assert!(host.revoke(position));
  host.abandon(position);
  assert!(!host.has_room());
  assert!(!host.arm());
  let definition = take(&mut worker).unwrap();
  worker.release_define(&definition);
  assert!(worker.needs_ring());
  assert!(host.arm(), "there is room");
  assert!(!host.arm(), "it was told of that");

  host.push(&task(2), b"", b"").unwrap();
  assert!(!host.has_room());
  assert!(!host.arm());
  let call = take(&mut worker).unwrap();
  assert_eq!(call.sequence, 2);
  assert!(worker.needs_ring(), "it has skipped a slot");
  assert!(host.arm() && host.has_room());
}

#[test]
fn a_host_that_wants_several_slots_is_told_when_it_has_them_and_not_before() {
  let (mut host, mut worker) = lane(4, ARENA);
  let positions: Vec<_> = (0..4).map(|n| host.push(&task(n), b"", b"").unwrap()).collect();
  for &position in &positions[1..] {
    assert!(host.revoke(position));
    host.abandon(position);
  }
  // Asked for while the host's bell is not armed, so nobody rings for it: arming has to tell.
  assert!(!host.has_slots(2));
  let call = take(&mut worker).unwrap();
  assert!(!host.arm(), "the oldest slot is in use");
  worker.commit(&DONE, &call, b"", b"").unwrap();
  consume(&mut host);
  assert!(host.has_slots(1));
  assert!(!host.has_slots(2));
  assert!(!host.arm(), "there is one");
  assert!(take(&mut worker).is_none(), "it passes the others by");
  assert!(host.arm(), "there are four");
  assert!(!host.arm(), "it was told of that");
  assert!(host.has_slots(4));
}
