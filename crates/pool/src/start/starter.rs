//! The state of a pool's start method: the connection to the fork server, or that this process has forked its workers.

use std::time::Instant;

use millrace_sys::Child;

use super::fork_server::{ForkError, ForkServer};
use crate::config::MAX_FAILED_STARTS;
use crate::lane::PreparedLane;

/// The state of a pool's start method. The method itself is configuration.
#[derive(Debug, Default)]
pub(crate) struct Starter {
  server: Option<ForkServer>,
  /// The lane of the worker that the server was asked for. If the server goes, so does the lane, and a worker that was
  /// forked all the same ends by its lifeline.
  prepared: Option<PreparedLane>,
  /// Servers in a row that have ended without having forked a worker.
  lost: u32,
  has_forked_all: bool,
}

impl Starter {
  pub(crate) fn server(&self) -> Option<&ForkServer> {
    self.server.as_ref()
  }

  pub(crate) fn server_mut(&mut self) -> Option<&mut ForkServer> {
    self.server.as_mut()
  }

  /// When the server has to be ready, or to have forked.
  pub(crate) fn deadline(&self) -> Option<Instant> {
    self.server.as_ref().and_then(ForkServer::deadline)
  }

  pub(crate) fn connect(&mut self, server: ForkServer) {
    self.server = Some(server);
  }

  pub(crate) fn disconnect(&mut self) -> Option<ForkServer> {
    self.prepared = None;
    self.server.take()
  }

  /// The server was asked for the worker of a lane.
  pub(crate) fn await_fork(&mut self, prepared: PreparedLane) {
    self.prepared = Some(prepared);
  }

  /// The lane of the worker that the server was asked for, and the server's answer, once that is there.
  pub(crate) fn take_answer(&mut self) -> Option<(PreparedLane, Result<Child, ForkError>)> {
    let answer = self.server.as_mut()?.take_answer()?;
    Some((self.prepared.take()?, answer))
  }

  /// The server has forked a worker.
  pub(crate) fn note_fork(&mut self) {
    self.lost = 0;
  }

  /// The server has ended.
  pub(crate) fn note_lost(&mut self) {
    self.lost += 1;
  }

  /// Whether so many servers in a row were lost that no other is started. Counts anew after it has said so.
  pub(crate) fn has_lost_too_many(&mut self) -> bool {
    let too_many = self.lost >= MAX_FAILED_STARTS;
    if too_many {
      self.lost = 0;
    }
    too_many
  }

  /// Whether this process has forked its workers, as many as it could.
  pub(crate) fn has_forked_all(&self) -> bool {
    self.has_forked_all
  }

  pub(crate) fn note_forked_all(&mut self) {
    self.has_forked_all = true;
  }
}
