//! Wait sets: many descriptors, waited for at once.
//!
//! Level-triggered: a descriptor is reported by every wait for as long as it is readable or its peer has hung up.
//!
//! A descriptor must be removed before it is closed. Under epoll a registration lives as long as any duplicate of the
//! open file, also one in another process; under poll the number would soon mean another file.

#[cfg(target_os = "linux")]
mod epoll;
mod poll;

use std::os::fd::{BorrowedFd, RawFd};
use std::time::Duration;

#[cfg(target_os = "linux")]
use epoll::EpollSet;
use poll::PollSet;

use crate::{PollerKind, Result};

/// A set of descriptors, each with a token that tells its owner which one is ready.
#[derive(Debug)]
pub struct WaitSet(Poller);

#[derive(Debug)]
enum Poller {
  #[cfg(target_os = "linux")]
  Epoll(EpollSet),
  Poll(PollSet),
}

/// The descriptors by which an outer event loop sees that [`WaitSet::wait`] would report something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pollables<'set> {
  /// This descriptor alone, whatever is in the set.
  One(RawFd),
  /// Each of these, in no particular order.
  Many(&'set [RawFd]),
}

impl WaitSet {
  /// An empty set.
  ///
  /// # References
  ///  - [Linux `epoll`](https://man7.org/linux/man-pages/man7/epoll.7.html)
  ///  - [Linux `poll`](https://man7.org/linux/man-pages/man2/poll.2.html)
  pub fn new(kind: PollerKind) -> Result<Self> {
    match kind {
      #[cfg(target_os = "linux")]
      PollerKind::Epoll => Ok(Self(Poller::Epoll(EpollSet::new()?))),
      #[cfg(not(target_os = "linux"))]
      PollerKind::Epoll => Err(crate::Error::missing("epoll_create1")),
      PollerKind::Poll => Ok(Self(Poller::Poll(PollSet::default()))),
    }
  }

  /// Watches `fd` and reports it as `token`. `EEXIST`: the set has it already.
  pub fn add(&mut self, fd: BorrowedFd<'_>, token: u64) -> Result<()> {
    match &mut self.0 {
      #[cfg(target_os = "linux")]
      Poller::Epoll(set) => set.add(fd, token),
      Poller::Poll(set) => set.add(fd, token),
    }
  }

  /// Does not watch `fd` any longer, which was added as `token`. `ENOENT`: the set does not have it.
  pub fn remove(&mut self, fd: BorrowedFd<'_>, token: u64) -> Result<()> {
    match &mut self.0 {
      #[cfg(target_os = "linux")]
      Poller::Epoll(set) => set.remove(fd),
      Poller::Poll(set) => set.remove(fd, token),
    }
  }

  /// Sleeps until a descriptor is readable or hung up, or `timeout` is over, and fills `ready` with the tokens of those
  /// that are. `None` waits for ever, zero not at all.
  ///
  /// `ready` is cleared first. It may also stay empty because a signal came or because of a timeout beyond what the
  /// system can express (24 days): look at the time and wait again.
  pub fn wait(&mut self, timeout: Option<Duration>, ready: &mut Vec<u64>) -> Result<()> {
    ready.clear();
    match &mut self.0 {
      #[cfg(target_os = "linux")]
      Poller::Epoll(set) => set.wait(timeout, ready),
      Poller::Poll(set) => set.wait(timeout, ready),
    }
  }

  /// The descriptors through which an outer event loop watches this set.
  pub fn pollables(&self) -> Pollables<'_> {
    match &self.0 {
      #[cfg(target_os = "linux")]
      Poller::Epoll(set) => Pollables::One(set.raw_fd()),
      Poller::Poll(set) => Pollables::Many(set.raw_fds()),
    }
  }

  /// Changes whenever the answer of [`pollables`](Self::pollables) has changed.
  pub fn generation(&self) -> u64 {
    match &self.0 {
      #[cfg(target_os = "linux")]
      Poller::Epoll(_) => 0,
      Poller::Poll(set) => set.generation(),
    }
  }
}
