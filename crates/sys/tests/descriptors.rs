//! Adopted descriptors and the lifeline.

#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

mod support;

use std::os::fd::{AsRawFd, IntoRawFd, RawFd};

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
fn an_adopted_descriptor_is_out_of_the_way_of_code_that_closes_low_numbers() {
  let (read, write) = rustix::pipe::pipe().unwrap();
  let low = read.into_raw_fd();
  // SAFETY: the number was just given up by its owner.
  let adopted = unsafe { adopt_fd(low) }.unwrap();
  assert!(adopted.as_raw_fd() >= 128 && adopted.as_raw_fd() != low, "{adopted:?}");
  drop(adopted);
  assert_eq!(rustix::io::write(&write, b"x"), Err(rustix::io::Errno::PIPE), "the low number is closed");
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
