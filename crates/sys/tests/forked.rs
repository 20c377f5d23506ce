//! Forking with all memory, and processes that were forked for this one.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::os::fd::OwnedFd;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use millrace_sys::{Child, Exit, Forked, Segment, exit_now, fork_with_heap, reap};
use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open};

use support::WATCHDOG;

/// Forks a process that does as it is told, and must do nothing that needs another thread of this one: no allocation.
fn forked(child: impl FnOnce() -> i32) -> u32 {
  // SAFETY: what the child runs takes no lock.
  match unsafe { fork_with_heap() }.unwrap() {
    Forked::Child => exit_now(child()),
    Forked::Parent(pid) => pid,
  }
}

fn pidfd(pid: u32) -> OwnedFd {
  pidfd_open(Pid::from_raw(pid as i32).unwrap(), PidfdFlags::empty()).unwrap()
}

/// As another process would see the one that this process has forked.
fn watched(pid: u32, parent: u32, releases: &Arc<AtomicU32>) -> Child {
  let releases = Arc::clone(releases);
  let release = move || {
    releases.fetch_add(1, Ordering::SeqCst);
    reap(pid);
  };
  Child::forked(pid, pidfd(pid), parent, Box::new(release)).unwrap()
}

fn own_pid() -> u32 {
  getpid().as_raw_nonzero().get().unsigned_abs()
}

#[test]
fn a_fork_has_the_memory_that_was_marked_not_to_be_copied() {
  let len = 1 << 20;
  // SAFETY: a new mapping, of nothing that exists.
  let memory = unsafe {
    libc::mmap(ptr::null_mut(), len, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
  };
  assert_ne!(memory, libc::MAP_FAILED);
  let word = memory.cast::<i32>();
  // SAFETY: inside of the mapping.
  unsafe { word.write_volatile(42) };
  // SAFETY: the mapping above.
  assert_eq!(unsafe { libc::madvise(memory, len, libc::MADV_DONTFORK) }, 0);

  let releases = Arc::default();
  // SAFETY: the child has the mapping, or dies.
  let pid = forked(|| unsafe { word.read_volatile() });
  let mut child = watched(pid, own_pid(), &releases);
  assert_eq!(child.wait_timeout(WATCHDOG).unwrap(), Some(Exit::Code(42)));
  // SAFETY: nobody uses it any more.
  unsafe { libc::munmap(memory, len) };
}

#[test]
fn the_end_of_a_forked_process_is_seen_once_with_its_status_and_it_leads_its_group() {
  let releases = Arc::default();
  let pid = forked(|| {
    std::thread::sleep(WATCHDOG);
    0
  });
  let mut child = watched(pid, own_pid(), &releases);
  assert_eq!(child.wait_timeout(Duration::from_millis(20)).unwrap(), None);
  assert_eq!(releases.load(Ordering::SeqCst), 0);
  child.signal_group(libc::SIGTERM).unwrap();
  for _ in 0..3 {
    assert_eq!(child.wait_timeout(WATCHDOG).unwrap(), Some(Exit::Signal(libc::SIGTERM)));
  }
  assert_eq!(releases.load(Ordering::SeqCst), 1, "released once");
  assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "reaped");
}

#[test]
fn the_status_of_a_process_that_somebody_else_has_reaped_is_unknown() {
  let releases = Arc::default();
  let pid = forked(|| 5);
  let mut child = watched(pid, own_pid(), &releases);
  let start = std::time::Instant::now();
  while std::path::Path::new(&format!("/proc/{pid}")).exists() {
    assert!(start.elapsed() < WATCHDOG);
    reap(pid);
  }
  assert_eq!(child.wait_timeout(WATCHDOG).unwrap(), Some(Exit::Unknown));
}

#[test]
fn the_status_of_an_orphan_that_has_become_a_child_of_this_process_is_known() {
  let releases = Arc::default();
  let pid = forked(|| 5);
  // As if another process had forked it, and were gone.
  let mut child = watched(pid, own_pid() + 1, &releases);
  assert_eq!(child.wait_timeout(WATCHDOG).unwrap(), Some(Exit::Code(5)));
}

#[test]
fn a_fork_of_its_own_is_watched_like_a_child_that_was_spawned() {
  for kind in support::SENTINELS {
    let pid = forked(|| 3);
    let mut child = Child::forked_here(pid, *kind).unwrap();
    assert_eq!(child.wait_timeout(WATCHDOG).unwrap(), Some(Exit::Code(3)), "{kind:?}");
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "{kind:?}: reaped");
  }
}

#[test]
fn a_fork_has_no_power_over_the_children_of_its_parent() {
  let pid = forked(|| {
    std::thread::sleep(WATCHDOG);
    0
  });
  let mut child = Child::forked_here(pid, support::SENTINELS[0]).unwrap();
  let sibling = forked(|| {
    let signalled = child.signal(libc::SIGKILL).is_ok() && child.signal_group(libc::SIGKILL).is_ok();
    i32::from(!signalled || !matches!(child.try_wait(), Ok(Some(Exit::Unknown))))
  });
  let mut sibling = Child::forked_here(sibling, support::SENTINELS[0]).unwrap();
  assert_eq!(sibling.wait_timeout(WATCHDOG).unwrap(), Some(Exit::Code(0)));
  assert_eq!(child.try_wait().unwrap(), None, "it lives");
  child.signal_group(libc::SIGKILL).unwrap();
  assert_eq!(child.wait_timeout(WATCHDOG).unwrap(), Some(Exit::Signal(libc::SIGKILL)));
}

#[test]
fn a_fork_lacks_the_segments_of_its_parent_and_unmaps_nothing_in_their_place() {
  let len = 1 << 20;
  let segment = Segment::create(support::SEGMENTS[0], len).unwrap();
  let base = segment.base();
  let pid = forked(move || {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
    // SAFETY: fails if there is anything.
    let memory = unsafe { libc::mmap(base.as_ptr().cast(), len, access, flags, -1, 0) };
    if memory != base.as_ptr().cast() {
      return 1;
    }
    drop(segment);
    // SAFETY: mapped above; if it is not any more, this process ends by a signal.
    unsafe { base.as_ptr().write_volatile(1) };
    0
  });
  let mut child = Child::forked_here(pid, support::SENTINELS[0]).unwrap();
  assert_eq!(child.wait_timeout(WATCHDOG).unwrap(), Some(Exit::Code(0)));
}
