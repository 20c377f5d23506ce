//! A thread that is under a hail of signals, like one that a profiler samples.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

mod support;

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{ptr, thread};

use millrace_sys::{Segment, WaitSet, doorbell};
use support::{POLLERS, SEGMENTS, WAKEUPS, is_ready};

extern "C" fn handle(_signal: libc::c_int) {}

/// Runs `work` while its thread receives `SIGUSR1` again and again, handled without `SA_RESTART`.
fn under_signals(work: impl FnOnce()) {
  // SAFETY: all zeros is a valid `sigaction`: no flags, an empty mask.
  let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
  action.sa_sigaction = handle as extern "C" fn(libc::c_int) as usize;
  // SAFETY: the handler does nothing, which is safe in every context.
  assert_eq!(unsafe { libc::sigaction(libc::SIGUSR1, &action, ptr::null_mut()) }, 0);
  // SAFETY: has no preconditions.
  let target = unsafe { libc::pthread_self() } as usize;
  let done = AtomicBool::new(false);
  thread::scope(|scope| {
    scope.spawn(|| {
      while !done.load(Ordering::Relaxed) {
        // SAFETY: the thread outlives this scope.
        unsafe { libc::pthread_kill(target as libc::pthread_t, libc::SIGUSR1) };
        thread::sleep(Duration::from_micros(50));
      }
    });
    // Also when `work` panics, as the scope waits for its thread.
    let _end = SetOnDrop(&done);
    work();
  });
}

struct SetOnDrop<'flag>(&'flag AtomicBool);

impl Drop for SetOnDrop<'_> {
  fn drop(&mut self) {
    self.0.store(true, Ordering::Relaxed);
  }
}

#[test]
fn committing_makes_progress() {
  for kind in SEGMENTS {
    under_signals(|| {
      let segment = Segment::create(*kind, 64 << 20).unwrap();
      segment.commit(0, 64 << 20).unwrap();
      let blocks = rustix::fs::fstat(&segment).unwrap().st_blocks;
      assert!(blocks * 512 >= 64 << 20, "{kind:?}");
    });
  }
}

#[test]
fn a_wait_returns_with_nothing_ready() {
  for kind in POLLERS {
    under_signals(|| {
      let mut set = WaitSet::new(*kind).unwrap();
      let mut ready = vec![1];
      set.wait(None, &mut ready).unwrap();
      assert!(ready.is_empty(), "{kind:?}");
    });
  }
}

#[test]
fn no_ring_and_no_clearing_is_lost() {
  for kind in WAKEUPS {
    under_signals(|| {
      let (ringer, listener) = doorbell(*kind).unwrap();
      for _ in 0..10_000 {
        ringer.ring();
        assert!(is_ready(&listener), "{kind:?}");
        listener.clear();
        assert!(!is_ready(&listener), "{kind:?}");
      }
    });
  }
}
