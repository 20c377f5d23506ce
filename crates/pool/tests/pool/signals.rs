//! Tests of signals that end programs, sent to workers by others than their pool.

use std::time::Duration;

use millrace_pool::{DeathPolicy, Event, Exit, ExitReason, PoolConfig};

use crate::support::{Outcome, Pool, config, send_signal};

#[test]
fn a_worker_goes_on_after_signals_that_its_pool_has_not_sent() {
  for on_death in [DeathPolicy::Isolate, DeathPolicy::Break] {
    let mut pool = Pool::new(PoolConfig { on_death, ..config() });
    let key = pool.submit("pid");
    let pid = pool.number(key);
    let running = pool.submit("gate one");
    pool.until_running(running);
    for signal in [libc::SIGTERM, libc::SIGHUP, libc::SIGINT, libc::SIGTERM] {
      pool.started().into_iter().for_each(|pid| send_signal(pid, signal));
    }
    pool.go_on_for(Duration::from_millis(100));
    assert_eq!(pool.exits(), []);
    pool.open("one");
    pool.answer(running);
    assert!(pool.started().contains(&pid));
    pool.close();
  }
}

#[test]
fn a_pool_ends_a_worker_by_sigterm_after_others_have_sent_sigterm() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let key = pool.submit("pid");
  let pid = pool.number(key);
  send_signal(pid, libc::SIGTERM);
  let stuck = pool.submit_limited("gate never", 50, 0);
  assert!(matches!(pool.outcome(stuck), Outcome::Failed(_)));
  pool.until("the worker is gone", |pool| !pool.exits().is_empty());
  assert_eq!(pool.exits(), [(pid, ExitReason::Killed)]);
  let by_term = |event: &Event| matches!(event, Event::WorkerExit { exit: Exit::Signal(libc::SIGTERM), .. });
  assert_eq!(pool.count(by_term), 1);
  pool.close();
}
