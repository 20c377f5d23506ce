//! The fork server of one pool, and whether this process has forked its workers itself.

use std::time::Instant;

use super::fork_server::ForkServer;

/// Marks the server's connection among the tokens of the wait set.
pub(crate) const SERVER_TOKEN: u64 = u64::MAX - 1;

/// The server of a pool whose workers are forked.
#[derive(Debug, Default)]
pub(crate) struct Starter {
  pub(crate) server: Option<ForkServer>,
  /// Servers in a row that have ended without having forked a worker that booted.
  pub(crate) lost: u32,
  /// This process has forked its workers, as many as it could.
  pub(crate) has_forked_all: bool,
}

impl Starter {
  pub(crate) fn server_mut(&mut self) -> Option<&mut ForkServer> {
    self.server.as_mut()
  }

  /// When the server has to be ready.
  pub(crate) fn deadline(&self) -> Option<Instant> {
    self.server.as_ref().and_then(ForkServer::deadline)
  }

  /// It has forked.
  pub(crate) fn forked(&mut self) {
    self.lost = 0;
  }
}
