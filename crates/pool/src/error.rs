//! Why a pool or a worker could not do what it was asked for.

use millrace_ring::AttachError;
use thiserror::Error;

use crate::event::PoolState;

/// Why a worker could not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpawnFailure {
  /// The system call that failed.
  pub syscall: &'static str,
  /// Its error.
  pub errno: Option<i32>,
}

impl From<millrace_sys::Error> for SpawnFailure {
  fn from(error: millrace_sys::Error) -> Self {
    Self { syscall: error.syscall, errno: error.errno() }
  }
}

/// Why a call was not taken. Nothing of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubmitError {
  /// The pool takes no calls any more.
  NotRunning(PoolState),
  /// As many calls wait as may.
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

/// Why there is no lane to have a block in.
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
  /// The argument is not one that a pool gives.
  #[error("this is the entry of a Millrace worker: it is started by a pool, not by hand")]
  Argument,
  /// A system call failed.
  #[error(transparent)]
  Sys(#[from] millrace_sys::Error),
  /// The segment is not a lane of this version.
  #[error(transparent)]
  Attach(#[from] AttachError),
}
