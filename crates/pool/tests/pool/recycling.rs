//! Tests of workers that leave while the pool goes on: used up, grown too large, idle, or of their own accord.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use millrace_pool::{Event, ExitReason, PoolConfig};

use crate::support::{Outcome, Pool, Random, config};

/// How many calls each worker ran.
fn shares(pool: &Pool) -> HashMap<u32, usize> {
  let mut shares = HashMap::new();
  pool.ran().iter().for_each(|started| *shares.entry(started.pid).or_default() += 1);
  shares
}

#[test]
fn a_worker_is_replaced_after_its_share_of_calls() {
  let mut pool = Pool::new(PoolConfig { max_tasks_per_child: Some(10), ..config() });
  let keys: Vec<u64> = (0..200).map(|_| pool.submit("echo")).collect();
  for key in keys {
    pool.answer(key);
  }
  let shares = shares(&pool);
  assert!(shares.values().all(|&share| share <= 10), "{shares:?}");
  assert!(shares.len() >= 20);
  assert!(pool.exit_reasons().iter().all(|&reason| reason == ExitReason::Recycled));
  let replaced = pool.count(|event| matches!(event, Event::WorkerReplace { reason: ExitReason::Recycled, .. }));
  assert!(replaced >= 18, "{replaced}");
  assert_eq!(pool.manager.restarts(), replaced as u64);
  pool.close();
}

#[test]
fn a_worker_for_each_call() {
  let mut pool = Pool::new(PoolConfig { max_tasks_per_child: Some(1), ..config() });
  let keys: Vec<u64> = (0..30).map(|_| pool.submit("pid")).collect();
  let pids: HashSet<u32> = keys.into_iter().map(|key| pool.number(key)).collect();
  assert_eq!(pids.len(), 30);
  pool.close();
}

#[test]
fn cancelled_calls_are_no_part_of_a_workers_share() {
  let mut random = Random::new(7);
  for share in [1, 3] {
    let mut pool = Pool::new(PoolConfig { max_tasks_per_child: Some(share), ..config() });
    for _ in 0..20 {
      let keys: Vec<u64> = (0..8).map(|_| pool.submit("echo")).collect();
      for key in keys {
        if pool.known(key).is_none() && random.one_in(2) {
          pool.cancel(key);
        }
        if random.one_in(4) {
          pool.round(Duration::from_millis(1));
        }
      }
    }
    pool.until("all are answered", |pool| pool.unfinished().is_empty());
    let shares = shares(&pool);
    assert!(shares.values().all(|&ran| ran <= share as usize), "{shares:?}");
    let answered = (0..160).filter(|&key| matches!(pool.known(key), Some(Outcome::Answer { .. }))).count();
    assert_eq!(pool.ran().len(), answered);
    pool.close();
  }
}

#[test]
fn a_worker_that_has_taken_its_last_call_may_lose_it_to_a_cancel_and_lives_on() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, max_tasks_per_child: Some(2), ..config() });
  let first = pool.submit("gate one");
  pool.until_running(first);
  let second = pool.submit("echo");
  assert!(pool.cancel(second));
  pool.open("one");
  pool.answer(first);
  pool.go_on_for(Duration::from_millis(20));
  assert_eq!(pool.exits(), []);
  let third = pool.submit("pid");
  assert_eq!(pool.number(third), pool.started()[0]);
  pool.close();
}

#[test]
fn an_idle_worker_leaves_after_its_time_and_is_not_replaced() {
  let idle_timeout = Some(Duration::from_millis(50));
  let mut pool = Pool::new(PoolConfig { idle_timeout, ..config() });
  let keys = [pool.submit("sleep 5"), pool.submit("sleep 5")];
  keys.into_iter().for_each(|key| drop(pool.answer(key)));
  pool.until("both leave", |pool| pool.manager.live_workers() == 0);
  assert_eq!(pool.exit_reasons(), [ExitReason::Idle; 2]);
  pool.go_on_for(Duration::from_millis(100));
  assert_eq!(pool.started().len(), 2);
  let late = pool.submit("echo");
  pool.answer(late);
  assert_eq!(pool.started().len(), 3);
  pool.close();
}

#[test]
fn a_busy_worker_is_not_idle() {
  let idle_timeout = Some(Duration::from_millis(20));
  let mut pool = Pool::new(PoolConfig { idle_timeout, max_workers: 1, ..config() });
  let long = pool.submit("sleep 300");
  pool.answer(long);
  assert_eq!(pool.exits(), []);
  pool.close();
}

#[test]
fn calls_that_come_while_the_idle_worker_leaves_are_run() {
  let idle_timeout = Some(Duration::from_millis(1));
  let mut pool = Pool::new(PoolConfig { idle_timeout, max_workers: 1, ..config() });
  let mut random = Random::new(3);
  for _ in 0..40 {
    let key = pool.submit("echo");
    pool.answer(key);
    let pause = Duration::from_micros(random.below(4000) as u64);
    pool.go_on_for(pause);
  }
  assert!(pool.exit_reasons().iter().all(|&reason| reason == ExitReason::Idle));
  pool.close();
}

#[test]
fn a_worker_that_has_grown_too_large_is_replaced_between_calls() {
  let max_memory = Some(150 << 20);
  let mut pool = Pool::new(PoolConfig { max_memory, max_workers: 1, ..config() });
  let small = pool.submit("pid");
  let first = pool.number(small);
  let again = pool.submit("pid");
  assert_eq!(pool.number(again), first);
  let large = pool.submit("hoard 200000000");
  pool.answer(large);
  let behind = pool.submit("pid");
  assert_ne!(pool.number(behind), first);
  assert_eq!(pool.exits(), [(first, ExitReason::Recycled)]);
  pool.close();
}

#[test]
fn a_worker_may_leave_after_a_stray_error() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let first = pool.submit_with("stray-retiring", b"lost");
  let behind: Vec<u64> = (0..10).map(|_| pool.submit("echo")).collect();
  pool.answer(first);
  behind.into_iter().for_each(|key| drop(pool.answer(key)));
  assert_eq!(pool.count(|event| matches!(event, Event::Stray { report, .. } if report.bytes == b"lost")), 1);
  assert_eq!(pool.exit_reasons(), [ExitReason::Recycled]);
  assert_eq!(pool.ran().len(), 11);
  pool.close();
}

#[test]
fn a_worker_that_leaves_without_being_asked_takes_no_call_with_it() {
  let mut pool = Pool::new(config());
  let keys: Vec<u64> = (0..60).map(|n| pool.submit(if n % 3 == 0 { "leave" } else { "echo" })).collect();
  keys.into_iter().for_each(|key| drop(pool.answer(key)));
  assert_eq!(pool.ran().len(), 60);
  assert!(pool.exit_reasons().iter().all(|&reason| reason == ExitReason::Recycled));
  pool.close();
}

#[test]
fn a_task_that_exits_is_answered_and_its_worker_replaced() {
  let mut pool = Pool::new(config());
  let keys: Vec<u64> = (0..40).map(|n| pool.submit(if n % 4 == 0 { "exit 3" } else { "echo" })).collect();
  for key in keys {
    let Outcome::Answer { status, .. } = pool.outcome(key) else { panic!("no answer") };
    assert_eq!(status, if key % 4 == 0 { millrace_pool::status::EXIT } else { millrace_pool::status::OK });
  }
  assert_eq!(pool.ran().len(), 40);
  assert!(pool.exit_reasons().iter().all(|&reason| reason == ExitReason::Recycled));
  pool.close();
}

#[test]
fn a_worker_that_leaves_after_a_long_call_does_not_keep_the_host_busy() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let call = pool.submit("stray-retiring-gate one 100");
  pool.until_running(call);
  // Longer than a worker may take to leave: that time begins when its call is over.
  pool.go_on_for(millrace_pool::KILL_AFTER + Duration::from_millis(500));
  assert!(pool.rounds < 1000, "{} rounds", pool.rounds);
  assert_eq!(pool.exits(), []);
  pool.open("one");
  pool.answer(call);
  pool.until("it leaves", |pool| !pool.exits().is_empty());
  let exit = pool.events.iter().find_map(|event| match event {
    Event::WorkerExit { exit, reason, .. } => Some((*exit, *reason)),
    _ => None,
  });
  assert_eq!(exit, Some((millrace_pool::Exit::Code(0), ExitReason::Recycled)), "it left by itself");
  pool.close();
}
