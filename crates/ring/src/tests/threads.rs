//! Both halves in two threads that really run at once, and really sleep. What is proved of the protocols by the models
//! is tried here of the lanes that put them together.

use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::{DONE, Host, KIB, Worker, bytes, call_payload, define, lane_at, result_payload, task};
use crate::{Arrival, CallKind, CommitError, PushError, Taken};

/// A wake-up that does not come within this time will never come.
const WATCHDOG: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Doorbell {
  rung: Mutex<bool>,
  ring: Condvar,
}

impl Doorbell {
  fn ring(&self) {
    *self.rung.lock().unwrap() = true;
    self.ring.notify_one();
  }

  fn wait(&self) {
    let (mut rung, timeout) = self.ring.wait_timeout_while(self.rung.lock().unwrap(), WATCHDOG, |rung| !*rung).unwrap();
    assert!(!timeout.timed_out(), "a wake-up was lost");
    *rung = false;
  }
}

#[derive(Clone, Default)]
struct Doorbells {
  host: Arc<Doorbell>,
  worker: Arc<Doorbell>,
}

/// Answers each call with its payload until it is asked to stop; how many it has answered.
fn serve(mut worker: Worker, bells: &Doorbells) -> u64 {
  let ring_if_needed = |worker: &Worker| {
    if worker.needs_ring() {
      bells.host.ring();
    }
  };
  let mut answered = 0;
  loop {
    match worker.take(|| 1) {
      Taken::Call(call) if call.kind == CallKind::Define => worker.release_define(&call),
      Taken::Call(call) => {
        let payload = call_payload(&worker, &call);
        while let Err(error) = worker.commit(&DONE, &call, &payload, b"") {
          assert_eq!(error, CommitError::NoRoom);
          if !worker.arm() {
            bells.worker.wait();
          }
        }
        answered += 1;
      }
      Taken::Empty => {
        ring_if_needed(&worker);
        if !worker.arm() {
          bells.worker.wait();
        }
      }
      Taken::Stop => return answered,
      Taken::Corrupt(corrupt) => panic!("{corrupt}"),
    }
    ring_if_needed(&worker);
  }
}

fn payload_of(sequence: u64) -> Vec<u8> {
  let len = match sequence % 16 {
    0 => 60 * KIB,
    1..4 => 3 * KIB,
    _ => (sequence % 470) as usize,
  };
  bytes(sequence, len)
}

/// Pushes what there is room for, from `next` on; each tenth call has a definition before it, each seventh is taken
/// back.
fn fill(host: &mut Host, next: &mut u64, expected: &mut std::collections::VecDeque<u64>, calls: u64) {
  while *next < calls {
    if next.is_multiple_of(10) && host.free_slots() >= 2 {
      host.push(&define(1), b"source", b"").unwrap();
    }
    match host.push(&task(*next), &payload_of(*next), b"") {
      Ok(position) if next.is_multiple_of(7) && host.revoke(position) => {
        let mut back = Vec::new();
        assert_eq!(host.reclaim(position, &mut back).map(|back| back.header), Some(task(*next)));
        assert!(back == payload_of(*next), "not what was pushed");
      }
      Ok(_) => expected.push_back(*next),
      Err(error) => {
        assert_eq!(error, PushError::Full);
        return;
      }
    }
    *next += 1;
  }
}

fn exchange(slots: u32, calls: u64) {
  let (mut host, worker, _) = lane_at(slots, 128 * KIB, u32::MAX - 1000);
  let bells = Doorbells::default();
  let serving = {
    let bells = bells.clone();
    thread::spawn(move || serve(worker, &bells))
  };
  let mut next = 0;
  let mut answered = 0;
  let mut expected = std::collections::VecDeque::new();
  while next < calls || !expected.is_empty() {
    fill(&mut host, &mut next, &mut expected, calls);
    if host.needs_ring() {
      bells.worker.ring();
    }
    match host.next_result().unwrap() {
      Some(Arrival::Result(result)) => {
        let sequence: u64 = expected.pop_front().unwrap();
        assert!(result_payload(&host, &result) == payload_of(sequence), "not what was pushed");
        host.consume(&result);
        answered += 1;
      }
      Some(Arrival::Notice(_)) => panic!("nobody sent a notice"),
      None if next < calls && host.has_room() && expected.is_empty() => {}
      None => {
        if !host.arm() {
          bells.host.wait();
        }
      }
    }
  }
  host.request_stop();
  assert!(host.needs_ring());
  bells.worker.ring();
  assert_eq!(serving.join().unwrap(), answered);
  assert_eq!(host.outstanding(), 0);
}

#[test]
fn two_threads_exchange_calls_and_nobody_sleeps_for_ever() {
  for slots in [2, 4, 64] {
    exchange(slots, 6000);
  }
}
