//! The three ways in which a prepared lane gets its worker.

use std::ffi::OsString;
use std::time::Instant;

use millrace_sys::{Capabilities, Child, SpawnSpec, StartedBy, spawn as spawn_process};

use super::fork_server::{ForkError, ForkServer};
use crate::config::WorkerCommand;
use crate::error::SpawnFailure;
use crate::lane::{ForkedWorker, LaneDescriptors, PreparedLane};

/// Starts a program as the worker.
pub(crate) fn spawn(
  prepared: &PreparedLane,
  command: &WorkerCommand,
  capabilities: &Capabilities,
) -> Result<Child, SpawnFailure> {
  let mut args = command.args.clone();
  args.push(OsString::from(prepared.argument().to_string()));
  let spec = SpawnSpec {
    program: command.program.clone(),
    args,
    env: command.env.clone(),
    set_env: command.set_env.clone(),
    cwd: command.cwd.clone(),
    fds: prepared.descriptors().to_vec(),
    inherit_stdio: command.inherit_stdio,
  };
  Ok(prepared.watched_over(spawn_process(&spec, capabilities.sentinel)?))
}

/// Asks a server to fork the worker.
pub(crate) fn ask(prepared: &PreparedLane, server: &mut ForkServer, now: Instant) -> Result<(), ForkError> {
  server.ask(prepared.argument(), &prepared.descriptors().map(|(fd, _)| fd), now)
}

/// The argument and descriptors of a worker that this process forks: copies, since the originals close in the fork.
pub(crate) fn for_own_fork(prepared: &PreparedLane) -> Result<ForkedWorker, SpawnFailure> {
  let mut copies = Vec::with_capacity(4);
  for (fd, _) in prepared.descriptors() {
    let errno = |error: std::io::Error| SpawnFailure { syscall: "fcntl", errno: error.raw_os_error() };
    copies.push(fd.try_clone_to_owned().map_err(errno)?);
  }
  let descriptors = LaneDescriptors::try_from(copies).map_err(|_| SpawnFailure { syscall: "fcntl", errno: None })?;
  Ok(ForkedWorker { argument: *prepared.argument(), descriptors, started_by: StartedBy::Host })
}
