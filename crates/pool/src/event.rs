//! The state of a pool, and the events that its owner hears of besides results.

use std::time::Duration;

use millrace_sys::Exit;

use crate::completion::CallId;

/// How far a pool's life has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolState {
  /// The pool takes calls.
  Running,
  /// The pool takes no more calls, and stops once those that there are have been answered.
  Closing,
  /// The pool is unusable.
  Broken,
}

/// Why a worker left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitReason {
  /// The pool closed.
  Shutdown,
  /// The worker had done its share, grew too large, or retired by itself.
  Recycled,
  /// The worker had nothing to do for the idle timeout.
  Idle,
  /// The pool stopped the worker, with the call that it ran.
  Killed,
  /// The worker ended by itself, or by somebody else's hand.
  Died,
  /// The worker ended before it had booted.
  FailedStart,
}

/// Why a call failed without a result of its worker's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallFailure {
  /// The worker that ran the call died.
  WorkerDied {
    /// The worker's process id.
    pid: u32,
    /// How the worker ended.
    exit: Exit,
    /// The damage in the lane's memory, when the worker was killed for that.
    corrupt: Option<&'static str>,
    /// Whether the kernel killed the worker for want of memory, as far as is known.
    out_of_memory: Option<bool>,
    /// The size of the worker, when it ended because of that.
    outgrown: Option<Outgrown>,
  },
  /// The call ran longer than it may; its worker is being stopped.
  TimedOut {
    /// The worker's process id.
    pid: u32,
  },
  /// The call's worker was killed with the whole pool.
  Terminated {
    /// The worker's process id.
    pid: u32,
  },
  /// The call had not started when the pool was killed.
  Cancelled,
  /// No worker could be started to run the call.
  Spawn {
    /// The system call that failed.
    syscall: &'static str,
    /// The error of that system call.
    errno: Option<i32>,
  },
  /// There was no memory for the call's arguments.
  NoMemory {
    /// The error of the allocation.
    errno: i32,
  },
}

/// The end of one worker.
#[derive(Clone, Debug)]
pub struct Death {
  /// The worker's process id.
  pub pid: u32,
  /// How the worker ended.
  pub exit: Exit,
  /// The call that the worker ran.
  pub call: Option<CallId>,
  /// The damage in the lane's memory, when the worker was killed for that.
  pub corrupt: Option<&'static str>,
  /// Whether the kernel killed the worker for want of memory, as far as is known.
  pub out_of_memory: Option<bool>,
  /// The size of the worker, when it ended because of that.
  pub outgrown: Option<Outgrown>,
}

/// The size of a worker that ended because it was too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgrown {
  /// [`PoolConfig::hard_memory_limit`](crate::PoolConfig::hard_memory_limit).
  pub limit: u64,
  /// The resident bytes that were seen before the worker was killed; `None`: its heap was full, and it has aborted.
  pub rss: Option<u64>,
}

/// An encoded error that a worker reports.
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
  /// Whether the server took too long; else it has ended.
  pub timed_out: bool,
  /// The module that the server was loading. Empty: it was before the first module, or behind the last one.
  pub loading: String,
}

/// Why a pool broke, or a worker did not boot.
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
  /// The last of the workers that this process has forked is gone, and there can be no other.
  NoneLeft,
}

/// Something that happened in a pool.
#[derive(Clone, Debug)]
pub enum Event {
  /// A worker's process was started.
  WorkerStart {
    /// The worker's process id.
    pid: u32,
    /// The worker's number in the pool.
    worker_id: u32,
  },
  /// A worker's process has ended and is reaped.
  WorkerExit {
    /// The worker's process id.
    pid: u32,
    /// The worker's number in the pool.
    worker_id: u32,
    /// How the worker ended.
    exit: Exit,
    /// Why the worker left.
    reason: ExitReason,
  },
  /// A worker was started in the place of one that left.
  WorkerReplace {
    /// The process id of the worker that left.
    old_pid: u32,
    /// The process id of the new worker.
    new_pid: u32,
    /// Why the old worker left.
    reason: ExitReason,
  },
  /// A call has failed. Its number is free again, unless the failure is [`CallFailure::TimedOut`] and the worker lives
  /// on.
  CallFailed {
    /// The call.
    id: CallId,
    /// Why the call failed.
    failure: CallFailure,
  },
  /// A chunk has ended in the middle: no worker runs the items without an outcome. Its number is free again, as for
  /// [`Event::CallFailed`].
  ChunkInterrupted {
    /// The call.
    id: CallId,
    /// The worker's process id.
    pid: u32,
    /// Why item `done` failed. `None`: that item is none of the lost ones, or the pool's end tells why.
    failure: Option<CallFailure>,
    /// Whether no item has begun: then `failure` is that of the call, and all items can run elsewhere.
    is_unbegun: bool,
    /// How many items were finished.
    done: u32,
    /// The outcomes of these items, as the worker has written them.
    journal: Vec<u8>,
  },
  /// The pool is unusable, and all its calls have failed with that.
  Broken {
    /// Why the pool broke.
    cause: BreakCause,
    /// The workers that ended.
    deaths: Vec<Death>,
  },
  /// A worker died idle, or its lane's memory is damaged, and the pool goes on.
  WorkerLost(Death),
  /// A worker did not come to its calls any more and was ended. None of its calls is lost, and the pool goes on.
  WorkerSilent {
    /// The end of the worker.
    death: Death,
    /// How long the worker had not come to its calls.
    silent_for: Duration,
    /// The task that the worker finished last, if its number still means the same.
    last_task: Option<u32>,
  },
  /// The system did not let the host signal a worker, which ends by its lifeline then. Told once for a pool.
  SignalRefused {
    /// The worker's process.
    pid: u32,
  },
  /// A worker did not boot, and the pool goes on.
  StartFailed {
    /// Why the worker did not boot.
    cause: BreakCause,
    /// The end of the worker.
    death: Death,
    /// Whether another attempt is made.
    again: bool,
  },
  /// A worker could not be started, and the pool goes on with fewer.
  SpawnFailed {
    /// The system call that failed.
    syscall: &'static str,
    /// The error of that system call.
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
  /// The queue was full, or somebody waited, and there is room that is not kept.
  Room,
  /// The pool is closed and its last worker is reaped.
  Stopped,
}
