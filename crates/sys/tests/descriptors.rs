//! Adopted descriptors and the lifeline.

#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

mod support;

use std::os::fd::{IntoRawFd, RawFd};

use millrace_sys::{adopt_fd, lifeline};
use rustix::io::{FdFlags, fcntl_getfd};
use support::is_ready;

#[test]
fn an_adopted_descriptor_is_close_on_exec() {
  let (read, _write) = rustix::pipe::pipe().unwrap();
  assert!(!fcntl_getfd(&read).unwrap().contains(FdFlags::CLOEXEC));
  // SAFETY: the number was just given up by its owner.
  let adopted = unsafe { adopt_fd(read.into_raw_fd()) }.unwrap();
  assert!(fcntl_getfd(&adopted).unwrap().contains(FdFlags::CLOEXEC));
}

#[test]
fn a_number_that_is_not_open_cannot_be_adopted() {
  for raw in [-1, RawFd::MAX] {
    // SAFETY: nothing owns these numbers; they are never open.
    let error = unsafe { adopt_fd(raw) }.unwrap_err();
    assert_eq!((error.syscall, error.errno()), ("fcntl", Some(libc::EBADF)));
  }
}

#[test]
fn both_ends_of_a_lifeline_are_close_on_exec() {
  let (host, worker) = lifeline().unwrap();
  for end in [host, worker] {
    assert!(fcntl_getfd(end).unwrap().contains(FdFlags::CLOEXEC));
  }
}

#[test]
fn the_host_sees_the_worker_end_close() {
  let (host, worker) = lifeline().unwrap();
  assert!(!is_ready(&host));
  drop(worker);
  assert!(is_ready(&host));
}

#[test]
fn the_worker_sees_the_host_end_close() {
  let (host, worker) = lifeline().unwrap();
  assert!(!is_ready(&worker));
  drop(host);
  assert!(is_ready(&worker));
}
