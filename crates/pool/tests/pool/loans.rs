//! Tests of blocks of a lane's memory that are filled in place and handed over with a call.

use millrace_pool::{Loan, PoolConfig, Tail};

use crate::support::worker::pattern;
use crate::support::{Pool, config};

/// A pool of one worker that has booted, and a filled block of that worker's lane.
fn with_block(len: usize) -> (Pool, Loan) {
  let mut pool = Pool::new(PoolConfig { max_workers: 1, ..config() });
  let first = pool.submit("echo");
  pool.answer(first);
  let block = pool.manager.allocate(len).unwrap().expect("room for a block");
  assert_eq!(block.len(), len);
  // SAFETY: the block is this test's, and has so many bytes.
  unsafe { block.as_ptr().copy_from_nonoverlapping(pattern(len).as_ptr(), len) };
  (pool, block)
}

fn submit(pool: &mut Pool, block: &Loan, retries: u32) -> u64 {
  // SAFETY: this test does not touch the block again.
  let moved = unsafe { block.hand_over() }.expect("a block that is here");
  pool.try_submit_tail("echo", Tail::Moved(moved), 0, None, retries).unwrap()
}

/// Whether the block went to the other side.
fn is_passed_on(block: &Loan) -> bool {
  // SAFETY: what this returns is dropped at once.
  unsafe { block.hand_over() }.is_none()
}

#[test]
fn a_block_goes_to_the_worker_in_whose_lane_it_lies() {
  for len in [1000, 1 << 20] {
    let (mut pool, block) = with_block(len);
    let key = submit(&mut pool, &block, 0);
    assert!(is_passed_on(&block));
    assert_eq!(pool.answer(key), pattern(len));
    pool.close();
  }
}

#[test]
fn a_block_of_a_lane_that_is_gone_goes_as_a_copy() {
  for len in [1000, 1 << 20] {
    let (mut pool, block) = with_block(len);
    let fatal = pool.submit("die 9");
    pool.outcome(fatal);
    let next = pool.submit("echo");
    pool.answer(next);
    let key = submit(&mut pool, &block, 0);
    assert!(!is_passed_on(&block));
    assert_eq!(pool.answer(key), pattern(len));
    pool.close();
  }
}

#[test]
fn a_call_that_may_be_repeated_gets_a_copy_of_its_block() {
  let (mut pool, block) = with_block(1 << 20);
  let key = submit(&mut pool, &block, 1);
  assert!(!is_passed_on(&block));
  assert_eq!(pool.answer(key), pattern(1 << 20));
  pool.close();
}

#[test]
fn a_block_of_a_call_that_is_taken_back_goes_to_another_worker() {
  let (mut pool, block) = with_block(1 << 20);
  let fatal = pool.submit("gate kill");
  pool.until_running(fatal);
  let key = submit(&mut pool, &block, 0);
  let pid = pool.started()[0];
  crate::support::send_signal(pid, libc::SIGKILL);
  assert_eq!(pool.answer(key), pattern(1 << 20));
  pool.close();
}
