//! The process of a fork server, which pools with equal options share.

use std::ffi::OsString;
use std::fmt;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use millrace_sys::{
  Capabilities, Child, Credentials, Packets, Segment, SpawnSpec, hang_up, kill_at_hangup, lifeline, packets, spawn,
};

use super::protocol::{MARK_FD, MARK_LEN, ROOT_FD, SERVER_LIFELINE_FD, request};
use crate::config::{KILL_AFTER, WorkerCommand};
use crate::error::SpawnFailure;

/// The options that two pools must have in common to share a server.
#[derive(PartialEq, Eq)]
struct Options {
  program: PathBuf,
  arguments: Vec<OsString>,
  env: Vec<(OsString, OsString)>,
  set_env: Vec<(OsString, OsString)>,
  cwd: Option<PathBuf>,
  inherit_stdio: bool,
  /// A server and its forks stay what this process was at the start of the server.
  credentials: Credentials,
}

/// The servers of this process. Those that no pool uses any more are dropped at the next start.
static SERVERS: Mutex<Vec<(Options, Weak<ServerProcess>)>> = Mutex::new(Vec::new());

/// A running server, which ends with this value.
pub(super) struct ServerProcess {
  child: Child,
  /// Carries new connections.
  root: Packets,
  lifeline: OwnedFd,
  credentials: Credentials,
  /// Some pool has found that the server is of no use any more.
  is_given_up: AtomicBool,
}

impl ServerProcess {
  /// A server with these options, running or started, and a connection to it.
  pub(super) fn connect(
    command: &WorkerCommand,
    arguments: &[OsString],
    capabilities: &Capabilities,
  ) -> Result<(Arc<Self>, Packets), SpawnFailure> {
    let options = Options {
      program: command.program.clone(),
      arguments: arguments.to_vec(),
      env: command.env.clone().unwrap_or_else(|| std::env::vars_os().collect()),
      set_env: command.set_env.clone(),
      cwd: command.cwd.clone().or_else(|| std::env::current_dir().ok()),
      inherit_stdio: command.inherit_stdio,
      credentials: Credentials::current(),
    };
    let mut servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
    servers.retain(|(_, server)| server.strong_count() > 0);
    let fitting = servers.iter().filter(|(others, _)| *others == options).filter_map(|(_, server)| server.upgrade());
    for server in fitting.filter(|server| !server.is_given_up.load(Ordering::Relaxed)) {
      let connection = server.new_connection()?;
      if !server.is_given_up.load(Ordering::Relaxed) {
        return Ok((server, connection));
      }
    }
    let server = Arc::new(Self::start(command, arguments, capabilities)?);
    let connection = server.new_connection()?;
    servers.push((options, Arc::downgrade(&server)));
    Ok((server, connection))
  }

  fn start(command: &WorkerCommand, arguments: &[OsString], capabilities: &Capabilities) -> Result<Self, SpawnFailure> {
    let (root, server_root) = packets()?;
    let (lifeline, server_lifeline) = lifeline()?;
    let mark = Segment::create(capabilities.segment, MARK_LEN)?;
    let spec = SpawnSpec {
      program: command.program.clone(),
      args: arguments.to_vec(),
      env: command.env.clone(),
      set_env: command.set_env.clone(),
      cwd: command.cwd.clone(),
      fds: vec![(server_root.as_fd(), ROOT_FD), (server_lifeline.as_fd(), SERVER_LIFELINE_FD), (mark.as_fd(), MARK_FD)],
      inherit_stdio: command.inherit_stdio,
    };
    let child = spawn(&spec, capabilities.sentinel)?;
    kill_at_hangup(&server_lifeline, child.pid());
    Ok(Self { child, root, lifeline, credentials: Credentials::current(), is_given_up: AtomicBool::new(false) })
  }

  /// A connection. It is closed already if the server has ended or does not read; such a server is given up.
  fn new_connection(&self) -> millrace_sys::Result<Packets> {
    let (connection, server_end) = packets()?;
    if self.root.send(&[request::CONNECT], &[server_end.as_fd()]).is_err() {
      self.give_up();
    }
    Ok(connection)
  }

  /// No further pool uses this server.
  pub(super) fn give_up(&self) {
    self.is_given_up.store(true, Ordering::Relaxed);
  }

  /// Whether this process has changed its user or its groups since it started the server.
  pub(super) fn is_of_others(&self) -> bool {
    self.credentials != Credentials::current()
  }

  pub(super) fn pid(&self) -> u32 {
    self.child.pid()
  }
}

impl Drop for ServerProcess {
  fn drop(&mut self) {
    let _ = self.child.signal_group(libc::SIGKILL);
    // The signal is not allowed if this process has changed its user. The kernel still kills the server.
    hang_up(&self.lifeline);
    let _ = self.child.wait_timeout(KILL_AFTER);
  }
}

impl fmt::Debug for ServerProcess {
  fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.debug_struct("ServerProcess").field("child", &self.child).finish_non_exhaustive()
  }
}
