//! Doorbells: waking a process that sleeps in `poll`, `epoll_wait` or an event loop.
//!
//! A doorbell has two ends, which may be in different processes. Of both kinds:
//!
//! - Ringing never blocks, however often it happens and whether or not anyone listens.
//! - Rings coalesce: the listener is readable from the first ring until it is cleared.
//! - A ring during `clear` is either swallowed by it or leaves the listener readable. So whoever clears first and looks
//!   for work afterwards misses nothing: the work of a swallowed ring was published before it.
//!
//! An eventfd holds a counter; a pipe holds eight bytes per ring until it is full. Both ends treat the two kinds alike,
//! so an end that is made from a descriptor does not need to know its kind.
//!
//! # SIGPIPE
//!
//! Ringing a pipe whose listener is gone raises `SIGPIPE` in the ringing thread. Node ignores the signal from its start
//! on, and so does Rust's runtime; the write then fails with `EPIPE`, which is ignored like a full pipe. Any other
//! program must ignore `SIGPIPE` itself. Eventfds never raise the signal.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::{Errno, read, retry_on_intr, write};

use crate::fd::set_cloexec;
use crate::{Error, Result, WakeupKind};

/// The end of a doorbell that wakes the other.
#[derive(Debug)]
pub struct Ringer(OwnedFd);

/// The end of a doorbell that is readable once the doorbell was rung.
#[derive(Debug)]
pub struct Listener(OwnedFd);

/// A new doorbell; both ends are close-on-exec.
///
/// # References
///  - [Linux `eventfd`](https://man7.org/linux/man-pages/man2/eventfd.2.html)
///  - [Linux `pipe`](https://man7.org/linux/man-pages/man7/pipe.7.html)
pub fn doorbell(kind: WakeupKind) -> Result<(Ringer, Listener)> {
  match kind {
    WakeupKind::EventFd => eventfd(),
    WakeupKind::Pipe => pipe(),
  }
}

impl Ringer {
  /// Wakes the listener, now or as soon as it looks. False: never again, since other code in this process has closed
  /// the descriptor, or has put something in its place.
  pub fn ring(&self) -> bool {
    match retry_on_intr(|| write(&self.0, &1_u64.to_ne_bytes())) {
      // There is nobody to wake: the listener is readable to the brim, or gone.
      Err(Errno::AGAIN | Errno::PIPE) => true,
      rung => rung == Ok(size_of::<u64>()),
    }
  }

  /// The ringing end of a doorbell made in another process by [`doorbell`].
  pub fn from_fd(fd: OwnedFd) -> Self {
    // Fails only for a descriptor that is not open, which an `OwnedFd` is.
    let _ = set_cloexec(&fd);
    Self(fd)
  }
}

impl Listener {
  /// Swallows all rings so far: the listener is not readable until the next.
  pub fn clear(&self) {
    // An eventfd answers with eight bytes and is empty; a pipe fills the buffer as long as it holds more.
    let mut rings = [0_u8; 4096];
    while retry_on_intr(|| read(&self.0, &mut rings)) == Ok(rings.len()) {}
  }

  /// The listening end of a doorbell made in another process by [`doorbell`].
  pub fn from_fd(fd: OwnedFd) -> Self {
    // Fails only for a descriptor that is not open, which an `OwnedFd` is.
    let _ = set_cloexec(&fd);
    Self(fd)
  }
}

impl AsFd for Ringer {
  fn as_fd(&self) -> BorrowedFd<'_> {
    self.0.as_fd()
  }
}

impl AsFd for Listener {
  fn as_fd(&self) -> BorrowedFd<'_> {
    self.0.as_fd()
  }
}

#[cfg(target_os = "linux")]
fn eventfd() -> Result<(Ringer, Listener)> {
  use rustix::event::EventfdFlags;

  let ringer = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
  let ringer = ringer.map_err(Error::at("eventfd2"))?;
  let listener = rustix::io::fcntl_dupfd_cloexec(&ringer, 3).map_err(Error::at("fcntl"))?;
  Ok((Ringer(ringer), Listener(listener)))
}

#[cfg(not(target_os = "linux"))]
fn eventfd() -> Result<(Ringer, Listener)> {
  Err(Error::missing("eventfd2"))
}

#[cfg(target_os = "linux")]
fn pipe() -> Result<(Ringer, Listener)> {
  use rustix::pipe::PipeFlags;

  let ends = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK);
  let (read_end, write_end) = ends.map_err(Error::at("pipe2"))?;
  Ok((Ringer(write_end), Listener(read_end)))
}

#[cfg(not(target_os = "linux"))]
fn pipe() -> Result<(Ringer, Listener)> {
  use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

  let (read_end, write_end) = rustix::pipe::pipe().map_err(Error::at("pipe"))?;
  for end in [&read_end, &write_end] {
    set_cloexec(end)?;
    let flags = fcntl_getfl(end).map_err(Error::at("fcntl"))?;
    fcntl_setfl(end, flags | OFlags::NONBLOCK).map_err(Error::at("fcntl"))?;
  }
  Ok((Ringer(write_end), Listener(read_end)))
}
