//! Tests of calls that may be repeated: after a death, and after a time limit, one attempt after the other.

use std::time::Duration;

use millrace_pool::{CallFailure, DeathPolicy, ExitReason, PoolConfig, PoolState};

use crate::support::{Outcome, Pool, Random, config, send_signal};

/// A payload that fits its slot, and one that does not.
const SIZES: [usize; 2] = [20, 100_000];

fn starts(pool: &Pool, key: u64) -> usize {
  pool.ran_keys().iter().filter(|&&ran| ran == key).count()
}

#[test]
fn a_call_whose_worker_dies_is_repeated_with_the_same_arguments() {
  for size in SIZES {
    let mut pool = Pool::new(config());
    let data: Vec<u8> = (0..size).map(|at| at as u8).collect();
    let key = pool.submit_repeated("until 3 die 9", &data, None, 2);
    assert_eq!(pool.answer(key), data);
    assert_eq!(starts(&pool, key), 3);
    assert_eq!(pool.exit_reasons(), [ExitReason::Died, ExitReason::Died]);
    pool.close();
  }
}

#[test]
fn the_last_death_is_the_outcome() {
  let mut pool = Pool::new(config());
  let key = pool.submit_repeated("die 9", &[], None, 2);
  let outcome = pool.outcome(key);
  let Outcome::Failed(CallFailure::WorkerDied { pid, .. }) = outcome else { panic!("{outcome:?}") };
  assert_eq!(starts(&pool, key), 3);
  assert_eq!(pool.ran().last().unwrap().pid, pid);
  pool.close();
}

#[test]
fn an_answer_is_an_answer_whatever_it_says() {
  let mut pool = Pool::new(config());
  for order in ["fail", "exit 3", "last-words 9"] {
    let key = pool.submit_repeated(order, b"data", None, 5);
    assert!(matches!(pool.outcome(key), Outcome::Answer { .. }), "{order}");
    assert_eq!(starts(&pool, key), 1);
  }
  pool.close();
}

#[test]
fn a_call_that_runs_too_long_is_repeated_when_its_worker_is_gone() {
  for on_death in [DeathPolicy::Break, DeathPolicy::Isolate] {
    let mut pool = Pool::new(PoolConfig { on_death, ..config() });
    let key = pool.submit_repeated("until 3 gate never", b"data", Some((60, 0)), 2);
    assert_eq!(pool.answer(key), b"data");
    let ran = pool.ran();
    assert_eq!(pool.exits(), [(ran[0].pid, ExitReason::Killed), (ran[1].pid, ExitReason::Killed)]);
    pool.close();
  }
}

#[test]
fn a_call_that_ends_within_its_grace_is_repeated_by_the_same_worker() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let key = pool.submit_repeated("until 2 patient 600000", b"data", Some((60, 600_000)), 1);
  assert_eq!(pool.answer(key), b"data");
  assert_eq!(starts(&pool, key), 2);
  assert_eq!(pool.exits(), []);
  pool.close();
}

#[test]
fn attempts_do_not_overlap() {
  let mut pool = Pool::new(PoolConfig { max_workers: 2, ..config() });
  let key = pool.submit_repeated("until 2 gate one", b"data", Some((60, 600_000)), 1);
  pool.until_running(key);
  // The second worker is free, and the first one is in its grace.
  let other = pool.submit("pid");
  pool.answer(other);
  pool.go_on_for(Duration::from_millis(200));
  assert_eq!(starts(&pool, key), 1);
  assert!(pool.is_running(key));
  pool.open("one");
  assert_eq!(pool.answer(key), b"data");
  assert_eq!(starts(&pool, key), 2);
  pool.close();
}

#[test]
fn a_call_that_ran_out_of_time_and_attempts_fails_at_once() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let key = pool.submit_repeated("gate never", &[], Some((60, 600_000)), 0);
  assert!(matches!(pool.outcome(key), Outcome::Failed(CallFailure::TimedOut { .. })));
  assert_eq!(pool.exits(), []);
  pool.open("never");
  pool.close();
}

#[test]
fn a_call_between_two_attempts_can_be_stopped() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let key = pool.submit_repeated("gate never", &[], Some((60, 600_000)), 5);
  pool.until_running(key);
  pool.go_on_for(Duration::from_millis(150));
  assert!(!pool.cancel(key), "an attempt runs");
  assert!(pool.stop_call(key, Duration::ZERO));
  pool.until("the worker is gone", |pool| !pool.exits().is_empty());
  let late = pool.submit("echo");
  pool.answer(late);
  assert_eq!(starts(&pool, key), 1);
  pool.close();
}

#[test]
fn a_call_between_two_attempts_ends_with_the_pool() {
  for hard in [true, false] {
    let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
    let key = pool.submit_repeated("gate one", &[], Some((60, 600_000)), 5);
    pool.until_running(key);
    pool.go_on_for(Duration::from_millis(150));
    // Its attempt may have ended by now, of which the pool has not heard.
    pool.open("one");
    if hard {
      std::thread::sleep(Duration::from_millis(100));
    }
    pool.manager.terminate_all(hard);
    assert!(matches!(pool.outcome(key), Outcome::Failed(CallFailure::Terminated { .. })));
    pool.until_stopped();
    assert_eq!(starts(&pool, key), 1);
  }
}

#[test]
fn a_pool_that_closes_makes_all_attempts() {
  let mut pool = Pool::new(config());
  let keys: Vec<u64> = (0..4).map(|_| pool.submit_repeated("until 3 die 9", b"data", None, 2)).collect();
  pool.manager.shut_down();
  for key in keys {
    assert_eq!(pool.answer(key), b"data");
  }
  pool.until_stopped();
}

#[test]
fn a_pool_that_breaks_repeats_nothing() {
  let mut pool = Pool::new(PoolConfig { on_death: DeathPolicy::Break, ..config() });
  let key = pool.submit_repeated("die 9", &[], None, 5);
  assert_eq!(pool.outcome(key), Outcome::Broken);
  assert_eq!(starts(&pool, key), 1);
  assert_eq!(pool.manager.state(), PoolState::Broken);
  pool.until_stopped();
}

#[test]
fn calls_that_wait_go_before_a_call_that_is_repeated() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let poison = pool.submit_repeated("until 2 die 9 fuse", b"data", None, 1);
  pool.until_running(poison);
  let waiting: Vec<u64> = (0..20).map(|_| pool.submit("echo")).collect();
  pool.open("fuse");
  assert_eq!(pool.answer(poison), b"data");
  let order: Vec<u64> = [poison].into_iter().chain(waiting).chain([poison]).collect();
  assert_eq!(pool.ran_keys(), order);
  pool.close();
}

#[test]
fn under_random_kills_each_call_starts_as_often_as_it_may_and_is_answered_once() {
  const RETRIES: u32 = 3;
  let mut random = Random::new(7);
  let mut pool = Pool::new(PoolConfig { max_workers: 3, ..config() });
  let keys: Vec<u64> = (0..300).map(|_| pool.submit_repeated("sleep 3", &[], Some((30_000, 0)), RETRIES)).collect();
  while !pool.unfinished().is_empty() {
    let workers: Vec<u32> = pool.manager.worker_stats().iter().map(|worker| worker.pid).collect();
    if !workers.is_empty() {
      send_signal(random.pick(&workers), libc::SIGKILL);
    }
    pool.go_on_for(Duration::from_millis(40));
  }
  for key in keys {
    let count = starts(&pool, key);
    let allowed = RETRIES as usize + 1;
    match pool.outcome(key) {
      Outcome::Answer { .. } => assert!((1..=allowed).contains(&count), "{count} starts"),
      Outcome::Failed(CallFailure::WorkerDied { .. }) => assert_eq!(count, allowed),
      other => panic!("{other:?}"),
    }
  }
  pool.close();
}

#[test]
fn the_owner_of_a_call_that_it_repeats_hears_of_a_time_out_when_the_attempt_is_over() {
  // Within its grace the call is answered, and the worker goes on.
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let key = pool.submit_attempt("gate one", b"data", 60, 600_000);
  pool.until_running(key);
  pool.go_on_for(Duration::from_millis(200));
  assert!(pool.is_running(key));
  pool.open("one");
  assert!(matches!(pool.outcome(key), Outcome::Failed(CallFailure::TimedOut { .. })));
  assert_eq!(pool.exits(), []);
  // Beyond its grace the worker ends first.
  let key = pool.submit_attempt("gate never", b"data", 60, 0);
  assert!(matches!(pool.outcome(key), Outcome::Failed(CallFailure::TimedOut { .. })));
  assert_eq!(pool.exit_reasons(), [ExitReason::Killed]);
  pool.close();
}

#[test]
fn a_call_that_its_owner_repeats_can_be_stopped_in_its_grace() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let key = pool.submit_attempt("gate never", &[], 60, 600_000);
  pool.until_running(key);
  pool.go_on_for(Duration::from_millis(150));
  assert!(pool.stop_call(key, Duration::ZERO));
  pool.until("the worker is gone", |pool| !pool.exits().is_empty());
  let late = pool.submit("echo");
  pool.answer(late);
  pool.close();
}
