//! The sleep handshake: no side sleeps while there is something for it to do.

use loom::sync::Arc;
use loom::thread;

use super::{Doorbell, HostEnd, START, Shared, WorkerEnd, explore, explore_without};
use crate::bell::{Bell, ROOM, Reasons, WORK};
use crate::record::CallKind;
use crate::result_slot::RESULT;
use crate::sync::{AtomicU32, Half, Ordering, SyncPoint};

/// The sleeper's loop: arm, look once more, sleep.
fn sleep_unless(bell: &Bell, reasons: Reasons, doorbell: &Doorbell, found: impl FnOnce() -> bool) {
  bell.arm(reasons);
  if found() {
    bell.disarm();
  } else {
    doorbell.wait();
  }
}

/// The host pushes two calls to a worker that sleeps when it finds none.
fn host_wakes_worker() {
  let shared = Shared::new();
  let doorbell = Doorbell::new();
  let mut host = HostEnd::new(&shared);
  let mut worker = WorkerEnd::new(&shared);
  let working = {
    let doorbell = Arc::clone(&doorbell);
    thread::spawn(move || {
      let mut taken = 0;
      while taken < 2 {
        match worker.try_take() {
          Some(_) => taken += 1,
          None => sleep_unless(&worker.shared.bell, WORK, &doorbell, || worker.calls.has_work(&worker.shared.calls)),
        }
      }
    })
  };
  for value in 0..2 {
    host.push(CallKind::Task, value);
    if shared.bell.must_ring(WORK) {
      doorbell.ring();
    }
  }
  doorbell.close();
  working.join().unwrap();
}

/// The worker commits two results to a host that sleeps when it finds none.
fn worker_wakes_host() {
  let shared = Shared::new();
  let doorbell = Doorbell::new();
  let mut host = HostEnd::new(&shared);
  let mut worker = WorkerEnd::new(&shared);
  for value in 0..2 {
    host.push(CallKind::Task, value);
  }
  let working = {
    let doorbell = Arc::clone(&doorbell);
    thread::spawn(move || {
      for _ in 0..2 {
        let position = worker.take();
        worker.commit(position, 0);
        if worker.shared.bell.must_ring(WORK) {
          doorbell.ring();
        }
      }
      doorbell.close();
    })
  };
  let mut consumed = 0;
  while consumed < 2 {
    match host.try_consume() {
      Some(_) => consumed += 1,
      None => sleep_unless(&shared.bell, WORK, &doorbell, || host.has_result()),
    }
  }
  working.join().unwrap();
}

/// The worker may have one result unconsumed and wants to commit two; consuming the first makes room.
fn consuming_makes_room() {
  let shared = Shared::new();
  let doorbell = Doorbell::new();
  let mut host = HostEnd::new(&shared);
  let mut worker = WorkerEnd::new(&shared);
  for value in 0..2 {
    host.push(CallKind::Task, value);
  }
  let working = {
    let doorbell = Arc::clone(&doorbell);
    thread::spawn(move || {
      for _ in 0..2 {
        let position = worker.take();
        while !worker.try_send(RESULT, position, 0, 1) {
          let refused_at = worker.results.consumed();
          let moved = || worker.shared.consumed.load(Ordering::Relaxed) != refused_at;
          sleep_unless(&worker.shared.bell, ROOM, &doorbell, moved);
        }
      }
    })
  };
  host.consume();
  if shared.bell.must_ring(ROOM) {
    doorbell.ring();
  }
  // The worker must be able to commit its second result now.
  doorbell.close();
  host.consume();
  working.join().unwrap();
}

/// The host has no free slot, and sleeps until the worker has skipped one that was taken back.
fn skipping_makes_room() {
  let shared = Shared::new();
  let doorbell = Doorbell::new();
  let mut host = HostEnd::new(&shared);
  let mut worker = WorkerEnd::new(&shared);
  for value in 0..2 {
    let position = host.push(CallKind::Task, value);
    assert!(host.calls.revoke(&shared.calls, position));
    host.calls.let_go(position);
  }
  let working = {
    let doorbell = Arc::clone(&doorbell);
    thread::spawn(move || {
      // Nothing is there to be taken, unless the host has already used the first slot again.
      worker.try_take();
      assert!(worker.calls.released);
      if worker.shared.bell.must_ring(WORK) {
        doorbell.ring();
      }
      doorbell.close();
    })
  };
  while host.try_push(CallKind::Task, 3).is_none() {
    sleep_unless(&shared.bell, WORK, &doorbell, || host.calls.oldest_was_released(&shared.calls));
  }
  assert_eq!(host.calls.next(), START.wrapping_add(3));
  working.join().unwrap();
}

/// A sleeper that waits for work, finds it by itself, and then waits for room: a writer that has seen it wait for work
/// may take away its waiting for room.
fn rearm(must_ring: impl Fn(&Bell, Reasons) -> bool + Send + Sync + Copy + 'static) {
  let bell = Arc::new(Bell::new());
  let doorbell = Doorbell::new();
  let published = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
  let writing = {
    let (bell, doorbell, published) = (Arc::clone(&bell), Arc::clone(&doorbell), Arc::clone(&published));
    thread::spawn(move || {
      for (word, reasons) in published.iter().zip([WORK, ROOM]) {
        word.store(1, Ordering::Release);
        if must_ring(&bell, reasons) {
          doorbell.ring();
        }
      }
      doorbell.close();
    })
  };
  for (word, reasons) in published.iter().zip([WORK, ROOM]) {
    while word.load(Ordering::Acquire) == 0 {
      sleep_unless(&bell, reasons, &doorbell, || word.load(Ordering::Relaxed) == 1);
    }
  }
  writing.join().unwrap();
}

#[test]
fn a_push_wakes_a_sleeping_worker() {
  explore(4, host_wakes_worker);
}

#[test]
fn a_commit_wakes_a_sleeping_host() {
  explore(4, worker_wakes_host);
}

#[test]
fn consuming_a_result_wakes_a_worker_that_waits_for_room() {
  explore(4, consuming_makes_room);
}

#[test]
fn skipping_a_slot_wakes_a_host_that_waits_for_room() {
  explore(4, skipping_makes_room);
}

#[test]
fn a_sleeper_that_waits_for_something_else_by_now_is_woken() {
  explore(4, || rearm(Bell::must_ring));
}

#[test]
#[should_panic(expected = "a wake-up was lost")]
fn a_ring_only_for_the_reason_that_was_looked_for_is_lost_on_another() {
  explore(4, || {
    rearm(|bell, reasons| {
      SyncPoint::Sleep.fence(Half::Release);
      bell.awaited() & reasons != 0 && bell.silenced() & reasons != 0
    })
  });
}

#[test]
#[should_panic(expected = "a wake-up was lost")]
fn a_push_without_its_fence_leaves_the_worker_asleep() {
  explore_without(SyncPoint::Sleep, Half::Release, 3, host_wakes_worker);
}

#[test]
#[should_panic(expected = "a wake-up was lost")]
fn a_worker_without_its_fence_sleeps_on_a_call() {
  explore_without(SyncPoint::Sleep, Half::Acquire, 3, host_wakes_worker);
}

#[test]
#[should_panic(expected = "a wake-up was lost")]
fn a_commit_without_its_fence_leaves_the_host_asleep() {
  explore_without(SyncPoint::Sleep, Half::Release, 3, worker_wakes_host);
}

#[test]
#[should_panic(expected = "a wake-up was lost")]
fn a_host_without_its_fence_sleeps_on_a_result() {
  explore_without(SyncPoint::Sleep, Half::Acquire, 3, worker_wakes_host);
}

#[test]
#[should_panic(expected = "a wake-up was lost")]
fn consuming_without_a_fence_leaves_the_worker_waiting_for_room() {
  explore_without(SyncPoint::Sleep, Half::Release, 3, consuming_makes_room);
}

#[test]
#[should_panic(expected = "a wake-up was lost")]
fn a_worker_without_its_fence_waits_for_room_that_is_there() {
  explore_without(SyncPoint::Sleep, Half::Acquire, 3, consuming_makes_room);
}

#[test]
#[should_panic(expected = "a wake-up was lost")]
fn skipping_without_a_fence_leaves_the_host_waiting_for_room() {
  explore_without(SyncPoint::Sleep, Half::Release, 3, skipping_makes_room);
}
