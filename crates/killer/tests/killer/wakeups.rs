//! The sleep handshake: a side dies before, while and after it rings, or while it sleeps.

use std::thread;
use std::time::{Duration, Instant};

use millrace_ring::CommitError;
use millrace_sys::WakeupKind;

use crate::bells::{Sleeper, WATCHDOG, Waker, wire};
use crate::lanes::{Call, DONE, Host, LARGE, SMALL, Worker, bytes, take, take_and_copy, used_lane};
use crate::runner::{survives, with_victim};
use crate::survivor::{Bereaved, Fate, ensure, serve, whole_or_not_at_all};

const KINDS: [(&str, WakeupKind); 2] = [("eventfd", WakeupKind::EventFd), ("pipe", WakeupKind::Pipe)];

/// How far a worker that has a result for a sleeping host came. The host learns of its end, whether or not it rang.
fn told((mut host, mut sleeper): (Bereaved, Sleeper)) -> Result<&'static str, String> {
  let rung = sleeper.sleep()?;
  let silenced = !host.host.snapshot().host_sleeps;
  let fates = host.settle()?;
  ensure(fates[1..] == [Fate::Queued], "a call that was claimed before its turn")?;
  ensure(silenced || !rung, "a ring for one that was not taken for asleep")?;
  ensure(fates[0] == Fate::Committed || !silenced, "a sleeper was called before there was something for it")?;
  Ok(match (silenced, rung) {
    (false, _) => fates[0].name(),
    (true, false) => "not rung",
    (true, true) => "rung",
  })
}

/// A worker, the memory that it copies payloads to, and both its bells.
type Woken = (Worker, Vec<u8>, Waker, Sleeper);

/// A host that sleeps, and a worker that was woken for two calls.
fn woken(kind: WakeupKind) -> (Woken, (Bereaved, Sleeper)) {
  let (host, worker) = used_lane(SMALL);
  let (its_waker, sleeper) = wire(kind);
  let (waker, its_sleeper) = wire(kind);
  assert!(!worker.arm());
  let host = Bereaved::new(host, [Call::task(1, SMALL), Call::task(2, 20)], bytes(1, SMALL));
  assert!(host.host.needs_ring());
  waker.ringer.ring();
  assert!(!host.host.arm());
  ((worker, vec![0; SMALL], its_waker, its_sleeper), (host, sleeper))
}

#[test]
fn a_call_and_its_result_survive_wherever_a_worker_dies_from_its_wake_up_to_its_ring() {
  for (name, kind) in KINDS {
    let act = |(worker, buffer, waker, sleeper): &mut Woken| {
      sleeper.sleep_until_rung();
      let call = take_and_copy(worker, buffer);
      worker.commit(&DONE, &call, &buffer[..call.payload_len()], &[]).unwrap();
      if worker.needs_ring() {
        waker.ringer.ring();
      }
    };
    let stages = ["queued", "claimed", "committed", "not rung", "rung"];
    survives(&format!("wake up, take, commit, ring by {name}"), &stages, || woken(kind), act, told);
  }
}

#[test]
fn a_result_is_found_wherever_its_worker_dies_in_ringing_for_it() {
  for (name, kind) in KINDS {
    let prepare = || {
      let ((mut worker, mut buffer, waker, sleeper), survivor) = woken(kind);
      let call = take_and_copy(&mut worker, &mut buffer);
      worker.commit(&DONE, &call, &buffer, &[]).unwrap();
      ((worker, buffer, waker, sleeper), survivor)
    };
    let act = |(worker, _, waker, _): &mut Woken| {
      assert!(worker.needs_ring());
      waker.ringer.ring();
    };
    survives(&format!("ring by {name}"), &["committed", "not rung", "rung"], prepare, act, told);
  }
}

#[test]
fn a_call_is_found_wherever_its_host_dies_from_its_push_to_its_ring() {
  for (name, kind) in KINDS {
    let prepare = || {
      let (host, worker) = used_lane(SMALL);
      let (waker, sleeper) = wire(kind);
      assert!(!worker.arm());
      ((host, Call::task(1, SMALL), waker), (worker, sleeper))
    };
    let act = |(host, call, waker): &mut (Host, Call, Waker)| {
      call.push_to(host);
      if host.needs_ring() {
        waker.ringer.ring();
      }
    };
    let stages = ["absent", "queued", "rung"];
    survives(&format!("push, ring by {name}"), &stages, prepare, act, |(mut worker, mut sleeper)| {
      let rung = sleeper.sleep()?;
      let stage = whole_or_not_at_all(&serve(&mut worker)?, &[], &Call::task(1, SMALL))?;
      ensure(stage == "queued" || !rung, "a ring for a call that is not there")?;
      Ok(if rung { "rung" } else { stage })
    });
  }
}

/// Two of them do not fit the arena together.
const HUGE: usize = 40_000;

#[test]
fn room_is_found_wherever_a_host_dies_from_consuming_a_result_to_its_ring() {
  let prepare = || {
    let (mut host, mut worker) = used_lane(SMALL);
    let (waker, sleeper) = wire(WakeupKind::EventFd);
    Call::task(1, SMALL).push_to(&mut host);
    Call::task(2, SMALL).push_to(&mut host);
    let first = take(&mut worker);
    worker.commit(&DONE, &first, &bytes(1, HUGE), &[]).unwrap();
    let second = take(&mut worker);
    assert_eq!(worker.commit(&DONE, &second, &bytes(2, HUGE), &[]), Err(CommitError::NoRoom));
    // What was pushed before is no news for a worker that waits for room.
    assert!(!host.needs_ring() && !worker.arm());
    ((host, waker), (worker, second, sleeper))
  };
  let act = |(host, waker): &mut (Host, Waker)| {
    let Ok(Some(millrace_ring::Arrival::Result(result))) = host.next_result() else { panic!("no result") };
    host.consume(&result);
    if host.needs_ring() {
      waker.ringer.ring();
    }
  };
  survives("consume, ring", &["full", "room", "rung"], prepare, act, |(mut worker, second, mut sleeper)| {
    let rung = sleeper.sleep()?;
    match worker.commit(&DONE, &second, &bytes(2, HUGE), &[]) {
      Ok(()) => Ok(if rung { "rung" } else { "room" }),
      Err(CommitError::NoRoom) if !rung => Ok("full"),
      other => Err(format!("{other:?} after a ring: {rung}")),
    }
  });
}

#[test]
fn a_worker_that_dies_in_falling_asleep_is_rung_for_at_most_once() {
  let prepare = || {
    let (host, worker) = used_lane(SMALL);
    (worker, Bereaved::new(host, [], Vec::new()))
  };
  let act = |worker: &mut Worker| assert!(!worker.arm());
  survives("arm, worker", &["awake", "asleep"], prepare, act, rung_for_nobody);
}

/// The host does not know yet that its worker is gone, and pushes.
fn rung_for_nobody(mut host: Bereaved) -> Result<&'static str, String> {
  let mut rings = [false; 3];
  for (sequence, ring) in (1..).zip(&mut rings) {
    let call = Call::task(sequence, LARGE);
    host.calls.push((call.push_to(&mut host.host), call));
    *ring = host.host.needs_ring();
  }
  ensure(!rings[1] && !rings[2], "a second ring for the same sleeper")?;
  ensure(host.settle()? == [Fate::Queued; 3], "a call that a dead worker took")?;
  Ok(if rings[0] { "asleep" } else { "awake" })
}

#[test]
fn a_host_that_dies_in_falling_asleep_is_rung_for_at_most_once() {
  let prepare = || {
    let (mut host, worker) = used_lane(SMALL);
    Call::task(1, SMALL).push_to(&mut host);
    Call::task(2, SMALL).push_to(&mut host);
    (host, worker)
  };
  let act = |host: &mut Host| assert!(!host.arm());
  survives("arm, host", &["awake", "asleep"], prepare, act, |mut worker| {
    let mut rings = [false; 2];
    for ring in &mut rings {
      let call = take(&mut worker);
      worker.commit(&DONE, &call, &bytes(call.sequence, LARGE), &[]).map_err(|error| error.to_string())?;
      *ring = worker.needs_ring();
    }
    ensure(!rings[1], "a second ring for the same sleeper")?;
    Ok(if rings[0] { "asleep" } else { "awake" })
  });
}

#[test]
fn a_worker_that_is_killed_in_its_sleep_is_rung_for_once() {
  let prepare = || {
    let (host, worker) = used_lane(SMALL);
    let (waker, its_sleeper) = wire(WakeupKind::EventFd);
    ((worker, its_sleeper), (host, waker))
  };
  let act = |(worker, sleeper): &mut (Worker, Sleeper)| {
    assert!(!worker.arm());
    sleeper.sleep_until_rung();
  };
  with_victim(prepare, act, |mut tracee, (host, waker)| {
    tracee.resume();
    let started = Instant::now();
    while !(host.snapshot().worker_sleeps && tracee.is_asleep()) {
      assert!(started.elapsed() < WATCHDOG, "the worker does not fall asleep");
      thread::sleep(Duration::from_millis(1));
    }
    tracee.kill();
    // The other end of the doorbell is gone with the worker.
    waker.ringer.ring();
    assert_eq!(rung_for_nobody(Bereaved::new(host, [], Vec::new())), Ok("asleep"));
  });
}
