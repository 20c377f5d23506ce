//! Tests of calls that end as they should.

use std::collections::HashSet;

use millrace_pool::{CallSpec, Geometry, PoolConfig, SubmitError, Tail, status};

use crate::support::worker::pattern;
use crate::support::{Outcome, Pool, Random, config};

#[test]
fn a_call_is_answered_with_its_own_bytes() {
  let mut pool = Pool::new(config());
  let key = pool.submit_with("echo", b"there and back");
  let Outcome::Answer { status, body, pid } = pool.outcome(key) else { panic!("no answer") };
  assert_eq!((status, &body[..]), (status::OK, &b"there and back"[..]));
  assert_eq!(pool.started(), [pid]);
  assert_ne!(pid, std::process::id());
  pool.close();
}

#[test]
fn the_status_of_a_result_comes_through() {
  let mut pool = Pool::new(config());
  let key = pool.submit_with("fail", b"reason");
  let Outcome::Answer { status, body, .. } = pool.outcome(key) else { panic!("no answer") };
  assert_eq!((status, &body[..]), (status::ERROR, &b"reason"[..]));
  pool.close();
}

#[test]
fn three_calls_in_sequence_use_one_process() {
  let mut pool = Pool::new(PoolConfig { max_workers: 4, ..config() });
  let pids: HashSet<u32> = (0..3)
    .map(|_| {
      let key = pool.submit("pid");
      pool.number(key)
    })
    .collect();
  assert_eq!(pids.len(), 1);
  assert_eq!(pool.started().len(), 1);
  pool.close();
}

#[test]
fn a_worker_is_started_only_when_no_other_is_idle() {
  let mut pool = Pool::new(PoolConfig { max_workers: 3, ..config() });
  let long = pool.submit("gate first");
  pool.until_running(long);
  let first = pool.submit("pid");
  let second = pool.number(first);
  for _ in 0..5 {
    let key = pool.submit("pid");
    assert_eq!(pool.number(key), second, "the idle worker");
  }
  assert_eq!(pool.started().len(), 2);
  pool.open("first");
  pool.answer(long);
  pool.close();
}

#[test]
fn there_are_never_more_workers_than_allowed_and_as_many_when_there_is_work() {
  let mut pool = Pool::new(PoolConfig { max_workers: 3, ..config() });
  let keys: Vec<u64> = (0..20).map(|_| pool.submit("gate all")).collect();
  // Each round of the pool checks the upper bound.
  pool.poll_until("three calls run", |pool| pool.ran().len() >= 3);
  assert_eq!(pool.started().len(), 3);
  pool.open("all");
  for key in keys {
    pool.answer(key);
  }
  assert_eq!(pool.started().len(), 3);
  pool.close();
}

#[test]
fn one_worker_starts_twenty_thousand_calls_in_the_order_of_their_submission() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let keys: Vec<u64> = (0..20_000).map(|_| pool.submit("echo")).collect();
  pool.until("all are answered", |pool| pool.unfinished().is_empty());
  assert_eq!(pool.ran_keys(), keys);
  pool.close();
}

#[test]
fn two_workers_answer_twenty_thousand_calls_once_each() {
  let mut pool = Pool::new(config());
  let mut random = Random::new(20);
  let mut expected = Vec::new();
  while expected.len() < 20_000 {
    // In bursts, so that the workers fall asleep now and then.
    for _ in 0..random.below(800) {
      let data = pattern(random.pick(&[0, 3, 400, 480, 5000]));
      expected.push((pool.submit_with("echo", &data), data));
    }
    let rest = random.below(50);
    pool.until("most are answered", |pool| pool.manager.unfinished() <= rest);
  }
  for (key, data) in &expected {
    assert!(pool.answer(*key) == *data, "call {key} has the result of another");
  }
  let ran: HashSet<u64> = pool.ran_keys().into_iter().collect();
  assert_eq!((pool.ran().len(), ran.len()), (expected.len(), expected.len()));
  assert_eq!(pool.started().len(), 2);
  pool.close();
}

#[test]
fn large_payloads_go_both_ways() {
  let mut pool = Pool::new(config());
  let data = pattern(32 << 20);
  let keys: Vec<u64> = (0..4).map(|_| pool.submit_with("echo", &data)).collect();
  for key in keys {
    assert!(pool.answer(key) == data, "the bytes of call {key}");
  }
  pool.close();
}

#[test]
fn results_that_fill_the_arena_wait_for_the_host() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let first = pool.submit("echo");
  pool.answer(first);
  let keys: Vec<u64> = (0..8).map(|_| pool.submit("large 25000000")).collect();
  let expected = pattern(25_000_000);
  for key in keys {
    assert!(pool.answer(key) == expected, "the bytes of call {key}");
  }
  pool.close();
}

#[test]
fn a_payload_as_large_as_the_arena_goes_and_a_larger_one_is_refused() {
  let geometry = Geometry::new(4, 64 << 10).unwrap();
  let mut pool = Pool::new(PoolConfig { geometry, ..config() });
  // The key and the line of the order are in front of the data.
  let room = (64 << 10) - 8 - 5;
  let data = pattern(room);
  for _ in 0..3 {
    let key = pool.submit_with("echo", &data);
    assert!(pool.answer(key) == data);
  }
  let spec = CallSpec {
    task: 0,
    codec: 0,
    flags: 0,
    limits: None,
    retries: 0,
    further: false,
    attempt_of: None,
    head: &[0; 13],
    tail: Tail::Bytes(&[0; (64 << 10) - 12]),
  };
  let refusal = SubmitError::TooLarge { len: (64 << 10) + 1, capacity: 64 << 10 };
  assert_eq!(pool.manager.submit(spec), Err(refusal));
  assert_eq!(pool.manager.unfinished(), 0);
  pool.close();
}

#[test]
fn each_worker_knows_what_a_task_means_before_its_first_call() {
  let mut pool = Pool::new(config());
  pool.manager.define_task(1, pattern(100).into());
  pool.manager.define_task(2, pattern(100_000).into());
  for round in 0..3 {
    let calls: Vec<(u64, usize)> = (0..30)
      .map(|n| {
        let task = 1 + n % 2;
        (pool.try_submit("definition", &[], task, None).unwrap(), if task == 1 { 100 } else { 100_000 + round })
      })
      .collect();
    for (key, len) in calls {
      assert!(pool.answer(key) == pattern(len), "the definition that call {key} found");
    }
    // The number is free for another task once no call uses it.
    pool.manager.define_task(2, pattern(100_001 + round).into());
  }
  pool.close();
}

#[test]
fn a_definition_that_was_forgotten_can_be_made_again() {
  let geometry = Geometry::new(4, 256 << 10).unwrap();
  let mut pool = Pool::new(PoolConfig { geometry, max_workers: 1, ..config() });
  for round in 0..5 {
    for task in 1..=20_u32 {
      pool.manager.define_task(task, pattern(1000 * round + task as usize).into());
      let key = pool.try_submit("definition", &[], task, None).unwrap();
      assert!(pool.answer(key) == pattern(1000 * round + task as usize), "task {task} in round {round}");
    }
    for task in (1..=20).filter(|task| task % (round as u32 + 2) != 0) {
      pool.manager.forget_task(task);
    }
    // A number that was never defined.
    pool.manager.forget_task(1000);
    pool.manager.define_task(21, pattern(round).into());
    // This worker is told of both kinds: of new meanings, and of those that are gone.
    let key = pool.try_submit("definition", &[], 21, None).unwrap();
    assert!(pool.answer(key) == pattern(round));
    for task in (1..=20).filter(|task| task % (round as u32 + 2) == 0) {
      let key = pool.try_submit("definition", &[], task, None).unwrap();
      assert!(pool.answer(key) == pattern(1000 * round + task as usize), "task {task} stays in round {round}");
    }
  }
  pool.close();
}

#[test]
fn a_definition_and_a_payload_that_do_not_fit_the_arena_together_go_one_after_the_other() {
  let geometry = Geometry::new(4, 64 << 10).unwrap();
  let mut pool = Pool::new(PoolConfig { geometry, max_workers: 1, ..config() });
  let first = pool.submit("echo");
  pool.answer(first);
  let large = pattern(40_000);
  pool.manager.define_task(1, large.clone().into());
  let key = pool.try_submit("definition", &large, 1, None).unwrap();
  assert!(pool.answer(key) == large);
  pool.close();
}

#[test]
fn a_stray_error_is_told_and_disturbs_no_call() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let keys: Vec<u64> = (0..100).map(|_| pool.submit_with("stray", b"from nowhere")).collect();
  let sent = keys.into_iter().filter(|&key| pool.text(key) == "sent").count();
  let told = pool.count(|event| match event {
    millrace_pool::Event::Stray { report, .. } => {
      assert_eq!((report.codec, &report.bytes[..]), (7, &b"from nowhere"[..]));
      true
    }
    _ => false,
  });
  assert!(sent > 0);
  assert_eq!(told, sent);
  assert_eq!(pool.exits(), []);
  pool.close();
}
