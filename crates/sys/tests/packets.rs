//! Messages that carry descriptors.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::os::fd::AsFd;

use millrace_sys::{Packets, Received, packets};

fn message(end: &Packets) -> (Vec<u8>, Vec<std::os::fd::OwnedFd>) {
  let mut bytes = [0; 64];
  match end.receive(&mut bytes).unwrap() {
    Received::Message(length, fds) => (bytes[..length].to_vec(), fds),
    other => panic!("{other:?}"),
  }
}

#[test]
fn messages_keep_their_bounds_and_order() {
  let (a, b) = packets().unwrap();
  a.send(b"one", &[]).unwrap();
  a.send(b"second", &[]).unwrap();
  assert_eq!(message(&b).0, b"one");
  assert_eq!(message(&b).0, b"second");
  assert!(matches!(b.receive(&mut [0; 8]).unwrap(), Received::Nothing));
}

#[test]
fn descriptors_arrive_with_their_message_and_are_close_on_exec() {
  let (a, b) = packets().unwrap();
  let (mut read, write) = std::io::pipe().unwrap();
  a.send(b"fds", &[write.as_fd(), read.as_fd()]).unwrap();
  let (bytes, fds) = message(&b);
  assert_eq!((bytes.as_slice(), fds.len()), (&b"fds"[..], 2));
  for fd in &fds {
    assert!(rustix::io::fcntl_getfd(fd).unwrap().contains(rustix::io::FdFlags::CLOEXEC));
  }
  drop(write);
  std::fs::File::from(fds.into_iter().next().unwrap()).write_all(b"through").unwrap();
  let mut text = String::new();
  read.read_to_string(&mut text).unwrap();
  assert_eq!(text, "through");
}

#[test]
fn a_closed_end_is_told_apart_from_silence_and_sending_to_it_fails() {
  let (a, b) = packets().unwrap();
  a.send(b"last words", &[]).unwrap();
  drop(a);
  assert_eq!(message(&b).0, b"last words");
  assert!(matches!(b.receive(&mut [0; 8]).unwrap(), Received::Closed));
  assert_eq!(b.send(b"x", &[]).unwrap_err().errno(), Some(libc::EPIPE));
}

#[test]
fn a_peer_that_does_not_read_blocks_nobody() {
  let (a, _b) = packets().unwrap();
  let refused = (0..1_000_000).find_map(|_| a.send(&[0; 64], &[]).err());
  assert_eq!(refused.unwrap().errno(), Some(libc::EAGAIN));
}
