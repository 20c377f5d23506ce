//! A wait set of epoll: one descriptor, itself pollable, and a wait that costs the ready ones only.

use std::fmt;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;

use crate::{Error, Result};

/// `epoll_wait` counts milliseconds in a C int.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

pub(super) struct EpollSet {
  fd: OwnedFd,
  events: Vec<epoll::Event>,
  members: usize,
}

// SAFETY: the events are a buffer for the kernel to write to; what they carry are tokens, never pointers.
unsafe impl Send for EpollSet {}

impl EpollSet {
  pub(super) fn new() -> Result<Self> {
    let fd = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(Error::at("epoll_create1"))?;
    Ok(Self { fd, events: Vec::new(), members: 0 })
  }

  pub(super) fn add(&mut self, fd: BorrowedFd<'_>, token: u64) -> Result<()> {
    // Hang-up and error are always reported.
    epoll::add(&self.fd, fd, epoll::EventData::new_u64(token), epoll::EventFlags::IN)
      .map_err(Error::at("epoll_ctl"))?;
    self.members += 1;
    Ok(())
  }

  pub(super) fn remove(&mut self, fd: BorrowedFd<'_>) -> Result<()> {
    epoll::delete(&self.fd, fd).map_err(Error::at("epoll_ctl"))?;
    self.members -= 1;
    Ok(())
  }

  pub(super) fn wait(&mut self, timeout: Option<Duration>, ready: &mut Vec<u64>) -> Result<()> {
    // rustix rounds up to milliseconds, so that a wait never ends before its time.
    let timeout = timeout.map(|timeout| to_timespec(timeout.min(LONGEST)));
    self.events.clear();
    self.events.reserve(self.members.max(1));
    match epoll::wait(&self.fd, spare_capacity(&mut self.events), timeout.as_ref()) {
      Ok(_) => ready.extend(self.events.iter().map(|event| event.data.u64())),
      Err(Errno::INTR) => {}
      Err(errno) => return Err(Error::at("epoll_wait")(errno)),
    }
    Ok(())
  }

  pub(super) fn raw_fd(&self) -> RawFd {
    self.fd.as_raw_fd()
  }
}

impl fmt::Debug for EpollSet {
  fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.debug_struct("EpollSet").field("fd", &self.fd).field("members", &self.members).finish_non_exhaustive()
  }
}

fn to_timespec(duration: Duration) -> Timespec {
  Timespec { tv_sec: duration.as_secs() as i64, tv_nsec: duration.subsec_nanos().into() }
}
