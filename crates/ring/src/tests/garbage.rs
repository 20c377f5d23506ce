//! A worker that writes anything anywhere: the host reports it or goes on, and never panics or leaves its memory.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{DONE, Host, Worker, bytes, lane_at, task};
use crate::loan::LOANS;
use crate::{Arrival, CallKind, Geometry, HeapMemory, INLINE_CAPACITY, Memory, PushError, Taken};

const SLOTS: u32 = 4;
const ARENA: u64 = 64 * 1024;

/// Where a word of garbage goes: into any field of the header and the slots.
fn offset() -> impl Strategy<Value = usize> {
  let geometry = Geometry::new(SLOTS, ARENA).unwrap();
  let (calls, results) = (geometry.calls_offset(), geometry.results_offset());
  prop_oneof![
    1 => (0..size_of::<crate::layout::Header>() / 4).prop_map(|word| word * 4),
    3 => (0..SLOTS as usize, 0..10_usize).prop_map(move |(slot, word)| calls + slot * 512 + word * 4),
    5 => (0..2 * SLOTS as usize, 0..10_usize).prop_map(move |(slot, word)| results + slot * 512 + word * 4),
    1 => (0..geometry.segment_len() / 4).prop_map(|word| word * 4),
  ]
}

/// What it is: values at which checks could go wrong, and any others.
fn word() -> impl Strategy<Value = u32> {
  prop_oneof![
    3 => select(vec![0, 1, 2, 3, 4, 5, 8, 63, 64, 472, 473, 65_535, 65_536, 65_537, 1 << 31]),
    2 => select(vec![u32::MAX, u32::MAX - 1, u32::MAX - 63, u32::MAX - 472, u32::MAX - 65_536, i32::MAX as u32]),
    1 => any::<u32>(),
    1 => 0..16_u32,
  ]
}

#[derive(Clone, Debug)]
enum Step {
  Write(usize, u32),
  Push(usize),
  Work(usize),
  Revoke(usize),
  Drain,
  Look,
}

fn step() -> impl Strategy<Value = Step> {
  prop_oneof![
    4 => (offset(), word()).prop_map(|(offset, word)| Step::Write(offset, word)),
    3 => (0..2000_usize).prop_map(Step::Push),
    3 => (0..2000_usize).prop_map(Step::Work),
    1 => (0..8_usize).prop_map(Step::Revoke),
    2 => Just(Step::Drain),
    1 => Just(Step::Look),
  ]
}

fn write(memory: &HeapMemory, offset: usize, word: u32) {
  assert!(offset + 4 <= memory.len());
  // SAFETY: inside the memory.
  let at = unsafe { memory.base().add(offset) }.cast::<u32>();
  // SAFETY: the memory is valid for writes, and aligned to words.
  unsafe { at.write(word) };
}

/// The worker does its duty, as far as that is possible among its own garbage.
fn work(worker: &mut Worker, len: usize) {
  match worker.take(|| 1) {
    Taken::Call(call) if call.kind == CallKind::Define => worker.release_define(&call),
    Taken::Call(call) => {
      let mut payload = vec![0; call.payload_len()];
      worker.copy_payload(&call, 0, &mut payload);
      let _ = worker.commit(&DONE, &call, &bytes(1, len), b"");
    }
    Taken::Empty | Taken::Stop | Taken::Corrupt(_) => {}
  }
  let _ = (worker.needs_ring(), worker.arm());
}

/// Consumes all that there is; false if the lane is corrupt, and it must stay so.
fn drain(host: &mut Host) -> bool {
  loop {
    let before: Vec<_> = host.outstanding_positions().collect();
    let record = match host.next_result() {
      Ok(None) => return true,
      Ok(Some(Arrival::Result(record))) => {
        assert!(before.contains(&record.position), "a result for a call that is not outstanding");
        record
      }
      Ok(Some(Arrival::Notice(record))) => record,
      Err(corrupt) => {
        assert_eq!(host.next_result().unwrap_err(), corrupt);
        return false;
      }
    };
    // The first part of a payload that has a block is in the slot, and the rest fits the arena.
    assert!(record.len <= ARENA + INLINE_CAPACITY as u64);
    let mut payload = vec![0; record.payload_len()];
    host.copy_payload(&record, 0, &mut payload);
    host.consume(&record);
  }
}

fn check(host: &Host) {
  let positions: Vec<_> = host.outstanding_positions().collect();
  assert_eq!(positions.len(), host.outstanding() as usize);
  assert!(positions.len() <= SLOTS as usize && host.free_slots() <= SLOTS);
  assert!(positions.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) < SLOTS));
  for &position in &positions {
    host.is_claimed(position);
    host.request_abort(position);
  }
  let _ = (host.phase(), host.claimed_at(), host.has_room(), host.has_result(), host.arm(), host.needs_ring());
  assert!(host.snapshot().calls.iter().map(|run| run.count).sum::<u32>() <= SLOTS);
}

proptest! {
  #![proptest_config(ProptestConfig::with_cases(2000))]

  #[test]
  fn the_host_survives_whatever_its_worker_writes(
    start in prop_oneof![Just(0), u32::MAX - 10..=u32::MAX],
    steps in vec(step(), 1..80),
  ) {
    let (mut host, mut worker, memory) = lane_at(SLOTS, ARENA as usize, start);
    for step in steps {
      match step {
        Step::Write(offset, word) => write(&memory, offset, word),
        Step::Push(len) => {
          let pushed = host.push(&task(1), &bytes(2, len), b"");
          prop_assert!(pushed.is_ok() || pushed == Err(PushError::Full));
        }
        Step::Work(len) => work(&mut worker, len),
        Step::Revoke(which) => {
          let target = host.outstanding_positions().nth(which);
          if let Some(position) = target
            && host.revoke(position)
          {
            let mut payload = Vec::new();
            prop_assert_eq!(host.reclaim(position, &mut payload).map(|back| back.header), Some(task(1)));
            prop_assert!(payload.len() < 2000);
          }
        }
        Step::Drain => {
          drain(&mut host);
        }
        Step::Look => check(&host),
      }
    }
    drain(&mut host);
    check(&host);
    // The worker is dead: what it has not claimed comes back, the rest is lost.
    let positions: Vec<_> = host.outstanding_positions().collect();
    for position in positions {
      let claimed = host.is_claimed(position);
      let back = host.reclaim(position, &mut Vec::new());
      prop_assert_eq!(back.is_none(), claimed);
    }
    host.trim();
  }
}

/// A call is answered by a result of which one word is `word`.
fn answer_with(word_index: usize, word: u32) -> Result<Option<Arrival>, crate::Corrupt> {
  let (mut host, mut worker, memory) = lane_at(SLOTS, ARENA as usize, 0);
  host.push(&task(1), b"", b"").unwrap();
  work(&mut worker, 1000);
  write(&memory, Geometry::new(SLOTS, ARENA).unwrap().results_offset() + word_index * 4, word);
  let arrival = host.next_result();
  if let Ok(Some(Arrival::Result(record) | Arrival::Notice(record))) = arrival {
    let mut payload = vec![0; record.payload_len()];
    host.copy_payload(&record, 0, &mut payload);
    host.consume(&record);
  }
  arrival
}

#[test]
fn each_field_of_a_result_is_checked() {
  let (stamp, len_low, len_high, block, inline_and_loan, position, kind) = (0, 2, 3, 4, 5, 6, 8);
  for garbage in [2, 5, u32::MAX, 0] {
    assert_eq!(answer_with(stamp, garbage).unwrap_err().what, "the stamp of a result slot");
  }
  for (word, garbage) in [
    (len_low, u32::MAX),
    (len_low, 472),
    (len_low, ARENA as u32 + 1),
    (len_high, 1),
    (block, u32::MAX),
    (block, ARENA as u32 / 64),
    (inline_and_loan, 0xffff_01d9),
    (inline_and_loan, (LOANS as u32) << 16),
  ] {
    assert_eq!(answer_with(word, garbage).unwrap_err().what, "the length or the block of a result");
  }
  for garbage in [1, 4, u32::MAX] {
    assert_eq!(answer_with(position, garbage).unwrap_err().what, "a result for a call that the worker does not have");
  }
  for garbage in [0, 4, u32::MAX] {
    assert_eq!(answer_with(kind, garbage).unwrap_err().what, "the kind of a result");
  }
  assert_eq!(answer_with(kind, 3).unwrap_err().what, "a block that the worker returns and does not have");
  assert!(matches!(answer_with(len_low, 999), Ok(Some(Arrival::Result(record))) if record.len == 999));
  assert!(matches!(answer_with(kind, 2), Ok(Some(Arrival::Notice(_)))));
}

#[test]
fn a_second_result_for_the_same_call_is_corrupt() {
  let (mut host, mut worker, _) = lane_at(SLOTS, ARENA as usize, 0);
  host.push(&task(1), b"", b"").unwrap();
  let Taken::Call(call) = worker.take(|| 1) else { panic!("no call") };
  worker.commit(&DONE, &call, b"first", b"").unwrap();
  worker.commit(&DONE, &call, b"second", b"").unwrap();
  assert!(super::consume(&mut host).is_some());
  assert!(host.next_result().is_err());
}

#[test]
fn a_call_that_makes_no_sense_is_corrupt_to_the_worker() {
  let calls = Geometry::new(SLOTS, ARENA).unwrap().calls_offset();
  // Length, its upper half, block, the bytes in the slot with the loan, and the byte of the kind in its word.
  for (word_index, garbage) in [(4, 473), (4, u32::MAX), (5, 1), (6, 0), (7, 0), (7, 1), (9, 0), (9, 0x00ff_0000)] {
    let (mut host, mut worker, memory) = lane_at(SLOTS, ARENA as usize, 0);
    let position = host.push(&task(1), b"small", b"").unwrap();
    write(&memory, calls + word_index * 4, garbage);
    assert!(matches!(worker.take(|| 1), Taken::Corrupt(_)), "word {word_index}");
    assert!(host.is_claimed(position));
  }
}
