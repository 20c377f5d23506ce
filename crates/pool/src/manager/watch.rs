//! The wait set of a pool: the manager's own bell, the workers' bells and sentinels, the connection to the fork server.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use millrace_sys::{Capabilities, Listener, Pollables, PollerKind, Result, Ringer, WaitSet, doorbell};

use crate::lane::Lane;

const WAKEUP: u64 = u64::MAX;
const SERVER: u64 = u64::MAX - 1;

/// A source of news. The worker's number tells news of a lane that has gone from news of the next lane with the same
/// index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
  /// The manager's own bell.
  Wakeup,
  /// The fork server.
  Server,
  /// A worker that rang.
  Bell { index: usize, worker_id: u32 },
  /// A worker that has ended.
  Sentinel { index: usize, worker_id: u32 },
}

impl Source {
  /// The number by which a wait set knows the source.
  fn token(self) -> u64 {
    let of_lane = |index: usize, worker_id: u32| u64::from(worker_id) << 32 | (index as u64) << 1;
    match self {
      Self::Wakeup => WAKEUP,
      Self::Server => SERVER,
      Self::Bell { index, worker_id } => of_lane(index, worker_id),
      Self::Sentinel { index, worker_id } => of_lane(index, worker_id) | 1,
    }
  }

  pub(super) fn of(token: u64) -> Self {
    let index = ((token & 0xffff_ffff) >> 1) as usize;
    let worker_id = (token >> 32) as u32;
    match token {
      WAKEUP => Self::Wakeup,
      SERVER => Self::Server,
      _ if token & 1 == 1 => Self::Sentinel { index, worker_id },
      _ => Self::Bell { index, worker_id },
    }
  }
}

/// The wait set of a pool.
#[derive(Debug)]
pub(super) struct Watch {
  waits: WaitSet,
  /// The manager's own bell; `None` once the manager is disconnected.
  wakeup: Option<(Ringer, Listener)>,
  /// A buffer for [`Watch::wait`].
  tokens: Vec<u64>,
}

impl Watch {
  pub(super) fn new(capabilities: &Capabilities) -> Result<Self> {
    let mut waits = WaitSet::new(capabilities.poller)?;
    let wakeup = doorbell(capabilities.wakeup)?;
    waits.add(wakeup.1.as_fd(), Source::Wakeup.token())?;
    Ok(Self { waits, wakeup: Some(wakeup), tokens: Vec::new() })
  }

  pub(super) fn pollables(&self) -> Pollables<'_> {
    self.waits.pollables()
  }

  pub(super) fn generation(&self) -> u64 {
    self.waits.generation()
  }

  /// Makes the next wait return at once.
  pub(super) fn wake(&self) {
    if let Some((ringer, _)) = &self.wakeup {
      ringer.ring();
    }
  }

  /// Waits up to `timeout` (`None`: without bound) until somebody has something to say. Returns the tokens of all who
  /// have, to be given back by [`Watch::put_back`], and whether the wait failed.
  pub(super) fn wait(&mut self, timeout: Option<Duration>) -> (Vec<u64>, Result<()>) {
    let mut tokens = std::mem::take(&mut self.tokens);
    tokens.clear();
    let waited = self.waits.wait(timeout, &mut tokens);
    if let Some((_, bell)) = self.wakeup.as_ref().filter(|_| tokens.contains(&WAKEUP)) {
      bell.clear();
    }
    (tokens, waited)
  }

  pub(super) fn put_back(&mut self, tokens: Vec<u64>) {
    self.tokens = tokens;
  }

  /// Watches a lane, or nothing of it if that fails.
  pub(super) fn add_lane(&mut self, index: usize, lane: &Lane) -> Result<()> {
    let worker_id = lane.worker_id();
    let bell = Source::Bell { index, worker_id }.token();
    self.waits.add(lane.result_bell().as_fd(), bell)?;
    self.waits.add(lane.sentinel(), Source::Sentinel { index, worker_id }.token()).inspect_err(|_| {
      let _ = self.waits.remove(lane.result_bell().as_fd(), bell);
    })
  }

  pub(super) fn remove_lane(&mut self, index: usize, lane: &Lane) {
    let bell = Source::Bell { index, worker_id: lane.worker_id() };
    let _ = self.waits.remove(lane.result_bell().as_fd(), bell.token());
    self.remove_sentinel(index, lane);
  }

  pub(super) fn remove_sentinel(&mut self, index: usize, lane: &Lane) {
    let sentinel = Source::Sentinel { index, worker_id: lane.worker_id() };
    let _ = self.waits.remove(lane.sentinel(), sentinel.token());
  }

  pub(super) fn add_server(&mut self, connection: BorrowedFd<'_>) -> Result<()> {
    self.waits.add(connection, Source::Server.token())
  }

  pub(super) fn remove_server(&mut self, connection: BorrowedFd<'_>) {
    let _ = self.waits.remove(connection, Source::Server.token());
  }

  /// Closes all descriptors.
  pub(super) fn disconnect(&mut self) {
    if let Some((_, bell)) = self.wakeup.take() {
      let _ = self.waits.remove(bell.as_fd(), Source::Wakeup.token());
      self.empty();
    }
  }

  /// Closes all descriptors in a process that was forked from this one's. Nothing is removed from the set: the kernel's
  /// set is the parent's as well.
  pub(super) fn leave_behind(&mut self) {
    self.wakeup = None;
    self.empty();
  }

  /// Puts an empty wait set in place. Its kind is the one that holds no descriptor while it is empty, so that this does
  /// not fail.
  fn empty(&mut self) {
    if let Ok(empty) = WaitSet::new(PollerKind::Poll) {
      self.waits = empty;
    }
  }
}

#[cfg(test)]
mod tests {
  use super::*;

  #[test]
  fn a_source_reads_back_from_its_token() {
    let (index, worker_id) = (63, u32::MAX - 1);
    for source in
      [Source::Wakeup, Source::Server, Source::Bell { index, worker_id }, Source::Sentinel { index, worker_id }]
    {
      assert_eq!(Source::of(source.token()), source);
    }
  }
}
