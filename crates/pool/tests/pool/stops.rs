//! Tests of `stop_call`, which ends one call and hurts no other.

use std::collections::HashSet;
use std::time::Duration;

use millrace_pool::{DeathPolicy, Event, Exit, ExitReason, PoolConfig};

use crate::support::{Outcome, Pool, Random, config, eventually, is_stopped, send_signal};

#[test]
fn a_call_that_waits_is_cancelled_and_costs_no_worker() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let running = pool.submit("gate one");
  pool.until_running(running);
  let waiting = pool.submit("echo");
  assert!(pool.stop_call(waiting, Duration::ZERO));
  pool.open("one");
  pool.answer(running);
  assert_eq!(pool.ran_keys(), [running]);
  let events = pool.close();
  let killed = |event: &Event| matches!(event, Event::WorkerExit { reason, .. } if *reason != ExitReason::Shutdown);
  assert!(!events.iter().any(killed));
}

#[test]
fn a_running_call_is_stopped_with_its_worker_and_the_rest_moves_on() {
  for on_death in [DeathPolicy::Break, DeathPolicy::Isolate] {
    let mut pool = Pool::new(PoolConfig { on_death, ..config() });
    let keys = [pool.submit("gate never"), pool.submit("gate other")];
    keys.into_iter().for_each(|key| pool.until_running(key));
    let behind: Vec<u64> = (0..10).map(|_| pool.submit("echo")).collect();
    assert!(pool.stop_call(keys[0], Duration::ZERO));
    behind.into_iter().for_each(|key| drop(pool.answer(key)));
    assert!(pool.is_running(keys[1]));
    pool.open("other");
    pool.answer(keys[1]);
    pool.until("the worker is gone", |pool| !pool.exits().is_empty());
    let stopped = pool.ran().iter().find(|started| started.key == keys[0]).unwrap().pid;
    assert_eq!(pool.exits(), [(stopped, ExitReason::Killed)]);
    assert_eq!(pool.ran().len(), 12);
    pool.close();
  }
}

#[test]
fn the_calls_behind_a_stopped_one_keep_their_order() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  // Short calls: now the lane is given several at once.
  let short: Vec<u64> = (0..200).map(|_| pool.submit("echo")).collect();
  short.iter().for_each(|&key| drop(pool.answer(key)));
  let stopped = pool.submit("gate never");
  pool.until_running(stopped);
  let behind: Vec<u64> = (0..50).map(|_| pool.submit("echo")).collect();
  assert!(pool.stop_call(stopped, Duration::ZERO));
  behind.iter().for_each(|&key| drop(pool.answer(key)));
  assert_eq!(pool.ran_keys(), (0..=behind[49]).collect::<Vec<_>>());
  pool.close();
}

#[test]
fn a_task_that_ends_within_the_grace_of_its_stop_keeps_its_worker() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let call = pool.submit("patient 600000");
  pool.until_running(call);
  assert!(pool.stop_call(call, Duration::from_secs(600)));
  let behind = pool.submit("pid");
  assert_eq!(pool.number(behind), pool.started()[0]);
  assert_eq!(pool.exits(), []);
  pool.close();
}

#[test]
fn a_worker_that_ignores_sigterm_is_killed() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let deaf = pool.submit("deaf");
  pool.answer(deaf);
  let call = pool.submit("gate never");
  pool.until_running(call);
  assert!(pool.stop_call(call, Duration::ZERO));
  let behind = pool.submit("echo");
  pool.answer(behind);
  assert_eq!(pool.exit_reasons(), [ExitReason::Killed]);
  pool.close();
}

#[test]
fn a_worker_that_is_suspended_hears_sigterm_all_the_same() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let call = pool.submit("gate never");
  pool.until_running(call);
  let pid = pool.started()[0];
  send_signal(pid, libc::SIGSTOP);
  eventually("the worker has stopped", || is_stopped(pid));
  assert!(pool.stop_call(call, Duration::ZERO));
  pool.until("the worker is gone", |pool| !pool.exits().is_empty());
  let by = pool.count(|event| matches!(event, Event::WorkerExit { exit: Exit::Signal(libc::SIGTERM), .. }));
  assert_eq!(by, 1, "{:?}", pool.events);
  pool.close();
}

/// Waits, without a round, until so many calls have started.
fn wait_for_starts(pool: &Pool, count: usize) {
  eventually("the calls start", || pool.ran().len() == count);
}

#[test]
fn the_result_of_the_call_before_is_delivered_though_nobody_had_read_it() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let first = pool.submit("echo");
  pool.answer(first);
  let done = pool.submit_with("echo", b"mine");
  let running = pool.submit("gate never");
  wait_for_starts(&pool, 3);
  assert!(pool.stop_call(running, Duration::ZERO));
  assert_eq!(pool.answer(done), b"mine");
  pool.until("the worker is gone", |pool| pool.exit_reasons() == [ExitReason::Killed]);
  pool.close();
}

#[test]
fn the_grace_of_a_call_is_not_ended_by_the_result_of_the_call_before() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let first = pool.submit("echo");
  pool.answer(first);
  let done = pool.submit("echo");
  let running = pool.submit("gate never");
  wait_for_starts(&pool, 3);
  assert!(pool.stop_call(running, Duration::from_millis(50)));
  pool.answer(done);
  pool.until("the worker is gone", |pool| pool.exit_reasons() == [ExitReason::Killed]);
  pool.close();
}

#[test]
fn to_stop_a_call_that_is_over_does_not_hurt_the_one_that_runs() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let first = pool.submit("echo");
  pool.answer(first);
  let done = pool.submit_with("echo", b"mine");
  let running = pool.submit("gate one");
  wait_for_starts(&pool, 3);
  assert!(!pool.stop_call(done, Duration::ZERO), "it has a result");
  assert_eq!(pool.answer(done), b"mine");
  pool.open("one");
  pool.answer(running);
  assert_eq!(pool.exits(), []);
  pool.close();
}

#[test]
fn a_result_that_nobody_has_read_is_delivered_and_its_worker_lives() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let first = pool.submit("echo");
  pool.answer(first);
  let done = pool.submit_with("echo", b"mine");
  eventually("there is a result", || pool.has_unread_result());
  assert!(!pool.stop_call(done, Duration::ZERO));
  assert_eq!(pool.answer(done), b"mine");
  pool.go_on_for(Duration::from_millis(20));
  assert_eq!(pool.exits(), []);
  pool.close();
}

#[test]
fn stops_at_any_moment_hurt_no_other_call() {
  let mut pool = Pool::new(config());
  let mut random = Random::new(11);
  let mut stopped = HashSet::new();
  for _ in 0..60 {
    let keys: Vec<u64> = (0..6).map(|_| pool.submit("echo")).collect();
    for _ in 0..random.below(30_000) {
      std::hint::spin_loop();
    }
    let victim = random.pick(&keys);
    if pool.stop_call(victim, Duration::from_millis(random.pick(&[0, 0, 1]))) {
      stopped.insert(victim);
    }
    for key in keys {
      let outcome = pool.outcome(key);
      let expected = if stopped.contains(&key) { outcome == Outcome::Stopped } else { is_answer(&outcome) };
      assert!(expected, "call {key}: {outcome:?}");
    }
  }
  let ran: HashSet<u64> = pool.ran_keys().into_iter().collect();
  assert_eq!(ran.len(), pool.ran().len(), "a call ran twice");
  assert!(pool.exit_reasons().iter().all(|&reason| reason == ExitReason::Killed), "{:?}", pool.exits());
  pool.close();
}

fn is_answer(outcome: &Outcome) -> bool {
  matches!(outcome, Outcome::Answer { .. })
}

#[test]
fn a_call_may_be_stopped_again_with_less_grace() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let call = pool.submit("gate never");
  pool.until_running(call);
  let id = pool.id(call);
  assert!(pool.stop_call(call, Duration::from_secs(600)));
  pool.manager.stop_call(id, Duration::from_millis(20));
  let behind = pool.submit("echo");
  pool.answer(behind);
  assert_eq!(pool.exit_reasons(), [ExitReason::Killed]);
  pool.close();
}
