//! Tests of workers that die, and of what becomes of their calls.

use millrace_pool::{
  BreakCause, CallFailure, Death, DeathPolicy, Event, Exit, ExitReason, PoolConfig, PoolState, SubmitError,
};

use crate::support::{Outcome, Pool, WATCHDOG, config, eventually, exists, group_lives, is_zombie, send_signal};

fn deaths(pool: &Pool) -> Vec<Death> {
  let broken = pool.events.iter().find_map(|event| match event {
    Event::Broken { cause: BreakCause::Deaths, deaths } => Some(deaths.clone()),
    _ => None,
  });
  broken.unwrap_or_else(|| panic!("the pool is not broken: {:?}", pool.events))
}

#[test]
fn a_death_breaks_the_pool_and_fails_every_call_with_pid_exit_and_call() {
  for (order, exit) in
    [("die 9 fuse", Exit::Signal(9)), ("die 6 fuse", Exit::Signal(6)), ("quit 5 fuse", Exit::Code(5))]
  {
    let mut pool = Pool::new(PoolConfig { on_death: DeathPolicy::Break, ..config() });
    let running = pool.submit("gate never");
    pool.until_running(running);
    let fatal = pool.submit(order);
    let id = pool.id(fatal);
    pool.until_running(fatal);
    let waiting: Vec<u64> = (0..20).map(|_| pool.submit("gate never")).collect();
    pool.open("fuse");
    assert_eq!(pool.outcome(fatal), Outcome::Broken);
    assert_eq!(pool.unfinished(), []);
    for key in waiting.into_iter().chain([running]) {
      assert_eq!(pool.known(key), Some(&Outcome::Broken));
    }
    let pid = pool.ran().iter().find(|started| started.key == fatal).unwrap().pid;
    let [death] = &deaths(&pool)[..] else { panic!("{:?}", pool.events) };
    assert_eq!((death.pid, death.exit, death.call, death.corrupt), (pid, exit, Some(id), None));
    assert_eq!(pool.manager.state(), PoolState::Broken);
    assert_eq!(pool.try_submit("echo", &[], 0, None), Err(SubmitError::NotRunning(PoolState::Broken)));
    pool.until_stopped();
    assert_eq!(pool.exits()[0], (pid, ExitReason::Died));
    assert_eq!(pool.ran().len(), 2, "nothing else started");
  }
}

#[test]
fn the_death_of_an_idle_worker_breaks_the_pool() {
  let mut pool = Pool::new(PoolConfig { on_death: DeathPolicy::Break, max_workers: 1, ..config() });
  let key = pool.submit("pid");
  let pid = pool.number(key);
  send_signal(pid, libc::SIGKILL);
  pool.until("the pool is broken", |pool| pool.manager.state() == PoolState::Broken);
  let [death] = &deaths(&pool)[..] else { panic!("{:?}", pool.events) };
  assert_eq!((death.pid, death.exit, death.call), (pid, Exit::Signal(libc::SIGKILL), None));
  pool.until_stopped();
}

#[test]
fn a_pool_breaks_while_its_other_workers_commit_results() {
  for _ in 0..10 {
    let mut pool = Pool::new(PoolConfig { on_death: DeathPolicy::Break, max_workers: 3, ..config() });
    let warm: Vec<u64> = (0..30).map(|_| pool.submit("sleep 1")).collect();
    warm.into_iter().for_each(|key| drop(pool.answer(key)));
    for n in 0..400 {
      pool.submit(if n == 100 { "die 9" } else { "echo" });
    }
    pool.until("the pool is broken", |pool| pool.manager.state() == PoolState::Broken);
    assert_eq!(pool.unfinished(), []);
    pool.until_stopped();
  }
}

#[test]
fn an_isolated_death_fails_the_claimed_call_and_no_other() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let before = pool.submit("echo");
  let fatal = pool.submit("die 9");
  let behind: Vec<u64> = (0..50).map(|_| pool.submit("pid")).collect();
  let Outcome::Failed(CallFailure::WorkerDied { pid, exit, corrupt, .. }) = pool.outcome(fatal) else {
    panic!("{:?}", pool.known(fatal))
  };
  assert_eq!((pid, exit, corrupt), (pool.started()[0], Exit::Signal(9), None));
  assert_eq!(pool.answer(before), b"");
  for key in behind {
    assert_ne!(pool.number(key), pid);
  }
  assert_eq!(pool.ran_keys(), (0..52).collect::<Vec<_>>(), "each ran once, in order");
  let replaced = pool.count(|event| matches!(event, Event::WorkerReplace { old_pid, .. } if *old_pid == pid));
  assert_eq!((replaced, pool.started().len()), (1, 2));
  assert_eq!(pool.exits(), [(pid, ExitReason::Died)]);
  assert_eq!(pool.count(|event| matches!(event, Event::WorkerLost(_))), 0);
  pool.close();
}

#[test]
fn an_isolated_death_of_an_idle_worker_is_told_and_the_worker_replaced() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let key = pool.submit("pid");
  let pid = pool.number(key);
  send_signal(pid, libc::SIGKILL);
  pool.until("a new worker", |pool| pool.started().len() == 2);
  let lost = pool.events.iter().find_map(|event| match event {
    Event::WorkerLost(death) => Some((death.pid, death.exit, death.call)),
    _ => None,
  });
  assert_eq!(lost, Some((pid, Exit::Signal(9), None)));
  let key = pool.submit("pid");
  assert_eq!(pool.number(key), pool.started()[1]);
  pool.close();
}

#[test]
fn a_hundred_deaths_in_a_row_cost_a_hundred_calls() {
  let mut pool = Pool::new(config());
  let keys: Vec<u64> = (0..400).map(|n| pool.submit(if n % 4 == 1 { "die 9" } else { "echo" })).collect();
  for key in keys {
    match pool.outcome(key) {
      Outcome::Answer { .. } => assert_ne!(key % 4, 1),
      Outcome::Failed(CallFailure::WorkerDied { exit, .. }) => assert_eq!((key % 4, exit), (1, Exit::Signal(9))),
      other => panic!("{other:?}"),
    }
  }
  assert_eq!(pool.ran().len(), 400);
  pool.close();
}

#[test]
fn a_result_that_was_committed_before_the_death_is_delivered() {
  for on_death in [DeathPolicy::Break, DeathPolicy::Isolate] {
    let mut pool = Pool::new(PoolConfig { on_death, max_workers: 1, ..config() });
    let first = pool.submit("echo");
    pool.answer(first);
    let before = pool.submit_with("echo", b"some");
    let last = pool.submit_with("last-words 9", b"words");
    let behind = pool.submit("echo");
    // The host does not look before all is over.
    eventually("the worker has died", || pool.ran().len() == 3 && is_zombie(pool.started()[0]));
    assert_eq!(pool.answer(before), b"some");
    assert_eq!(pool.answer(last), b"words");
    if on_death == DeathPolicy::Break {
      assert_eq!(pool.outcome(behind), Outcome::Broken);
      assert_eq!(deaths(&pool)[0].call, None);
      pool.until_stopped();
    } else {
      pool.answer(behind);
      pool.close();
    }
  }
}

#[test]
fn what_a_dead_worker_has_started_goes_with_it() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let key = pool.submit("family");
  let child = pool.number(key);
  assert!(exists(child));
  let fatal = pool.submit("die 9");
  pool.outcome(fatal);
  let worker = pool.started()[0];
  eventually("its child is gone", || !group_lives(worker));
  pool.close();
}

#[test]
fn a_pool_that_closes_replaces_a_dead_worker_as_long_as_calls_wait() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let fatal = pool.submit("die 9");
  let behind: Vec<u64> = (0..5).map(|_| pool.submit("echo")).collect();
  pool.manager.shut_down();
  assert!(matches!(pool.outcome(fatal), Outcome::Failed(_)));
  behind.into_iter().for_each(|key| drop(pool.answer(key)));
  pool.until_stopped();
  assert_eq!(pool.started().len(), 2);
}

#[test]
fn a_pool_that_closes_does_not_replace_a_worker_that_nobody_waits_for() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let fatal = pool.submit("die 9");
  pool.manager.shut_down();
  pool.outcome(fatal);
  pool.until_stopped();
  assert_eq!(pool.started().len(), 1);
}

#[test]
fn the_number_of_a_failed_call_is_not_used_again_before_its_owner_has_heard() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let fatal = pool.submit("die 9");
  let id = pool.id(fatal);
  eventually("the call fails", || {
    pool.manager.wait(Some(WATCHDOG)).unwrap();
    assert!(pool.manager.next_completion().is_none());
    pool.manager.unfinished() == 0
  });
  // The failure is among the events, which nobody has taken.
  let early = pool.submit("echo");
  assert_ne!(pool.id(early), id);
  assert!(matches!(pool.outcome(fatal), Outcome::Failed(CallFailure::WorkerDied { .. })));
  pool.answer(early);
  pool.close();
}
