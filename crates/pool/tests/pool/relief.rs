//! Tests of the relief thread's rounds, which keep the workers fed while the owner is busy.

use std::time::{Duration, Instant};

use millrace_pool::{CallFailure, ExitReason, Pollables, PoolConfig};

use crate::support::{Outcome, Pool, Random, WATCHDOG, config, send_signal};

/// Rounds in the owner's place until the condition holds.
fn relieve_until(pool: &mut Pool, what: &str, condition: impl Fn(&Pool) -> bool) {
  let start = Instant::now();
  while !condition(pool) {
    assert!(start.elapsed() < WATCHDOG, "{what}\n{}", pool.manager.dump());
    if !pool.manager.relieve().unwrap() {
      std::thread::sleep(Duration::from_millis(1));
    }
  }
}

fn relieve_for(pool: &mut Pool, time: Duration) {
  let start = Instant::now();
  relieve_until(pool, "the time is up", |_| start.elapsed() >= time);
}

/// A pool whose workers have booted and are known to be quick.
fn warm(config: PoolConfig) -> Pool {
  let mut pool = Pool::new(config);
  let keys: Vec<u64> = (0..100).map(|_| pool.submit("echo")).collect();
  keys.into_iter().for_each(|key| drop(pool.answer(key)));
  pool
}

#[test]
fn a_manager_may_be_shared_between_threads() {
  fn needs_send<T: Send>() {}
  needs_send::<millrace_pool::Manager>();
}

#[test]
fn all_pending_calls_run_while_the_owner_does_not_come_by() {
  let mut pool = warm(config());
  let before = pool.ran().len();
  let turns = pool.manager.owner_turns();
  let mut random = Random::new(3);
  let calls: Vec<(u64, Vec<u8>)> = (0..1000)
    .map(|_| {
      let data = vec![7; random.pick(&[0, 100, 600, 50_000])];
      (pool.submit_with("echo", &data), data)
    })
    .collect();
  relieve_until(&mut pool, "not all calls ran", |pool| pool.ran().len() == before + 1000);
  assert_eq!(pool.manager.owner_turns(), turns);
  assert_eq!(pool.unfinished().len(), 1000, "the owner has heard nothing");
  for (key, data) in calls {
    assert_eq!(pool.answer(key), data);
  }
  pool.close();
}

#[test]
fn a_call_whose_result_waits_for_the_owner_is_over() {
  let mut pool = warm(PoolConfig { max_workers: 1, ..config() });
  let before = pool.ran().len();
  let keys: Vec<u64> = (0..400).map(|_| pool.submit("echo")).collect();
  let first = keys[0];
  relieve_until(&mut pool, "not all calls ran", |pool| pool.ran().len() >= before + 400 - 4);
  assert!(!pool.cancel(first));
  assert!(!pool.stop_call(first, Duration::ZERO));
  assert!(!pool.is_running(first));
  // Its number is not given to another call.
  let late = pool.submit("echo");
  assert_ne!(pool.id(late), pool.id(first));
  for key in keys {
    assert!(matches!(pool.outcome(key), Outcome::Answer { .. }));
  }
  pool.answer(late);
  pool.close();
}

#[test]
fn workers_that_die_meanwhile_are_replaced_and_their_calls_fail() {
  let mut pool = warm(config());
  let before = pool.ran().len();
  let keys: Vec<u64> = (0..300).map(|n| pool.submit(if n % 100 == 50 { "die 9" } else { "echo" })).collect();
  relieve_until(&mut pool, "not all calls ran", |pool| pool.ran().len() >= before + 300);
  for key in keys {
    match pool.outcome(key) {
      Outcome::Answer { .. } => {}
      Outcome::Failed(CallFailure::WorkerDied { .. }) => assert_eq!((key - 100) % 100, 50),
      other => panic!("{other:?}"),
    }
  }
  assert_eq!(pool.exit_reasons(), [ExitReason::Died; 3]);
  pool.close();
}

#[test]
fn the_owner_is_woken_for_what_was_taken_out_and_the_workers_ring_again() {
  let mut pool = warm(config());
  for round in 0..20 {
    let keys: Vec<u64> = (0..300).map(|_| pool.submit("echo")).collect();
    for _ in 0..round {
      pool.manager.relieve().unwrap();
    }
    // Sleeps whenever the manager lets it.
    keys.into_iter().for_each(|key| drop(pool.answer(key)));
  }
  pool.close();
}

/// Whether the owner's event loop sees a reason to come by.
fn is_woken(pool: &Pool) -> bool {
  let fds = match pool.manager.pollables() {
    Pollables::One(fd) => vec![fd],
    Pollables::Many(fds) => fds.to_vec(),
  };
  let mut polls: Vec<_> = fds.into_iter().map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 }).collect();
  // SAFETY: the entries are ours, and there are as many of them.
  unsafe { libc::poll(polls.as_mut_ptr(), polls.len() as libc::nfds_t, 0) > 0 }
}

#[test]
fn the_owner_is_woken_for_a_time_limit_that_begins_while_it_sleeps() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let limited = pool.submit_limited("patient 600000", 10_000, 0);
  // All that is due is the end of the worker's start, in a minute.
  pool.collect();
  let due = pool.manager.next_deadline();
  pool.manager.owner_comes_at(due);
  relieve_until(&mut pool, "the call does not run", |pool| pool.is_running(limited));
  pool.manager.relieve().unwrap();
  assert!(is_woken(&pool));
  // Once the owner knows, it may sleep.
  let due = pool.manager.next_deadline();
  pool.manager.owner_comes_at(due);
  pool.manager.relieve().unwrap();
  assert!(!is_woken(&pool));
  assert!(pool.stop_call(limited, Duration::ZERO));
  pool.close();
}

#[test]
fn owner_and_relief_by_turns_under_random_kills() {
  let mut random = Random::new(11);
  let mut pool = Pool::new(PoolConfig { max_workers: 3, ..config() });
  let keys: Vec<u64> = (0..600).map(|_| pool.submit("sleep 1")).collect();
  while !pool.unfinished().is_empty() {
    for _ in 0..random.below(30) {
      pool.manager.relieve().unwrap();
      std::thread::sleep(Duration::from_micros(300));
    }
    let workers: Vec<u32> = pool.manager.worker_stats().iter().map(|worker| worker.pid).collect();
    if !workers.is_empty() {
      send_signal(random.pick(&workers), libc::SIGKILL);
    }
    pool.go_on_for(Duration::from_millis(random.below(20) as u64));
  }
  let started = pool.ran_keys();
  for key in keys {
    let starts = started.iter().filter(|&&ran| ran == key).count();
    match pool.outcome(key) {
      Outcome::Answer { .. } => assert_eq!(starts, 1),
      Outcome::Failed(CallFailure::WorkerDied { .. }) => assert!(starts <= 1),
      other => panic!("{other:?}"),
    }
  }
  pool.close();
}

#[test]
fn a_result_that_the_owner_reads_is_not_taken_from_under_it() {
  let mut pool = warm(PoolConfig { max_workers: 1, ..config() });
  let data: Vec<u8> = (0..200_000).map(|at| (at / 1000) as u8).collect();
  pool.submit_with("echo", &data);
  let completion = loop {
    pool.manager.wait(Some(Duration::from_millis(1))).unwrap();
    if let Some(completion) = pool.manager.next_completion() {
      break completion;
    }
  };
  // The next result would be written over it if its memory were free.
  let others: Vec<u64> = (0..20).map(|_| pool.submit_with("echo", &[0; 200_000])).collect();
  for _ in 0..20 {
    pool.manager.relieve().unwrap();
    std::thread::sleep(Duration::from_millis(1));
  }
  let mut read = vec![0; completion.len];
  pool.manager.copy_payload(&completion, 0, &mut read);
  pool.manager.consume(&completion);
  assert_eq!(read, data);
  pool.settle(completion.id, completion.status, read, completion.pid);
  for other in others {
    assert_eq!(pool.answer(other), [0; 200_000]);
  }
  pool.close();
}

#[test]
fn the_number_of_a_call_that_ran_out_of_time_is_not_used_again_before_its_owner_has_heard() {
  let mut pool = warm(config());
  let slow = pool.submit_limited("patient 600000", 30, 600_000);
  let held = pool.submit("gate one");
  // Keeps the relief at work.
  let waiting: Vec<u64> = (0..50).map(|_| pool.submit("sleep 5")).collect();
  let id = pool.id(slow);
  let before = pool.manager.live_workers();
  relieve_until(&mut pool, "the calls do not run", |pool| pool.ran().len() >= 100 + 2 + 50);
  relieve_for(&mut pool, Duration::from_millis(50));
  // It has ended within its grace; of neither has the owner heard.
  for _ in 0..20 {
    let late = pool.submit("echo");
    assert_ne!(pool.id(late), id);
  }
  assert!(matches!(pool.outcome(slow), Outcome::Failed(CallFailure::TimedOut { .. })));
  pool.open("one");
  pool.answer(held);
  waiting.into_iter().for_each(|key| drop(pool.answer(key)));
  assert_eq!(pool.manager.live_workers(), before);
  pool.close();
}
