//! Tests of an owner with an event loop of its own: the pollables and the deadline of the last look wake it, nothing
//! else.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use millrace_pool::{Geometry, Pollables, PoolConfig};
use millrace_sys::{PollerKind, WaitSet};

use crate::support::{Pool, WATCHDOG, config, eventually, is_stopped, send_signal};

/// Waits as an event loop would, that was told what to watch; false if nothing came.
fn is_rung(pool: &mut Pool, timeout: Duration) -> bool {
  if pool.manager.prepare_to_sleep(false) {
    return true;
  }
  let mut set = WaitSet::new(PollerKind::Poll).unwrap();
  let fds = match pool.manager.pollables() {
    Pollables::One(fd) => vec![fd],
    Pollables::Many(fds) => fds.to_vec(),
  };
  for fd in fds {
    // SAFETY: the manager has it open, and is not touched while the set exists.
    set.add(unsafe { BorrowedFd::borrow_raw(fd) }, 0).unwrap();
  }
  let mut ready = Vec::new();
  set.wait(Some(timeout), &mut ready).unwrap();
  !ready.is_empty()
}

#[test]
fn a_result_makes_a_pollable_readable() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let keys: Vec<u64> = (0..50)
    .map(|_| {
      let key = pool.submit("echo");
      while pool.known(key).is_none() {
        assert!(is_rung(&mut pool, WATCHDOG), "nobody rings\n{}", pool.manager.dump());
        pool.round(Duration::ZERO);
      }
      key
    })
    .collect();
  assert_eq!(pool.ran_keys(), keys);
  while is_rung(&mut pool, Duration::ZERO) {
    pool.round(Duration::ZERO);
  }
  assert!(!is_rung(&mut pool, Duration::from_millis(20)));
  pool.close();
}

#[test]
fn a_worker_that_passes_by_a_cancelled_call_wakes_a_host_that_waits_for_its_slot() {
  let geometry = Geometry::new(2, 64 << 10).unwrap();
  let mut pool = Pool::new(PoolConfig { max_workers: 1, geometry, ..config() });
  let first = pool.submit("echo");
  pool.answer(first);
  pool.go_on_for(Duration::from_millis(20));
  let pid = pool.started()[0];
  send_signal(pid, libc::SIGSTOP);
  eventually("the worker has stopped", || is_stopped(pid));
  let cancelled = pool.submit("echo");
  assert!(pool.cancel(cancelled));
  let waiting = pool.submit("echo");
  while is_rung(&mut pool, Duration::ZERO) {
    pool.round(Duration::ZERO);
  }
  send_signal(pid, libc::SIGCONT);
  let start = Instant::now();
  while pool.known(waiting).is_none() {
    assert!(is_rung(&mut pool, WATCHDOG), "nobody rings\n{}", pool.manager.dump());
    pool.round(Duration::ZERO);
    assert!(start.elapsed() < WATCHDOG);
  }
  assert_eq!(pool.ran_keys(), [first, waiting]);
  pool.close();
}

#[test]
fn the_deadline_of_a_pool_is_known_beforehand() {
  let mut pool = Pool::new(PoolConfig { idle_timeout: Some(Duration::from_millis(50)), max_workers: 1, ..config() });
  assert_eq!(pool.manager.next_deadline(), None);
  let key = pool.submit("echo");
  assert!(pool.manager.next_deadline().is_some(), "the worker must boot in time");
  pool.answer(key);
  let due = pool.manager.next_deadline().unwrap();
  assert!(due <= Instant::now() + Duration::from_millis(50));
  pool.until("the idle worker leaves", |pool| pool.manager.live_workers() == 0);
  assert_eq!(pool.manager.next_deadline(), None);
  pool.close();
}
