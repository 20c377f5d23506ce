//! The worker is killed; the host accounts for its calls.

use millrace_ring::{Arrival, CallRecord};

use crate::lanes::{Call, DONE, Host, LARGE, SMALL, Worker, bytes, take, take_and_copy, used_lane};
use crate::runner::survives;
use crate::survivor::{Bereaved, Fate, ensure, free_slots};

/// A worker, and the memory that it copies payloads to.
type Taker = (Worker, Vec<u8>);

/// A worker that finds three calls, of which the first has `len` bytes.
fn queued(len: usize) -> (Taker, Bereaved) {
  let (host, worker) = used_lane(len);
  let calls = [Call::task(1, len), Call::task(2, 20), Call::task(3, 700)];
  ((worker, vec![0; LARGE]), Bereaved::new(host, calls, Vec::new()))
}

/// The fate of the first of three calls; the others were not touched.
fn first_fate(mut host: Bereaved) -> Result<&'static str, String> {
  let fates = host.settle()?;
  ensure(fates[1..] == [Fate::Queued, Fate::Queued], "a call that was claimed before its turn")?;
  Ok(fates[0].name())
}

fn act_take((worker, buffer): &mut Taker) {
  take_and_copy(worker, buffer);
}

#[test]
fn a_call_in_a_slot_is_queued_or_claimed_wherever_its_worker_dies_in_taking_it() {
  survives("take, inline", &["queued", "claimed"], || queued(SMALL), act_take, first_fate);
}

#[test]
fn a_call_in_the_arena_is_queued_or_claimed_wherever_its_worker_dies_in_taking_it() {
  survives("take, block", &["queued", "claimed"], || queued(LARGE), act_take, first_fate);
}

#[test]
fn a_worker_that_dies_in_passing_by_a_revoked_call_loses_no_slot_and_no_other_call() {
  let prepare = || {
    let (victim, mut host) = queued(SMALL);
    let (position, _) = host.calls.remove(0);
    assert!(host.host.revoke(position));
    host.host.abandon(position);
    (victim, host)
  };
  survives("skip and take", &["queued", "passed by", "claimed"], prepare, act_take, |mut host| {
    // Of four slots two are taken, and one more as long as the worker has not passed by.
    let passed_by = free_slots(&host.host) == 2;
    let fates = host.settle()?;
    ensure(fates[1] == Fate::Queued, "a call that was claimed before its turn")?;
    ensure(passed_by || fates[0] == Fate::Queued, "a claim before the slot in front was passed by")?;
    Ok(if passed_by && fates[0] == Fate::Queued { "passed by" } else { fates[0].name() })
  });
}

/// A worker that has taken the first of three calls, and what it answers. The lane was used with `used` bytes before.
fn claimed(used: usize, answer: usize) -> ((Worker, CallRecord, Vec<u8>), Bereaved) {
  let (host, mut worker) = used_lane(used);
  let answer = bytes(99, answer);
  let calls = [Call::task(1, SMALL), Call::task(2, 20), Call::task(3, 700)];
  let host = Bereaved::new(host, calls, answer.clone());
  let record = take(&mut worker);
  ((worker, record, answer), host)
}

fn act_commit((worker, record, answer): &mut (Worker, CallRecord, Vec<u8>)) {
  let (head, tail) = answer.split_at(answer.len() / 3);
  worker.commit(&DONE, record, head, tail).unwrap();
}

const COMMIT: [&str; 2] = ["claimed", "committed"];

#[test]
fn a_result_in_a_slot_is_whole_or_not_there_wherever_its_worker_dies_in_committing_it() {
  survives("commit, inline", &COMMIT, || claimed(SMALL, SMALL), act_commit, first_fate);
}

#[test]
fn a_result_in_fresh_pages_is_whole_or_not_there_wherever_its_worker_dies_in_committing_it() {
  survives("commit, fresh block", &COMMIT, || claimed(SMALL, LARGE), act_commit, first_fate);
}

#[test]
fn a_result_in_used_pages_is_whole_or_not_there_wherever_its_worker_dies_in_committing_it() {
  survives("commit, used block", &COMMIT, || claimed(LARGE, LARGE), act_commit, first_fate);
}

#[test]
fn a_call_is_taken_and_answered_in_three_stages_wherever_its_worker_dies() {
  let prepare = || {
    let (victim, mut host) = queued(SMALL);
    host.answer = bytes(1, SMALL);
    (victim, host)
  };
  let act = |(worker, buffer): &mut Taker| {
    let call = take_and_copy(worker, buffer);
    worker.commit(&DONE, &call, &buffer[..call.payload_len()], &[]).unwrap();
  };
  survives("take and commit", &["queued", "claimed", "committed"], prepare, act, first_fate);
}

#[test]
fn a_definition_is_held_or_let_go_wherever_its_worker_dies_in_reading_it() {
  let prepare = || {
    let (mut host, worker) = used_lane(SMALL);
    Call::definition(7, LARGE).push_to(&mut host);
    ((worker, vec![0; LARGE]), Bereaved::new(host, [Call::task(1, SMALL)], Vec::new()))
  };
  let act = |(worker, buffer): &mut Taker| {
    let definition = take_and_copy(worker, buffer);
    worker.release_define(&definition);
  };
  survives("take and release a definition", &["held", "let go"], prepare, act, |mut host| {
    let free = free_slots(&host.host);
    let fates = match free {
      // Its block is freed with its slot, when the host next looks for room.
      3 => {
        host.host.trim();
        host.settle()?
      }
      2 => return only_the_call_comes_back(host),
      _ => return Err(format!("{free} free slots")),
    };
    ensure(fates == [Fate::Queued], "a call that was claimed before its turn")?;
    Ok("let go")
  });
}

/// As long as a definition is held, so is its block, which [`Bereaved::settle`] does not know of.
fn only_the_call_comes_back(mut host: Bereaved) -> Result<&'static str, String> {
  let (position, call) = &host.calls[0];
  let mut payload = Vec::new();
  let header = host.host.reclaim(*position, &mut payload).map(|back| back.header);
  ensure(header == Some(call.header) && payload == call.payload, "a queued call that has changed")?;
  ensure(host.host.outstanding() == 0 && !host.host.has_result(), "something else than the definition is left")?;
  Ok("held")
}

#[test]
fn a_notice_is_whole_or_not_there_wherever_its_worker_dies_in_sending_it() {
  let prepare = || {
    let (host, worker) = used_lane(SMALL);
    ((worker, bytes(98, LARGE)), Bereaved::new(host, [Call::task(1, SMALL)], Vec::new()))
  };
  let act = |(worker, text): &mut Taker| assert!(worker.notice(3, 4, &text[..600], &text[600..]));
  survives("notice", &["absent", "sent"], prepare, act, |mut host| {
    let stage = if notice(&mut host.host, &bytes(98, LARGE))? { "sent" } else { "absent" };
    // It answers no call.
    ensure(host.settle()? == [Fate::Queued], "a call that was lost by a notice")?;
    Ok(stage)
  });
}

/// Whether there is a notice, which then is this one.
fn notice(host: &mut Host, text: &[u8]) -> Result<bool, String> {
  match host.next_result().map_err(|corrupt| corrupt.to_string())? {
    None => Ok(false),
    Some(Arrival::Result(_)) => Err("a result that nobody committed".into()),
    Some(Arrival::Notice(notice)) => {
      let mut payload = vec![0; notice.payload_len()];
      host.copy_payload(&notice, 0, &mut payload);
      ensure((notice.status, notice.codec) == (3, 4) && payload == text, "a torn notice")?;
      host.consume(&notice);
      Ok(true)
    }
  }
}
