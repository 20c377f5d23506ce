//! Tests of workers that do not start, or end before they have done anything.

use std::time::{Duration, Instant};

use millrace_pool::{BreakCause, DeathPolicy, Event, Exit, ExitReason, PoolConfig, PoolState, SubmitError};

use crate::support::{Outcome, Pool, config, eventually, exists, group_lives};

fn start_failed(event: &Event) -> bool {
  matches!(event, Event::StartFailed { .. })
}

fn broken(pool: &Pool) -> Option<(&BreakCause, usize)> {
  pool.events.iter().find_map(|event| match event {
    Event::Broken { cause, deaths } => Some((cause, deaths.len())),
    _ => None,
  })
}

fn has_report(cause: Option<(&BreakCause, usize)>) -> bool {
  matches!(cause, Some((BreakCause::BootFailed(report), _)) if report.bytes == b"this is why")
}

#[test]
fn a_missing_program_refuses_the_call_and_keeps_nothing() {
  let mut config = config();
  config.command.program = "/no/such/program".into();
  let mut pool = Pool::new(config);
  for _ in 0..3 {
    match pool.try_submit("echo", &[], 0, None) {
      Err(SubmitError::Spawn(failure)) => {
        assert_eq!((failure.syscall, failure.errno), ("posix_spawn", Some(libc::ENOENT)));
      }
      other => panic!("{other:?}"),
    }
  }
  assert_eq!((pool.manager.unfinished(), pool.manager.queued(), pool.manager.live_workers()), (0, 0, 0));
  assert_eq!(pool.manager.state(), PoolState::Running);
  pool.collect();
  assert!(pool.events.is_empty(), "{:?}", pool.events);
  pool.close();
}

#[test]
fn a_program_that_vanishes_fails_the_calls_that_wait_for_it() {
  let link = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("vanishing-{}", std::process::id()));
  std::os::unix::fs::symlink(std::env::current_exe().unwrap(), &link).unwrap();
  let mut config = PoolConfig { max_workers: 1, ..config() };
  config.command.program.clone_from(&link);
  let mut pool = Pool::new(config);
  let running = pool.submit("gate one");
  pool.until_running(running);
  let waiting: Vec<u64> = (0..5).map(|_| pool.submit("echo")).collect();
  std::fs::remove_file(&link).unwrap();
  crate::support::send_signal(pool.started()[0], libc::SIGKILL);
  for key in waiting {
    match pool.outcome(key) {
      Outcome::Failed(millrace_pool::CallFailure::Spawn { errno, .. }) => assert_eq!(errno, Some(libc::ENOENT)),
      other => panic!("{other:?}"),
    }
  }
  assert!(matches!(pool.outcome(running), Outcome::Failed(millrace_pool::CallFailure::WorkerDied { .. })));
  assert_eq!(pool.manager.unfinished(), 0);
  pool.close();
}

#[test]
fn with_a_worker_alive_a_missing_program_is_a_warning() {
  let link = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fading-{}", std::process::id()));
  std::os::unix::fs::symlink(std::env::current_exe().unwrap(), &link).unwrap();
  let mut config = config();
  config.command.program.clone_from(&link);
  let mut pool = Pool::new(config);
  let running = pool.submit("gate one");
  pool.until_running(running);
  std::fs::remove_file(&link).unwrap();
  let waiting = [pool.submit("echo"), pool.submit("echo"), pool.submit("echo")];
  pool.until("the warning", |pool| pool.count(|event| matches!(event, Event::SpawnFailed { .. })) > 0);
  // Attempts are made again, but not all the time.
  let before = pool.rounds;
  pool.go_on_for(Duration::from_millis(500));
  assert!(pool.rounds - before < 100, "{} rounds", pool.rounds - before);
  assert_eq!(pool.unfinished().len(), 4);
  pool.open("one");
  waiting.into_iter().for_each(|key| drop(pool.answer(key)));
  pool.close();
}

#[test]
fn isolated_workers_that_fail_to_boot_are_tried_three_times_with_pauses() {
  let mut pool = Pool::booting("fail", PoolConfig { max_workers: 1, ..config() });
  let start = Instant::now();
  let keys: Vec<u64> = (0..3).map(|_| pool.submit("echo")).collect();
  for key in keys {
    assert_eq!(pool.outcome(key), Outcome::Broken);
  }
  // A hundred and two hundred milliseconds.
  assert!(start.elapsed() >= Duration::from_millis(300), "{:?}", start.elapsed());
  assert!(has_report(broken(&pool)), "{:?}", pool.events);
  assert_eq!(pool.count(start_failed), 2);
  assert_eq!(pool.exit_reasons(), [ExitReason::FailedStart; 3]);
  assert_eq!(pool.manager.state(), PoolState::Broken);
  assert_eq!(pool.try_submit("echo", &[], 0, None), Err(SubmitError::NotRunning(PoolState::Broken)));
  pool.until_stopped();
  assert_eq!(pool.ran(), []);
}

#[test]
fn under_break_one_failed_boot_is_enough() {
  let mut pool = Pool::booting("fail", PoolConfig { on_death: DeathPolicy::Break, ..config() });
  let key = pool.submit("echo");
  assert_eq!(pool.outcome(key), Outcome::Broken);
  assert!(has_report(broken(&pool)));
  assert_eq!(pool.started().len(), 1);
  pool.until_stopped();
}

#[test]
fn workers_that_die_while_they_boot_break_the_pool_after_three_attempts() {
  for on_death in [DeathPolicy::Break, DeathPolicy::Isolate] {
    let mut pool = Pool::booting("die", PoolConfig { max_workers: 1, on_death, ..config() });
    let key = pool.submit("echo");
    assert_eq!(pool.outcome(key), Outcome::Broken);
    assert_eq!(pool.started().len(), 3);
    let Some(Event::Broken { cause: BreakCause::Deaths, deaths }) =
      pool.events.iter().find(|event| matches!(event, Event::Broken { .. }))
    else {
      panic!("{:?}", pool.events)
    };
    assert_eq!((deaths[0].exit, deaths[0].pid), (Exit::Signal(libc::SIGKILL), pool.started()[2]));
    pool.until_stopped();
  }
}

#[test]
fn a_start_that_succeeds_ends_the_count_of_failures() {
  for boot in ["fail-until 2", "die-until 2"] {
    let mut pool = Pool::booting(boot, PoolConfig { max_workers: 1, ..config() });
    let keys: Vec<u64> = (0..10).map(|_| pool.submit("echo")).collect();
    keys.into_iter().for_each(|key| drop(pool.answer(key)));
    assert_eq!(pool.count(start_failed), 2);
    assert_eq!(pool.started().len(), 3);
    pool.close();
  }
}

#[test]
fn workers_that_were_started_side_by_side_and_end_together_are_one_failed_attempt() {
  let mut pool = Pool::booting("die-until 4", PoolConfig { max_workers: 4, ..config() });
  let keys: Vec<u64> = (0..10).map(|_| pool.submit("echo")).collect();
  assert_eq!(pool.manager.live_workers(), 4);
  keys.into_iter().for_each(|key| drop(pool.answer(key)));
  assert_eq!(pool.count(start_failed), 4);
  pool.close();
}

#[test]
fn workers_that_boot_and_end_before_they_have_done_anything_are_not_started_for_ever() {
  for boot in ["then-die", "then-leave"] {
    let mut pool = Pool::booting(boot, PoolConfig { max_workers: 1, ..config() });
    let keys: Vec<u64> = (0..5).map(|_| pool.submit("echo")).collect();
    for key in keys {
      assert_eq!(pool.outcome(key), Outcome::Broken);
    }
    assert_eq!(pool.started().len(), 3);
    assert_eq!(pool.ran(), []);
    pool.until_stopped();
  }
}

#[test]
fn a_worker_that_ends_before_it_was_given_a_call_is_started_anew_when_there_is_one() {
  let mut pool = Pool::booting("then-die", PoolConfig { max_workers: 1, ..config() });
  let key = pool.submit("echo");
  assert!(pool.cancel(key));
  pool.until("it ends", |pool| !pool.exits().is_empty());
  pool.go_on_for(Duration::from_millis(300));
  assert_eq!(pool.started().len(), 1);
  assert_eq!(pool.count(|event| matches!(event, Event::WorkerLost(_))), 1);
  pool.submit("echo");
  pool.until("a new worker", |pool| pool.started().len() == 2);
  pool.manager.terminate_all(true);
  pool.until_stopped();
}

#[test]
fn the_host_sleeps_while_the_next_attempt_boots() {
  let mut pool = Pool::booting("die-gated-until 1", PoolConfig { max_workers: 1, ..config() });
  let key = pool.submit("echo");
  pool.until("the second attempt", |pool| pool.started().len() == 2);
  let before = pool.rounds;
  pool.go_on_for(Duration::from_millis(300));
  assert!(pool.rounds - before < 100, "{} rounds", pool.rounds - before);
  pool.open("boot");
  pool.answer(key);
  pool.close();
}

#[test]
fn a_worker_that_does_not_boot_in_time_is_killed() {
  let start_timeout = Duration::from_millis(100);
  let mut pool = Pool::booting("never", PoolConfig { start_timeout, max_workers: 1, ..config() });
  let key = pool.submit("echo");
  assert_eq!(pool.outcome(key), Outcome::Broken);
  assert!(matches!(broken(&pool), Some((BreakCause::StartTimeout, 1))), "{:?}", pool.events);
  assert_eq!(pool.exit_reasons(), [ExitReason::FailedStart; 3]);
  pool.until_stopped();
}

#[test]
fn a_program_that_is_no_worker_is_killed_with_all_that_it_started() {
  let start_timeout = Duration::from_millis(100);
  let mut config = PoolConfig { start_timeout, max_workers: 1, ..config() };
  config.command.program = "/bin/sh".into();
  config.command.args = ["-c", "/bin/sleep 1000; true"].map(Into::into).to_vec();
  let mut pool = Pool::new(config);
  let key = pool.submit("echo");
  assert_eq!(pool.outcome(key), Outcome::Broken);
  pool.until_stopped();
  for pid in pool.started() {
    eventually("what the shell has started is gone", || !group_lives(pid));
  }
}

#[test]
fn a_program_that_ends_at_once_breaks_the_pool() {
  let mut config = PoolConfig { max_workers: 1, ..config() };
  config.command.program = "/bin/true".into();
  let mut pool = Pool::new(config);
  let key = pool.submit("echo");
  assert_eq!(pool.outcome(key), Outcome::Broken);
  assert_eq!(broken(&pool).map(|(_, deaths)| deaths), Some(1));
  pool.until_stopped();
}

#[test]
fn a_pool_that_closes_while_its_worker_boots_answers_first() {
  let mut pool = Pool::booting("slow 100", config());
  let keys = [pool.submit("echo"), pool.submit("echo"), pool.submit("echo")];
  pool.manager.shut_down();
  keys.into_iter().for_each(|key| drop(pool.answer(key)));
  pool.until_stopped();
  assert_eq!(pool.exit_reasons(), [ExitReason::Shutdown; 2]);
}

#[test]
fn a_pool_that_closes_with_nothing_to_do_lets_its_booting_worker_go() {
  for boot in ["slow 100", "fail", "die"] {
    let mut pool = Pool::booting(boot, config());
    let key = pool.submit("echo");
    assert!(pool.cancel(key));
    pool.manager.shut_down();
    pool.until_stopped();
    // It may have failed before it was let go.
    let reasons = pool.exit_reasons();
    assert!(matches!(reasons[..], [ExitReason::Shutdown | ExitReason::FailedStart]), "{reasons:?}");
    assert!(broken(&pool).is_none());
  }
}

#[test]
fn a_pool_that_is_killed_while_its_workers_boot_is_not_broken() {
  for hard in [true, false] {
    let mut pool = Pool::booting("never", PoolConfig { max_workers: 4, ..config() });
    let keys: Vec<u64> = (0..8).map(|_| pool.submit("echo")).collect();
    pool.manager.terminate_all(hard);
    for key in keys {
      assert_eq!(pool.outcome(key), Outcome::Failed(millrace_pool::CallFailure::Cancelled));
    }
    pool.until_stopped();
    assert_eq!(pool.exit_reasons(), [ExitReason::Killed; 4]);
    assert_eq!(pool.count(|event| matches!(event, Event::Broken { .. } | Event::StartFailed { .. })), 0);
    pool.started().into_iter().for_each(|pid| assert!(!exists(pid)));
  }
}
