//! A wait set of `poll(2)`, for systems without epoll: every wait passes the whole list.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use crate::{Error, Result};

/// Three lists with one entry per member, at the same index in each.
#[derive(Debug, Default)]
pub(super) struct PollSet {
  fds: Vec<RawFd>,
  polls: Vec<libc::pollfd>,
  tokens: Vec<u64>,
  generation: u64,
}

impl PollSet {
  pub(super) fn add(&mut self, fd: BorrowedFd<'_>, token: u64) -> Result<()> {
    let fd = fd.as_raw_fd();
    if self.fds.contains(&fd) {
      return Err(Error::from_errno("poll", libc::EEXIST));
    }
    self.fds.push(fd);
    // Hang-up and error are always reported. (On macOS only to those who ask to read.)
    self.polls.push(libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
    self.tokens.push(token);
    self.generation += 1;
    Ok(())
  }

  pub(super) fn remove(&mut self, fd: BorrowedFd<'_>, token: u64) -> Result<()> {
    let fd = fd.as_raw_fd();
    let is_it = |index: &usize| self.fds[*index] == fd && self.tokens[*index] == token;
    let Some(index) = (0..self.fds.len()).find(is_it) else {
      return Err(Error::from_errno("poll", libc::ENOENT));
    };
    self.fds.swap_remove(index);
    self.polls.swap_remove(index);
    self.tokens.swap_remove(index);
    self.generation += 1;
    Ok(())
  }

  pub(super) fn wait(&mut self, timeout: Option<Duration>, ready: &mut Vec<u64>) -> Result<()> {
    let count = self.polls.len() as libc::nfds_t;
    // SAFETY: a list of `count` entries that lives through the call. The numbers in it need not be open: one that was
    // closed without being removed is reported as closed (and so as ready), and nothing is done to it.
    let outcome = unsafe { libc::poll(self.polls.as_mut_ptr(), count, to_millis(timeout)) };
    if outcome < 0 {
      let error = io::Error::last_os_error();
      return if error.kind() == io::ErrorKind::Interrupted { Ok(()) } else { Err(Error::new("poll", error)) };
    }
    let members = self.polls.iter().zip(&self.tokens);
    ready.extend(members.filter(|(poll, _)| poll.revents != 0).map(|(_, token)| token));
    Ok(())
  }

  pub(super) fn raw_fds(&self) -> &[RawFd] {
    &self.fds
  }

  pub(super) fn generation(&self) -> u64 {
    self.generation
  }
}

/// Rounds up, so that a wait never ends before its time.
fn to_millis(timeout: Option<Duration>) -> libc::c_int {
  match timeout {
    None => -1,
    Some(timeout) => libc::c_int::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(libc::c_int::MAX),
  }
}

#[cfg(test)]
mod tests {
  use super::*;

  #[test]
  fn timeouts_round_up_and_saturate() {
    assert_eq!(to_millis(None), -1);
    assert_eq!(to_millis(Some(Duration::ZERO)), 0);
    assert_eq!(to_millis(Some(Duration::from_nanos(1))), 1);
    assert_eq!(to_millis(Some(Duration::from_micros(1001))), 2);
    assert_eq!(to_millis(Some(Duration::MAX)), libc::c_int::MAX);
  }
}
