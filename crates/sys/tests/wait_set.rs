//! Wait sets of both kinds.

#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

mod support;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use millrace_sys::{Listener, Pollables, PollerKind, Ringer, WaitSet, WakeupKind, doorbell, lifeline};
use support::{POLLERS, WATCHDOG, is_ready};

const NOW: Option<Duration> = Some(Duration::ZERO);

fn bells(count: usize) -> Vec<(Ringer, Listener)> {
  (0..count).map(|_| doorbell(WakeupKind::Pipe).unwrap()).collect()
}

fn ready(set: &mut WaitSet, timeout: Option<Duration>) -> Vec<u64> {
  let mut ready = vec![u64::MAX];
  set.wait(timeout, &mut ready).unwrap();
  ready.sort_unstable();
  ready
}

#[test]
fn those_that_are_ready_are_reported_by_token_for_as_long_as_they_are() {
  for kind in POLLERS {
    let bells = bells(3);
    let mut set = WaitSet::new(*kind).unwrap();
    for (token, (_, listener)) in bells.iter().enumerate() {
      set.add(listener.as_fd(), token as u64).unwrap();
    }
    assert!(ready(&mut set, NOW).is_empty(), "{kind:?}");
    bells[0].0.ring();
    bells[2].0.ring();
    assert_eq!(ready(&mut set, None), [0, 2], "{kind:?}");
    assert_eq!(ready(&mut set, None), [0, 2], "level-triggered: {kind:?}");
    bells[0].1.clear();
    assert_eq!(ready(&mut set, Some(WATCHDOG)), [2], "{kind:?}");
  }
}

#[test]
fn a_token_may_be_any_number() {
  for kind in POLLERS {
    let [(ringer, listener)] = &bells(1)[..] else { unreachable!() };
    let mut set = WaitSet::new(*kind).unwrap();
    set.add(listener.as_fd(), u64::MAX - 1).unwrap();
    ringer.ring();
    assert_eq!(ready(&mut set, None), [u64::MAX - 1], "{kind:?}");
  }
}

#[test]
fn hang_up_is_reported() {
  for kind in POLLERS {
    let (host, worker) = lifeline().unwrap();
    let [(ringer, listener)] = <[_; 1]>::try_from(bells(1)).unwrap();
    let mut set = WaitSet::new(*kind).unwrap();
    set.add(host.as_fd(), 1).unwrap();
    set.add(listener.as_fd(), 2).unwrap();
    assert!(ready(&mut set, NOW).is_empty(), "{kind:?}");
    drop(worker);
    assert_eq!(ready(&mut set, None), [1], "{kind:?}");
    drop(ringer);
    assert_eq!(ready(&mut set, None), [1, 2], "{kind:?}");
  }
}

#[test]
fn what_was_removed_is_not_reported() {
  for kind in POLLERS {
    let bells = bells(3);
    let mut set = WaitSet::new(*kind).unwrap();
    for (token, (ringer, listener)) in bells.iter().enumerate() {
      set.add(listener.as_fd(), token as u64).unwrap();
      ringer.ring();
    }
    set.remove(bells[0].1.as_fd(), 0).unwrap();
    assert_eq!(ready(&mut set, None), [1, 2], "{kind:?}");
    set.remove(bells[2].1.as_fd(), 2).unwrap();
    set.remove(bells[1].1.as_fd(), 1).unwrap();
    assert!(ready(&mut set, NOW).is_empty(), "{kind:?}");
    set.add(bells[0].1.as_fd(), 9).unwrap();
    assert_eq!(ready(&mut set, None), [9], "{kind:?}");
  }
}

#[test]
fn adding_twice_and_removing_what_is_not_there_are_errors() {
  for kind in POLLERS {
    let [(_ringer, listener)] = &bells(1)[..] else { unreachable!() };
    let mut set = WaitSet::new(*kind).unwrap();
    assert_eq!(set.remove(listener.as_fd(), 1).unwrap_err().errno(), Some(libc::ENOENT), "{kind:?}");
    set.add(listener.as_fd(), 1).unwrap();
    assert_eq!(set.add(listener.as_fd(), 2).unwrap_err().errno(), Some(libc::EEXIST), "{kind:?}");
  }
}

#[test]
fn a_wait_lasts_at_least_its_timeout() {
  for kind in POLLERS {
    let mut set = WaitSet::new(*kind).unwrap();
    for timeout in [Duration::from_micros(1500), Duration::from_millis(20)] {
      let start = Instant::now();
      assert!(ready(&mut set, Some(timeout)).is_empty());
      assert!(start.elapsed() >= timeout, "{kind:?}");
    }
  }
}

#[test]
fn the_longest_timeout_is_no_error() {
  for kind in POLLERS {
    let [(ringer, listener)] = &bells(1)[..] else { unreachable!() };
    let mut set = WaitSet::new(*kind).unwrap();
    set.add(listener.as_fd(), 1).unwrap();
    ringer.ring();
    assert_eq!(ready(&mut set, Some(Duration::MAX)), [1], "{kind:?}");
  }
}

#[test]
fn one_wait_reports_all_of_many() {
  for kind in POLLERS {
    let bells = bells(100);
    let mut set = WaitSet::new(*kind).unwrap();
    for (token, (ringer, listener)) in bells.iter().enumerate() {
      set.add(listener.as_fd(), token as u64).unwrap();
      ringer.ring();
    }
    assert_eq!(ready(&mut set, None), (0..100).collect::<Vec<u64>>(), "{kind:?}");
  }
}

/// Whether an event loop that watches the pollables of the set would wake up.
fn outer_loop_wakes(set: &WaitSet) -> bool {
  let ready = |raw: &i32| {
    // SAFETY: the set's owner keeps its members open, and the set its own descriptor.
    is_ready(unsafe { BorrowedFd::borrow_raw(*raw) })
  };
  match set.pollables() {
    Pollables::One(raw) => ready(&raw),
    Pollables::Many(raws) => raws.iter().any(ready),
  }
}

#[test]
fn an_outer_loop_wakes_when_a_wait_would_report_something() {
  for kind in POLLERS {
    let bells = bells(2);
    let mut set = WaitSet::new(*kind).unwrap();
    for (token, (_, listener)) in bells.iter().enumerate() {
      set.add(listener.as_fd(), token as u64).unwrap();
    }
    assert!(!outer_loop_wakes(&set), "{kind:?}");
    bells[1].0.ring();
    assert!(outer_loop_wakes(&set), "{kind:?}");
    bells[1].1.clear();
    assert!(!outer_loop_wakes(&set), "{kind:?}");
  }
}

#[test]
fn the_generation_changes_with_the_pollables() {
  for kind in POLLERS {
    let bells = bells(2);
    let mut set = WaitSet::new(*kind).unwrap();
    let mut seen = vec![(set.generation(), format!("{:?}", set.pollables()))];
    for (token, (_, listener)) in bells.iter().enumerate() {
      set.add(listener.as_fd(), token as u64).unwrap();
      seen.push((set.generation(), format!("{:?}", set.pollables())));
    }
    set.remove(bells[0].1.as_fd(), 0).unwrap();
    seen.push((set.generation(), format!("{:?}", set.pollables())));
    for step in seen.windows(2) {
      assert_eq!(step[0].0 != step[1].0, step[0].1 != step[1].1, "{kind:?}: {seen:?}");
    }
  }
}

#[test]
fn a_set_of_poll_shows_its_members() {
  let bells = bells(2);
  let mut set = WaitSet::new(PollerKind::Poll).unwrap();
  for (token, (_, listener)) in bells.iter().enumerate() {
    set.add(listener.as_fd(), token as u64).unwrap();
  }
  let members = [bells[0].1.as_fd().as_raw_fd(), bells[1].1.as_fd().as_raw_fd()];
  assert_eq!(set.pollables(), Pollables::Many(&members));
}
