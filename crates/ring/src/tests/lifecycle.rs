//! Each operation of a lane, one at a time.

use super::{DONE, bytes, call_payload, consume, define, lane, result_payload, take, task};
use crate::{Arrival, CallKind, CommitError, PushError};

const ARENA: usize = 256 * super::KIB;

#[test]
fn a_call_reaches_the_worker_and_its_result_the_host() {
  let (mut host, mut worker) = lane(4, ARENA);
  let position = host.push(&task(9), b"argu", b"ments").unwrap();
  assert!(!host.is_claimed(position));

  let call = take(&mut worker).unwrap();
  assert_eq!((call.position, call.kind, call.codec, call.flags), (position, CallKind::Task, 3, 0x0102));
  assert_eq!((call.task, call.sequence, call.len), (77, 9, 9));
  assert_eq!(call_payload(&worker, &call), b"arguments");
  assert!(host.is_claimed(position));
  assert_eq!(host.claimed_at(), 1);

  worker.commit(&DONE, &call, b"re", b"sult").unwrap();
  let (result, payload) = consume(&mut host).unwrap();
  assert_eq!((result.position, result.status, result.codec), (position, 1, 4));
  assert_eq!((result.flags, result.ran_ns, result.len), (0x0304, 1234, 6));
  assert_eq!(payload, b"result");
  assert_eq!(host.outstanding(), 0);
  assert!(host.next_result().unwrap().is_none());
}

#[test]
fn a_result_stays_until_it_is_consumed() {
  let (mut host, mut worker) = lane(2, ARENA);
  host.push(&task(1), b"", b"").unwrap();
  let call = take(&mut worker).unwrap();
  worker.commit(&DONE, &call, b"once", b"").unwrap();
  for _ in 0..3 {
    assert!(host.has_result());
    assert!(matches!(host.next_result(), Ok(Some(Arrival::Result(_)))));
  }
  let (result, _) = consume(&mut host).unwrap();
  host.consume(&result);
  assert!(!host.has_result());
  assert_eq!(host.free_slots(), 2);
  host.push(&task(2), b"", b"").unwrap();
  let call = take(&mut worker).unwrap();
  worker.commit(&DONE, &call, b"again", b"").unwrap();
  assert_eq!(consume(&mut host).unwrap().1, b"again", "consumed twice");
}

#[test]
fn the_host_can_ask_whether_a_call_is_answered_behind_other_results() {
  let (mut host, mut worker) = lane(4, ARENA);
  let positions: Vec<_> = (0..3).map(|sequence| host.push(&task(sequence), b"", b"").unwrap()).collect();
  assert!(worker.notice(7, 4, b"first", b""));
  for answered in 0..2 {
    assert!(positions[answered..].iter().all(|&position| !host.has_answer(position)));
    let call = take(&mut worker).unwrap();
    worker.commit(&DONE, &call, b"", b"").unwrap();
    assert!(positions[..=answered].iter().all(|&position| host.has_answer(position)));
  }
  let Ok(Some(Arrival::Notice(notice))) = host.next_result() else { panic!("no notice") };
  host.consume(&notice);
  consume(&mut host).unwrap();
  let answers: Vec<_> = positions.iter().map(|&position| host.has_answer(position)).collect();
  assert_eq!(answers, [false, true, false], "what was consumed is no answer any more");
}

#[test]
fn a_full_ring_refuses_and_takes_again_after_a_result_was_consumed() {
  let (mut host, mut worker) = lane(2, ARENA);
  host.push(&task(0), b"", b"").unwrap();
  assert_eq!(host.free_slots(), 1);
  host.push(&task(1), b"", b"").unwrap();
  assert_eq!((host.free_slots(), host.has_room()), (0, false));
  assert_eq!(host.push(&task(2), b"", b""), Err(PushError::Full));

  let call = take(&mut worker).unwrap();
  assert_eq!(host.push(&task(2), b"", b""), Err(PushError::Full), "claimed is not consumed");
  worker.commit(&DONE, &call, b"", b"").unwrap();
  assert_eq!(host.push(&task(2), b"", b""), Err(PushError::Full), "committed is not consumed");
  consume(&mut host).unwrap();
  assert_eq!((host.free_slots(), host.has_room()), (1, true));
  host.push(&task(2), b"", b"").unwrap();
  assert_eq!(host.outstanding_positions().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn results_may_be_committed_in_another_order_than_the_calls_were_taken() {
  let (mut host, mut worker) = lane(4, ARENA);
  for sequence in 0..3 {
    host.push(&task(sequence), &bytes(sequence, 10), b"").unwrap();
  }
  let calls: Vec<_> = (0..3).map(|_| take(&mut worker).unwrap()).collect();
  for index in [2, 0, 1] {
    worker.commit(&DONE, &calls[index], &[index as u8], b"").unwrap();
  }
  let order: Vec<_> = (0..3).map(|_| consume(&mut host).unwrap().0.position).collect();
  assert_eq!(order, [2, 0, 1]);
  assert_eq!(host.free_slots(), 4);
}

#[test]
fn a_revoked_call_never_runs_and_comes_back_unchanged() {
  let (mut host, mut worker) = lane(4, ARENA);
  for len in [0, 10, 472, 473, 70_000] {
    let payload = bytes(len as u64, len);
    let position = host.push(&task(5), &payload, b"").unwrap();
    assert!(host.revoke(position));
    assert!(!host.revoke(position), "twice");
    assert!(!host.is_claimed(position));
    let mut out = b"old".to_vec();
    assert_eq!(host.reclaim(position, &mut out).map(|back| back.header), Some(task(5)));
    assert_eq!(out, payload);
    assert_eq!(host.reclaim(position, &mut out), None, "twice");
    assert!(take(&mut worker).is_none());
  }
  assert_eq!(host.outstanding(), 0);
  assert_eq!(host.free_slots(), 4);
  assert_eq!(host.snapshot().arena_in_use, 0);
}

#[test]
fn an_abandoned_call_gives_its_block_back_at_once() {
  let (mut host, _) = lane(4, ARENA);
  let position = host.push(&task(5), &bytes(1, 100_000), b"").unwrap();
  assert!(host.snapshot().arena_in_use >= 100_000);
  host.abandon(position);
  assert!(host.snapshot().arena_in_use >= 100_000, "not revoked, so not to be abandoned");
  assert!(host.revoke(position));
  assert_eq!(host.outstanding_positions().collect::<Vec<_>>(), [position]);
  host.abandon(position);
  assert_eq!((host.snapshot().arena_in_use, host.outstanding()), (0, 0));
}

#[test]
fn a_claimed_call_is_neither_revoked_nor_reclaimed() {
  let (mut host, mut worker) = lane(4, ARENA);
  let position = host.push(&task(5), b"payload", b"").unwrap();
  take(&mut worker).unwrap();
  assert!(!host.revoke(position));
  let mut out = b"untouched".to_vec();
  assert_eq!(host.reclaim(position, &mut out), None);
  assert_eq!(out, b"untouched");
  assert_eq!(host.outstanding(), 1);
}

#[test]
fn positions_that_are_not_in_the_ring_are_nobodys() {
  let (mut host, _) = lane(4, ARENA);
  let position = host.push(&task(5), b"payload", b"").unwrap();
  for other in [position.wrapping_add(1), position.wrapping_sub(1), position.wrapping_add(4), u32::MAX / 2] {
    assert!(!host.revoke(other) && !host.is_claimed(other));
    assert_eq!(host.reclaim(other, &mut Vec::new()), None);
    host.abandon(other);
    host.request_abort(other);
  }
  assert!(host.needs_ring() || host.outstanding() == 1);
}

#[test]
fn a_definition_is_not_answered_and_gives_its_slot_and_block_back() {
  let (mut host, mut worker) = lane(2, ARENA);
  let source = bytes(3, 100_000);
  for round in 0..5 {
    let position = host.push(&define(round), &source, b"").unwrap();
    assert!(!host.revoke(position), "nothing would tell the host that it is not wanted");
    assert_eq!(host.outstanding(), 0);
    host.push(&task(u64::from(round)), b"", b"").unwrap();
    assert!(!host.has_room());

    let definition = take(&mut worker).unwrap();
    assert_eq!((definition.kind, definition.task), (CallKind::Define, round));
    assert_eq!(call_payload(&worker, &definition), source);
    worker.release_define(&definition);
    assert!(host.has_room());

    let call = take(&mut worker).unwrap();
    worker.release_define(&call);
    worker.commit(&DONE, &call, b"", b"").unwrap();
    consume(&mut host).unwrap();
    assert_eq!((host.free_slots(), host.snapshot().arena_in_use), (2, 0));
  }
}

#[test]
fn a_notice_answers_no_call_and_leaves_room_for_every_result() {
  let (mut host, mut worker) = lane(4, ARENA);
  for sequence in 0..4 {
    host.push(&task(sequence), b"", b"").unwrap();
  }
  let calls: Vec<_> = (0..4).map(|_| take(&mut worker).unwrap()).collect();
  let sent = (0..20).filter(|&n| worker.notice(200, n, b"stray ", &bytes(1, 600))).count();
  assert_eq!(sent, 4);
  for call in &calls {
    worker.commit(&DONE, call, b"", b"").unwrap();
  }
  assert!(!worker.notice(200, 9, b"no room", b""));
  for codec in 0..4 {
    let Ok(Some(Arrival::Notice(notice))) = host.next_result() else { panic!("no notice") };
    assert_eq!((notice.status, notice.codec, notice.len), (200, codec, 606));
    assert_eq!(result_payload(&host, &notice), [b"stray ".to_vec(), bytes(1, 600)].concat());
    host.consume(&notice);
  }
  assert_eq!((0..4).filter_map(|_| consume(&mut host)).count(), 4);
  assert!(worker.notice(200, 9, b"room", b""));
}

#[test]
fn a_record_that_is_read_outside_of_its_payload_panics_like_a_slice() {
  let (mut host, mut worker) = lane(2, ARENA);
  for len in [3, 1000] {
    host.push(&task(1), &bytes(0, len), b"").unwrap();
    let mut call = take(&mut worker).unwrap();
    let outside = |worker: &super::Worker, call: &crate::CallRecord, at: usize, len: usize| {
      std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| worker.copy_payload(call, at, &mut vec![0; len])))
    };
    assert!(outside(&worker, &call, 0, len + 1).is_err());
    assert!(outside(&worker, &call, usize::MAX, 2).is_err());
    assert!(outside(&worker, &call, len, 0).is_ok());
    call.len = u64::MAX;
    assert!(outside(&worker, &call, 0, 3 * ARENA).is_err(), "a length that the caller made up");
    worker.commit(&DONE, &call, b"", b"").unwrap();
    consume(&mut host).unwrap();
  }
}

#[test]
fn a_commit_of_more_than_the_arena_holds_is_refused_and_another_can_follow() {
  let (mut host, mut worker) = lane(2, ARENA);
  host.push(&task(1), b"", b"").unwrap();
  let call = take(&mut worker).unwrap();
  let (len, capacity) = (ARENA as u64 + 1, ARENA as u64);
  assert_eq!(worker.commit(&DONE, &call, &vec![0; ARENA], b"1"), Err(CommitError::TooLarge { len, capacity }));
  assert!(!host.has_result());
  worker.commit(&DONE, &call, b"too large", b"").unwrap();
  assert_eq!(consume(&mut host).unwrap().1, b"too large");
  assert_eq!(host.push(&task(1), &vec![0; ARENA], b"1"), Err(PushError::TooLarge { len, capacity }));
}

#[cfg(feature = "fault-injection")]
#[test]
fn an_injected_fault_is_found_by_the_other_side() {
  let (mut host, mut worker) = lane(2, ARENA);
  host.corrupt_next_call();
  let position = host.push(&task(1), b"payload", b"").unwrap();
  assert!(matches!(worker.take(|| 1), crate::Taken::Corrupt(_)));
  assert!(host.is_claimed(position));

  let (mut host, mut worker) = lane(2, ARENA);
  host.push(&task(1), b"payload", b"").unwrap();
  let call = take(&mut worker).unwrap();
  worker.corrupt_next_result();
  worker.commit(&DONE, &call, b"", b"").unwrap();
  assert!(host.next_result().is_err());
}
