//! Tests of the bound on the calls that wait.

use millrace_pool::{Event, PoolConfig, SubmitError};

use crate::support::{Outcome, Pool, config, eventually};

fn room(event: &Event) -> bool {
  matches!(event, Event::Room)
}

#[test]
fn a_full_queue_refuses_calls_and_tells_when_there_is_room() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, max_queue: Some(5), ..config() });
  let running = pool.submit("gate one");
  pool.until_running(running);
  let waiting: Vec<u64> = (0..5).map(|_| pool.submit("gate two")).collect();
  assert!(pool.manager.is_full());
  for _ in 0..3 {
    assert_eq!(pool.try_submit("echo", &[], 0, None), Err(SubmitError::QueueFull));
  }
  assert_eq!((pool.manager.queued(), pool.manager.unfinished()), (5, 6));
  pool.go_on_for(std::time::Duration::from_millis(20));
  assert_eq!(pool.count(room), 0);

  pool.open("one");
  pool.until("there is room", |pool| pool.count(room) == 1);
  assert_eq!(pool.manager.unfinished(), 5);
  // The worker claims the next call in its own time.
  pool.until("the next call is claimed", |pool| pool.manager.queued() == 4);
  let late = pool.submit("echo");
  pool.open("two");
  pool.answer(late);
  assert!(waiting.iter().all(|&key| matches!(pool.known(key), Some(Outcome::Answer { .. }))));
  assert_eq!(pool.count(room), 2, "told once each time that it was full");
  pool.close();
}

#[test]
fn room_after_the_last_call_that_fitted_is_told_though_none_was_refused() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, max_queue: Some(1), ..config() });
  let running = pool.submit("gate one");
  assert!(!pool.manager.is_full());
  let waiting = pool.submit("echo");
  pool.go_on_for(std::time::Duration::from_millis(20));
  assert_eq!((pool.count(room), pool.manager.is_full()), (0, true));
  pool.open("one");
  pool.answer(running);
  pool.answer(waiting);
  pool.until("there is room", |pool| pool.count(room) == 1);
  pool.close();
}

#[test]
fn a_cancel_makes_room_and_that_is_told() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, max_queue: Some(2), ..config() });
  let running = pool.submit("gate one");
  pool.until_running(running);
  let waiting = [pool.submit("echo"), pool.submit("echo")];
  assert_eq!(pool.try_submit("echo", &[], 0, None), Err(SubmitError::QueueFull));
  assert!(pool.cancel(waiting[1]));
  pool.until("there is room", |pool| pool.count(room) == 1);
  pool.open("one");
  pool.answer(waiting[0]);
  pool.close();
}

#[test]
fn who_asks_for_room_is_told_even_if_there_is_some() {
  let mut pool = Pool::new(PoolConfig { max_queue: Some(2), ..config() });
  pool.manager.await_room();
  pool.until("there is room", |pool| pool.count(room) == 1);
  pool.close();
}

#[test]
fn calls_that_a_worker_has_finished_do_not_fill_the_queue() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, max_queue: Some(3), ..config() });
  // Short calls, so that the worker is given several at once.
  for _ in 0..20 {
    let key = pool.submit("echo");
    pool.answer(key);
  }
  let keys: Vec<u64> = (0..3).map(|_| pool.submit("echo")).collect();
  // No round meanwhile: the results are there, but nobody has looked at them.
  eventually("all have started", || pool.ran().last().is_some_and(|started| started.key == keys[2]));
  assert_eq!(pool.manager.queued(), 0);
  let late = pool.submit("echo");
  pool.answer(late);
  pool.close();
}

#[test]
fn ten_thousand_calls_go_through_a_queue_of_ten() {
  let mut pool = Pool::new(PoolConfig { max_queue: Some(10), ..config() });
  let mut taken = 0;
  while taken < 10_000 {
    match pool.try_submit("echo", &[], 0, None) {
      Ok(_) => taken += 1,
      Err(SubmitError::QueueFull) => {
        let before = pool.count(room);
        pool.until("there is room", |pool| pool.count(room) > before);
        assert!(!pool.manager.is_full());
      }
      Err(error) => panic!("{error:?}"),
    }
    assert!(pool.manager.unfinished() <= 12);
  }
  pool.until("all are answered", |pool| pool.unfinished().is_empty());
  assert_eq!(pool.ran().len(), 10_000);
  pool.close();
}

#[test]
fn a_pool_takes_a_call_for_each_worker_that_it_has_or_may_start_and_max_queue_more() {
  for (max_queue, warm) in [(0, 0), (0, 2), (3, 0), (3, 1), (3, 2)] {
    let mut pool = Pool::new(PoolConfig { max_queue: Some(max_queue), ..config() });
    let held: Vec<u64> = (0..warm).map(|_| pool.submit("gate warm")).collect();
    held.iter().for_each(|&key| pool.until_running(key));
    pool.open("warm");
    for key in held {
      pool.answer(key);
    }
    // Short calls: however many of them are over by now, the number is the same.
    let taken = (0..10).filter(|_| pool.try_submit("echo", &[], 0, None).is_ok()).count();
    assert_eq!(taken, 2 + max_queue, "max_queue {max_queue}, {warm} workers warm");
    pool.until("all are answered", |pool| pool.unfinished().is_empty());
    pool.close();
  }
}

#[test]
fn room_that_is_kept_or_awaited_is_nobody_elses() {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, max_queue: Some(1), ..config() });
  pool.manager.reserve(1, 0);
  let running = pool.submit("gate one");
  assert_eq!(pool.try_submit("echo", &[], 0, None), Err(SubmitError::QueueFull));
  assert!(!pool.manager.has_room());
  pool.manager.reserve(0, 1);
  assert_eq!(pool.try_submit("echo", &[], 0, None), Err(SubmitError::QueueFull));
  assert!(pool.manager.has_room());
  pool.until("there is room", |pool| pool.count(room) == 1);
  pool.manager.reserve(0, 0);
  let waiting = pool.submit("echo");
  pool.open("one");
  pool.answer(running);
  pool.answer(waiting);
  pool.close();
}
