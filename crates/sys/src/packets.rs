//! Messages between two processes that carry descriptors along. Linux only: macOS has no such sockets.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use crate::Result;

/// One end of a connection that keeps the bounds of messages. Neither end blocks.
#[derive(Debug)]
pub struct Packets(OwnedFd);

/// What [`Packets::receive`] found.
#[derive(Debug)]
pub enum Received {
  /// A message of so many bytes, and its descriptors, which are close-on-exec.
  Message(usize, Vec<OwnedFd>),
  /// None so far.
  Nothing,
  /// None, and there will be none: the other end is closed.
  Closed,
}

/// Two connected ends, both close-on-exec. `ENOSYS` where there are no such sockets.
///
/// # References
///  - [Linux `unix`](https://man7.org/linux/man-pages/man7/unix.7.html)
pub fn packets() -> Result<(Packets, Packets)> {
  native::pair().map(|(one, other)| (Packets(one), Packets(other)))
}

impl Packets {
  /// An end that this process was given.
  pub fn from_fd(fd: OwnedFd) -> Self {
    Self(fd)
  }

  /// Sends a message of at least one byte, with at most four descriptors. `EPIPE` or `ECONNRESET` when the other end is
  /// closed, `EAGAIN` when it does not read.
  pub fn send(&self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<()> {
    native::send(self.as_fd(), bytes, fds)
  }

  /// Sleeps until there is a message, or the other end is closed, at most for `timeout`.
  pub fn wait(&self, timeout: Duration) -> Result<()> {
    native::wait(self.as_fd(), timeout)
  }

  /// The next message, if there is one. What does not fit `bytes` of it is lost.
  pub fn receive(&self, bytes: &mut [u8]) -> Result<Received> {
    native::receive(self.as_fd(), bytes)
  }
}

impl AsFd for Packets {
  fn as_fd(&self) -> BorrowedFd<'_> {
    self.0.as_fd()
  }
}

#[cfg(target_os = "linux")]
mod native {
  use std::io::{IoSlice, IoSliceMut};
  use std::mem::MaybeUninit;
  use std::os::fd::{BorrowedFd, OwnedFd};
  use std::time::Duration;

  use rustix::io::{Errno, retry_on_intr};
  use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
  };

  use super::Received;
  use crate::fd::readable_within;
  use crate::{Error, Result};

  /// Descriptors in one message, at most.
  const MAX_DESCRIPTORS: usize = 4;

  pub(super) fn pair() -> Result<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).map_err(Error::at("socketpair"))
  }

  pub(super) fn send(end: BorrowedFd<'_>, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
      return Err(Error::from_errno("sendmsg", libc::EINVAL));
    }
    let sent = retry_on_intr(|| sendmsg(end, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::NOSIGNAL));
    sent.map(drop).map_err(Error::at("sendmsg"))
  }

  pub(super) fn wait(end: BorrowedFd<'_>, timeout: Duration) -> Result<()> {
    readable_within(end, timeout).map(drop)
  }

  pub(super) fn receive(end: BorrowedFd<'_>, bytes: &mut [u8]) -> Result<Received> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    let received = retry_on_intr(|| recvmsg(end, &mut [IoSliceMut::new(bytes)], &mut ancillary, flags));
    match received {
      Ok(message) if message.bytes == 0 => Ok(Received::Closed),
      Ok(message) => {
        let rights = ancillary.drain().filter_map(|part| match part {
          RecvAncillaryMessage::ScmRights(fds) => Some(fds),
          _ => None,
        });
        Ok(Received::Message(message.bytes, rights.flatten().collect()))
      }
      Err(Errno::AGAIN) => Ok(Received::Nothing),
      Err(Errno::CONNRESET) => Ok(Received::Closed),
      Err(errno) => Err(Error::at("recvmsg")(errno)),
    }
  }
}

#[cfg(not(target_os = "linux"))]
mod native {
  use std::os::fd::{BorrowedFd, OwnedFd};
  use std::time::Duration;

  use super::Received;
  use crate::{Error, Result};

  pub(super) fn pair() -> Result<(OwnedFd, OwnedFd)> {
    Err(Error::missing("socketpair"))
  }

  pub(super) fn send(_end: BorrowedFd<'_>, _bytes: &[u8], _fds: &[BorrowedFd<'_>]) -> Result<()> {
    Err(Error::missing("sendmsg"))
  }

  pub(super) fn wait(_end: BorrowedFd<'_>, _timeout: Duration) -> Result<()> {
    Err(Error::missing("poll"))
  }

  pub(super) fn receive(_end: BorrowedFd<'_>, _bytes: &mut [u8]) -> Result<Received> {
    Err(Error::missing("recvmsg"))
  }
}
