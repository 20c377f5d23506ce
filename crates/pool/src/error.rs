//! The errors of this crate: a start, a call, an allocation or an attach that failed.

use millrace_ring::AttachError;
use thiserror::Error;

use crate::event::PoolState;

/// Why a worker could not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpawnFailure {
  /// The system call that failed.
  pub syscall: &'static str,
  /// The error of that system call.
  pub errno: Option<i32>,
}

impl From<millrace_sys::Error> for SpawnFailure {
  fn from(error: millrace_sys::Error) -> Self {
    Self { syscall: error.syscall, errno: error.errno() }
  }
}

/// Why a call was not taken. Nothing of the call is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubmitError {
  /// The pool takes no calls any more.
  NotRunning(PoolState),
  /// As many calls wait as the pool allows, or room is kept for others.
  QueueFull,
  /// No worker lives and none could be started.
  Spawn(SpawnFailure),
  /// The payload is larger than a lane can hold.
  TooLarge {
    /// Bytes of the payload.
    len: usize,
    /// The most that a lane can hold.
    capacity: usize,
  },
}

/// Why there is no lane that could have a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllocateError {
  /// The pool takes no calls any more.
  NotRunning(PoolState),
  /// No worker lives, and none could be started.
  Spawn(SpawnFailure),
}

/// Why a process cannot be a worker.
#[derive(Debug, Error)]
pub enum WorkerError {
  /// The process was not started by a pool: its argument, or its descriptors, are not a lane's.
  #[error("this is the entry of a Millrace worker: it is started by a pool, not by hand")]
  Argument,
  /// A system call failed.
  #[error(transparent)]
  Sys(#[from] millrace_sys::Error),
  /// The segment is not a lane of this version.
  #[error(transparent)]
  Attach(#[from] AttachError),
}
