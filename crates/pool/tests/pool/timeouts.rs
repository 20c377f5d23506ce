//! Tests of calls that run for longer than they may.

use std::time::{Duration, Instant};

use millrace_pool::{CallFailure, DeathPolicy, ExitReason, PoolConfig};

use crate::support::{Outcome, Pool, config};

fn timed_out(outcome: &Outcome) -> Option<u32> {
  if let Outcome::Failed(CallFailure::TimedOut { pid }) = outcome { Some(*pid) } else { None }
}

#[test]
fn a_call_that_runs_too_long_fails_and_its_worker_is_replaced() {
  for on_death in [DeathPolicy::Break, DeathPolicy::Isolate] {
    let mut pool = Pool::new(PoolConfig { on_death, max_workers: 1, ..config() });
    let start = Instant::now();
    let slow = pool.submit_limited("gate never", 100, 0);
    let behind: Vec<u64> = (0..5).map(|_| pool.submit("pid")).collect();
    let pid = timed_out(&pool.outcome(slow)).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(100));
    assert_eq!(pool.started(), [pid]);
    for key in behind {
      assert_ne!(pool.number(key), pid);
    }
    assert_eq!(pool.exits(), [(pid, ExitReason::Killed)]);
    assert_eq!(pool.ran().len(), 6);
    pool.close();
  }
}

#[test]
fn the_clock_starts_when_a_worker_claims_the_call() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let first = pool.submit("gate one");
  pool.until_running(first);
  // One waits in the lane, the others in the queue.
  let waiting: Vec<u64> = (0..4).map(|_| pool.submit_limited("sleep 5", 250, 0)).collect();
  pool.go_on_for(Duration::from_millis(600));
  pool.open("one");
  pool.answer(first);
  waiting.into_iter().for_each(|key| drop(pool.answer(key)));
  pool.close();
}

#[test]
fn the_time_in_which_a_worker_boots_does_not_count() {
  let mut pool = Pool::booting("slow 400", config());
  let key = pool.submit_limited("echo", 200, 0);
  pool.answer(key);
  pool.close();
}

#[test]
fn a_task_that_ends_within_its_grace_keeps_its_worker() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let slow = pool.submit_limited("patient 600000", 50, 600_000);
  let behind = pool.submit("pid");
  let pid = timed_out(&pool.outcome(slow)).unwrap();
  assert_eq!(pool.number(behind), pid);
  assert_eq!(pool.exits(), []);
  // And is as good as before.
  let keys: Vec<u64> = (0..100).map(|_| pool.submit("echo")).collect();
  keys.into_iter().for_each(|key| drop(pool.answer(key)));
  let slow = pool.submit_limited("patient 600000", 50, 600_000);
  assert_eq!(timed_out(&pool.outcome(slow)), Some(pid));
  let late = pool.submit("pid");
  assert_eq!(pool.number(late), pid);
  pool.close();
}

#[test]
fn a_task_that_ignores_its_grace_is_stopped_after_it() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let slow = pool.submit_limited("gate never", 50, 200);
  let pid = timed_out(&pool.outcome(slow)).unwrap();
  let start = Instant::now();
  pool.until("the worker is stopped", |pool| !pool.exits().is_empty());
  assert!(start.elapsed() >= Duration::from_millis(150), "{:?}", start.elapsed());
  assert_eq!(pool.exits(), [(pid, ExitReason::Killed)]);
  let late = pool.submit("echo");
  pool.answer(late);
  pool.close();
}

#[test]
fn calls_behind_one_that_has_its_grace_move_on() {
  let mut pool = Pool::new(config());
  let slow = pool.submit_limited("gate one", 50, 600_000);
  let behind: Vec<u64> = (0..10).map(|_| pool.submit("echo")).collect();
  assert!(timed_out(&pool.outcome(slow)).is_some());
  behind.into_iter().for_each(|key| drop(pool.answer(key)));
  assert_eq!(pool.exits(), []);
  pool.open("one");
  pool.close();
}

#[test]
fn a_worker_that_dies_within_the_grace_was_stopped() {
  let mut pool = Pool::new(PoolConfig { on_death: DeathPolicy::Break, max_workers: 1, ..config() });
  let slow = pool.submit_limited("gate never", 50, 600_000);
  let pid = timed_out(&pool.outcome(slow)).unwrap();
  crate::support::send_signal(pid, libc::SIGKILL);
  let behind = pool.submit("echo");
  pool.answer(behind);
  assert_eq!(pool.exits(), [(pid, ExitReason::Killed)]);
  pool.close();
}

#[test]
fn a_call_on_a_worker_that_is_about_to_leave_has_its_time_limit_too() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let slow = pool.submit_limited("stray-retiring-gate never 0", 100, 0);
  assert!(timed_out(&pool.outcome(slow)).is_some());
  let late = pool.submit("echo");
  pool.answer(late);
  pool.close();
}

#[test]
fn a_result_that_is_there_when_the_time_is_up_is_delivered() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let first = pool.submit("echo");
  pool.answer(first);
  let key = pool.submit_limited("echo", 20, 0);
  std::thread::sleep(Duration::from_millis(100));
  pool.answer(key);
  pool.close();
}

#[test]
fn a_limit_may_be_a_year() {
  let mut pool = Pool::new(config());
  let year = 365 * 86_400_000;
  let key = pool.submit_limited("sleep 20", year, year);
  pool.answer(key);
  pool.close();
}

#[test]
fn many_calls_with_limits_each_end_as_they_should() {
  let mut pool = Pool::new(config());
  let keys: Vec<u64> =
    (0..60)
      .map(|n| {
        if n % 10 == 9 { pool.submit_limited("gate never", 30, 0) } else { pool.submit_limited("sleep 1", 60_000, 0) }
      })
      .collect();
  for key in keys {
    let outcome = pool.outcome(key);
    assert_eq!(timed_out(&outcome).is_some(), key % 10 == 9, "call {key}: {outcome:?}");
    assert!(key % 10 == 9 || matches!(outcome, Outcome::Answer { .. }), "call {key}: {outcome:?}");
  }
  assert_eq!(pool.ran().len(), 60);
  pool.close();
}
