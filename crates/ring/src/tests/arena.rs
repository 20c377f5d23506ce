//! The arena's allocator against a plain list of blocks.

use core::cell::Cell;
use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::arena::{Arena, Refused};
use crate::block::Block;
use crate::memory::NoMemory;

const CAPACITY: u64 = 1 << 20;

#[derive(Clone, Debug)]
enum Step {
  Allocate(u64),
  Release(usize),
  Trim(u64),
}

fn step() -> impl Strategy<Value = Step> {
  prop_oneof![
    4 => (1..3000_u64).prop_map(Step::Allocate),
    2 => (60_000..300_000_u64).prop_map(Step::Allocate),
    1 => (CAPACITY - 5000..CAPACITY + 5000).prop_map(Step::Allocate),
    6 => any::<prop::sample::Index>().prop_map(|index| Step::Release(index.index(1 << 16))),
    1 => (0..CAPACITY).prop_map(Step::Trim),
  ]
}

fn range(block: Block) -> Range<u64> {
  block.offset()..u64::from(block.end()) * 64
}

/// Backs what is needed and no more.
fn exactly(needed: Range<u64>, _room: u64) -> Result<u64, NoMemory> {
  Ok(needed.end)
}

/// The lowest place at which a block of this size and alignment fits between `used`.
fn first_fit(used: &[Block], size: u64, align: u64) -> Option<u64> {
  let mut used: Vec<_> = used.iter().map(|&block| range(block)).collect();
  used.sort_by_key(|range| range.start);
  used.push(CAPACITY..CAPACITY);
  let mut from = 0_u64;
  for taken in used {
    let start = from.next_multiple_of(align);
    if start + size <= taken.start {
      return Some(start);
    }
    from = taken.end;
  }
  None
}

proptest! {
  #![proptest_config(ProptestConfig::with_cases(400))]

  #[test]
  fn blocks_do_not_overlap_and_are_the_first_that_fit(steps in vec(step(), 1..200)) {
    let mut arena = Arena::new(CAPACITY);
    let mut used: Vec<Block> = Vec::new();
    let committed = Cell::new(0);
    for step in steps {
      match step {
        Step::Allocate(len) => {
          let populate = |range: Range<u64>, room: u64| {
            assert_eq!(range.start, committed.get(), "a gap, or committed twice");
            assert!(range.end > range.start && range.end <= room && room <= CAPACITY);
            assert!(room - range.end <= 2 << 20, "more than a huge page");
            // Some memories back more than they are asked for.
            committed.set(if len % 3 == 0 { room } else { range.end });
            Ok(committed.get())
          };
          let (size, align) =
            if len < 65_536 { (len.next_multiple_of(64), 64) } else { (len.next_multiple_of(4096), 4096) };
          let fit = first_fit(&used, size, align);
          match arena.allocate(len, populate) {
            Ok(block) => {
              prop_assert_eq!(Some(block.offset()), fit);
              prop_assert_eq!(range(block).end - range(block).start, size);
              prop_assert!(range(block).end <= committed.get(), "used but not committed");
              used.push(block);
            }
            Err(refused) => {
              prop_assert_eq!(refused, Refused::Full);
              prop_assert!(fit.is_none() || len > CAPACITY);
            }
          }
        }
        Step::Release(index) if !used.is_empty() => arena.release(used.swap_remove(index % used.len())),
        Step::Release(_) => {}
        Step::Trim(keep) => arena.trim(keep, |range| {
          assert_eq!(range.end, committed.get());
          assert!(range.start >= keep);
          assert!(used.iter().all(|&block| self::range(block).end <= range.start), "discarded a block in use");
          committed.set(range.start);
        }),
      }
      prop_assert_eq!(arena.in_use(), used.iter().map(|&block| range(block).end - range(block).start).sum::<u64>());
      prop_assert_eq!(arena.committed(), committed.get());
      let free: Vec<_> = arena.free_ranges().collect();
      prop_assert!(free.iter().all(|range| range.start < range.end));
      prop_assert!(free.windows(2).all(|pair| pair[0].end < pair[1].start), "not coalesced: {:?}", free);
      prop_assert_eq!(free.iter().map(|range| range.end - range.start).sum::<u64>() + arena.in_use(), CAPACITY);
    }
    for block in used.drain(..) {
      arena.release(block);
    }
    prop_assert_eq!(arena.free_ranges().collect::<Vec<_>>(), vec![0..CAPACITY]);
  }
}

#[test]
fn a_page_that_cannot_be_committed_changes_nothing() {
  let mut arena = Arena::new(CAPACITY);
  let first = arena.allocate(100, exactly).unwrap();
  let before: Vec<_> = arena.free_ranges().collect();
  let no_memory = NoMemory { errno: 28 };
  assert_eq!(arena.allocate(100_000, |_, _| Err(no_memory)), Err(Refused::NoMemory(no_memory)));
  assert_eq!(arena.free_ranges().collect::<Vec<_>>(), before);
  assert_eq!((arena.in_use(), arena.committed()), (128, 65_536));
  let second = arena.allocate(100, |_, _| panic!("committed already")).unwrap();
  assert_eq!(second.offset(), range(first).end);
}

#[test]
fn trimming_leaves_the_warm_remainder_and_what_is_in_use() {
  let mut arena = Arena::new(CAPACITY);
  let low = arena.allocate(200_000, exactly).unwrap();
  let high = arena.allocate(200_000, exactly).unwrap();
  let discarded = |arena: &mut Arena, keep: u64| {
    let seen = Cell::new(None);
    arena.trim(keep, |range| seen.set(Some(range)));
    seen.take()
  };
  assert_eq!(discarded(&mut arena, 0), None, "in use up to the last page that is committed");
  arena.release(high);
  assert_eq!(discarded(&mut arena, CAPACITY), None);
  assert_eq!(discarded(&mut arena, 327_681), Some(393_216..458_752));
  assert_eq!(discarded(&mut arena, 300_000), Some(327_680..393_216));
  assert_eq!(discarded(&mut arena, 0), Some(262_144..327_680));
  arena.release(low);
  assert_eq!(discarded(&mut arena, 100), Some(65_536..262_144));
  assert_eq!(discarded(&mut arena, 0), Some(0..65_536));
  assert_eq!(arena.committed(), 0);
}
