//! Shared segments of both kinds.

#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

mod support;

use std::os::fd::{AsFd, OwnedFd};

use millrace_sys::Segment;
use rustix::io::{FdFlags, fcntl_getfd};
use support::SEGMENTS;

const MIB: usize = 1 << 20;

fn duplicate(segment: &Segment) -> OwnedFd {
  segment.as_fd().try_clone_to_owned().unwrap()
}

fn write(segment: &Segment, offset: usize, byte: u8) {
  assert!(offset < segment.len());
  // SAFETY: inside the mapping, by the line above.
  let address = unsafe { segment.base().add(offset) };
  // SAFETY: as above; no reference to the byte exists.
  unsafe { address.write_volatile(byte) };
}

fn read(segment: &Segment, offset: usize) -> u8 {
  assert!(offset < segment.len());
  // SAFETY: inside the mapping, by the line above.
  let address = unsafe { segment.base().add(offset) };
  // SAFETY: as above.
  unsafe { address.read_volatile() }
}

#[test]
fn a_new_segment_is_zero_and_close_on_exec() {
  for kind in SEGMENTS {
    let segment = Segment::create(*kind, MIB).unwrap();
    assert_eq!(segment.len(), MIB);
    assert_eq!((read(&segment, 0), read(&segment, MIB - 1)), (0, 0));
    assert!(fcntl_getfd(&segment).unwrap().contains(FdFlags::CLOEXEC), "{kind:?}");
  }
}

#[test]
fn a_second_mapping_sees_the_bytes_of_the_first() {
  for kind in SEGMENTS {
    let first = Segment::create(*kind, MIB).unwrap();
    let second = Segment::from_fd(duplicate(&first), MIB).unwrap();
    assert_ne!(first.base(), second.base());
    write(&first, 12345, 0xa5);
    assert_eq!(read(&second, 12345), 0xa5, "{kind:?}");
    write(&second, MIB - 1, 0x5a);
    assert_eq!(read(&first, MIB - 1), 0x5a, "{kind:?}");
  }
}

#[test]
fn a_segment_of_another_length_is_refused() {
  for kind in SEGMENTS {
    let segment = Segment::create(*kind, MIB).unwrap();
    for len in [MIB - 1, MIB + 65536, 0] {
      let error = Segment::from_fd(duplicate(&segment), len).unwrap_err();
      assert_eq!(error.syscall, "fstat", "{kind:?} {len}");
    }
  }
}

#[test]
fn an_empty_segment_cannot_be_mapped() {
  for kind in SEGMENTS {
    assert_eq!(Segment::create(*kind, 0).unwrap_err().errno(), Some(libc::EINVAL), "{kind:?}");
  }
}

#[test]
fn ranges_outside_of_the_segment_are_refused() {
  for kind in SEGMENTS {
    let segment = Segment::create(*kind, MIB).unwrap();
    for (offset, len) in [(0, MIB + 1), (MIB, 1), (usize::MAX, 2), (MIB + 1, 0)] {
      assert_eq!(segment.commit(offset, len).unwrap_err().errno(), Some(libc::EINVAL), "{kind:?}");
      assert_eq!(segment.discard(offset, len).unwrap_err().errno(), Some(libc::EINVAL), "{kind:?}");
    }
    segment.commit(MIB, 0).unwrap();
    segment.discard(MIB, 0).unwrap();
  }
}

#[test]
fn committing_keeps_the_bytes_that_are_there() {
  for kind in SEGMENTS {
    let segment = Segment::create(*kind, MIB).unwrap();
    write(&segment, 70_000, 9);
    segment.commit(0, MIB).unwrap();
    assert_eq!(read(&segment, 70_000), 9, "{kind:?}");
  }
}

#[cfg(target_os = "linux")]
mod on_linux {
  use super::*;
  use millrace_sys::SegmentKind;
  use rustix::fs::{fcntl_add_seals, fstat, ftruncate, statvfs};

  /// Bytes of memory behind the file.
  fn allocated(segment: &Segment) -> usize {
    usize::try_from(fstat(segment).unwrap().st_blocks).unwrap() * 512
  }

  /// The lines about the mappings of the file in `/proc/self/smaps`, which follow a line with its inode.
  fn mappings(inode: u64) -> Vec<String> {
    let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let mut blocks: Vec<String> = Vec::new();
    for line in smaps.lines() {
      let is_head = line.split(' ').next().is_some_and(|word| word.contains('-') && !word.contains(':'));
      match blocks.last_mut() {
        Some(block) if !is_head => {
          block.push('\n');
          block.push_str(line);
        }
        _ => blocks.push(line.to_owned()),
      }
    }
    let inode = inode.to_string();
    blocks.retain(|block| block.split_ascii_whitespace().nth(4) == Some(&inode));
    blocks
  }

  #[test]
  fn a_memfd_cannot_be_truncated_grown_or_unsealed() {
    let segment = Segment::create(SegmentKind::Memfd, MIB).unwrap();
    for len in [0, MIB - 1, MIB + 1] {
      assert_eq!(ftruncate(&segment, len as u64), Err(rustix::io::Errno::PERM), "{len}");
    }
    let seal = rustix::fs::SealFlags::WRITE;
    assert_eq!(fcntl_add_seals(&segment, seal), Err(rustix::io::Errno::PERM));
  }

  #[test]
  fn a_posix_segment_leaves_no_name() {
    let segment = Segment::create(SegmentKind::Shm, MIB).unwrap();
    assert_eq!(fstat(&segment).unwrap().st_nlink, 0);
  }

  #[test]
  fn a_segment_costs_only_the_pages_that_were_touched() {
    for kind in SEGMENTS {
      let segment = Segment::create(*kind, 4096 * MIB).unwrap();
      assert_eq!(allocated(&segment), 0, "{kind:?}");
      write(&segment, 3000 * MIB, 1);
      assert!((1..=4 * MIB).contains(&allocated(&segment)), "{kind:?}");
    }
  }

  #[test]
  fn committed_pages_exist_and_discarded_pages_are_given_back() {
    for kind in SEGMENTS {
      let segment = Segment::create(*kind, 16 * MIB).unwrap();
      segment.commit(4 * MIB, 8 * MIB).unwrap();
      assert!(allocated(&segment) >= 8 * MIB, "{kind:?}");
      write(&segment, 4 * MIB, 1);
      write(&segment, 5 * MIB, 2);

      segment.discard(5 * MIB, 7 * MIB).unwrap();
      assert!(allocated(&segment) <= 4 * MIB, "{kind:?}: {}", allocated(&segment));
      assert_eq!((read(&segment, 4 * MIB), read(&segment, 5 * MIB)), (1, 0), "{kind:?}");

      segment.discard(0, 16 * MIB).unwrap();
      assert_eq!((read(&segment, 4 * MIB), allocated(&segment) <= MIB), (0, true), "{kind:?}");
    }
  }

  #[test]
  fn discarding_leaves_pages_alone_that_are_only_partly_inside() {
    let page = rustix::param::page_size();
    for kind in SEGMENTS {
      let segment = Segment::create(*kind, 8 * page).unwrap();
      (0..8 * page).for_each(|offset| write(&segment, offset, 1));
      segment.discard(page + 1, 3 * page - 2).unwrap();
      let zero: Vec<usize> = (0..8).filter(|index| read(&segment, index * page) == 0).collect();
      assert_eq!(zero, [2], "{kind:?}");
      segment.discard(5 * page + 1, page - 2).unwrap();
      assert_eq!(read(&segment, 5 * page), 1, "{kind:?}");
    }
  }

  /// Minor page faults of this thread so far.
  fn faults() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(7).unwrap().parse().unwrap()
  }

  #[test]
  fn populated_pages_exist_keep_their_bytes_and_have_no_faults_left() {
    for kind in SEGMENTS {
      let segment = Segment::create(*kind, 32 * MIB).unwrap();
      // In the middle of a huge page, and at its end.
      for start in [MIB / 2, 3 * MIB, 7 * MIB] {
        write(&segment, start, 7);
        let end = segment.populate(start..start + MIB, 32 * MIB).unwrap();
        assert!((start + MIB..=start + 3 * MIB).contains(&end), "{kind:?}: {start}..{end}");
        assert_eq!((read(&segment, start), read(&segment, start + 1), read(&segment, end - 1)), (7, 0, 0), "{kind:?}");
        let before = faults();
        (start..end).step_by(4096).for_each(|offset| write(&segment, offset, 8));
        // Older systems map no pages ahead. Each page has a fault there.
        let left = faults() - before;
        assert!(left < 16 || left >= (end - start) as u64 / 4096 / 2, "{kind:?}: {left} faults of {start}..{end}");
      }
    }
  }

  #[test]
  fn no_more_is_populated_than_there_is_room_for_or_than_a_huge_page_has() {
    for kind in SEGMENTS {
      let segment = Segment::create(*kind, 64 * MIB).unwrap();
      let end = segment.populate(4096..65_536, 64 * MIB).unwrap();
      assert_eq!(end, 65_536, "{kind:?}: in the middle of a huge page");
      assert_eq!(segment.populate(65_536..3 * MIB, 3 * MIB + 65_536).unwrap(), 3 * MIB, "{kind:?}: without room");
      assert_eq!(segment.populate(3 * MIB..20 * MIB, 64 * MIB).unwrap(), 20 * MIB, "{kind:?}: a long range");
      let end = segment.populate(20 * MIB..21 * MIB, 64 * MIB).unwrap();
      assert!(end == 21 * MIB || end == 22 * MIB, "{kind:?}: {end}");
      assert!((21 * MIB..=23 * MIB).contains(&allocated(&segment)), "{kind:?}: {}", allocated(&segment));
      let error = segment.populate(63 * MIB..65 * MIB, 65 * MIB).unwrap_err();
      assert_eq!(error.errno(), Some(libc::EINVAL), "{kind:?}");
    }
  }

  #[test]
  fn populated_pages_are_seen_by_other_mappings_and_given_back() {
    for kind in SEGMENTS {
      let segment = Segment::create(*kind, 16 * MIB).unwrap();
      let other = Segment::from_fd(duplicate(&segment), 16 * MIB).unwrap();
      write(&other, 5 * MIB, 3);
      segment.populate(0..16 * MIB, 16 * MIB).unwrap();
      write(&segment, 4 * MIB, 4);
      assert_eq!((read(&segment, 5 * MIB), read(&other, 4 * MIB), read(&other, 9 * MIB)), (3, 4, 0), "{kind:?}");
      segment.discard(65_536, 16 * MIB - 65_536).unwrap();
      assert!(allocated(&segment) <= 65_536, "{kind:?}: {}", allocated(&segment));
      assert_eq!((read(&segment, 5 * MIB), read(&other, 4 * MIB)), (0, 0), "{kind:?}");
    }
  }

  #[test]
  fn a_shortage_is_an_error_and_not_a_signal() {
    let shm = statvfs("/dev/shm").unwrap();
    let Ok(limit @ 1..) = usize::try_from(shm.f_blocks * shm.f_frsize) else { return };
    let segment = Segment::create(SegmentKind::Shm, limit + MIB).unwrap();
    let error = segment.commit(0, limit + MIB).unwrap_err();
    assert_eq!((error.syscall, error.errno()), ("fallocate", Some(libc::ENOSPC)));
    assert_eq!(allocated(&segment), 0);
  }

  #[test]
  fn a_fork_does_not_inherit_the_mapping() {
    for kind in SEGMENTS {
      let segment = Segment::create(*kind, MIB).unwrap();
      let mappings = mappings(fstat(&segment).unwrap().st_ino);
      let [mapping] = &mappings[..] else { panic!("{kind:?}: {mappings:?}") };
      let flags = mapping.lines().find(|line| line.starts_with("VmFlags:")).unwrap();
      assert!(flags.split(' ').any(|flag| flag == "dc"), "{kind:?}: {flags}");
    }
  }

  #[test]
  fn a_dropped_segment_is_unmapped() {
    for kind in SEGMENTS {
      let segment = Segment::create(*kind, MIB).unwrap();
      let keep = duplicate(&segment);
      let inode = fstat(&keep).unwrap().st_ino;
      assert_eq!(mappings(inode).len(), 1, "{kind:?}");
      drop(segment);
      assert!(mappings(inode).is_empty(), "{kind:?}");
    }
  }
}
