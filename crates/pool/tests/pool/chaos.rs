//! Random calls, cancels, stops and kills at once: each call has one outcome in the end.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use millrace_pool::{CallFailure, Geometry, PoolConfig, WorkerState, status};

use crate::support::worker::pattern;
use crate::support::{Outcome, Pool, Random, config, exists, send_signal};

/// What the owner did and what came of it.
#[derive(Debug, Default, PartialEq)]
struct Books {
  answered: usize,
  died: usize,
  timed_out: usize,
  cancelled: usize,
  stopped: usize,
}

struct Storm {
  pool: Pool,
  random: Random,
  submitted: u64,
  data: HashMap<u64, Vec<u8>>,
}

impl Storm {
  fn submit(&mut self) {
    let order = self.random.pick(&[
      "echo",
      "echo",
      "echo",
      "echo",
      "echo",
      "echo",
      "echo",
      "echo",
      "sleep 1",
      "patient 2",
      "stray",
      "exit 3",
      "leave",
      "die 9",
      "last-words 9",
      "quit 1",
    ]);
    // The deadly ones are rare.
    let order = if order.len() > 4 && self.random.one_in(2) { "echo" } else { order };
    let data = pattern(self.random.pick(&[0, 5, 440, 480, 3000, 20_000]));
    let limits = self.random.one_in(20).then(|| millrace_pool::Limits {
      timeout: Duration::from_millis(self.random.pick(&[1, 5, 60_000])),
      grace: Duration::from_millis(self.random.pick(&[0, 1, 3])),
    });
    let key = self.pool.try_submit(order, &data, 0, limits).unwrap();
    assert_eq!(key, self.submitted);
    self.submitted += 1;
    if order == "echo" {
      self.data.insert(key, data);
    }
  }

  fn step(&mut self) {
    let unfinished = self.pool.unfinished();
    match self.random.below(30) {
      0..16 if unfinished.len() < 60 => (0..1 + self.random.below(6)).for_each(|_| self.submit()),
      16..20 if !unfinished.is_empty() => {
        let key = self.random.pick(&unfinished);
        self.pool.cancel(key);
      }
      20 if !unfinished.is_empty() => {
        let key = self.random.pick(&unfinished);
        let grace = Duration::from_millis(self.random.pick(&[0, 0, 2]));
        self.pool.stop_call(key, grace);
      }
      21 if self.random.one_in(4) => {
        // Some that die in a row before they have booted would break the pool.
        let mut living = self.pool.manager.worker_stats();
        living.retain(|worker| worker.state != WorkerState::Starting);
        if !living.is_empty() {
          let index = self.random.below(living.len());
          // One that has ended by itself may be reaped already.
          if exists(living[index].pid) {
            send_signal(living[index].pid, libc::SIGKILL);
          }
        }
      }
      22 if self.random.one_in(20) => drop(self.pool.cancel_waiting()),
      23 => std::thread::sleep(Duration::from_micros(self.random.below(2000) as u64)),
      _ => self.pool.round(Duration::from_micros(self.random.below(1500) as u64)),
    }
  }

  /// Closes the pool and counts.
  fn settle(mut self) {
    self.pool.manager.shut_down();
    self.pool.until_stopped();
    let mut starts: HashMap<u64, usize> = HashMap::new();
    self.pool.ran_keys().into_iter().for_each(|key| *starts.entry(key).or_default() += 1);
    let mut books = Books::default();
    for key in 0..self.submitted {
      let ran = starts.get(&key).copied().unwrap_or(0);
      assert!(ran <= 1, "call {key} ran {ran} times");
      match self.pool.known(key) {
        Some(Outcome::Answer { status, body, .. }) => {
          books.answered += 1;
          assert_eq!(ran, 1, "call {key} was answered and did not run");
          if let Some(data) = self.data.get(&key) {
            assert!(*status == status::OK && body == data, "call {key} has the result of another");
          }
        }
        Some(Outcome::Failed(CallFailure::WorkerDied { corrupt: None, .. })) => books.died += 1,
        Some(Outcome::Failed(CallFailure::TimedOut { .. })) => books.timed_out += 1,
        Some(Outcome::Cancelled) => {
          books.cancelled += 1;
          assert_eq!(ran, 0, "call {key} was cancelled and ran");
        }
        Some(Outcome::Stopped) => books.stopped += 1,
        other => panic!("call {key}: {other:?}"),
      }
    }
    let Books { answered, died, timed_out, cancelled, stopped } = books;
    assert_eq!((answered + died + timed_out + cancelled + stopped) as u64, self.submitted);
    assert!(answered > 0 && died > 0 && cancelled > 0, "a storm that does not test anything: {books:?}");
    let known: HashSet<u64> = (0..self.submitted).collect();
    assert!(starts.keys().all(|key| known.contains(key)));
  }
}

fn storm(seed: u64, calls: u64, config: PoolConfig) {
  let mut storm = Storm { pool: Pool::new(config), random: Random::new(seed), submitted: 0, data: HashMap::new() };
  while storm.submitted < calls {
    storm.step();
  }
  storm.settle();
}

#[test]
fn the_books_balance_with_lanes_of_two_slots() {
  let geometry = Geometry::new(2, 64 << 10).unwrap();
  storm(1, 2000, PoolConfig { geometry, max_workers: 3, max_tasks_per_child: Some(17), ..config() });
}

#[test]
fn the_books_balance_with_lanes_of_eight_slots_and_short_lived_workers() {
  let geometry = Geometry::new(8, 64 << 10).unwrap();
  let idle_timeout = Some(Duration::from_millis(3));
  storm(2, 1500, PoolConfig { geometry, max_tasks_per_child: Some(9), idle_timeout, ..config() });
}

#[test]
fn the_books_balance_with_many_slots() {
  storm(3, 2500, PoolConfig { max_workers: 4, ..config() });
}
