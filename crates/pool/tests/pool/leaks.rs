//! Tests that no process, descriptor, thread or mapping outlives its pool.

#![cfg(target_os = "linux")]

use millrace_pool::{DeathPolicy, PoolConfig, SubmitError};

use crate::support::{Pool, children, config, descriptors, eventually, is_alone, mappings, threads};

/// A pool, used a little and ended in one of several ways.
fn pool(n: usize) {
  let on_death = if n.is_multiple_of(3) { DeathPolicy::Break } else { DeathPolicy::Isolate };
  let mut pool = Pool::new(PoolConfig { on_death, max_workers: 1 + n as u32 % 2, ..config() });
  let keys: Vec<u64> = (0..n % 4).map(|_| pool.submit_with("echo", &[1; 1000])).collect();
  match n % 8 {
    0 | 1 => {
      keys.into_iter().for_each(|key| drop(pool.answer(key)));
      pool.close();
    }
    2 => drop(pool),
    3 => {
      keys.into_iter().for_each(|key| drop(pool.answer(key)));
    }
    4 | 5 => {
      pool.submit("die 9");
      pool.until("all calls end", |pool| pool.unfinished().is_empty());
      pool.close();
    }
    6 => {
      let key = pool.submit("gate never");
      pool.until_running(key);
      pool.manager.terminate_all(true);
      pool.until_stopped();
    }
    _ => {
      let key = pool.submit("gate never");
      pool.until_running(key);
    }
  }
}

#[test]
fn two_hundred_pools_leave_no_process_descriptor_thread_or_mapping() {
  if !is_alone("leaks::two_hundred_pools_leave_no_process_descriptor_thread_or_mapping", &[]) {
    return;
  }
  (0..8).for_each(pool);
  let count = || (children(), descriptors(), mappings());
  let before = count();
  let threads_before = threads();
  assert_eq!(before.0, []);
  (0..200).for_each(pool);
  assert_eq!(count(), before);
  // The alarm of the last pool may not have noticed yet.
  eventually("there are as many threads as before", || threads() <= threads_before);
}

#[test]
fn starts_that_fail_for_want_of_descriptors_leave_nothing() {
  if !is_alone("leaks::starts_that_fail_for_want_of_descriptors_leave_nothing", &[]) {
    return;
  }
  let mut pool = Pool::new(config());
  let count = || (children(), descriptors(), mappings());
  let before = count();
  let limit = limit_of_descriptors(None);
  let mut refused = 0;
  let started = (before.1 as u64..limit).find(|&most| {
    limit_of_descriptors(Some(most));
    let outcome = pool.try_submit("echo", &[], 0, None);
    limit_of_descriptors(Some(limit));
    if let Err(error) = &outcome {
      assert!(matches!(error, SubmitError::Spawn(failure) if failure.errno.is_some()), "{error:?}");
      assert_eq!(count(), before, "after a refusal with {most} descriptors");
      refused += 1;
    }
    outcome.is_ok()
  });
  assert!(refused > 3 && started.is_some(), "{refused} refusals");
  pool.until("the call is answered", |pool| pool.unfinished().is_empty());
  pool.close();
}

/// The soft limit, after it was set if one is given.
fn limit_of_descriptors(set: Option<u64>) -> u64 {
  let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
  // SAFETY: writes to `limit` only.
  assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) }, 0);
  if let Some(most) = set {
    limit.rlim_cur = most;
    // SAFETY: reads `limit` only.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
  }
  limit.rlim_cur
}

#[test]
fn a_disconnected_manager_holds_no_descriptor() {
  if !is_alone("leaks::a_disconnected_manager_holds_no_descriptor", &[]) {
    return;
  }
  let before = descriptors();
  let mut pool = Pool::new(config());
  let key = pool.submit("echo");
  pool.answer(key);
  pool.manager.shut_down();
  pool.until_stopped();
  pool.manager.disconnect();
  assert_eq!(descriptors(), before);
  pool.manager.wake_again();
  pool.round(std::time::Duration::ZERO);
  assert_eq!(pool.manager.worker_stats().len(), 0);
}
