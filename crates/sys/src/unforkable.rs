//! What stands for forking and descriptor messages where there are none: everything fails with `ENOSYS`.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use crate::{Error, Result};

/// On which side of a `fork` this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forked {
  /// The process that called, with the new one's id.
  Parent(u32),
  /// The new process.
  Child,
}

/// Fails.
///
/// # Safety
/// It does nothing.
pub unsafe fn fork_with_heap() -> Result<Forked> {
  Err(Error::missing("fork"))
}

/// Fails.
pub fn pidfd_of(_pid: u32) -> Result<OwnedFd> {
  Err(Error::missing("pidfd_open"))
}

/// Does nothing: there is no such child.
pub fn reap(_pid: u32) -> bool {
  true
}

/// Messages that keep their bounds and carry descriptors.
#[derive(Debug)]
pub struct Packets(OwnedFd);

/// What [`Packets::receive`] found.
#[derive(Debug)]
pub enum Received {
  /// A message of so many bytes, and its descriptors.
  Message(usize, Vec<OwnedFd>),
  /// None so far.
  Nothing,
  /// None, and there will be none.
  Closed,
}

/// Fails.
pub fn packets() -> Result<(Packets, Packets)> {
  Err(Error::missing("socketpair"))
}

impl Packets {
  /// An end that this process was given.
  pub fn from_fd(fd: OwnedFd) -> Self {
    Self(fd)
  }

  /// Fails.
  pub fn send(&self, _bytes: &[u8], _fds: &[BorrowedFd<'_>]) -> Result<()> {
    Err(Error::missing("sendmsg"))
  }

  /// Fails.
  pub fn wait(&self, _timeout: Duration) -> Result<()> {
    Err(Error::missing("poll"))
  }

  /// Fails.
  pub fn receive(&self, _bytes: &mut [u8]) -> Result<Received> {
    Err(Error::missing("recvmsg"))
  }
}

impl AsFd for Packets {
  fn as_fd(&self) -> BorrowedFd<'_> {
    self.0.as_fd()
  }
}
