//! A lane whose worker does not exist yet: its memory with the boot call in it, and both ends of all that the two talk by.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

use millrace_ring::{CallHeader, CallKind, GeometryError, HostLane, Identity, Position, PushError};
use millrace_sys::{
  Capabilities, Child, Listener, Ringer, Segment, SpawnSpec, StartedBy, doorbell, kill_at_hangup, lifeline, spawn,
};

use crate::config::{PoolConfig, WorkerCommand};
use crate::error::SpawnFailure;
use crate::fault::{Point, hits};
use crate::fork_server::{ForkError, ForkServer, ForkedWorker};
use crate::segment::LaneSegment;
use crate::worker::{BELL_FD, LANE_FD, LIFELINE_FD, LaneArgument, LaneDescriptors, RESULT_BELL_FD};

/// The host's ends, and the worker's.
pub(crate) struct PreparedLane {
  pub(crate) worker_id: u32,
  pub(crate) ring: HostLane<LaneSegment>,
  pub(crate) boot: Position,
  pub(crate) bell: Ringer,
  pub(crate) result_bell: Listener,
  pub(crate) lifeline: OwnedFd,
  argument: LaneArgument,
  worker_bell: Listener,
  worker_result_bell: Ringer,
  worker_lifeline: OwnedFd,
}

impl PreparedLane {
  /// Leaves the boot call in a new ring.
  pub(crate) fn new(
    config: &PoolConfig,
    capabilities: &Capabilities,
    worker_id: u32,
    boot_codec: u8,
    boot: &[u8],
  ) -> Result<Self, SpawnFailure> {
    let host_pid = std::process::id();
    let segment_len = config.geometry.segment_len();
    let segment = Segment::create(capabilities.segment, segment_len)?;
    let identity = Identity { host_pid, worker_id };
    let mut ring = HostLane::create(LaneSegment(segment), config.geometry, identity).map_err(|error| match error {
      GeometryError::NoMemory { errno } => SpawnFailure { syscall: "fallocate", errno: Some(errno) },
      _ => SpawnFailure { syscall: "mmap", errno: Some(libc::EINVAL) },
    })?;
    let header = CallHeader { kind: CallKind::Boot, codec: boot_codec, flags: 0, task: 0, sequence: 0 };
    let boot = ring.push(&header, boot, &[]).map_err(|error| match error {
      PushError::NoMemory { errno } => SpawnFailure { syscall: "fallocate", errno: Some(errno) },
      PushError::TooLarge { .. } | PushError::Full => SpawnFailure { syscall: "mmap", errno: Some(libc::E2BIG) },
    })?;

    // From the start the host is asleep as far as this lane goes: the worker rings with its first answer.
    ring.arm();

    let (bell, worker_bell) = doorbell(capabilities.wakeup)?;
    let (worker_result_bell, result_bell) = doorbell(capabilities.wakeup)?;
    let (lifeline, worker_lifeline) = lifeline()?;
    let argument = LaneArgument { segment_len, host_pid, worker_id, depth: config.command.depth };
    if hits(Point::Spawn) {
      return Err(SpawnFailure { syscall: "posix_spawn", errno: Some(libc::EAGAIN) });
    }
    Ok(Self {
      worker_id,
      ring,
      boot,
      bell,
      result_bell,
      lifeline,
      argument,
      worker_bell,
      worker_result_bell,
      worker_lifeline,
    })
  }

  /// The worker's descriptors, and their numbers in a worker that is spawned.
  fn descriptors(&self) -> [(BorrowedFd<'_>, RawFd); 4] {
    [
      (self.ring.memory().0.as_fd(), LANE_FD),
      (self.worker_bell.as_fd(), BELL_FD),
      (self.worker_result_bell.as_fd(), RESULT_BELL_FD),
      (self.worker_lifeline.as_fd(), LIFELINE_FD),
    ]
  }

  /// Starts a program as the worker.
  pub(crate) fn spawn(&self, command: &WorkerCommand, capabilities: &Capabilities) -> Result<Child, SpawnFailure> {
    let mut args = command.args.clone();
    args.push(OsString::from(self.argument.to_string()));
    let spec = SpawnSpec {
      program: command.program.clone(),
      args,
      env: command.env.clone(),
      cwd: command.cwd.clone(),
      fds: self.descriptors().to_vec(),
      inherit_stdio: command.inherit_stdio,
    };
    Ok(self.watched_over(spawn(&spec, capabilities.sentinel)?))
  }

  /// Has a server fork the worker.
  pub(crate) fn fork_by(&self, server: &mut ForkServer) -> Result<Child, ForkError> {
    let child = server.fork(&self.argument, &self.descriptors().map(|(fd, _)| fd))?;
    Ok(self.watched_over(child))
  }

  /// What a fork of this process takes over to be the worker.
  pub(crate) fn for_own_fork(&self) -> Result<ForkedWorker, SpawnFailure> {
    let mut copies = Vec::with_capacity(4);
    for (fd, _) in self.descriptors() {
      let errno = |error: std::io::Error| SpawnFailure { syscall: "fcntl", errno: error.raw_os_error() };
      copies.push(fd.try_clone_to_owned().map_err(errno)?);
    }
    let descriptors = LaneDescriptors::try_from(copies).map_err(|_| SpawnFailure { syscall: "fcntl", errno: None })?;
    Ok(ForkedWorker { argument: self.argument, descriptors, started_by: StartedBy::Host })
  }

  /// Until it has a watchdog of its own the kernel ends the worker with its host.
  pub(crate) fn watched_over(&self, child: Child) -> Child {
    kill_at_hangup(&self.worker_lifeline, child.pid());
    child
  }
}
