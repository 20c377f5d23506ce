//! Tests of `cancel`, which returns true exactly for calls that never run.

use std::collections::HashSet;

use millrace_pool::{Geometry, PoolConfig};

use crate::support::{Outcome, Pool, Random, config, eventually};

#[test]
fn a_pending_call_and_one_in_a_lane_can_be_cancelled_and_never_run() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let pending = pool.submit("echo");
  assert!(pool.cancel(pending), "no worker has booted yet");
  let running = pool.submit("gate one");
  pool.until_running(running);
  assert!(!pool.cancel(running), "it runs");
  // The first of these is in the lane behind the running call, the others are not.
  let waiting: Vec<u64> = (0..5).map(|_| pool.submit("echo")).collect();
  let kept = pool.submit("echo");
  for key in waiting {
    assert!(pool.cancel(key));
  }
  pool.open("one");
  pool.answer(running);
  pool.answer(kept);
  assert_eq!(pool.ran_keys(), [running, kept]);
  pool.close();
}

#[test]
fn a_call_that_is_over_cannot_be_cancelled() {
  let mut pool = Pool::new(config());
  let key = pool.submit("echo");
  let id = pool.id(key);
  pool.answer(key);
  assert!(!pool.manager.cancel(id));
  assert!(!pool.manager.cancel(id + 1000));
  pool.close();
}

#[test]
fn a_call_with_a_result_that_nobody_has_read_cannot_be_cancelled() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let first = pool.submit("echo");
  pool.answer(first);
  let keys: Vec<u64> = (0..2).map(|_| pool.submit("echo")).collect();
  eventually("all have started", || pool.ran().len() == 3);
  for &key in &keys {
    assert!(!pool.cancel(key));
  }
  for key in keys {
    pool.answer(key);
  }
  pool.close();
}

#[test]
fn all_that_waits_is_cancelled_at_once() {
  let mut pool = Pool::new(config());
  let running = [pool.submit("gate one"), pool.submit("gate one")];
  running.into_iter().for_each(|key| pool.until_running(key));
  let waiting: Vec<u64> = (0..100).map(|_| pool.submit("echo")).collect();
  assert_eq!(pool.cancel_waiting(), waiting);
  assert_eq!(pool.unfinished(), running);
  assert_eq!(pool.manager.queued(), 0);
  pool.open("one");
  running.into_iter().for_each(|key| drop(pool.answer(key)));
  let late = pool.submit("echo");
  pool.answer(late);
  assert_eq!(pool.ran().len(), 3);
  pool.close();
}

/// Cancels at the moment at which a worker is about to claim.
fn race(geometry: Geometry, seed: u64) {
  let mut pool = Pool::new(PoolConfig { geometry, ..config() });
  let mut random = Random::new(seed);
  for _ in 0..300 {
    let keys: Vec<u64> = (0..1 + random.below(12)).map(|_| pool.submit("echo")).collect();
    for _ in 0..random.below(2000) {
      std::hint::spin_loop();
    }
    for key in keys {
      if random.one_in(2) {
        pool.cancel(key);
      }
    }
    if random.one_in(3) {
      let most = random.below(10);
      pool.until("most are answered", |pool| pool.unfinished().len() <= most);
    }
  }
  pool.until("all are answered", |pool| pool.unfinished().is_empty());
  let ran: HashSet<u64> = pool.ran_keys().into_iter().collect();
  assert_eq!(ran.len(), pool.ran().len(), "a call ran twice");
  let last = pool.submit("echo");
  pool.answer(last);
  for key in 0..last {
    match pool.known(key) {
      Some(Outcome::Answer { .. }) => assert!(ran.contains(&key)),
      Some(Outcome::Cancelled) => assert!(!ran.contains(&key), "call {key} was cancelled and ran"),
      other => panic!("call {key}: {other:?}"),
    }
  }
  pool.close();
}

#[test]
fn exactly_the_calls_whose_cancel_was_refused_run() {
  race(config().geometry, 1);
}

#[test]
fn exactly_the_calls_whose_cancel_was_refused_run_through_lanes_of_two_slots() {
  race(Geometry::new(2, 64 << 10).unwrap(), 2);
}
