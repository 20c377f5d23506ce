//! Tests of pools whose places are filled with workers at all times.

use std::time::{Duration, Instant};

use millrace_pool::{BreakCause, Event, ExitReason, PoolConfig, PoolState};

use crate::support::{Outcome, Pool, config, exists, send_signal};

fn full(boot: &str) -> Pool {
  let mut pool = Pool::booting(boot, PoolConfig { keep_full: true, ..config() });
  pool.manager.start_all().unwrap();
  pool.collect();
  pool
}

fn idle(pool: &Pool) -> usize {
  pool.manager.worker_stats().iter().filter(|worker| worker.state.name() == "idle").count()
}

#[test]
fn all_workers_are_started_without_a_call() {
  let mut pool = full("ok");
  assert_eq!(pool.started().len(), 2);
  pool.until("both are ready", |pool| idle(pool) == 2);
  pool.close();
  assert_eq!(Pool::new(config()).close().len(), 1);
}

#[test]
fn a_program_that_cannot_be_started_leaves_nothing() {
  let mut config = PoolConfig { keep_full: true, ..config() };
  config.command.program = "/no/such/program".into();
  let mut pool = Pool::new(config);
  let failure = pool.manager.start_all().unwrap_err();
  assert_eq!((failure.syscall, failure.errno), ("posix_spawn", Some(libc::ENOENT)));
  assert_eq!(pool.manager.live_workers(), 0);
}

#[test]
fn an_idle_worker_that_dies_is_replaced_though_nothing_needs_it() {
  let mut pool = full("ok");
  pool.until("both are ready", |pool| idle(pool) == 2);
  let first = pool.submit("echo");
  pool.answer(first);
  for round in 0..6 {
    let victim = pool.manager.worker_stats()[round % 2].pid;
    send_signal(victim, libc::SIGKILL);
    pool.until("another one stands in its place", |pool| {
      idle(pool) == 2 && pool.manager.worker_stats().iter().all(|worker| worker.pid != victim)
    });
  }
  assert_eq!(pool.exit_reasons(), [ExitReason::Died; 6]);
  assert_eq!(pool.count(|event| matches!(event, Event::WorkerReplace { .. })), 6);
  assert_eq!(pool.manager.state(), PoolState::Running);
  pool.close();
}

#[test]
fn workers_that_come_up_only_to_end_are_replaced_with_pauses_until_a_call_waits_for_them() {
  let start = Instant::now();
  let mut pool = full("then-die");
  pool.until("five rows have ended", |pool| pool.exits().len() >= 10);
  // A tenth of a second after each end at least.
  assert!(start.elapsed() >= Duration::from_millis(400), "{:?}", start.elapsed());
  assert_eq!(pool.manager.state(), PoolState::Running);
  let key = pool.submit("echo");
  assert_eq!(pool.outcome(key), Outcome::Broken);
}

#[test]
fn a_boot_that_fails_breaks_the_pool_after_three_starts_a_place() {
  let mut pool = full("fail");
  pool.until("it breaks", |pool| pool.manager.state() == PoolState::Broken);
  assert!(pool.started().len() <= 6, "{:?}", pool.events);
  let with_report = |event: &Event| match event {
    Event::Broken { cause: BreakCause::BootFailed(report), .. } => report.bytes == b"this is why",
    _ => false,
  };
  assert_eq!(pool.count(with_report), 1);
  pool.until_stopped();
}

#[test]
fn dismissed_workers_are_not_replaced_before_the_next_call() {
  let mut pool = full("ok");
  pool.until("both are ready", |pool| idle(pool) == 2);
  pool.manager.dismiss_idle();
  pool.until("both have left", |pool| pool.manager.live_workers() == 0);
  pool.go_on_for(Duration::from_millis(100));
  assert_eq!(pool.started().len(), 2);
  let key = pool.submit("echo");
  pool.answer(key);
  pool.until("both places are filled", |pool| idle(pool) == 2);
  assert_eq!(pool.started().len(), 4);
  pool.close();
}

#[test]
fn a_closing_pool_fills_no_place_that_no_call_needs() {
  let mut pool = full("ok");
  let key = pool.submit("gate one");
  pool.until_running(key);
  pool.manager.shut_down();
  let running = pool.ran()[0].pid;
  let other = pool.started().into_iter().find(|&pid| pid != running).unwrap();
  send_signal(other, libc::SIGKILL);
  pool.until("it is gone", |pool| pool.exits().len() == 1);
  pool.open("one");
  pool.answer(key);
  pool.until_stopped();
  assert_eq!(pool.started().len(), 2);
  assert!(pool.started().into_iter().all(|pid| !exists(pid)));
}
