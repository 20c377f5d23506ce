//! Calls and results change hands whole, once, and in order; slots are used again.

use loom::thread;

use super::{HostEnd, SLOTS, START, Shared, WorkerEnd, explore, explore_without};
use crate::record::CallKind;
use crate::sync::{Half, SyncPoint};

/// The worker answers `calls` calls; the host pushes them as there is room, and checks each answer.
fn echo(calls: u64) {
  let shared = Shared::new();
  let mut host = HostEnd::new(&shared);
  let mut worker = WorkerEnd::new(&shared);
  let answering = thread::spawn(move || {
    for expected in 0..calls {
      let position = worker.take();
      let value = worker.read(position);
      assert_eq!(value, expected, "lost, twice, or out of order");
      worker.commit(position, value + 100);
    }
    assert_eq!(worker.try_take(), None);
  });
  let mut pushed = 0;
  for answered in 0..calls {
    while pushed < calls && host.try_push(CallKind::Task, pushed).is_some() {
      pushed += 1;
    }
    assert_eq!(host.consume(), (START.wrapping_add(answered as u32), answered + 100));
  }
  assert_eq!(host.calls.outstanding(), 0);
  assert!(!host.has_result());
  answering.join().unwrap();
}

/// A definition is read and released; the slot is pushed to again one lap later.
fn define_and_reuse() {
  let shared = Shared::new();
  let mut host = HostEnd::new(&shared);
  let mut worker = WorkerEnd::new(&shared);
  let reading = thread::spawn(move || {
    for expected in 0..u64::from(SLOTS) + 1 {
      let position = worker.take();
      assert_eq!(worker.read(position), expected);
      worker.calls.release(&worker.shared.calls, position);
    }
  });
  for value in 0..u64::from(SLOTS) + 1 {
    host.push(CallKind::Define, value);
  }
  reading.join().unwrap();
}

/// Reports that answer no call, so that nothing but the consumed cursor hands their entries back.
fn report(reports: u64) {
  let shared = Shared::new();
  let mut host = HostEnd::new(&shared);
  let mut worker = WorkerEnd::new(&shared);
  let reporting = thread::spawn(move || {
    for value in 0..reports {
      worker.notice(value);
    }
  });
  for value in 0..reports {
    assert_eq!(host.consume().1, value, "lost, twice, or out of order");
  }
  reporting.join().unwrap();
}

#[test]
fn calls_and_results_arrive_whole_and_once() {
  explore(4, || echo(2));
}

#[test]
fn slots_and_entries_are_used_again_after_a_lap() {
  explore(3, || echo(3));
}

#[test]
fn entries_are_used_again_once_they_are_consumed() {
  explore(3, || report(3));
}

#[test]
fn a_definition_gives_its_slot_back() {
  explore(3, define_and_reuse);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn a_call_that_is_not_released_is_read_while_it_is_written() {
  explore_without(SyncPoint::CallQueued, Half::Release, 2, || echo(1));
}

#[test]
#[should_panic(expected = "Causality violation")]
fn a_call_that_is_not_acquired_is_read_while_it_is_written() {
  explore_without(SyncPoint::CallQueued, Half::Acquire, 2, || echo(1));
}

#[test]
#[should_panic(expected = "Causality violation")]
fn a_result_that_is_not_released_is_read_while_it_is_written() {
  explore_without(SyncPoint::ResultCommitted, Half::Release, 2, || echo(1));
}

#[test]
#[should_panic(expected = "Causality violation")]
fn a_result_that_is_not_acquired_is_read_while_it_is_written() {
  explore_without(SyncPoint::ResultCommitted, Half::Acquire, 2, || echo(1));
}

#[test]
#[should_panic(expected = "Causality violation")]
fn an_entry_whose_consumption_is_not_released_is_overwritten_while_it_is_read() {
  explore_without(SyncPoint::ResultConsumed, Half::Release, 2, || report(3));
}

#[test]
#[should_panic(expected = "Causality violation")]
fn an_entry_whose_consumption_is_not_acquired_is_overwritten_while_it_is_read() {
  explore_without(SyncPoint::ResultConsumed, Half::Acquire, 2, || report(3));
}

#[test]
#[should_panic(expected = "Causality violation")]
fn a_definition_that_is_not_released_is_overwritten_while_it_is_read() {
  explore_without(SyncPoint::CallReleased, Half::Release, 2, define_and_reuse);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn a_definition_that_is_not_acquired_is_overwritten_while_it_is_read() {
  explore_without(SyncPoint::CallReleased, Half::Acquire, 2, define_and_reuse);
}
