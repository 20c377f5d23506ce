//! What the manager has to tell besides results.

use millrace_sys::Exit;

use crate::completion::CallId;

/// How far a pool's life has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolState {
  /// It takes calls.
  Running,
  /// It takes no more calls, and stops when it has answered those that it has.
  Closing,
  /// It is unusable.
  Broken,
}

/// Why a worker left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitReason {
  /// The pool closed.
  Shutdown,
  /// It had done its share, grew too large, or retired by itself.
  Recycled,
  /// It had nothing to do for the idle timeout.
  Idle,
  /// The pool stopped it, with what it ran.
  Killed,
  /// It ended by itself, or by somebody else's hand.
  Died,
  /// It ended before it had booted.
  FailedStart,
}

/// Why a call failed without a result of its worker's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallFailure {
  /// The worker that ran it died.
  WorkerDied {
    /// Its process id.
    pid: u32,
    /// How it ended.
    exit: Exit,
    /// What is wrong in the memory it shared with us, when that is why it was killed.
    corrupt: Option<&'static str>,
    /// Whether the kernel killed it for want of memory, as far as is known.
    out_of_memory: Option<bool>,
  },
  /// It ran longer than it may; its worker is being stopped.
  TimedOut {
    /// The worker's process id.
    pid: u32,
  },
  /// Its worker was killed with the whole pool.
  Terminated {
    /// The worker's process id.
    pid: u32,
  },
  /// It had not started when the pool was killed.
  Cancelled,
  /// No worker could be started to run it.
  Spawn {
    /// The system call that failed.
    syscall: &'static str,
    /// Its error.
    errno: Option<i32>,
  },
  /// There was no memory for its arguments.
  NoMemory {
    /// The error of the allocation.
    errno: i32,
  },
}

/// One worker's end, as a broken pool reports it.
#[derive(Clone, Debug)]
pub struct Death {
  /// Its process id.
  pub pid: u32,
  /// How it ended.
  pub exit: Exit,
  /// The call that it ran.
  pub call: Option<CallId>,
  /// What is wrong in the memory it shared with us, when that is why it was killed.
  pub corrupt: Option<&'static str>,
  /// Whether the kernel killed it for want of memory, as far as is known.
  pub out_of_memory: Option<bool>,
}

/// Bytes that a worker sent with a report: an encoded error.
#[derive(Clone, Debug)]
pub struct Report {
  /// The encoding of `bytes`.
  pub codec: u8,
  /// The encoded value.
  pub bytes: Vec<u8>,
}

/// Why a fork server did not become ready, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFailure {
  /// It took too long; else it has ended.
  pub timed_out: bool,
  /// The module that it was loading; empty if it had not come so far, or further.
  pub loading: String,
}

/// Why a pool broke.
#[derive(Clone, Debug)]
pub enum BreakCause {
  /// Workers died.
  Deaths,
  /// The initializer, or a preloaded module, threw.
  BootFailed(Report),
  /// Workers did not boot within the start timeout.
  StartTimeout,
  /// Fork servers did not become ready.
  ServerFailed(ServerFailure),
  /// The fork server's process, or this one, cannot be forked; the reasons, a line each.
  ForkUnsafe(String),
  /// The last worker is gone, of those that this process has forked; there can be no other.
  NoneLeft,
}

/// Something that happened, in the order in which it did.
#[derive(Clone, Debug)]
pub enum Event {
  /// A worker's process was started.
  WorkerStart {
    /// Its process id.
    pid: u32,
    /// Its number in the pool.
    worker_id: u32,
  },
  /// A worker's process has ended and is reaped.
  WorkerExit {
    /// Its process id.
    pid: u32,
    /// Its number in the pool.
    worker_id: u32,
    /// How it ended.
    exit: Exit,
    /// Why.
    reason: ExitReason,
  },
  /// A worker was started in the place of one that left.
  WorkerReplace {
    /// The one that left.
    old_pid: u32,
    /// The new one.
    new_pid: u32,
    /// Why the old one left.
    reason: ExitReason,
  },
  /// A call has failed; its number is free again, unless it was [`CallFailure::TimedOut`] and its worker lives on.
  CallFailed {
    /// The call.
    id: CallId,
    /// Why.
    failure: CallFailure,
  },
  /// The pool is unusable, and every call that it had has failed with that.
  Broken {
    /// Why.
    cause: BreakCause,
    /// The workers that ended.
    deaths: Vec<Death>,
  },
  /// A worker died idle, or the memory it shared is damaged, and the pool goes on.
  WorkerLost(Death),
  /// A worker did not boot, and the pool goes on.
  StartFailed {
    /// Why.
    cause: BreakCause,
    /// The worker that ended.
    death: Death,
    /// Another attempt is made.
    again: bool,
  },
  /// A worker could not be started, and the pool goes on with fewer.
  SpawnFailed {
    /// The system call that failed.
    syscall: &'static str,
    /// Its error.
    errno: Option<i32>,
  },
  /// The fork server's process cannot be forked, for these reasons, a line each: workers are spawned from now on.
  ForkUnsafe(String),
  /// A worker reports an error that belongs to no call.
  Stray {
    /// The worker's process id.
    pid: u32,
    /// The error.
    report: Report,
  },
  /// There is room again after the queue was full.
  Room,
  /// The pool is closed and its last worker is reaped.
  Stopped,
}
