//! A lane whose worker does not exist yet: memory that has the boot call, and both ends of bells and lifeline.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

use millrace_ring::{CallHeader, CallKind, GeometryError, HostLane, Identity, Position, PushError};
use millrace_sys::{Capabilities, Child, Listener, Ringer, Segment, doorbell, kill_at_hangup, lifeline};

use super::argument::{BELL_FD, LANE_FD, LIFELINE_FD, LaneArgument, RESULT_BELL_FD};
use super::segment::LaneSegment;
use crate::calls::BootCall;
use crate::config::PoolConfig;
use crate::error::SpawnFailure;
use crate::fault::{Point, hits};

/// A lane with both its ends.
#[derive(Debug)]
pub(crate) struct PreparedLane {
  pub(super) worker_id: u32,
  pub(super) ring: HostLane<LaneSegment>,
  pub(super) boot: Position,
  pub(super) bell: Ringer,
  pub(super) result_bell: Listener,
  pub(super) lifeline: OwnedFd,
  argument: LaneArgument,
  worker_bell: Listener,
  worker_result_bell: Ringer,
  worker_lifeline: OwnedFd,
}

impl PreparedLane {
  /// A new lane with the boot call in its ring.
  pub(crate) fn new(
    config: &PoolConfig,
    capabilities: &Capabilities,
    worker_id: u32,
    boot: &BootCall,
  ) -> Result<Self, SpawnFailure> {
    let host_pid = std::process::id();
    let segment_len = config.geometry.segment_len();
    let segment = Segment::create(capabilities.segment, segment_len)?;
    let identity = Identity { host_pid, worker_id };
    let mut ring =
      HostLane::create(LaneSegment::new(segment), config.geometry, identity).map_err(|error| match error {
        GeometryError::NoMemory { errno } => SpawnFailure { syscall: "fallocate", errno: Some(errno) },
        _ => SpawnFailure { syscall: "mmap", errno: Some(libc::EINVAL) },
      })?;
    let header = CallHeader { kind: CallKind::Boot, codec: boot.codec, flags: 0, task: 0, sequence: 0 };
    let boot = ring.push(&header, &boot.payload, &[]).map_err(|error| match error {
      PushError::NoMemory { errno } => SpawnFailure { syscall: "fallocate", errno: Some(errno) },
      PushError::TooLarge { .. } | PushError::Full => SpawnFailure { syscall: "mmap", errno: Some(libc::E2BIG) },
    })?;

    // Armed from the start: the worker rings with its first answer.
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

  /// The worker's argument.
  pub(crate) fn argument(&self) -> &LaneArgument {
    &self.argument
  }

  /// The worker's descriptors, and their numbers in a worker that is spawned.
  pub(crate) fn descriptors(&self) -> [(BorrowedFd<'_>, RawFd); 4] {
    [
      (self.ring.memory().as_fd(), LANE_FD),
      (self.worker_bell.as_fd(), BELL_FD),
      (self.worker_result_bell.as_fd(), RESULT_BELL_FD),
      (self.worker_lifeline.as_fd(), LIFELINE_FD),
    ]
  }

  /// Has the kernel end the worker with its host, until the worker has a watchdog of its own.
  pub(crate) fn watched_over(&self, child: Child) -> Child {
    kill_at_hangup(&self.worker_lifeline, child.pid());
    child
  }
}
