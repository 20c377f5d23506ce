//! Tests that a long call does not hold up the calls queued behind it.

use millrace_pool::PoolConfig;

use crate::support::{Pool, config, eventually, is_stopped, send_signal};

#[test]
fn calls_behind_a_long_one_move_to_an_idle_worker() {
  let mut pool = Pool::new(config());
  // Both workers are there, and their calls are known to be short: the lanes take several.
  let keys: Vec<u64> = (0..200).map(|_| pool.submit("echo")).collect();
  keys.into_iter().for_each(|key| drop(pool.answer(key)));
  assert_eq!(pool.started().len(), 2);
  for gate in ["one", "two", "three"] {
    let long = pool.submit(&format!("gate {gate}"));
    let short: Vec<u64> = (0..300).map(|_| pool.submit("echo")).collect();
    for key in short {
      pool.answer(key);
    }
    pool.until_running(long);
    pool.open(gate);
    pool.answer(long);
  }
  pool.close();
}

#[test]
fn large_calls_behind_a_long_one_move_piece_by_piece_until_none_is_left() {
  let mut pool = Pool::new(config());
  let keys: Vec<u64> = (0..200).map(|_| pool.submit("echo")).collect();
  keys.into_iter().for_each(|key| drop(pool.answer(key)));
  let large = |n: usize| crate::support::worker::pattern((1 << 20) + n);
  for round in 0..3 {
    let gate = format!("large-{round}");
    let long = pool.submit(&format!("gate {gate}"));
    // They are short, as far as is known: so all of them go into the two lanes.
    let behind: Vec<u64> = (0..40).map(|n| pool.submit_with("echo", &large(n))).collect();
    for (n, key) in behind.into_iter().enumerate() {
      assert!(pool.answer(key) == large(n), "call {n}");
    }
    assert!(pool.is_running(long));
    pool.open(&gate);
    pool.answer(long);
  }
  pool.close();
}

#[test]
fn a_call_behind_a_long_one_moves_when_another_worker_falls_idle() {
  let mut pool = Pool::new(config());
  let first = pool.submit("gate first");
  let second = pool.submit("gate second");
  pool.until_running(first);
  pool.until_running(second);
  let waiting: Vec<u64> = (0..6).map(|_| pool.submit("echo")).collect();
  pool.open("second");
  for key in waiting {
    pool.answer(key);
  }
  assert!(pool.is_running(first));
  pool.open("first");
  pool.answer(first);
  pool.close();
}

#[test]
fn a_call_behind_a_long_one_is_not_overtaken_for_ever() {
  let mut pool = Pool::new(config());
  let long = pool.submit("gate one");
  // Behind it, since the other worker has not booted.
  pool.until_running(long);
  let waiting = pool.submit("echo");
  // There are always younger calls that wait as well.
  let mut younger = 0;
  while pool.known(waiting).is_none() {
    while pool.unfinished().len() < 30 {
      pool.submit("sleep 3");
      younger += 1;
    }
    assert!(younger < 10_000, "{younger} younger calls went first\n{}", pool.manager.dump());
    pool.round(crate::support::WATCHDOG);
  }
  pool.open("one");
  pool.answer(long);
  pool.close();
}

#[test]
fn calls_that_move_run_once_and_with_the_same_bytes() {
  let mut pool = Pool::new(PoolConfig { max_workers: 3, ..config() });
  let mut expected = Vec::new();
  for n in 0..600_usize {
    if n % 40 == 0 {
      pool.submit("sleep 10");
    }
    let data = crate::support::worker::pattern(n * 37 % 3000);
    expected.push((pool.submit_with("echo", &data), data));
    if n % 97 == 0 {
      pool.round(std::time::Duration::from_millis(2));
    }
  }
  for (key, data) in expected {
    assert!(pool.answer(key) == data, "call {key}");
  }
  pool.until("all are answered", |pool| pool.unfinished().is_empty());
  let mut keys = pool.ran_keys();
  keys.sort_unstable();
  assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "a call ran twice");
  pool.close();
}

#[test]
fn a_host_with_nothing_to_do_sleeps() {
  let mut pool = Pool::new(config());
  let keys = [pool.submit("gate one"), pool.submit("gate two")];
  keys.into_iter().for_each(|key| pool.until_running(key));
  let waiting: Vec<u64> = (0..50).map(|_| pool.submit("echo")).collect();
  pool.go_on_for(std::time::Duration::from_millis(50));
  let before = pool.rounds;
  pool.go_on_for(std::time::Duration::from_millis(300));
  // One round is the wait itself, and a few may be due; a host that spins makes thousands.
  assert!(pool.rounds - before < 100, "{} rounds", pool.rounds - before);
  pool.open("one");
  pool.open("two");
  for key in waiting {
    pool.answer(key);
  }
  pool.go_on_for(std::time::Duration::from_millis(50));
  let before = pool.rounds;
  pool.go_on_for(std::time::Duration::from_millis(300));
  assert!(pool.rounds - before < 100, "{} rounds of an idle pool", pool.rounds - before);
  pool.close();
}

/// Stops the worker that would get the next call.
fn stop_idle_worker(pool: &mut Pool) -> u32 {
  let key = pool.submit("pid");
  let pid = pool.number(key);
  send_signal(pid, libc::SIGSTOP);
  eventually("the worker has stopped", || is_stopped(pid));
  pid
}

#[test]
fn a_call_that_its_worker_does_not_claim_moves_to_an_idle_one() {
  let mut pool = Pool::new(config());
  // Both workers are there.
  let gates = [pool.submit("gate one"), pool.submit("gate one")];
  gates.into_iter().for_each(|key| pool.until_running(key));
  pool.open("one");
  gates.into_iter().for_each(|key| drop(pool.answer(key)));
  let stopped = stop_idle_worker(&mut pool);
  for _ in 0..50 {
    let key = pool.submit_limited("pid", 60_000, 0);
    assert_ne!(pool.number(key), stopped);
  }
  // It is given calls again once it has come to its loop.
  send_signal(stopped, libc::SIGCONT);
  let held = pool.submit("gate two");
  pool.until_running(held);
  let other = pool.submit("pid");
  let other = pool.number(other);
  pool.open("two");
  pool.answer(held);
  assert_eq!(pool.started().len(), 2);
  assert!(pool.started().contains(&other));
  pool.close();
}

#[test]
fn a_worker_is_started_for_a_call_that_the_only_one_does_not_claim() {
  let mut pool = Pool::new(config());
  let stopped = stop_idle_worker(&mut pool);
  let key = pool.submit("pid");
  assert_ne!(pool.number(key), stopped);
  assert_eq!(pool.started().len(), 2);
  send_signal(stopped, libc::SIGCONT);
  pool.close();
}

#[test]
fn a_call_waits_for_a_stopped_worker_if_there_is_no_other() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let stopped = stop_idle_worker(&mut pool);
  let keys: Vec<u64> = (0..3).map(|_| pool.submit("pid")).collect();
  pool.go_on_for(std::time::Duration::from_millis(200));
  assert_eq!(pool.unfinished().len(), 3);
  assert!(pool.rounds < 100, "{} rounds of waiting", pool.rounds);
  send_signal(stopped, libc::SIGCONT);
  for key in keys {
    assert_eq!(pool.number(key), stopped);
  }
  pool.close();
}
