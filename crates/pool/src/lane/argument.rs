//! The hand-over of a lane to its worker's process: four descriptors, and an argument that describes them.

use std::fmt;
use std::os::fd::{OwnedFd, RawFd};
use std::str::FromStr;

use millrace_sys::StartedBy;

use crate::error::WorkerError;

/// The number of the lane's segment.
pub const LANE_FD: RawFd = 3;
/// The number of the bell that the host rings.
pub(crate) const BELL_FD: RawFd = 4;
/// The number of the bell that the worker rings.
pub(crate) const RESULT_BELL_FD: RawFd = 5;
/// The number of the worker's end of the lifeline.
pub(crate) const LIFELINE_FD: RawFd = 6;

/// The last argument of a worker's process: `millrace:<segment length>:<host pid>:<worker id>:<depth>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneArgument {
  /// Bytes of the lane's segment.
  pub segment_len: usize,
  /// The process that owns the pool.
  pub host_pid: u32,
  /// The worker's number in its pool.
  pub worker_id: u32,
  /// How deep the pools are nested; 1 for a worker of an ordinary process.
  pub depth: u32,
}

impl fmt::Display for LaneArgument {
  fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "millrace:{}:{}:{}:{}", self.segment_len, self.host_pid, self.worker_id, self.depth)
  }
}

impl FromStr for LaneArgument {
  type Err = WorkerError;

  fn from_str(text: &str) -> Result<Self, WorkerError> {
    let mut parts = text.split(':');
    let mut next = || parts.next().ok_or(WorkerError::Argument);
    if next()? != "millrace" {
      return Err(WorkerError::Argument);
    }
    let segment_len = next()?.parse().map_err(|_| WorkerError::Argument)?;
    let host_pid = next()?.parse().map_err(|_| WorkerError::Argument)?;
    let worker_id = next()?.parse().map_err(|_| WorkerError::Argument)?;
    let depth = next()?.parse().map_err(|_| WorkerError::Argument)?;
    Ok(Self { segment_len, host_pid, worker_id, depth })
  }
}

/// The descriptors of a lane.
#[derive(Debug)]
pub(crate) struct LaneDescriptors {
  /// The segment.
  pub(crate) lane: OwnedFd,
  /// Rung by the host.
  pub(crate) bell: OwnedFd,
  /// Rung by the worker.
  pub(crate) result_bell: OwnedFd,
  /// Hangs up when the host lets go of the worker.
  pub(crate) lifeline: OwnedFd,
}

impl TryFrom<Vec<OwnedFd>> for LaneDescriptors {
  type Error = WorkerError;

  /// From all four descriptors, in the order of their numbers.
  fn try_from(fds: Vec<OwnedFd>) -> Result<Self, WorkerError> {
    let [lane, bell, result_bell, lifeline] = <[OwnedFd; 4]>::try_from(fds).map_err(|_| WorkerError::Argument)?;
    Ok(Self { lane, bell, result_bell, lifeline })
  }
}

/// A worker that a fork is to become, or that this process has become.
#[derive(Debug)]
pub struct ForkedWorker {
  /// The lane's argument.
  pub argument: LaneArgument,
  /// The lane's descriptors.
  pub(crate) descriptors: LaneDescriptors,
  /// Whose child the worker is.
  pub(crate) started_by: StartedBy,
}

#[cfg(test)]
mod tests {
  use super::*;

  #[test]
  fn the_lane_argument_reads_back_as_it_was_written() {
    let argument = LaneArgument { segment_len: 1 << 34, host_pid: 4242, worker_id: 7, depth: 3 };
    assert_eq!(argument.to_string().parse::<LaneArgument>().unwrap(), argument);
  }

  #[test]
  fn a_foreign_argument_is_refused() {
    for text in ["", "millrace", "millrace:1:2:3", "other:1:2:3:4", "millrace:1:2:3:x"] {
      assert!(text.parse::<LaneArgument>().is_err(), "{text}");
    }
  }
}
