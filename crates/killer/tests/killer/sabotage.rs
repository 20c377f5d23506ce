//! The killer finds bugs: operations that do the right stores in a wrong order are caught, by the same survivors.
//!
//! A wrong operation is made of a right one: the words that it changes in a segment are noted, and written to another,
//! which is in the same state as that was before, one by one in an order of the test's choice. A slot's own word (a
//! call's state, a result's stamp) is its first, so in ascending order it is written before what it vouches for, and in
//! descending order after.

use std::sync::atomic::{AtomicU64, Ordering};

use millrace_ring::{CallRecord, HostLane, Memory, WorkerLane};

use crate::lanes::{Call, DONE, Host, SMALL, SharedMemory, Worker, bytes, take, used_lane};
use crate::runner::{Tally, kill_after_each_instruction};
use crate::survivor::{Bereaved, Fate, ensure, serve, whole_or_not_at_all};

/// Offsets in words of a segment, and values, in the order in which they are written.
type Stores = Vec<(usize, u64)>;

/// What `operation` stores, by ascending address.
fn stores_of<L>(mut lane: L, memory: fn(&L) -> &SharedMemory, operation: impl FnOnce(&mut L)) -> Stores {
  let load = |lane: &L| words(memory(lane)).iter().map(|word| word.load(Ordering::Relaxed)).collect::<Vec<_>>();
  let before = load(&lane);
  operation(&mut lane);
  let changed = before.into_iter().zip(load(&lane)).enumerate().filter(|(_, (old, new))| old != new);
  changed.map(|(at, (_, new))| (at, new)).collect()
}

/// Writes `stores` to a lane of which nothing else is needed.
fn play(memory: &SharedMemory, stores: &Stores) {
  let words = words(memory);
  for &(at, value) in stores {
    words[at].store(value, Ordering::Release);
  }
}

/// Few enough words to be killed after each instruction of each of them.
const SHORT: usize = 60;
/// In the arena, and no longer than it must be for that.
const BLOCK: usize = 500;

fn words(memory: &SharedMemory) -> &[AtomicU64] {
  let base = memory.base().cast::<AtomicU64>();
  // SAFETY: mapped and aligned as long as `memory` lives; every bit pattern is a value, and all accesses are atomic.
  unsafe { std::slice::from_raw_parts(base.as_ptr(), memory.len() / size_of::<AtomicU64>()) }
}

/// In which order the stores of an operation are written.
#[derive(Clone, Copy)]
enum Order {
  Ascending,
  Descending,
}

fn ordered(mut stores: Stores, order: Order) -> Stores {
  if let Order::Descending = order {
    stores.reverse();
  }
  stores
}

fn push(name: &str, len: usize, order: Order) -> Option<Tally> {
  let call = Call::task(1, len);
  let (host, _worker) = used_lane(SMALL);
  let stores = stores_of(host, HostLane::memory, |host| {
    call.push_to(host);
  });
  let stores = ordered(stores, order);
  let act = |host: &mut Host| play(host.memory(), &stores);
  kill_after_each_instruction(
    name,
    &["absent", "queued"],
    || used_lane(SMALL),
    act,
    |mut worker| whole_or_not_at_all(&serve(&mut worker)?, &[], &call),
  )
}

/// A worker, and a host that has pushed two calls and expects an answer of `len` bytes.
fn two_calls(len: usize) -> (Worker, Bereaved) {
  let (host, worker) = used_lane(SMALL);
  (worker, Bereaved::new(host, [Call::task(1, SMALL), Call::task(2, SMALL)], bytes(99, len)))
}

/// The result of a call that was claimed before.
fn commit(name: &str, len: usize, order: Order) -> Option<Tally> {
  let prepare = || {
    let (mut worker, host) = two_calls(len);
    let call = take(&mut worker);
    ((worker, call), host)
  };
  let ((worker, call), host) = prepare();
  let stores = stores_of(worker, WorkerLane::memory, |worker| {
    worker.commit(&DONE, &call, &host.answer, &[]).unwrap();
  });
  let stores = ordered(stores, order);
  let act = |(worker, _): &mut (Worker, CallRecord)| play(worker.memory(), &stores);
  kill_after_each_instruction(name, &["claimed", "committed"], prepare, act, first_of_two)
}

/// A claim, and the result.
fn take_and_commit(name: &str, order: Order) -> Option<Tally> {
  let (worker, host) = two_calls(SHORT);
  let stores = stores_of(worker, WorkerLane::memory, |worker| {
    let call = take(worker);
    worker.commit(&DONE, &call, &host.answer, &[]).unwrap();
  });
  let stores = ordered(stores, order);
  let act = |worker: &mut Worker| play(worker.memory(), &stores);
  kill_after_each_instruction(name, &["queued", "claimed", "committed"], || two_calls(SHORT), act, first_of_two)
}

fn first_of_two(mut host: Bereaved) -> Result<&'static str, String> {
  let fates = host.settle()?;
  ensure(fates[1] == Fate::Queued, "a call that was claimed before its turn")?;
  Ok(fates[0].name())
}

/// The operation was caught, and by this.
fn is_caught(tally: Option<Tally>, violation: &str) {
  let Some(tally) = tally else { return };
  let found = tally.violations.keys().any(|found| found.contains(violation));
  assert!(found, "not caught by {violation:?} but by {:?}", tally.complaint());
}

fn is_fine(tally: Option<Tally>) {
  let Some(tally) = tally else { return };
  assert!(tally.violations.is_empty(), "{}", tally.complaint());
}

#[test]
fn a_push_that_says_queued_before_the_call_is_written_is_caught() {
  is_caught(push("wrong push, inline", SHORT, Order::Ascending), "a torn call");
  is_caught(push("wrong push, block", BLOCK, Order::Ascending), "a torn call");
}

#[test]
fn a_commit_that_stamps_before_the_result_is_written_is_caught() {
  is_caught(commit("wrong commit, inline", SHORT, Order::Ascending), "a torn result");
  is_caught(commit("wrong commit, block", BLOCK, Order::Ascending), "corrupt");
}

#[test]
fn a_worker_that_commits_before_it_claims_is_caught() {
  is_caught(take_and_commit("wrong take and commit", Order::Descending), "would run again");
}

#[test]
fn the_same_stores_in_the_right_order_are_not_caught() {
  is_fine(push("replayed push, inline", SHORT, Order::Descending));
  is_fine(push("replayed push, block", BLOCK, Order::Descending));
  is_fine(commit("replayed commit, inline", SHORT, Order::Descending));
  is_fine(commit("replayed commit, block", BLOCK, Order::Descending));
}
