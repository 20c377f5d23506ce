//! Nothing is left of a pool.

#![cfg(target_os = "linux")]

use std::process::Command;

use millrace_pool::{DeathPolicy, PoolConfig};

use crate::support::{Pool, children, config, descriptors, eventually, mappings, threads};

const ALONE: &str = "MILLRACE_TEST_ALONE";

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
  if std::env::var_os(ALONE).is_none() {
    // In a process of its own: others here have pools at the same time.
    let name = "leaks::two_hundred_pools_leave_no_process_descriptor_thread_or_mapping";
    let mut alone = Command::new(std::env::current_exe().unwrap());
    let output = alone.args([name, "--exact", "--nocapture"]).env(ALONE, "1").output().unwrap();
    assert!(
      output.status.success(),
      "{}\n{}",
      String::from_utf8_lossy(&output.stdout),
      String::from_utf8_lossy(&output.stderr)
    );
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
