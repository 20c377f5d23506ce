//! Requests, phases and dumps: everything between host and worker apart from calls and results.

use super::{DONE, bytes, consume, lane, lane_at, take, task};
use crate::{SlotState, StateRun, Taken, WorkerPhase};

const ARENA: usize = 256 * super::KIB;

#[test]
fn a_worker_that_is_asked_to_stop_runs_what_is_queued_first() {
  let (mut host, mut worker) = lane(4, ARENA);
  assert!(matches!(worker.take(|| 1), Taken::Empty));
  host.push(&task(1), b"", b"").unwrap();
  host.request_stop();
  assert!(matches!(worker.take(|| 1), Taken::Call(_)));
  assert!(matches!(worker.take(|| 1), Taken::Stop));
  assert!(matches!(worker.take(|| 1), Taken::Stop));
}

#[test]
fn a_request_to_abort_is_seen_by_the_call_that_it_is_meant_for() {
  let (mut host, mut worker) = lane(2, ARENA);
  for round in 0..3 {
    let aborted = host.push(&task(1), b"", b"").unwrap();
    let other = host.push(&task(2), b"", b"").unwrap();
    let first = take(&mut worker).unwrap();
    let second = take(&mut worker).unwrap();
    assert!(!worker.abort_requested(aborted) && !worker.abort_requested(other), "round {round}");
    host.request_abort(aborted);
    assert!(worker.abort_requested(aborted) && !worker.abort_requested(other));
    for call in [first, second] {
      worker.commit(&DONE, &call, b"", b"").unwrap();
      consume(&mut host).unwrap();
    }
  }
}

#[test]
fn a_worker_sees_that_its_host_announces_signals() {
  let (host, worker) = lane(2, ARENA);
  let word = worker.signals_word();
  // SAFETY: a word of the lane, which lives; this thread alone uses it.
  assert_eq!(unsafe { word.read_volatile() }, 0);
  host.announce_signals();
  // SAFETY: as above.
  assert_eq!(unsafe { word.read_volatile() }, 1);
}

#[test]
fn a_request_to_abort_is_forgotten_when_the_positions_have_wrapped() {
  let (host, _) = lane(2, ARENA);
  let slot = &host.view.calls()[0];
  slot.request_abort(0);
  assert!(slot.abort_requested(0));
  let head = crate::call_slot::CallHead::new(&task(1), 0, crate::place::Placement::INLINE);
  // SAFETY: the slot is vacant.
  unsafe { slot.publish(0, head, crate::frame::Parts { head: &[], tail: &[] }) };
  assert!(!slot.abort_requested(0));
}

#[test]
fn the_worker_tells_how_far_it_has_come() {
  let (host, worker) = lane(2, ARENA);
  assert_eq!(host.phase(), Some(WorkerPhase::Starting));
  for phase in [WorkerPhase::Ready, WorkerPhase::Retiring, WorkerPhase::Leaving, WorkerPhase::OutOfMemory] {
    worker.set_phase(phase);
    assert_eq!(host.phase(), Some(phase));
  }
}

#[test]
fn a_snapshot_shows_what_is_in_the_ring() {
  let (mut host, mut worker, _) = lane_at(8, ARENA, u32::MAX - 1);
  for sequence in 0..5 {
    host.push(&task(sequence), &bytes(0, 1000), b"").unwrap();
  }
  let call = take(&mut worker).unwrap();
  take(&mut worker).unwrap();
  assert!(host.revoke(1));
  worker.commit(&DONE, &call, b"", b"").unwrap();
  worker.set_phase(WorkerPhase::Ready);
  let snapshot = host.snapshot();
  assert_eq!(
    snapshot.calls,
    [
      StateRun { from: u32::MAX - 1, count: 2, state: SlotState::Claimed },
      StateRun { from: 0, count: 1, state: SlotState::Queued },
      StateRun { from: 1, count: 1, state: SlotState::Skipping },
      StateRun { from: 2, count: 1, state: SlotState::Queued },
    ]
  );
  assert_eq!((snapshot.oldest_call, snapshot.next_call, snapshot.outstanding), (u32::MAX - 1, 3, 5));
  assert!(snapshot.has_result && !snapshot.host_sleeps && !snapshot.worker_sleeps && !snapshot.stop_requested);
  assert_eq!((snapshot.phase, snapshot.arena_in_use), (Some(WorkerPhase::Ready), 5 * 1024));
  assert_eq!(snapshot.identity, super::IDENTITY);
}
