//! The host is killed; its worker goes on with what is there. (A real one then ends itself, but may be inside a call
//! that was pushed before, or about to take one.)

use millrace_ring::{Arrival, CommitError, Position, Taken};

use crate::lanes::{CLAIMED_AT, Call, DONE, Host, LARGE, SMALL, Worker, bytes, take, used_lane};
use crate::runner::survives;
use crate::survivor::{ensure, serve, whole_or_not_at_all};

/// A host with something to push, and a worker with a call before that.
fn about_to_push(used: usize, new: Call) -> ((Host, Call), Worker) {
  let (mut host, worker) = used_lane(used);
  Call::task(1, 20).push_to(&mut host);
  ((host, new), worker)
}

fn act_push((host, call): &mut (Host, Call)) {
  call.push_to(host);
}

const PUSH: [&str; 2] = ["absent", "queued"];

fn survives_push(name: &str, used: usize, new: &Call) {
  survives(
    name,
    &PUSH,
    || about_to_push(used, new.clone()),
    act_push,
    |mut worker| whole_or_not_at_all(&serve(&mut worker)?, &[Call::task(1, 20)], new),
  );
}

#[test]
fn a_call_in_a_slot_is_whole_or_not_there_wherever_its_host_dies_in_pushing_it() {
  survives_push("push, inline", SMALL, &Call::task(2, SMALL));
}

#[test]
fn a_call_in_fresh_pages_is_whole_or_not_there_wherever_its_host_dies_in_pushing_it() {
  survives_push("push, fresh block", SMALL, &Call::task(2, LARGE));
}

#[test]
fn a_call_in_used_pages_is_whole_or_not_there_wherever_its_host_dies_in_pushing_it() {
  survives_push("push, used block", LARGE, &Call::task(2, LARGE));
}

#[test]
fn a_definition_is_whole_or_not_there_wherever_its_host_dies_in_pushing_it() {
  survives_push("push, definition", SMALL, &Call::definition(7, SMALL));
}

/// In the arena, and no longer than it must be for that: an unoptimized build clears the memory byte by byte.
const BLOCK: usize = 500;

/// A host with two calls in its lane, of which it takes back the first, with room for the payload.
fn about_to_revoke() -> ((Host, Position, Vec<u8>), Worker) {
  let (mut host, worker) = used_lane(BLOCK);
  let position = Call::task(1, BLOCK).push_to(&mut host);
  Call::task(2, SMALL).push_to(&mut host);
  ((host, position, Vec::with_capacity(BLOCK)), worker)
}

/// The worker runs the call or passes it by, and the next one comes in any case.
fn run_or_revoked(mut worker: Worker) -> Result<&'static str, String> {
  let calls = serve(&mut worker)?;
  if calls == [Call::task(1, BLOCK), Call::task(2, SMALL)] {
    Ok("queued")
  } else {
    ensure(calls == [Call::task(2, SMALL)], "a torn call, or one that was lost")?;
    Ok("revoked")
  }
}

const REVOKE: [&str; 2] = ["queued", "revoked"];

#[test]
fn a_call_is_run_whole_or_not_at_all_wherever_its_host_dies_in_revoking_it() {
  let act = |(host, position, _): &mut (Host, Position, Vec<u8>)| assert!(host.revoke(*position));
  survives("revoke", &REVOKE, about_to_revoke, act, run_or_revoked);
}

#[test]
fn a_call_is_run_whole_or_not_at_all_wherever_its_host_dies_in_taking_it_back() {
  let act = |(host, position, payload): &mut (Host, Position, Vec<u8>)| {
    assert!(host.reclaim(*position, payload).is_some());
  };
  survives("reclaim", &REVOKE, about_to_revoke, act, run_or_revoked);
}

#[test]
fn a_slot_is_used_again_whole_or_not_at_all_wherever_its_host_dies_in_doing_so() {
  // All slots were taken, and one of them is consumed and pushed to again within the operation: the worker's own next
  // call is in the slot before.
  let prepare = || {
    let (mut host, mut worker) = used_lane(SMALL);
    for sequence in 1..=4 {
      Call::task(sequence, SMALL).push_to(&mut host);
    }
    let call = take(&mut worker);
    worker.commit(&DONE, &call, &bytes(1, SMALL), &[]).unwrap();
    assert!(!host.has_room());
    ((host, Call::task(5, SMALL)), worker)
  };
  let act = |(host, call): &mut (Host, Call)| {
    let Ok(Some(Arrival::Result(result))) = host.next_result() else { panic!("no result") };
    host.consume(&result);
    call.push_to(host);
  };
  survives("consume and push", &PUSH, prepare, act, |mut worker| {
    let before = [2, 3, 4].map(|sequence| Call::task(sequence, SMALL));
    whole_or_not_at_all(&serve(&mut worker)?, &before, &Call::task(5, SMALL))
  });
}

/// Two of them do not fit the arena together.
const HUGE: usize = 40_000;

#[test]
fn a_worker_finds_room_or_none_wherever_its_host_dies_in_consuming_a_result() {
  let prepare = || {
    let (mut host, mut worker) = used_lane(SMALL);
    Call::task(1, SMALL).push_to(&mut host);
    Call::task(2, SMALL).push_to(&mut host);
    let first = take(&mut worker);
    worker.commit(&DONE, &first, &bytes(1, HUGE), &[]).unwrap();
    let second = take(&mut worker);
    let refused = worker.commit(&DONE, &second, &bytes(2, HUGE), &[]);
    assert_eq!(refused, Err(CommitError::NoRoom));
    ((host, vec![0; 600]), (worker, second))
  };
  let act = |(host, payload): &mut (Host, Vec<u8>)| {
    let Ok(Some(Arrival::Result(result))) = host.next_result() else { panic!("no result") };
    host.copy_payload(&result, 0, payload);
    host.consume(&result);
  };
  survives("consume", &["full", "room"], prepare, act, |(mut worker, second)| {
    // The worker looks before it sleeps: what it finds must be so.
    let foreseen = worker.arm();
    let committed = worker.commit(&DONE, &second, &bytes(2, HUGE), &[]);
    match committed {
      Ok(()) if foreseen => Ok("room"),
      Err(CommitError::NoRoom) if !foreseen => Ok("full"),
      _ => Err(format!("{committed:?} though room was seen: {foreseen}")),
    }
  });
}

#[test]
fn a_worker_is_stopped_after_its_last_call_wherever_its_host_dies_in_stopping_it() {
  let prepare = || {
    let (mut host, worker) = used_lane(SMALL);
    Call::task(1, SMALL).push_to(&mut host);
    ((host, Call::task(2, SMALL)), worker)
  };
  let act = |(host, call): &mut (Host, Call)| {
    call.push_to(host);
    host.request_stop();
  };
  survives("push and stop", &["absent", "queued", "stopped"], prepare, act, |mut worker| {
    let mut calls = Vec::new();
    let stopped = loop {
      match worker.take(|| CLAIMED_AT) {
        Taken::Call(call) => calls.push(call.sequence),
        Taken::Empty => break false,
        Taken::Stop => break true,
        Taken::Corrupt(corrupt) => return Err(corrupt.to_string()),
      }
    };
    match (calls.as_slice(), stopped) {
      ([1], false) => Ok("absent"),
      ([1, 2], false) => Ok("queued"),
      ([1, 2], true) => Ok("stopped"),
      _ => Err(format!("calls {calls:?}, stopped: {stopped}")),
    }
  });
}

#[test]
fn a_running_call_is_asked_to_abort_or_not_wherever_its_host_dies_in_asking() {
  let prepare = || {
    let (mut host, mut worker) = used_lane(SMALL);
    let position = Call::task(1, SMALL).push_to(&mut host);
    let call = take(&mut worker);
    assert!(!worker.arm());
    ((host, position), (worker, call))
  };
  let act = |(host, position): &mut (Host, Position)| host.request_abort(*position);
  survives("abort", &["running", "word", "count"], prepare, act, |(mut worker, call)| {
    let requested = worker.abort_requested(call.position);
    // By the count a worker learns that there is a word to look at.
    let counted = worker.arm();
    ensure(requested || !counted, "a count without a request")?;
    worker.commit(&DONE, &call, b"", &[]).map_err(|error| error.to_string())?;
    Ok(match (requested, counted) {
      (false, _) => "running",
      (true, false) => "word",
      (true, true) => "count",
    })
  });
}
