//! Tests of a worker that writes nonsense over its lane: the host survives, and only the calls of that lane are hurt.

use std::collections::HashSet;
use std::time::Duration;

use millrace_pool::{CallFailure, Event, ExitReason, PoolConfig};

use crate::support::worker::pattern;
use crate::support::{Outcome, Pool, Random, config, exists, send_signal};

/// Scribbles once, among other calls. Returns whether the damage was found.
fn scribble(pool: &mut Pool, seed: u64, random: &mut Random) -> bool {
  let data = pattern(600);
  let warm: Vec<u64> = (0..4).map(|_| pool.submit("sleep 1")).collect();
  warm.into_iter().for_each(|key| drop(pool.outcome(key)));
  let lost_before = found(pool);
  let before: Vec<u64> = (0..random.below(6)).map(|_| pool.submit_with("echo", &data)).collect();
  let words = random.pick(&[3, 300, 30_000]);
  let scribbler = pool.submit(&format!("scribble {seed} {words}"));
  let after: Vec<u64> = (0..random.below(10)).map(|_| pool.submit_with("echo", &data)).collect();
  pool.until_running(scribbler);
  let started = pool.ran().into_iter().find(|started| started.key == scribbler);
  let pid = started.unwrap().pid;
  // The damage may as well be that the lane is silent for ever.
  for _ in 0..20 {
    if pool.unfinished().is_empty() {
      break;
    }
    pool.round(Duration::from_millis(5));
  }
  if exists(pid) && pool.exits().iter().all(|(exited, _)| *exited != pid) {
    send_signal(pid, libc::SIGKILL);
  }
  pool.until("every call ends", |pool| pool.unfinished().is_empty());
  pool.until("the worker is replaced", |pool| pool.exits().iter().any(|(exited, _)| *exited == pid));
  let healthy: Vec<u64> = (0..3).map(|_| pool.submit_with("echo", &data)).collect();
  healthy.iter().for_each(|&key| drop(pool.outcome(key)));
  let queued_behind: HashSet<u64> = after.iter().copied().collect();
  for key in before.into_iter().chain(after).chain(healthy) {
    match pool.known(key) {
      // What was queued in the lane when it was damaged, and then went elsewhere, took its bytes from there.
      Some(Outcome::Answer { body, pid: by, .. }) => {
        assert!(*body == data || *by == pid || queued_behind.contains(&key), "the bytes of call {key}");
      }
      // An order of arbitrary bytes may also end the worker that it went to.
      Some(Outcome::Failed(CallFailure::WorkerDied { pid: by, .. })) => {
        assert!(*by == pid || queued_behind.contains(&key), "the worker of call {key}");
      }
      other => panic!("call {key}: {other:?}"),
    }
  }
  found(pool) > lost_before
}

/// How often a lane was found to be damaged.
fn found(pool: &Pool) -> usize {
  pool.count(|event| match event {
    Event::WorkerLost(death) => death.corrupt.is_some(),
    Event::CallFailed { failure: CallFailure::WorkerDied { corrupt, .. }, .. } => corrupt.is_some(),
    _ => false,
  })
}

#[test]
fn a_worker_that_scribbles_over_its_lane_hurts_only_its_own_calls() {
  let mut pool = Pool::new(config());
  let mut random = Random::new(5);
  let damages = (0..150).filter(|&seed| scribble(&mut pool, seed, &mut random)).count();
  assert!(damages > 5, "a test that damages nothing: {damages}");
  assert!(pool.exit_reasons().iter().all(|&reason| matches!(reason, ExitReason::Died | ExitReason::Recycled)));
  let pids: HashSet<u32> = pool.started().into_iter().collect();
  assert_eq!(pids.len(), pool.started().len());
  pool.close();
}

#[test]
fn a_damaged_lane_breaks_a_pool_that_breaks_and_is_named() {
  let on_death = millrace_pool::DeathPolicy::Break;
  for seed in 0..1000 {
    let mut pool = Pool::new(PoolConfig { on_death, max_workers: 1, ..config() });
    let key = pool.submit(&format!("scribble {seed} 20000"));
    pool.until_running(key);
    pool.go_on_for(Duration::from_millis(50));
    let named = pool.count(|event| match event {
      Event::Broken { deaths, .. } => deaths.iter().any(|death| death.corrupt.is_some()),
      _ => false,
    });
    if named > 0 {
      return;
    }
  }
  panic!("no damage was ever found");
}
