//! Blocks that outlive their calls.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{DONE, Host, KIB, MIB, Worker, bytes, call_payload, consume, lane, result_payload, take, task};
use crate::loan::LOANS;
use crate::{Arrival, Borrowed, CommitError, INLINE_CAPACITY, LENT_FROM, PushError, RESULT_LENT_FROM};

/// What a borrower sees.
fn content(loan: &Borrowed) -> &[u8] {
  // SAFETY: the tests keep the lane for as long as they look, and give the loan back afterwards.
  unsafe { core::slice::from_raw_parts(loan.as_ptr(), loan.len()) }
}

fn give_back(loan: &Borrowed) {
  // SAFETY: the tests keep the lane, and do not look at the content again.
  unsafe { loan.give_back() };
}

fn push(host: &mut Host, seed: u64, len: usize) {
  host.push(&task(seed), b"head", &bytes(seed, len)).unwrap();
}

/// The worker takes the next call, borrows its content and answers it with nothing.
fn borrow_call(worker: &mut Worker) -> Option<Borrowed> {
  let call = take(worker).unwrap();
  let loan = worker.borrow(&call);
  worker.commit(&DONE, &call, b"", b"").unwrap();
  loan
}

#[test]
fn content_from_a_certain_size_on_is_lent_and_begins_at_a_page() {
  let (mut host, mut worker) = lane(4, 4 * LENT_FROM);
  let around = |len| [len - 1, len, len + 1, len + 5000];
  for len in [around(RESULT_LENT_FROM), around(LENT_FROM)].concat() {
    push(&mut host, 1, len);
    let call = take(&mut worker).unwrap();
    assert_eq!((call.payload_len(), call.inline_len()), (len + 4, 4));
    let mut head = [0; 4];
    worker.copy_payload(&call, 0, &mut head);
    assert_eq!(&head, b"head");
    let loan = worker.borrow(&call);
    assert_eq!(loan.is_some(), len >= LENT_FROM);
    assert!(worker.borrow(&call).is_none(), "lent twice");
    if let Some(loan) = &loan {
      assert_eq!(loan.as_ptr() as usize % 4096, 0);
      assert!(content(loan) == bytes(1, len));
    }
    worker.commit(&DONE, &call, b"result", &bytes(2, len)).unwrap();
    let Some(Arrival::Result(result)) = host.next_result().unwrap() else { panic!("no result") };
    assert_eq!(result.inline_len(), 6);
    let back = host.borrow(&result);
    assert_eq!(back.is_some(), len >= RESULT_LENT_FROM);
    assert!(host.borrow(&result).is_none(), "lent twice");
    host.consume(&result);
    if let Some(back) = &back {
      assert!(content(back) == bytes(2, len), "gone with the end of the call");
      give_back(back);
    }
    loan.iter().for_each(give_back);
  }
  host.trim();
  assert_eq!(host.snapshot().arena_in_use, 0);
}

#[test]
fn a_first_part_that_does_not_fit_a_slot_goes_into_the_block() {
  let (mut host, mut worker) = lane(4, 4 * LENT_FROM);
  let head = bytes(1, INLINE_CAPACITY + 1);
  host.push(&task(1), &head, &bytes(2, LENT_FROM)).unwrap();
  let call = take(&mut worker).unwrap();
  assert_eq!(call.inline_len(), 0);
  let loan = worker.borrow(&call).unwrap();
  assert!(content(&loan) == [head, bytes(2, LENT_FROM)].concat());
  give_back(&loan);
}

#[test]
fn what_nobody_borrows_comes_back_with_the_end_of_the_call() {
  let (mut host, mut worker) = lane(4, 4 * LENT_FROM);
  for round in 0..40 {
    push(&mut host, round, LENT_FROM);
    let call = take(&mut worker).unwrap();
    assert!(call_payload(&worker, &call)[4..] == bytes(round, LENT_FROM));
    worker.commit(&DONE, &call, b"", &bytes(round + 1, LENT_FROM)).unwrap();
    assert!(consume(&mut host).unwrap().1 == bytes(round + 1, LENT_FROM));
  }
}

#[test]
fn a_loan_that_is_kept_is_not_overwritten_and_room_comes_with_its_return() {
  let (mut host, mut worker) = lane(4, 2 * LENT_FROM);
  push(&mut host, 1, LENT_FROM);
  let first = borrow_call(&mut worker).unwrap();
  consume(&mut host).unwrap();
  push(&mut host, 2, LENT_FROM);
  let second = borrow_call(&mut worker).unwrap();
  consume(&mut host).unwrap();
  // Nothing is under way that would make room: waiting for it would be for ever.
  assert_eq!(host.push(&task(3), b"", &bytes(3, LENT_FROM)), Err(PushError::NoMemory { errno: 12 }));
  push(&mut host, 4, 100);
  assert!(content(&first) == bytes(1, LENT_FROM) && content(&second) == bytes(2, LENT_FROM));
  give_back(&first);
  push(&mut host, 5, LENT_FROM);
  assert!(content(&second) == bytes(2, LENT_FROM));
}

#[test]
fn results_that_the_host_keeps_do_not_stop_the_worker() {
  let (mut host, mut worker) = lane(4, 2 * LENT_FROM);
  let mut kept = Vec::new();
  for seed in 0..2 {
    push(&mut host, seed, 10);
    let call = take(&mut worker).unwrap();
    worker.commit(&DONE, &call, b"", &bytes(seed, LENT_FROM)).unwrap();
    let Some(Arrival::Result(result)) = host.next_result().unwrap() else { panic!("no result") };
    kept.push(host.borrow(&result).unwrap());
    host.consume(&result);
  }
  push(&mut host, 2, 10);
  let call = take(&mut worker).unwrap();
  // Not "no room": the host may keep them for ever.
  assert_eq!(worker.commit(&DONE, &call, b"", &bytes(2, LENT_FROM)), Err(CommitError::NoMemory { errno: 12 }));
  give_back(&kept[0]);
  worker.commit(&DONE, &call, b"", &bytes(2, LENT_FROM)).unwrap();
  assert!(consume(&mut host).unwrap().1 == bytes(2, LENT_FROM));
  assert!(content(&kept[1]) == bytes(1, LENT_FROM));
}

#[test]
fn a_lent_call_that_is_taken_back_gives_its_block_back() {
  let (mut host, mut worker) = lane(4, 2 * LENT_FROM);
  for round in 0..20 {
    host.push(&task(round), b"head", &bytes(round, LENT_FROM)).unwrap();
    let p = host.push(&task(round), b"head", &bytes(round + 1, LENT_FROM)).unwrap();
    assert!(host.revoke(p));
    if round % 2 == 0 {
      let mut payload = Vec::new();
      assert_eq!(host.reclaim(p, &mut payload).unwrap().cut, 4);
      assert!(payload[4..] == bytes(round + 1, LENT_FROM));
    } else {
      host.abandon(p);
    }
    borrow_call(&mut worker).iter().for_each(give_back);
    consume(&mut host).unwrap();
    assert!(take(&mut worker).is_none());
  }
}

#[test]
fn the_number_of_loans_is_bounded_and_beyond_it_payloads_are_copied() {
  let (mut host, mut worker) = lane(4, 300 * MIB);
  let loans: Vec<_> = (0..LOANS as u64 + 40)
    .map_while(|seed| {
      push(&mut host, seed, LENT_FROM);
      let loan = borrow_call(&mut worker);
      consume(&mut host).unwrap();
      loan
    })
    .collect();
  assert_eq!(loans.len(), LOANS);
  push(&mut host, 7, LENT_FROM);
  let call = take(&mut worker).unwrap();
  assert!(worker.borrow(&call).is_none());
  assert!(call_payload(&worker, &call)[4..] == bytes(7, LENT_FROM));
  loans.iter().for_each(give_back);
}

#[test]
fn a_mapping_outlives_its_lane_for_as_long_as_something_is_borrowed() {
  let (mut host, mut worker, memory) = super::lane_at(4, 2 * LENT_FROM, 0);
  push(&mut host, 1, 10);
  let call = take(&mut worker).unwrap();
  worker.commit(&DONE, &call, b"", &bytes(1, LENT_FROM)).unwrap();
  let Some(Arrival::Result(result)) = host.next_result().unwrap() else { panic!("no result") };
  let loan = host.borrow(&result).unwrap();
  drop((host, worker));
  assert!(content(&loan) == bytes(1, LENT_FROM));
  give_back(&loan);
  drop(memory);
}

#[derive(Clone, Debug)]
enum Step {
  Push(usize),
  Work { borrow: bool, len: usize },
  Read { borrow: bool },
  Return { worker: bool, index: prop::sample::Index },
}

fn step() -> impl Strategy<Value = Step> {
  let sizes = prop_oneof![
    0..600_usize,
    RESULT_LENT_FROM - 100..RESULT_LENT_FROM + 100,
    LENT_FROM - 100..LENT_FROM + 100,
    LENT_FROM + KIB..2 * LENT_FROM
  ];
  prop_oneof![
    3 => sizes.clone().prop_map(Step::Push),
    3 => (any::<bool>(), sizes).prop_map(|(borrow, len)| Step::Work { borrow, len }),
    3 => any::<bool>().prop_map(|borrow| Step::Read { borrow }),
    3 => (any::<bool>(), any::<prop::sample::Index>()).prop_map(|(worker, index)| Step::Return { worker, index }),
  ]
}

/// Each loan, with what it must contain until it is given back.
type Kept = Vec<(Borrowed, Vec<u8>)>;

fn return_one(kept: &mut Kept, index: &prop::sample::Index) {
  if !kept.is_empty() {
    let (loan, expected) = kept.swap_remove(index.index(kept.len()));
    assert!(content(&loan) == expected, "changed while it was lent");
    give_back(&loan);
  }
}

proptest! {
  #![proptest_config(ProptestConfig::with_cases(20))]

  #[test]
  fn whatever_is_kept_keeps_its_content_and_everything_comes_back(steps in vec(step(), 1..60)) {
    let (mut host, mut worker) = lane(4, 8 * LENT_FROM);
    let (mut with_worker, mut with_host): (Kept, Kept) = (Vec::new(), Vec::new());
    let mut pushed = std::collections::VecDeque::new();
    let mut answers = std::collections::VecDeque::new();
    let mut seed = 0;
    for step in steps {
      seed += 1;
      match step {
        Step::Push(len) => {
          if host.push(&task(seed), b"head", &bytes(seed, len)).is_ok() {
            pushed.push_back(bytes(seed, len));
          }
        }
        Step::Work { borrow, len } => {
          let Some(call) = take(&mut worker) else { continue };
          let expected = pushed.pop_front().unwrap();
          prop_assert!(call_payload(&worker, &call)[4..] == expected);
          if borrow && let Some(loan) = worker.borrow(&call) {
            with_worker.push((loan, expected));
          }
          let result = if worker.commit(&DONE, &call, b"r", &bytes(seed, len)).is_ok() {
            bytes(seed, len)
          } else {
            worker.commit(&DONE, &call, b"r", b"none").unwrap();
            b"none".to_vec()
          };
          answers.push_back(result);
        }
        Step::Read { borrow } => {
          let Some(Arrival::Result(result)) = host.next_result().unwrap() else { continue };
          let expected = answers.pop_front().unwrap();
          prop_assert!(result_payload(&host, &result)[1..] == expected);
          if borrow && let Some(loan) = host.borrow(&result) {
            with_host.push((loan, expected));
          }
          host.consume(&result);
        }
        Step::Return { worker: true, index } => return_one(&mut with_worker, &index),
        Step::Return { worker: false, index } => return_one(&mut with_host, &index),
      }
    }
    while let Some(call) = take(&mut worker) {
      let _ = worker.commit(&DONE, &call, b"", b"");
    }
    while consume(&mut host).is_some() {}
    for (loan, expected) in with_worker.iter().chain(&with_host) {
      prop_assert!(content(loan) == *expected);
      give_back(loan);
    }
    host.trim();
    prop_assert_eq!(host.snapshot().arena_in_use, 0);
  }
}

#[test]
fn a_block_goes_there_and_back_as_often_as_one_likes_without_a_copy() {
  let (mut host, mut worker) = lane(4, MIB);
  let mut loan = host.allocate(1000).unwrap();
  let address = loan.as_ptr();
  for round in 0..200_u64 {
    // SAFETY: the block is the host's; nobody else looks at it.
    unsafe { loan.as_ptr().copy_from_nonoverlapping(bytes(round, 1000).as_ptr(), 1000) };
    host.push_borrowed(&task(round), b"head", &loan).unwrap();
    let call = take(&mut worker).unwrap();
    assert!(call_payload(&worker, &call) == [b"head".to_vec(), bytes(round, 1000)].concat());
    let there = worker.borrow(&call).unwrap();
    assert_eq!(there.as_ptr(), address);
    // SAFETY: the block is the worker's now.
    unsafe { there.as_ptr().write(7) };
    assert!(worker.commit_borrowed(&DONE, &call, b"", &there));
    let Some(Arrival::Result(result)) = host.next_result().unwrap() else { panic!("no result") };
    loan = host.borrow(&result).unwrap();
    host.consume(&result);
    assert_eq!(loan.as_ptr(), address);
    assert!(content(&loan)[0] == 7 && content(&loan)[1..] == bytes(round, 1000)[1..]);
    // Others do not get in the way.
    push(&mut host, round, 2000);
    borrow_call(&mut worker);
    consume(&mut host).unwrap();
  }
  give_back(&loan);
  host.trim();
  assert_eq!(host.snapshot().arena_in_use, 0);
}

#[test]
fn a_block_that_the_worker_made_is_the_hosts_with_the_result() {
  let (mut host, mut worker) = lane(4, MIB);
  for round in 0..200 {
    push(&mut host, round, 10);
    let call = take(&mut worker).unwrap();
    let made = worker.allocate(5000).unwrap();
    // SAFETY: the block is the worker's.
    unsafe { made.as_ptr().copy_from_nonoverlapping(bytes(round, 5000).as_ptr(), 5000) };
    assert!(worker.commit_borrowed(&DONE, &call, b"h", &made));
    let Some(Arrival::Result(result)) = host.next_result().unwrap() else { panic!("no result") };
    assert!(result_payload(&host, &result)[1..] == bytes(round, 5000));
    // Every other one is not wanted.
    let loan = if round % 2 == 0 { host.borrow(&result) } else { None };
    host.consume(&result);
    loan.iter().for_each(give_back);
  }
  assert!(!worker.trim(), "still lent");
}

#[test]
fn a_block_on_its_way_comes_back_when_its_call_is_taken_back_or_its_result_not_wanted() {
  let (mut host, mut worker) = lane(4, MIB);
  for round in 0..300_u64 {
    let loan = host.allocate(5000).unwrap();
    // SAFETY: the block is the host's.
    unsafe { loan.as_ptr().copy_from_nonoverlapping(bytes(round, 5000).as_ptr(), 5000) };
    let p = host.push_borrowed(&task(round), b"", &loan).unwrap();
    match round % 3 {
      0 => {
        let mut payload = Vec::new();
        assert!(host.reclaim(p, &mut payload).is_some());
        assert!(payload == bytes(round, 5000));
      }
      1 => {
        assert!(host.revoke(p));
        host.abandon(p);
      }
      _ => {
        let call = take(&mut worker).unwrap();
        let there = worker.borrow(&call).unwrap();
        assert!(worker.commit_borrowed(&DONE, &call, b"", &there));
        assert!(consume(&mut host).unwrap().1 == bytes(round, 5000));
      }
    }
    assert!(take(&mut worker).is_none());
  }
  host.trim();
  assert_eq!(host.snapshot().arena_in_use, 0);
}

#[test]
fn too_much_is_refused_and_what_is_not_of_this_lane_is_not_passed_on() {
  let (mut host, mut worker) = lane(4, MIB);
  assert!(matches!(host.allocate(2 * MIB), Err(PushError::TooLarge { .. })));
  assert!(matches!(worker.allocate(2 * MIB), Err(CommitError::TooLarge { .. })));
  let all: Vec<_> = (0..LOANS).map(|_| host.allocate(600).unwrap()).collect();
  assert!(matches!(host.allocate(600), Err(PushError::Full)));
  all.iter().for_each(give_back);
  let all: Vec<_> = (0..LOANS).map(|_| worker.allocate(600).unwrap()).collect();
  assert!(matches!(worker.allocate(600), Err(CommitError::NoRoom)));
  all.iter().for_each(give_back);

  let (mut other, _) = lane(4, MIB);
  let foreign = other.allocate(600).unwrap();
  assert!(host.push_borrowed(&task(1), b"", &foreign).is_none());
  // What fits a slot travels in it.
  let small = host.allocate(100).unwrap();
  assert!(host.push_borrowed(&task(1), b"", &small).is_none());
  push(&mut host, 1, 10);
  let call = take(&mut worker).unwrap();
  assert!(!worker.commit_borrowed(&DONE, &call, b"", &foreign));
}
