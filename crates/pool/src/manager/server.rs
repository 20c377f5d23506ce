//! The fork server in the life of a pool.
//!
//! A server is started when a worker is first needed, and anew when the server is gone or spent. It is given up when
//! its process cannot be forked. Workers that run go on whatever happens to it.

use std::time::Instant;

use super::Manager;
use crate::config::StartMethod;
use crate::error::SpawnFailure;
use crate::event::{BreakCause, Event};
use crate::lane::Lane;
use crate::start::{ForkError, ForkServer, Readiness};

impl Manager {
  /// Whether the pool has workers, or a server that forks them.
  pub fn has_processes(&self) -> bool {
    self.lanes.live() > 0 || self.starter.server().is_some()
  }

  /// Whether a worker can be started at once. If not, a server is on its way, and a round follows when the server is
  /// ready.
  pub(super) fn can_start(&mut self, now: Instant) -> Result<bool, SpawnFailure> {
    match &self.config.start_method {
      StartMethod::Spawn => return Ok(true),
      StartMethod::Fork => return Ok(false),
      StartMethod::ForkServer { .. } => {}
    }
    match self.starter.server() {
      // Workers that run go on. How they end is not known, since nobody is left who could reap them.
      Some(server) if server.is_of_others() => self.drop_server(),
      Some(server) if !server.is_spent() => {
        return Ok(*server.readiness() == Readiness::Ready && !server.is_forking());
      }
      // A spent server still has to reap the others, which end as well.
      Some(_) if self.lanes.booting() > 0 => return Ok(false),
      _ => self.drop_server(),
    }
    let StartMethod::ForkServer { arguments, .. } = &self.config.start_method else { return Ok(true) };
    if self.starter.has_lost_too_many() {
      return Err(SpawnFailure { syscall: "fork", errno: Some(libc::ECONNRESET) });
    }
    let deadline = now + self.config.start_timeout;
    let server = ForkServer::start(&self.config.command, arguments, self.capabilities, deadline)?;
    self.watch.add_server(server.control())?;
    self.starter.connect(server);
    Ok(false)
  }

  /// The server has something to say, or has ended.
  pub(super) fn server_stirred(&mut self, now: Instant) {
    if let Some(server) = self.starter.server_mut() {
      server.look(now);
    }
  }

  /// Draws the conclusions from how far the server has come.
  pub(super) fn tend_server(&mut self, now: Instant) {
    let Some(server) = self.starter.server_mut() else { return };
    if server.deadline().is_some_and(|at| at <= now) {
      server.look(now);
    }
    self.take_fork_in(now);
    let Some(server) = self.starter.server_mut() else { return };
    match server.readiness().clone() {
      Readiness::Booting | Readiness::Ready => {}
      Readiness::Gone => {
        let failure = server.boot_failure();
        self.drop_server();
        self.starter.note_lost();
        if let Some(failure) = failure
          && !self.lifecycle.is_broken()
          && self.starter.has_lost_too_many()
        {
          self.break_pool(BreakCause::ServerFailed(failure), Vec::new());
        }
      }
      Readiness::Refused(reasons) => {
        self.drop_server();
        self.server_refused(reasons);
      }
    }
  }

  /// Takes a worker in that the server has forked.
  fn take_fork_in(&mut self, now: Instant) {
    let Some((prepared, answer)) = self.starter.take_answer() else { return };
    let taken = match answer {
      // The worker ends: its lane goes here.
      Ok(_) if self.lifecycle.is_broken() => return,
      Ok(child) => {
        self.starter.note_fork();
        let child = prepared.watched_over(child);
        self.add_lane(Lane::new(prepared, child, &self.config, now))
      }
      Err(ForkError::Failed(failure)) => Err(failure),
      Err(ForkError::Gone) => return,
    };
    if let Err(failure) = taken {
      self.note_spawn_failure(failure, now);
    }
  }

  fn server_refused(&mut self, reasons: String) {
    match self.config.start_method {
      StartMethod::ForkServer { or_spawn: false, .. } if !self.lifecycle.is_broken() => {
        self.break_pool(BreakCause::ForkUnsafe(reasons), Vec::new());
      }
      _ => {
        self.config.start_method = StartMethod::Spawn;
        self.events.push_back(Event::ForkUnsafe(reasons));
      }
    }
  }

  /// Ends the connection to the server. Workers go on.
  pub(super) fn drop_server(&mut self) {
    if let Some(server) = self.starter.disconnect() {
      self.watch.remove_server(server.control());
    }
  }
}
