//! The fork server in the life of a pool: started when a worker is first needed, anew when it is gone, given up when its process
//! cannot be forked. Whatever happens to it, workers that run are not concerned.

use std::os::fd::AsFd;
use std::time::Instant;

use super::Manager;
use crate::config::{MAX_FAILED_STARTS, StartMethod};
use crate::error::SpawnFailure;
use crate::event::{BreakCause, Event, PoolState};
use crate::start::{ForkServer, Readiness, SERVER_TOKEN};

impl Manager {
  /// Whether it has workers, or a server that forks them.
  pub fn has_processes(&self) -> bool {
    self.live > 0 || self.starter.server.is_some()
  }

  /// Whether a worker can be started at once. If not, the server is on its way, and a round follows when it is there.
  pub(crate) fn can_start(&mut self, now: Instant) -> Result<bool, SpawnFailure> {
    match &self.config.start_method {
      StartMethod::Spawn => return Ok(true),
      StartMethod::Fork => return Ok(false),
      StartMethod::ForkServer { .. } => {}
    }
    match &self.starter.server {
      Some(server) if !server.is_spent => return Ok(*server.readiness() == Readiness::Ready),
      // It still has to reap the others, which end as well.
      Some(_) if self.living().any(|(_, lane)| !lane.has_booted()) => return Ok(false),
      _ => self.drop_server(),
    }
    let StartMethod::ForkServer { arguments, .. } = &self.config.start_method else { return Ok(true) };
    if self.starter.lost >= MAX_FAILED_STARTS {
      self.starter.lost = 0;
      return Err(SpawnFailure { syscall: "fork", errno: Some(libc::ECONNRESET) });
    }
    let deadline = now + self.config.start_timeout;
    let server = ForkServer::start(&self.config.command, arguments, self.capabilities, deadline)?;
    self.waits.add(server.control().as_fd(), SERVER_TOKEN)?;
    self.starter.server = Some(server);
    Ok(false)
  }

  /// The server has something to say, or has ended.
  pub(crate) fn server_stirred(&mut self, now: Instant) {
    if let Some(server) = &mut self.starter.server {
      server.look(now);
    }
  }

  /// Draws the conclusions from how far the server has come.
  pub(crate) fn tend_server(&mut self, now: Instant) {
    let Some(server) = &mut self.starter.server else { return };
    if server.deadline().is_some_and(|at| at <= now) {
      server.look(now);
    }
    match server.readiness().clone() {
      Readiness::Booting | Readiness::Ready => {}
      Readiness::Gone => {
        self.starter.lost += 1;
        let failure = server.boot_failure();
        self.drop_server();
        if let Some(failure) = failure.filter(|_| self.starter.lost >= MAX_FAILED_STARTS)
          && self.state != PoolState::Broken
        {
          self.starter.lost = 0;
          self.break_pool(BreakCause::ServerFailed(failure), Vec::new());
        }
      }
      Readiness::Refused(reasons) => {
        self.drop_server();
        self.server_refused(reasons);
      }
    }
  }

  fn server_refused(&mut self, reasons: String) {
    match self.config.start_method {
      StartMethod::ForkServer { or_spawn: false, .. } if self.state != PoolState::Broken => {
        self.break_pool(BreakCause::ForkUnsafe(reasons), Vec::new());
      }
      _ => {
        self.config.start_method = StartMethod::Spawn;
        self.events.push_back(Event::ForkUnsafe(reasons));
      }
    }
  }

  /// Ends the server. Workers go on.
  pub(crate) fn drop_server(&mut self) {
    if let Some(server) = self.starter.server.take() {
      let _ = self.waits.remove(server.control().as_fd(), SERVER_TOKEN);
    }
  }

  /// Waits until workers can be started, or never will: for an owner that needs them at once.
  pub(crate) fn await_server(&mut self) {
    if let Some(server) = &mut self.starter.server {
      server.wait();
    }
    self.tend_server(Instant::now());
  }
}
