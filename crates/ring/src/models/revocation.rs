//! Claim against revoke: exactly one wins, and the loser keeps its hands off.

use loom::sync::Arc;
use loom::thread;

use super::{HostEnd, Shared, WorkerEnd, explore, explore_without};
use crate::call_slot::CallSlot;
use crate::frame::Parts;
use crate::record::CallKind;
use crate::sync::{AtomicU32, Half, Ordering, SyncPoint};

/// The worker looks for a call while the host takes it back. `claim` is how the worker claims.
fn race(claim: impl Fn(&CallSlot) -> bool + Send + Sync + Copy + 'static) {
  let shared = Shared::new();
  let mut host = HostEnd::new(&shared);
  let worker = WorkerEnd::new(&shared);
  let position = host.push(CallKind::Task, 7);
  let racing = thread::spawn(move || {
    let claimed = claim(worker.calls.slot(&worker.shared.calls, position));
    claimed.then(|| worker.read(position))
  });
  let revoked = host.calls.revoke(&host.shared.calls, position);
  let ran = racing.join().unwrap();
  assert_eq!(ran.is_some(), !revoked, "both won, or nobody");
  assert_eq!(host.calls.is_claimed(&host.shared.calls, position), !revoked);
}

/// A claim that looks and then stores, as it must not be.
fn claim_in_two_steps(slot: &CallSlot) -> bool {
  let queued = slot.is_queued();
  if queued {
    slot.claim_blindly();
  }
  queued
}

/// The host takes a call back, copies its payload, and uses the slot again one lap later, while the worker passes by.
fn take_back_and_reuse() {
  let shared = Shared::new();
  let mut host = HostEnd::new(&shared);
  let mut worker = WorkerEnd::new(&shared);
  let first = host.push(CallKind::Task, 1);
  let second = host.push(CallKind::Task, 2);
  let serving = thread::spawn(move || {
    let mut seen = Vec::new();
    loop {
      let position = worker.take();
      let value = worker.read(position);
      seen.push(value);
      worker.commit(position, value);
      if value == 3 {
        return seen;
      }
    }
  });
  let revoked = host.calls.revoke(&host.shared.calls, first);
  if revoked {
    let mut payload = [0; 8];
    let slot = &host.shared.calls[(first % super::SLOTS) as usize];
    // SAFETY: a revoked slot is the host's to read.
    unsafe { slot.frame().read_inline(0, &mut payload) };
    assert_eq!(u64::from_le_bytes(payload), 1, "not what was pushed");
    host.calls.let_go(first);
  } else {
    assert_eq!(host.consume(), (first, 1));
  }
  // Into the slot of the first, once that was skipped or answered.
  let third = host.push(CallKind::Task, 3);
  assert_eq!(third % super::SLOTS, first % super::SLOTS);
  assert_eq!(host.consume(), (second, 2));
  assert_eq!(host.consume(), (third, 3));
  let expected: &[u64] = if revoked { &[2, 3] } else { &[1, 2, 3] };
  assert_eq!(serving.join().unwrap(), expected);
}

/// Whoever sees that a call is claimed sees what the worker wrote before its claim.
fn claim_time() {
  let shared = Shared::new();
  let mut host = HostEnd::new(&shared);
  let worker = WorkerEnd::new(&shared);
  let claimed_at = Arc::new(AtomicU32::new(0));
  let position = host.push(CallKind::Task, 7);
  let claiming = {
    let claimed_at = Arc::clone(&claimed_at);
    thread::spawn(move || {
      let slots = &worker.shared.calls;
      let mut calls = worker.calls;
      calls.take(slots, |_| claimed_at.store(42, Ordering::Relaxed))
    })
  };
  if host.calls.is_claimed(&host.shared.calls, position) {
    assert_eq!(claimed_at.load(Ordering::Relaxed), 42, "claimed at no time");
  }
  claiming.join().unwrap();
}

#[test]
fn either_the_claim_or_the_revocation_wins() {
  explore(5, || race(CallSlot::claim));
}

#[test]
fn a_call_that_was_taken_back_is_whole_and_its_slot_is_used_again() {
  explore(4, take_back_and_reuse);
}

#[test]
fn who_sees_a_claim_sees_its_time() {
  explore(5, claim_time);
}

#[test]
#[should_panic(expected = "both won, or nobody")]
fn a_claim_in_two_steps_runs_a_call_that_was_taken_back() {
  explore(5, || race(claim_in_two_steps));
}

#[test]
#[should_panic(expected = "claimed at no time")]
fn a_claim_that_is_not_released_hides_its_time() {
  explore_without(SyncPoint::CallClaimed, Half::Release, 3, claim_time);
}

#[test]
#[should_panic(expected = "claimed at no time")]
fn a_claim_that_is_not_acquired_hides_its_time() {
  explore_without(SyncPoint::CallClaimed, Half::Acquire, 3, claim_time);
}

#[test]
fn a_slot_is_written_only_once_it_is_vacant() {
  explore(4, || {
    let shared = Shared::new();
    let mut host = HostEnd::new(&shared);
    let mut worker = WorkerEnd::new(&shared);
    let position = host.push(CallKind::Define, 5);
    let reading = thread::spawn(move || {
      let position = worker.take();
      let value = worker.read(position);
      worker.calls.release(&worker.shared.calls, position);
      value
    });
    let slot = &shared.calls[(position % super::SLOTS) as usize];
    if slot.is_free() {
      // SAFETY: the slot was released, and the payload is short.
      unsafe { slot.frame().write_inline(0, Parts { head: &[9; 8], tail: &[] }) };
    }
    assert_eq!(reading.join().unwrap(), 5);
  });
}
