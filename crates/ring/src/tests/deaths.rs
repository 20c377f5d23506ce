//! A worker that dies inside an operation, and what its host makes of it.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::{DONE, Host, KIB, Worker, bytes, call_payload, consume, define, lane_at, result_payload, take, task};
use crate::{Arrival, INLINE_CAPACITY, Step, Taken};

const SIZES: [usize; 4] = [0, 20, INLINE_CAPACITY, 100 * KIB];

/// Runs `operation`, which dies at the `Step`: it gets no further, and nothing of the worker is dropped.
fn die_at(worker: Worker, step: Step, operation: impl FnOnce(&mut Worker, &mut dyn FnMut(Step))) {
  let mut worker = mem::ManuallyDrop::new(worker);
  let mut probe = |reached| {
    if reached == step {
      resume_unwind(Box::new("dead"));
    }
  };
  let died = catch_unwind(AssertUnwindSafe(|| operation(&mut worker, &mut probe)));
  assert!(died.is_err(), "{step:?} was never reached");
}

/// A lane near the end of the positions, with one call answered, so that no slot is fresh.
fn used_lane(payload: &[u8]) -> (Host, Worker) {
  let (mut host, mut worker, _) = lane_at(4, 1 << 20, u32::MAX - 1);
  host.push(&task(0), payload, b"").unwrap();
  let call = take(&mut worker).unwrap();
  worker.commit(&DONE, &call, payload, b"").unwrap();
  consume(&mut host).unwrap();
  (host, worker)
}

#[test]
fn a_call_that_was_not_claimed_comes_back_unchanged() {
  for len in SIZES {
    let payload = bytes(len as u64, len);
    let (mut host, worker) = used_lane(&payload);
    let positions = [1, 2, 3].map(|sequence| host.push(&task(sequence), &payload, b"").unwrap());
    die_at(worker, Step::BeforeClaim, |worker, probe| {
      worker.take_probed(|| 1, probe);
    });
    assert!(host.next_result().unwrap().is_none());
    assert_eq!(host.outstanding_positions().collect::<Vec<_>>(), positions);
    for (position, sequence) in positions.into_iter().zip(1..) {
      assert!(!host.is_claimed(position));
      let mut back = Vec::new();
      assert_eq!(host.reclaim(position, &mut back).map(|back| back.header), Some(task(sequence)));
      assert_eq!(back, payload);
    }
    assert_eq!((host.outstanding(), host.snapshot().arena_in_use), (0, 0));
  }
}

/// The first of three calls was claimed and not answered; the other two are safe.
fn first_is_lost(host: &mut Host, payload: &[u8]) {
  assert!(host.next_result().unwrap().is_none(), "half a result is none");
  let positions: Vec<_> = host.outstanding_positions().collect();
  assert_eq!(positions.len(), 3);
  assert!(host.is_claimed(positions[0]));
  assert_eq!(host.reclaim(positions[0], &mut Vec::new()), None);
  for (&position, sequence) in positions[1..].iter().zip(2..) {
    let mut back = Vec::new();
    assert_eq!(host.reclaim(position, &mut back).map(|back| back.header), Some(task(sequence)));
    assert_eq!(back, payload);
  }
}

fn push_three(host: &mut Host, payload: &[u8]) {
  for sequence in 1..=3 {
    host.push(&task(sequence), payload, b"").unwrap();
  }
}

#[test]
fn a_call_that_was_claimed_is_lost_and_the_next_are_not() {
  for len in SIZES {
    let payload = bytes(len as u64, len);
    let (mut host, worker) = used_lane(&payload);
    push_three(&mut host, &payload);
    die_at(worker, Step::AfterClaim, |worker, probe| {
      worker.take_probed(|| 1, probe);
    });
    first_is_lost(&mut host, &payload);
  }
}

#[test]
fn a_call_whose_payload_was_half_copied_is_lost() {
  for len in SIZES {
    let payload = bytes(len as u64, len);
    let (mut host, mut worker) = used_lane(&payload);
    push_three(&mut host, &payload);
    let call = take(&mut worker).unwrap();
    worker.copy_payload(&call, 0, &mut vec![0; len / 2]);
    mem::forget(worker);
    first_is_lost(&mut host, &payload);
  }
}

#[test]
fn a_result_that_was_not_committed_is_none() {
  for step in [Step::ResultReserved, Step::MidResult, Step::BeforeCommit] {
    for len in SIZES {
      let payload = bytes(len as u64, len);
      let (mut host, mut worker) = used_lane(&payload);
      push_three(&mut host, &payload);
      let call = take(&mut worker).unwrap();
      die_at(worker, step, |worker, probe| {
        worker.commit_probed(&DONE, &call, &payload, b"", probe).unwrap();
      });
      first_is_lost(&mut host, &payload);
    }
  }
}

#[test]
fn a_committed_result_is_delivered_though_nobody_rang() {
  for len in SIZES {
    let payload = bytes(len as u64, len);
    let (mut host, mut worker) = used_lane(&payload);
    push_three(&mut host, &payload);
    assert!(!host.arm());
    let call = take(&mut worker).unwrap();
    worker.commit(&DONE, &call, &payload, b"").unwrap();
    mem::forget(worker);
    let (result, back) = consume(&mut host).unwrap();
    assert_eq!((result.position, back), (call.position, payload));
    let rest: Vec<_> = host.outstanding_positions().collect();
    assert_eq!(rest.len(), 2);
    assert!(rest.iter().all(|&position| !host.is_claimed(position)));
  }
}

#[test]
fn results_that_were_committed_before_a_death_are_all_delivered() {
  let (mut host, mut worker) = used_lane(b"");
  push_three(&mut host, b"payload");
  for _ in 0..2 {
    let call = take(&mut worker).unwrap();
    let payload = call_payload(&worker, &call);
    worker.commit(&DONE, &call, &payload, b"").unwrap();
  }
  let call = take(&mut worker).unwrap();
  die_at(worker, Step::BeforeCommit, |worker, probe| {
    worker.commit_probed(&DONE, &call, b"lost", b"", probe).unwrap();
  });
  for _ in 0..2 {
    let Ok(Some(Arrival::Result(result))) = host.next_result() else { panic!("lost a committed result") };
    assert_eq!(result_payload(&host, &result), b"payload");
    host.consume(&result);
  }
  assert!(host.next_result().unwrap().is_none());
  assert_eq!(host.outstanding_positions().collect::<Vec<_>>(), [call.position]);
  assert!(host.is_claimed(call.position));
}

#[test]
fn a_death_while_a_definition_is_read_loses_no_call() {
  let (mut host, mut worker) = used_lane(b"");
  host.push(&define(1), &bytes(1, 1000), b"").unwrap();
  let position = host.push(&task(1), b"payload", b"").unwrap();
  let Taken::Call(_) = worker.take(|| 1) else { panic!("no definition") };
  mem::forget(worker);
  assert_eq!(host.outstanding_positions().collect::<Vec<_>>(), [position]);
  let mut back = Vec::new();
  assert_eq!(host.reclaim(position, &mut back).map(|back| back.header), Some(task(1)));
  assert_eq!(back, b"payload");
}

#[test]
fn a_watched_commit_writes_what_an_unwatched_one_writes() {
  for len in [0, 1, 7, INLINE_CAPACITY, 1000, 100 * KIB] {
    for cut in [0, len / 4, len / 2, len] {
      let payload = bytes(len as u64, len);
      let (mut host, mut worker) = used_lane(b"");
      host.push(&task(1), b"", b"").unwrap();
      let mut steps = Vec::new();
      let Taken::Call(call) = worker.take_probed(|| 1, |step| steps.push(step)) else { panic!("no call") };
      worker.commit_probed(&DONE, &call, &payload[..cut], &payload[cut..], |step| steps.push(step)).unwrap();
      assert_eq!(consume(&mut host).unwrap().1, payload);
      let all = [Step::BeforeClaim, Step::AfterClaim, Step::ResultReserved, Step::MidResult, Step::BeforeCommit];
      assert_eq!(steps, all);
    }
  }
}
