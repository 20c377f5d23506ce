//! Tests of the hard limit of a worker's memory.

use std::time::{Duration, Instant};

use millrace_pool::{BreakCause, CallFailure, DeathPolicy, Event, ExitReason, Outgrown, PoolConfig, PoolState};

use crate::support::{Outcome, Pool, WATCHDOG, config};

/// Many times what a worker of these tests needs.
const LIMIT: u64 = 100 << 20;

/// More than the limit, and than what is doubtful beyond it.
const TOO_MUCH: u64 = 2 * LIMIT;

fn limited(config: PoolConfig) -> Pool {
  Pool::new(PoolConfig { hard_memory_limit: Some(LIMIT), ..config })
}

/// The size for which the worker of a call was killed.
fn outgrown(outcome: &Outcome) -> Option<Outgrown> {
  if let Outcome::Failed(CallFailure::WorkerDied { outgrown, .. }) = outcome { *outgrown } else { None }
}

fn rss(pool: &Pool) -> u64 {
  pool.manager.worker_stats()[0].rss.unwrap()
}

#[test]
fn a_call_that_grows_its_worker_beyond_the_limit_fails_and_no_other() {
  let mut pool = limited(PoolConfig { max_workers: 1, ..config() });
  let small = pool.submit("pid");
  let first = pool.number(small);
  let large = pool.submit(&format!("hoard {TOO_MUCH} never"));
  let behind: Vec<u64> = (0..5).map(|_| pool.submit("pid")).collect();
  let seen = outgrown(&pool.outcome(large)).expect("a failure for its size");
  assert!(seen.limit == LIMIT && seen.rss.unwrap() > LIMIT, "{seen:?}");
  for key in behind {
    assert_ne!(pool.number(key), first);
  }
  assert_eq!(pool.exits(), [(first, ExitReason::Died)]);
  assert_eq!(pool.ran().len(), 7);
  pool.close();
}

#[test]
fn a_pool_that_breaks_on_deaths_breaks_and_tells_the_size() {
  let mut pool = limited(PoolConfig { max_workers: 1, on_death: DeathPolicy::Break, ..config() });
  let large = pool.submit(&format!("hoard {TOO_MUCH} never"));
  assert_eq!(pool.outcome(large), Outcome::Broken);
  assert_eq!(pool.manager.state(), PoolState::Broken);
  let told = |event: &Event| match event {
    Event::Broken { cause: BreakCause::Deaths, deaths } => deaths[0].outgrown.is_some_and(|seen| seen.limit == LIMIT),
    _ => false,
  };
  assert_eq!(pool.count(told), 1);
  pool.until_stopped();
}

#[test]
fn the_relief_looks_when_the_owner_does_not_come_by() {
  let mut pool = limited(PoolConfig { max_workers: 1, ..config() });
  let large = pool.submit(&format!("hoard {TOO_MUCH} never"));
  pool.until_running(large);
  let pid = pool.ran()[0].pid;
  let (turns, start) = (pool.manager.owner_turns(), Instant::now());
  while !pool.manager.dump().contains("sent SIGKILL") {
    assert!(start.elapsed() < WATCHDOG, "{}", pool.manager.dump());
    pool.manager.look_at_memory(Instant::now());
    std::thread::sleep(Duration::from_millis(1));
  }
  assert_eq!(pool.manager.owner_turns(), turns);
  assert!(outgrown(&pool.outcome(large)).is_some());
  assert_eq!(pool.exits(), [(pid, ExitReason::Died)]);
  pool.close();
}

#[test]
fn a_worker_that_is_too_large_when_a_call_would_begin_is_replaced_first() {
  let mut pool = limited(PoolConfig { max_workers: 1, ..config() });
  let small = pool.submit("pid");
  let first = pool.number(small);
  // The bytes are there too soon for a look, or too late: then the call has failed, and another worker gets them.
  let hoard = loop {
    let large = pool.submit(&format!("hoard {}", LIMIT + (1 << 20)));
    if matches!(pool.outcome(large), Outcome::Answer { .. }) {
      break pool.ran().last().unwrap().pid;
    }
  };
  // Longer than the time in which an earlier look counts.
  pool.go_on_for(Duration::from_millis(20));
  let behind: Vec<u64> = (0..5).map(|_| pool.submit("pid")).collect();
  for key in behind {
    assert_ne!(pool.number(key), hoard);
  }
  assert_eq!(*pool.exits().last().unwrap(), (hoard, ExitReason::Recycled));
  assert!(pool.started().contains(&first));
  pool.close();
}

#[test]
fn a_call_that_finds_its_worker_a_little_too_large_ends_and_the_worker_leaves() {
  loop {
    let mut pool = limited(PoolConfig { max_workers: 1, ..config() });
    let first = pool.submit("gate first");
    pool.until_running(first);
    let missing = LIMIT + (10 << 20) - rss(&pool);
    // Both are in the lane when the first call ends, so that nobody comes by between them.
    let hoard = pool.submit(&format!("hoard {missing}"));
    let innocent = pool.submit("gate last");
    pool.open("first");
    pool.answer(first);
    if !matches!(pool.outcome(hoard), Outcome::Answer { .. }) {
      // A look came in the middle of it.
      pool.open("last");
      pool.close();
      continue;
    }
    pool.until_running(innocent);
    let behind = pool.submit("pid");
    pool.go_on_for(Duration::from_millis(200));
    assert!(pool.known(innocent).is_none());
    pool.open("last");
    pool.answer(innocent);
    let pid = pool.ran()[0].pid;
    assert_ne!(pool.number(behind), pid);
    assert_eq!(pool.exits(), [(pid, ExitReason::Recycled)]);
    pool.close();
    return;
  }
}

#[test]
fn a_worker_that_never_was_within_the_limit_gets_its_call_and_is_killed_in_it() {
  let mut pool = Pool::new(PoolConfig { hard_memory_limit: Some(1), max_workers: 1, ..config() });
  for _ in 0..4 {
    let call = pool.submit("gate never");
    assert_eq!(outgrown(&pool.outcome(call)).unwrap().limit, 1);
  }
  assert_eq!(pool.manager.state(), PoolState::Running);
  pool.close();
}

#[test]
fn a_call_may_be_repeated_after_its_worker_was_killed_for_its_size() {
  let mut pool = limited(config());
  let key = pool.submit_repeated(&format!("until 3 hoard {TOO_MUCH} never"), b"data", None, 2);
  assert_eq!(pool.answer(key), b"data");
  assert_eq!(pool.exit_reasons(), [ExitReason::Died, ExitReason::Died]);
  pool.close();
}

#[test]
fn a_worker_whose_call_is_being_stopped_is_killed_too_and_that_is_no_death() {
  let mut pool = limited(PoolConfig { max_workers: 1, on_death: DeathPolicy::Break, ..config() });
  let order = format!("hoard {TOO_MUCH} never");
  let large = pool.submit_limited(&order, 1, 600_000);
  assert!(matches!(pool.outcome(large), Outcome::Failed(_)));
  pool.until("the worker is gone", |pool| !pool.exits().is_empty());
  let behind = pool.submit("pid");
  pool.answer(behind);
  assert_eq!(pool.exit_reasons(), [ExitReason::Killed]);
  pool.close();
}

#[test]
fn nobody_looks_at_workers_that_have_nothing_to_do() {
  let mut pool = limited(config());
  let keys: Vec<u64> = (0..20).map(|_| pool.submit("echo")).collect();
  pool.until("the workers have calls", |pool| pool.manager.next_memory_look().is_some());
  keys.into_iter().for_each(|key| drop(pool.answer(key)));
  pool.until("the last look", |pool| pool.manager.next_memory_look().is_none());
  pool.until("nothing is due", |pool| pool.manager.next_deadline().is_none());
  let rounds = pool.rounds;
  pool.go_on_for(Duration::from_millis(300));
  assert_eq!(pool.rounds, rounds + 1);
  let call = pool.submit("gate one");
  let look = pool.manager.next_memory_look().unwrap();
  assert!(look <= Instant::now() + Duration::from_millis(50));
  pool.open("one");
  pool.answer(call);
  pool.close();
}

#[test]
fn a_pool_without_a_limit_is_not_looked_at() {
  let mut pool = Pool::new(config());
  let large = pool.submit(&format!("hoard {TOO_MUCH} one"));
  pool.until_running(large);
  assert_eq!(pool.manager.next_memory_look(), None);
  pool.open("one");
  pool.answer(large);
  pool.close();
}
