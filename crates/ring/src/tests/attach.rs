//! Which geometries are allowed, and which segments a worker takes up.

use core::sync::atomic::Ordering;

use super::{IDENTITY, KIB, lane_at};
use crate::error::{AttachError, GeometryError};
use crate::{Geometry, HeapMemory, HostLane, LAYOUT_VERSION, Memory, WorkerLane};

#[test]
fn a_lane_is_made_as_small_as_it_has_to_be() {
  let geometry = Geometry::new(64, 1 << 30).unwrap();
  assert_eq!(geometry.within(u64::MAX), geometry);
  assert_eq!(geometry.within(geometry.segment_len() as u64), geometry);
  for limit in [geometry.segment_len() as u64 - 1, 1 << 30, 1 << 24, 1_000_000] {
    let smaller = geometry.within(limit).checked().unwrap();
    assert!(smaller.segment_len() as u64 <= limit && smaller.arena_bytes < geometry.arena_bytes);
    // Two arenas, and a journal that has about half of one.
    assert!(smaller.segment_len() as u64 + 5 * 64 * 1024 > limit, "smaller than need be");
  }
  assert_eq!(geometry.within(0).arena_bytes, 64 * 1024);
}

#[test]
fn slots_are_a_power_of_two_and_arenas_are_whole_64_kib() {
  for slots in [0, 1, 3, 100, 8192, u32::MAX] {
    assert_eq!(Geometry::new(slots, 1 << 20), Err(GeometryError::Slots(slots)));
  }
  for arena in [0, 1, 4096, 65_537, (128 << 30) + 65_536, u64::MAX, u64::MAX - 65_535] {
    assert_eq!(Geometry::new(64, arena), Err(GeometryError::Arena(arena)));
  }
  for (slots, arena) in [(2, 65_536), (4096, 128 << 30)] {
    let geometry = Geometry::new(slots, arena).unwrap();
    assert!(geometry.segment_len() as u64 >= 2 * arena + u64::from(slots) * 3 * 512);
    assert!(geometry.segment_len().is_multiple_of(64 * KIB));
    assert!(
      geometry.call_arena().start.is_multiple_of(64 * KIB) && geometry.call_arena().start >= geometry.rings_end()
    );
    assert_eq!(geometry.journal().start, geometry.result_arena().end);
    assert_eq!(geometry.journal().end, geometry.segment_len());
  }
}

#[test]
fn a_lane_needs_memory_of_its_length() {
  let geometry = Geometry::new(4, 65_536).unwrap();
  let expected = geometry.segment_len();
  for actual in [expected - 1, expected + 1, 4096] {
    let error = HostLane::create(HeapMemory::new(actual), geometry, IDENTITY).unwrap_err();
    assert_eq!(error, GeometryError::Length { expected, actual });
  }
  let unchecked = Geometry { slots: 5, arena_bytes: 65_536 };
  let error = HostLane::create(HeapMemory::new(expected), unchecked, IDENTITY).unwrap_err();
  assert_eq!(error, GeometryError::Slots(5));
}

#[test]
fn a_lane_whose_rings_cannot_be_had_is_not_made() {
  let geometry = Geometry::new(64, 65_536).unwrap();
  let memory = HeapMemory::with_budget(geometry.segment_len(), 8192);
  let error = HostLane::create(memory, geometry, IDENTITY).unwrap_err();
  assert_eq!(error, GeometryError::NoMemory { errno: 12 });
}

#[test]
fn a_worker_takes_up_nothing_but_a_finished_lane_of_its_version() {
  let (host, _, memory) = lane_at(4, 65_536, 7);
  let preamble = &host.view.header().preamble;
  let attach = || WorkerLane::attach(memory.clone()).map(|_| ());
  assert_eq!(attach(), Ok(()));

  preamble.ready.store(0, Ordering::Relaxed);
  assert_eq!(attach(), Err(AttachError::NotReady));
  preamble.ready.store(1, Ordering::Relaxed);

  preamble.magic.store(1, Ordering::Relaxed);
  assert_eq!(attach(), Err(AttachError::NotReady));
  preamble.magic.store(crate::layout::MAGIC, Ordering::Relaxed);

  preamble.version.store(LAYOUT_VERSION + 1, Ordering::Relaxed);
  assert_eq!(attach(), Err(AttachError::Version { found: LAYOUT_VERSION + 1, expected: LAYOUT_VERSION }));
  preamble.version.store(LAYOUT_VERSION, Ordering::Relaxed);

  preamble.slots.store(3, Ordering::Relaxed);
  assert_eq!(attach(), Err(GeometryError::Slots(3).into()));
  preamble.slots.store(512, Ordering::Relaxed);
  let expected = Geometry::new(512, 65_536).unwrap().segment_len();
  assert_eq!(attach(), Err(GeometryError::Length { expected, actual: memory.len() }.into()));
}

#[test]
fn memory_that_no_host_has_touched_is_not_a_lane() {
  const HEADER: usize = size_of::<crate::layout::Header>();
  for len in [1, 100, HEADER, 4096, 1 << 20] {
    let attached = WorkerLane::attach(HeapMemory::new(len)).map(|_| ());
    let expected = if len < HEADER { AttachError::Unusable } else { AttachError::NotReady };
    assert_eq!(attached, Err(expected));
  }
}
