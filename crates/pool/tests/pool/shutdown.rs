//! Tests of the end of a pool: shut down, terminated, dropped.

use std::time::Duration;

use millrace_pool::{CallFailure, Event, ExitReason, PoolConfig, PoolState, SubmitError};

use crate::support::{Outcome, Pool, config, eventually, exists, group_lives};

#[test]
fn a_pool_that_was_never_used_stops() {
  let events = Pool::new(config()).close();
  assert!(matches!(events[..], [Event::Stopped]), "{events:?}");
}

#[test]
fn a_closed_pool_answers_what_it_has_takes_no_more_and_stops_once() {
  let mut pool = Pool::new(config());
  let keys: Vec<u64> = (0..500).map(|_| pool.submit("echo")).collect();
  pool.manager.shut_down();
  pool.manager.shut_down();
  assert_eq!(pool.try_submit("echo", &[], 0, None), Err(SubmitError::NotRunning(PoolState::Closing)));
  pool.until_stopped();
  for key in keys {
    pool.answer(key);
  }
  assert_eq!(pool.exit_reasons(), [ExitReason::Shutdown; 2]);
  pool.go_on_for(Duration::from_millis(20));
  assert_eq!(pool.count(|event| matches!(event, Event::Stopped)), 1);
}

#[test]
fn a_pool_may_be_closed_while_a_call_runs() {
  let mut pool = Pool::new(config());
  let key = pool.submit("gate one");
  pool.until_running(key);
  pool.manager.shut_down();
  pool.go_on_for(Duration::from_millis(50));
  assert_eq!(pool.exits(), []);
  pool.open("one");
  pool.answer(key);
  pool.until_stopped();
}

#[test]
fn the_last_call_of_a_closing_pool_may_be_cancelled() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let key = pool.submit("echo");
  pool.manager.shut_down();
  assert!(pool.cancel(key));
  pool.until_stopped();
  assert_eq!(pool.ran(), []);
}

fn terminated(hard: bool) {
  let mut pool = Pool::new(config());
  let family = pool.submit("family");
  let child = pool.number(family);
  assert!(exists(child));
  let done = pool.submit("echo");
  pool.answer(done);
  let running = [pool.submit("gate never"), pool.submit("gate never")];
  running.into_iter().for_each(|key| pool.until_running(key));
  let waiting: Vec<u64> = (0..20).map(|_| pool.submit("echo")).collect();
  pool.manager.terminate_all(hard);
  assert!(matches!(pool.try_submit("echo", &[], 0, None), Err(SubmitError::NotRunning(PoolState::Closing))));
  for key in running {
    let pid = pool.ran().iter().find(|started| started.key == key).unwrap().pid;
    assert_eq!(pool.outcome(key), Outcome::Failed(CallFailure::Terminated { pid }));
  }
  for key in waiting {
    assert_eq!(pool.outcome(key), Outcome::Failed(CallFailure::Cancelled));
  }
  pool.until_stopped();
  assert_eq!(pool.exit_reasons(), [ExitReason::Killed; 2]);
  pool.started().into_iter().for_each(|pid| eventually("what it started is gone", || !group_lives(pid)));
  assert_eq!(pool.count(|event| matches!(event, Event::WorkerReplace { .. } | Event::Broken { .. })), 0);
}

#[test]
fn terminated_workers_go_with_their_process_trees() {
  terminated(false);
}

#[test]
fn killed_workers_go_with_their_process_trees() {
  terminated(true);
}

#[test]
fn a_result_that_is_there_when_the_pool_is_terminated_is_delivered() {
  for hard in [true, false] {
    let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
    let first = pool.submit("echo");
    pool.answer(first);
    let done = pool.submit_with("echo", b"just in time");
    eventually("there is a result", || pool.has_unread_result());
    pool.manager.terminate_all(hard);
    assert_eq!(pool.answer(done), b"just in time");
    pool.until_stopped();
  }
}

#[test]
fn a_worker_that_ignores_sigterm_is_killed_some_time_after_the_pool_was_terminated() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let deaf = pool.submit("deaf");
  pool.answer(deaf);
  let running = pool.submit("gate never");
  pool.until_running(running);
  pool.manager.terminate_all(false);
  assert!(matches!(pool.outcome(running), Outcome::Failed(CallFailure::Terminated { .. })));
  pool.until_stopped();
}

#[test]
fn a_terminated_pool_may_be_killed() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let deaf = pool.submit("deaf");
  pool.answer(deaf);
  let running = pool.submit("gate never");
  pool.until_running(running);
  pool.manager.terminate_all(false);
  pool.manager.terminate_all(true);
  pool.until_stopped();
  assert!(matches!(pool.outcome(running), Outcome::Failed(CallFailure::Terminated { .. })));
}

#[test]
fn a_pool_may_be_terminated_while_it_closes() {
  let mut pool = Pool::new(config());
  let running = pool.submit("gate never");
  pool.until_running(running);
  pool.manager.shut_down();
  pool.go_on_for(Duration::from_millis(10));
  pool.manager.terminate_all(true);
  assert!(matches!(pool.outcome(running), Outcome::Failed(CallFailure::Terminated { .. })));
  pool.until_stopped();
}

#[test]
fn idle_and_booting_workers_can_be_let_go_while_the_pool_goes_on() {
  let mut pool = Pool::booting("slow 50", config());
  let key = pool.submit("echo");
  pool.manager.dismiss_idle();
  pool.answer(key);
  pool.manager.dismiss_idle();
  pool.until("the worker leaves", |pool| pool.manager.live_workers() == 0);
  assert!(pool.exit_reasons().iter().all(|&reason| reason == ExitReason::Shutdown), "{:?}", pool.exits());
  let late = pool.submit("echo");
  pool.answer(late);
  pool.close();
}

#[test]
fn a_worker_that_is_leaving_when_the_idle_are_let_go_is_not_replaced() {
  for patience in 0..20 {
    let mut pool = Pool::new(PoolConfig { max_workers: 1, max_tasks_per_child: Some(1), ..config() });
    let key = pool.submit("echo");
    pool.answer(key);
    // The worker is somewhere on its way out, or its replacement on its way in.
    pool.go_on_for(Duration::from_micros(300 * patience));
    pool.manager.dismiss_idle();
    pool.until("the worker leaves", |pool| pool.manager.live_workers() == 0);
    pool.go_on_for(Duration::from_millis(5));
    assert_eq!(pool.manager.live_workers(), 0);
    let before = pool.started().len();
    let late = pool.submit("echo");
    pool.answer(late);
    pool.until("a replacement, as ever", |pool| pool.started().len() == before + 2);
    pool.close();
  }
}

#[test]
fn a_dropped_manager_leaves_no_process() {
  let mut pool = Pool::new(PoolConfig { max_workers: 3, ..config() });
  let family = pool.submit("family");
  let child = pool.number(family);
  assert!(exists(child));
  let keys = [pool.submit("gate never"), pool.submit("gate never"), pool.submit("gate never")];
  keys.into_iter().for_each(|key| pool.until_running(key));
  for _ in 0..50 {
    pool.submit("echo");
  }
  let pids = pool.started();
  assert_eq!(pids.len(), 3);
  drop(pool);
  for pid in pids {
    assert!(!exists(pid), "worker {pid} is still there");
    eventually("what it started is gone", || !group_lives(pid));
  }
}

#[test]
fn a_manager_that_is_dropped_while_its_workers_boot_leaves_no_process() {
  let mut pool = Pool::new(PoolConfig { max_workers: 3, ..config() });
  for _ in 0..3 {
    pool.submit("echo");
  }
  pool.collect();
  let pids = pool.started();
  drop(pool);
  for pid in pids {
    assert!(!exists(pid), "worker {pid} is still there");
  }
}

#[test]
fn the_dump_of_a_pool_tells_of_its_workers_and_calls() {
  let mut pool = Pool::new(config());
  let running = pool.submit("gate one");
  pool.until_running(running);
  let dump = pool.manager.dump();
  for part in [&pool.started()[0].to_string(), "1 unfinished calls", "runs call", "Ready"] {
    assert!(dump.contains(part), "{dump}");
  }
  let [stats] = &pool.manager.worker_stats()[..] else { panic!("one worker") };
  assert_eq!((stats.pid, stats.running, stats.state.name()), (pool.started()[0], Some(pool.id(running)), "busy"));
  pool.open("one");
  pool.answer(running);
  assert_eq!(pool.manager.worker_stats()[0].state.name(), "idle");
  pool.close();
}
