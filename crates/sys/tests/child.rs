//! The life and the end of real child processes, under both sentinels.

#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

mod support;

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use millrace_sys::{Exit, SentinelKind, WaitSet, spawn};
use support::children::{end, kill, pipe, shell, spec};
use support::{POLLERS, SENTINELS, WATCHDOG};

#[test]
fn exit_codes_and_signals_are_told_apart() {
  for kind in SENTINELS {
    for code in [0, 7, 255] {
      let child = spawn(&shell(&format!("exit {code}")), *kind).unwrap();
      assert_eq!(end(child), Exit::Code(code), "{kind:?}");
    }
    for signal in [libc::SIGKILL, libc::SIGTERM] {
      let child = spawn(&spec("/bin/sleep", &["1000"]), *kind).unwrap();
      child.signal(signal).unwrap();
      assert_eq!(end(child), Exit::Signal(signal), "{kind:?}");
    }
  }
}

#[test]
fn the_answer_is_remembered_and_no_signal_is_sent_afterwards() {
  for kind in SENTINELS {
    let mut child = spawn(&shell("exit 3"), *kind).unwrap();
    child.wait_timeout(WATCHDOG).unwrap();
    for _ in 0..3 {
      assert_eq!(child.try_wait().unwrap(), Some(Exit::Code(3)), "{kind:?}");
      assert_eq!(child.wait_timeout(Duration::ZERO).unwrap(), Some(Exit::Code(3)), "{kind:?}");
      child.signal(libc::SIGKILL).unwrap();
      child.signal_group(libc::SIGKILL).unwrap();
    }
  }
}

#[test]
fn a_running_child_has_not_ended() {
  for kind in SENTINELS {
    let mut child = spawn(&spec("/bin/sleep", &["1000"]), *kind).unwrap();
    assert_eq!(child.try_wait().unwrap(), None, "{kind:?}");
    let start = Instant::now();
    assert_eq!(child.wait_timeout(Duration::from_millis(20)).unwrap(), None, "{kind:?}");
    assert!(start.elapsed() >= Duration::from_millis(20));
    kill(child);
  }
}

#[test]
fn a_stopped_child_has_not_ended() {
  for kind in SENTINELS {
    let mut child = spawn(&spec("/bin/sleep", &["1000"]), *kind).unwrap();
    child.signal(libc::SIGSTOP).unwrap();
    assert_eq!(child.wait_timeout(Duration::from_millis(50)).unwrap(), None, "{kind:?}");
    kill(child);
  }
}

#[test]
fn a_child_that_someone_else_reaped_has_ended_unknown() {
  for kind in SENTINELS {
    let child = spawn(&shell("exit 3"), *kind).unwrap();
    let pid = libc::pid_t::try_from(child.pid()).unwrap();
    // SAFETY: no status is asked for.
    assert_eq!(unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) }, pid);
    child.signal(libc::SIGTERM).unwrap();
    child.signal_group(libc::SIGTERM).unwrap();
    assert_eq!(end(child), Exit::Unknown, "{kind:?}");
  }
}

#[test]
fn a_pidfd_is_readable_when_the_child_has_ended() {
  for poller in POLLERS {
    for kind in SENTINELS {
      let mut child = spawn(&spec("/bin/sleep", &["1000"]), *kind).unwrap();
      assert_eq!(child.pidfd().is_some(), *kind == SentinelKind::PidFd);
      if let Some(pidfd) = child.pidfd() {
        let mut set = WaitSet::new(*poller).unwrap();
        let mut ready = Vec::new();
        set.add(pidfd, 5).unwrap();
        set.wait(Some(Duration::ZERO), &mut ready).unwrap();
        assert!(ready.is_empty());
        child.signal(libc::SIGKILL).unwrap();
        set.wait(Some(WATCHDOG), &mut ready).unwrap();
        assert_eq!(ready, [5]);
        assert_eq!(child.try_wait().unwrap(), Some(Exit::Signal(libc::SIGKILL)));
      } else {
        kill(child);
      }
    }
  }
}

#[test]
fn a_number_that_is_no_signal_is_an_error() {
  let child = spawn(&spec("/bin/sleep", &["1000"]), SENTINELS[0]).unwrap();
  assert_eq!(child.signal(12345).unwrap_err().errno(), Some(libc::EINVAL));
  assert_eq!(child.signal_group(-1).unwrap_err().errno(), Some(libc::EINVAL));
  kill(child);
}

#[test]
fn a_group_signal_ends_the_grandchildren_even_after_the_child() {
  for kind in SENTINELS {
    let (read, write) = pipe();
    let mut spec = shell("sleep 1000 & exit 0");
    spec.fds.push((write.as_fd(), 3));
    let child = spawn(&spec, *kind).unwrap();
    drop(spec);
    drop(write);
    // The grandchild holds the write end for as long as it lives.
    assert!(!support::is_ready_within(&read, Duration::from_millis(50)), "{kind:?}");
    child.signal_group(libc::SIGKILL).unwrap();
    assert!(support::is_ready_within(&read, WATCHDOG), "{kind:?}");
    end(child);
  }
}

#[cfg(target_os = "linux")]
#[test]
fn the_pidfd_is_close_on_exec() {
  let child = spawn(&spec("/bin/sleep", &["1000"]), SentinelKind::PidFd).unwrap();
  let flags = rustix::io::fcntl_getfd(child.pidfd().unwrap()).unwrap();
  assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
  kill(child);
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_that_was_waited_for_is_no_zombie() {
  for kind in SENTINELS {
    let mut child = spawn(&shell("exit 0"), *kind).unwrap();
    support::eventually("the child is a zombie", || support::children::status(&child, "State").starts_with('Z'));
    assert_eq!(child.try_wait().unwrap(), Some(Exit::Code(0)));
    assert!(!std::path::Path::new(&format!("/proc/{}", child.pid())).exists(), "{kind:?}");
  }
}
