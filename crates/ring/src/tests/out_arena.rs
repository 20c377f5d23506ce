//! A side's own arena: reserved, lent, filled in place, given back, for either direction.

use core::num::NonZeroU32;

use super::KIB;
use crate::arena::{Arena, Refused};
use crate::block::Block;
use crate::loan::LOANS;
use crate::memory::NoMemory;
use crate::out_arena::OutArena;
use crate::place::Direction;
use crate::view::View;
use crate::{Borrowed, Geometry, HeapMemory, LENT_FROM, RESULT_LENT_FROM};

const DIRECTIONS: [Direction; 2] = [Direction::ToWorker, Direction::ToHost];

/// An arena of `bytes`, on memory of which `budget` bytes can be had.
fn out_arena(direction: Direction, bytes: usize, budget: usize) -> (OutArena<HeapMemory>, View) {
  let geometry = Geometry::new(2, bytes as u64).unwrap();
  let memory = HeapMemory::with_budget(geometry.segment_len(), budget);
  // SAFETY: the arena keeps a clone of the memory, and the tests keep the arena.
  let view = unsafe { View::new(&memory, geometry) }.unwrap();
  (OutArena::new(memory, geometry, direction), view)
}

fn give_back(block: &Borrowed) {
  // SAFETY: the tests keep the arena, and do not look at the content again.
  unsafe { block.give_back() };
}

#[test]
fn a_block_is_reserved_where_the_view_writes() {
  for direction in DIRECTIONS {
    let (mut out, view) = out_arena(direction, 256 * KIB, usize::MAX);
    let block = out.reserve(100).unwrap();
    assert_eq!(block, Block { first: 0, count: NonZeroU32::new(2).unwrap() });
    assert_eq!(out.memory().committed_bytes(), 64 * KIB);
    let start = view.address(direction, 0, 0).as_ptr() as usize - view.header() as *const _ as usize;
    let geometry = Geometry::new(2, 256 * KIB as u64).unwrap();
    let arena = if direction == Direction::ToWorker { geometry.call_arena() } else { geometry.result_arena() };
    assert_eq!(start, arena.start);
    out.release(block);
    assert_eq!(out.arena().in_use(), 0);
  }
}

#[test]
fn a_block_is_lent_from_a_certain_size_on_and_comes_back_by_its_word() {
  for direction in DIRECTIONS {
    let (mut out, view) = out_arena(direction, 4 * LENT_FROM, usize::MAX);
    let len = if direction == Direction::ToWorker { LENT_FROM } else { RESULT_LENT_FROM };
    let block = out.reserve(len as u64).unwrap();
    assert_eq!(out.lend(&view, block, len - 1), None);
    let handle = out.lend(&view, block, len).unwrap();
    assert_eq!((out.lender().block(handle), out.lender().bytes()), (Some(block), block.size()));
    out.reap_loans(&view);
    assert_eq!(out.arena().in_use(), block.size(), "taken back from who still has it");
    view.loan_words(direction)[usize::from(handle)].give_back();
    assert!(!out.trim(&view), "nothing is lent any more");
    assert_eq!(out.arena().in_use(), 0);
  }
}

#[test]
fn a_lent_block_that_never_came_to_the_other_side_is_recovered() {
  let (mut out, view) = out_arena(Direction::ToWorker, 4 * LENT_FROM, usize::MAX);
  let block = out.reserve(LENT_FROM as u64).unwrap();
  let handle = out.lend(&view, block, LENT_FROM).unwrap();
  out.recover(handle);
  out.recover(handle);
  assert_eq!((out.lender().bytes(), out.arena().in_use()), (0, 0));
}

#[test]
fn a_block_to_fill_in_place_is_lent_whatever_its_size_while_there_are_handles() {
  for direction in DIRECTIONS {
    let (mut out, view) = out_arena(direction, 256 * KIB, usize::MAX);
    let blocks: Vec<_> = (0..LOANS).map(|_| out.allocate(&view, 10).unwrap()).collect();
    assert_eq!(out.lender().bytes(), LOANS as u64 * Arena::block_size(10));
    assert_eq!(out.allocate(&view, 10).unwrap_err(), Refused::Full);
    assert!(blocks.iter().all(|block| block.handle(view.loan_words(direction)).is_some()));
    give_back(&blocks[7]);
    let again = out.allocate(&view, 10).unwrap();
    assert_eq!(again.as_ptr(), blocks[7].as_ptr());
    assert!(out.trim(&view), "others are still lent");
  }
}

#[test]
fn a_refused_allocation_leaves_nothing_behind() {
  let (mut out, view) = out_arena(Direction::ToHost, 256 * KIB, 64 * KIB);
  assert_eq!(out.allocate(&view, 100 * KIB).unwrap_err(), Refused::NoMemory(NoMemory { errno: 12 }));
  let held = out.allocate(&view, 60 * KIB).unwrap();
  assert_eq!(out.allocate(&view, 250 * KIB).unwrap_err(), Refused::Full);
  give_back(&held);
  assert!(!out.trim(&view));
  assert_eq!(out.arena().in_use(), 0);
}
