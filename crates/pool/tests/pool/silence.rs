//! Tests of workers that run nothing and do not come to their calls.

use std::time::Duration;

use millrace_pool::{BreakCause, CallFailure, DeathPolicy, Event, ExitReason, PoolConfig, PoolState};

use crate::support::{Outcome, Pool, config, eventually, is_stopped, send_signal};

/// Process id, last task, and seconds of silence of the workers that were given up.
fn silent(pool: &Pool) -> Vec<(u32, Option<u32>, u64)> {
  let of = |event: &Event| match event {
    Event::WorkerSilent { death, silent_for, last_task } => Some((death.pid, *last_task, silent_for.as_secs())),
    _ => None,
  };
  pool.events.iter().filter_map(of).collect()
}

#[test]
fn calls_of_the_only_worker_move_to_the_next_one_when_the_worker_does_not_come_back() {
  for (order, on_death) in [("wedge spin", DeathPolicy::Isolate), ("wedge sleep", DeathPolicy::Break)] {
    let mut pool = Pool::new(PoolConfig { max_workers: 1, on_death, ..config() });
    let key = pool.submit(order);
    let wedged = pool.number(key);
    let keys: Vec<u64> = (0..3).map(|_| pool.submit_limited("pid", 60_000, 0)).collect();
    let last = pool.submit("pid");
    for key in keys.into_iter().chain([last]) {
      assert_ne!(pool.number(key), wedged);
    }
    assert_eq!(pool.manager.state(), PoolState::Running);
    let [(pid, last_task, seconds)] = silent(&pool)[..] else { panic!("{:#?}", pool.events) };
    assert_eq!((pid, last_task), (wedged, Some(0)));
    assert!(seconds >= 4, "{seconds}");
    assert_eq!(pool.exits(), [(wedged, ExitReason::Killed)]);
    assert_eq!(pool.manager.restarts(), 1);
    assert_eq!(pool.ran().len(), 5, "each call has run once");
    pool.close();
  }
}

#[test]
fn calls_go_on_when_no_worker_of_a_pool_comes_back() {
  let mut pool = Pool::new(config());
  let gates = [pool.submit("gate one"), pool.submit("gate one")];
  gates.into_iter().for_each(|key| pool.until_running(key));
  pool.open("one");
  gates.into_iter().for_each(|key| drop(pool.answer(key)));
  let wedged = [pool.submit("wedge spin"), pool.submit("wedge sleep")].map(|key| pool.number(key));
  let keys: Vec<u64> = (0..20).map(|_| pool.submit("pid")).collect();
  for key in keys {
    let pid = pool.number(key);
    assert!(!wedged.contains(&pid));
  }
  pool.until("both are gone", |pool| pool.exits().len() == 2);
  let mut pids: Vec<u32> = silent(&pool).into_iter().map(|(pid, ..)| pid).collect();
  pids.sort_unstable();
  let mut expected = wedged.to_vec();
  expected.sort_unstable();
  assert_eq!(pids, expected);
  pool.close();
}

#[test]
fn a_stopped_worker_is_ended_when_calls_wait_for_it() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let key = pool.submit("pid");
  let stopped = pool.number(key);
  send_signal(stopped, libc::SIGSTOP);
  eventually("the worker has stopped", || is_stopped(stopped));
  let key = pool.submit("pid");
  assert_ne!(pool.number(key), stopped);
  pool.close();
}

#[test]
fn a_pool_that_closes_does_not_wait_for_a_worker_that_does_not_come_back() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let key = pool.submit("wedge spin");
  let wedged = pool.number(key);
  let key = pool.submit("pid");
  pool.manager.shut_down();
  assert_ne!(pool.number(key), wedged);
  pool.until_stopped();
}

#[test]
fn a_worker_that_runs_a_long_call_is_not_silent() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let long = pool.submit("sleep 8000");
  let behind = pool.submit("pid");
  let pid = pool.number(behind);
  pool.answer(long);
  assert_eq!(pool.started(), [pid]);
  assert_eq!(silent(&pool), []);
  pool.close();
}

#[test]
fn cancelled_calls_do_not_hide_that_a_worker_is_silent() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let key = pool.submit("wedge sleep");
  let wedged = pool.number(key);
  while silent(&pool).is_empty() {
    let key = pool.submit("pid");
    pool.go_on_for(Duration::from_millis(300));
    if pool.known(key).is_none() {
      pool.cancel(key);
    }
  }
  assert_eq!(silent(&pool)[0].0, wedged);
  pool.close();
}

#[test]
fn a_worker_that_comes_back_is_not_ended() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let key = pool.submit("pid");
  let pid = pool.number(key);
  for _ in 0..3 {
    send_signal(pid, libc::SIGSTOP);
    eventually("the worker has stopped", || is_stopped(pid));
    let key = pool.submit("pid");
    pool.go_on_for(Duration::from_millis(2500));
    send_signal(pid, libc::SIGCONT);
    assert_eq!(pool.number(key), pid);
  }
  pool.go_on_for(Duration::from_secs(6));
  assert_eq!(silent(&pool), []);
  pool.close();
}

#[test]
fn workers_that_never_come_to_their_first_call_break_the_pool() {
  let mut pool = Pool::booting("then-wedge", PoolConfig { max_workers: 1, ..config() });
  let key = pool.submit("echo");
  assert_eq!(pool.outcome(key), Outcome::Broken);
  assert_eq!(silent(&pool).len(), 3);
  let broken = |event: &Event| matches!(event, Event::Broken { cause: BreakCause::Deaths, .. });
  assert_eq!(pool.count(broken), 1);
  pool.until_stopped();
}

#[test]
fn a_time_limit_counts_from_the_claim_by_another_worker() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let key = pool.submit("wedge spin");
  pool.answer(key);
  let limited = pool.submit_limited("gate never", 100, 0);
  assert!(matches!(pool.outcome(limited), Outcome::Failed(CallFailure::TimedOut { .. })));
  pool.close();
}
