//! Doorbells of both kinds.

#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

mod support;

use std::os::fd::{AsFd, AsRawFd};
use std::thread;

use millrace_sys::{Listener, Ringer, doorbell};
use rustix::io::{FdFlags, fcntl_getfd};
use support::{WAKEUPS, WATCHDOG, is_ready, is_ready_within};

#[test]
fn a_ring_makes_the_listener_readable_until_it_is_cleared() {
  for kind in WAKEUPS {
    let (ringer, listener) = doorbell(*kind).unwrap();
    assert!(!is_ready(&listener), "{kind:?}");
    for _ in 0..3 {
      ringer.ring();
      assert!(is_ready(&listener), "{kind:?}");
      assert!(is_ready(&listener), "looking does not clear: {kind:?}");
      listener.clear();
      assert!(!is_ready(&listener), "{kind:?}");
    }
  }
}

#[test]
fn a_hundred_thousand_rings_block_nobody_and_are_cleared_at_once() {
  for kind in WAKEUPS {
    let (ringer, listener) = doorbell(*kind).unwrap();
    (0..100_000).for_each(|_| assert!(ringer.ring()));
    assert!(is_ready(&listener), "{kind:?}");
    listener.clear();
    assert!(!is_ready(&listener), "{kind:?}");
    ringer.ring();
    assert!(is_ready(&listener), "a doorbell that was full rings again: {kind:?}");
  }
}

#[test]
fn clearing_without_a_ring_does_not_block() {
  for kind in WAKEUPS {
    let (_ringer, listener) = doorbell(*kind).unwrap();
    listener.clear();
  }
}

#[test]
fn ringing_nobody_does_nothing() {
  for kind in WAKEUPS {
    let (ringer, listener) = doorbell(*kind).unwrap();
    drop(listener);
    ringer.ring();
  }
}

#[test]
fn both_ends_are_close_on_exec_and_distinct_descriptors() {
  for kind in WAKEUPS {
    let (ringer, listener) = doorbell(*kind).unwrap();
    assert_ne!(ringer.as_fd().as_raw_fd(), listener.as_fd().as_raw_fd());
    for fd in [ringer.as_fd(), listener.as_fd()] {
      assert!(fcntl_getfd(fd).unwrap().contains(FdFlags::CLOEXEC), "{kind:?}");
    }
  }
}

#[test]
fn ends_made_from_bare_descriptors_are_the_same_doorbell() {
  for kind in WAKEUPS {
    let (ringer, listener) = doorbell(*kind).unwrap();
    let remote_ringer = Ringer::from_fd(ringer.as_fd().try_clone_to_owned().unwrap());
    let remote_listener = Listener::from_fd(listener.as_fd().try_clone_to_owned().unwrap());
    remote_ringer.ring();
    assert!(is_ready(&listener), "{kind:?}");
    remote_listener.clear();
    assert!(!is_ready(&listener), "{kind:?}");
    ringer.ring();
    assert!(is_ready(&remote_listener), "{kind:?}");
  }
}

#[test]
fn a_sleeping_listener_is_woken_by_every_round_of_rings() {
  for kind in WAKEUPS {
    let (ringer, listener) = doorbell(*kind).unwrap();
    let (answer, answered) = doorbell(*kind).unwrap();
    thread::scope(|scope| {
      scope.spawn(|| {
        for _ in 0..1000 {
          assert!(is_ready_within(&listener, WATCHDOG));
          listener.clear();
          answer.ring();
        }
      });
      for _ in 0..1000 {
        ringer.ring();
        assert!(is_ready_within(&answered, WATCHDOG), "{kind:?}");
        answered.clear();
      }
    });
  }
}

#[test]
fn a_ringer_whose_descriptor_is_something_else_says_so() {
  let (read, _write) = rustix::pipe::pipe().unwrap();
  assert!(!Ringer::from_fd(read).ring(), "the end of a pipe that can only be read");
}
