//! The state of a pool's start method: the connection to the fork server, or that this process has forked its workers.

use std::time::Instant;

use super::fork_server::ForkServer;
use crate::config::MAX_FAILED_STARTS;

/// The state of a pool's start method. The method itself is configuration.
#[derive(Debug, Default)]
pub(crate) struct Starter {
  server: Option<ForkServer>,
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

  /// When the server has to be ready.
  pub(crate) fn deadline(&self) -> Option<Instant> {
    self.server.as_ref().and_then(ForkServer::deadline)
  }

  pub(crate) fn connect(&mut self, server: ForkServer) {
    self.server = Some(server);
  }

  pub(crate) fn disconnect(&mut self) -> Option<ForkServer> {
    self.server.take()
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
