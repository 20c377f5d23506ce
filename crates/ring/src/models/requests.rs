//! The host's requests to its worker, apart from calls.

use loom::sync::Arc;
use loom::thread;

use super::{HostEnd, Shared, WorkerEnd, explore, explore_without};
use crate::call_consumer::Next;
use crate::record::CallKind;
use crate::sync::{AtomicU32, Half, Ordering, SyncPoint};

/// The host pushes its last call and asks the worker to leave; the worker leaves when it finds nothing.
fn stop() {
  let shared = Shared::new();
  let stop = Arc::new(AtomicU32::new(0));
  let mut host = HostEnd::new(&shared);
  let mut worker = WorkerEnd::new(&shared);
  let working = {
    let stop = Arc::clone(&stop);
    thread::spawn(move || {
      let mut taken = 0;
      loop {
        match worker.calls.next(&worker.shared.calls, &stop, |_| ()) {
          Next::Call(_) => taken += 1,
          Next::Nothing => thread::yield_now(),
          Next::Stop => return taken,
        }
      }
    })
  };
  host.push(CallKind::Task, 1);
  stop.store(1, SyncPoint::StopRequested.release());
  assert_eq!(working.join().unwrap(), 1, "left a call behind");
}

/// The host asks for the running call to be aborted.
fn abort() {
  let shared = Shared::new();
  let aborts = Arc::new(AtomicU32::new(0));
  let mut host = HostEnd::new(&shared);
  let mut worker = WorkerEnd::new(&shared);
  let position = host.push(CallKind::Task, 1);
  let working = {
    let aborts = Arc::clone(&aborts);
    thread::spawn(move || {
      assert_eq!(worker.try_take(), Some(position));
      if aborts.load(SyncPoint::AbortRequested.acquire()) == 1 {
        let slot = worker.calls.slot(&worker.shared.calls, position);
        assert!(slot.abort_requested(position), "counted, but not to be seen");
        assert!(!slot.abort_requested(position.wrapping_add(super::SLOTS)), "meant for another call");
      }
    })
  };
  assert!(host.calls.request_abort(&shared.calls, position));
  aborts.store(1, SyncPoint::AbortRequested.release());
  working.join().unwrap();
}

/// The worker tells of a new phase, after it has done something that the host relies on then.
fn phase() {
  let words = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
  let working = {
    let words = Arc::clone(&words);
    thread::spawn(move || {
      words[0].store(1, Ordering::Relaxed);
      words[1].store(2, SyncPoint::PhaseChanged.release());
    })
  };
  if words[1].load(SyncPoint::PhaseChanged.acquire()) == 2 {
    assert_eq!(words[0].load(Ordering::Relaxed), 1, "a phase before its time");
  }
  working.join().unwrap();
}

#[test]
fn a_worker_that_is_asked_to_leave_leaves_no_call_behind() {
  explore(5, stop);
}

#[test]
fn a_request_to_abort_that_was_counted_is_to_be_seen() {
  explore(5, abort);
}

#[test]
fn a_phase_comes_after_what_led_to_it() {
  explore(5, phase);
}

#[test]
#[should_panic(expected = "left a call behind")]
fn a_request_to_leave_that_is_not_released_leaves_a_call_behind() {
  explore_without(SyncPoint::StopRequested, Half::Release, 3, stop);
}

#[test]
#[should_panic(expected = "left a call behind")]
fn a_request_to_leave_that_is_not_acquired_leaves_a_call_behind() {
  explore_without(SyncPoint::StopRequested, Half::Acquire, 3, stop);
}

#[test]
#[should_panic(expected = "counted, but not to be seen")]
fn a_request_to_abort_that_is_not_released_is_not_to_be_seen() {
  explore_without(SyncPoint::AbortRequested, Half::Release, 3, abort);
}

#[test]
#[should_panic(expected = "a phase before its time")]
fn a_phase_that_is_not_released_comes_before_what_led_to_it() {
  explore_without(SyncPoint::PhaseChanged, Half::Release, 3, phase);
}
