//! The manager's events as JavaScript objects.
//!
//! Kinds and reasons are enums, of which the binding generator makes unions of literals: so the strings that Rust can
//! send and those that TypeScript expects are the same by construction.

use millrace_pool::{
  BreakCause, CallFailure, Death, Event, Exit, ExitReason, Report, ServerFailure, WorkerState, WorkerStats,
};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

/// How a worker process ended: `exitCode` or `signal` (a number), or neither when somebody else reaped it.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct NativeDeath {
  /// The worker's process id.
  pub pid: u32,
  /// Its exit code.
  pub exit_code: Option<i32>,
  /// The signal that ended it.
  pub signal: Option<i32>,
  /// The call that it ran.
  pub call: Option<u32>,
  /// What was wrong in its shared memory.
  pub corrupt: Option<String>,
  /// Whether the kernel killed it for want of memory, as far as is known.
  pub out_of_memory: Option<bool>,
  /// The limit of its memory, if the worker ended because of that.
  pub memory_limit: Option<f64>,
  /// Its resident bytes then; absent if V8 ended it.
  pub rss: Option<f64>,
}

/// An error that a worker reports, encoded.
#[napi(object, object_from_js = false)]
pub struct NativeReport {
  /// The encoding of `bytes`.
  pub codec: u32,
  /// The encoded error.
  pub bytes: Uint8Array,
}

/// Why a worker left: the pool closed (`shutdown`); it had done its share, grew too large, or retired by itself
/// (`recycled`); it had nothing to do for the idle timeout (`idle`); the pool stopped it, with what it ran (`killed`);
/// it ended by itself, or by somebody else's hand (`died`); or it ended before it had booted (`failed-start`).
#[napi(string_enum = "kebab-case", object_from_js = false)]
pub enum NativeExitReason {
  Shutdown,
  Recycled,
  Idle,
  Killed,
  Died,
  FailedStart,
}

/// Why a call failed without a result of its worker's.
#[napi(discriminant = "kind", discriminant_case = "camelCase", object_from_js = false)]
pub enum NativeCallFailure {
  /// The worker that ran it died.
  WorkerDied { death: NativeDeath },
  /// It ran longer than it may; its worker is being stopped.
  TimedOut { pid: u32 },
  /// Its worker was killed with the whole pool.
  Terminated { pid: u32 },
  /// It had not started when the pool was killed.
  Cancelled {},
  /// No worker could be started to run it: the system call that failed, and its error.
  Spawn { syscall: String, errno: Option<i32> },
  /// There was no memory for its arguments: the error of the allocation.
  NoMemory { errno: i32 },
}

/// Why a pool broke, or a worker failed to start: workers died (`deaths`); the initializer or a preloaded module threw
/// (`bootFailed`); workers did not boot within the start timeout (`startTimeout`); fork servers did not become ready in
/// time, or ended before, while they loaded `module` (`serverTimeout`, `serverEnded`); the fork server, or this
/// process, cannot be forked, for these reasons, a line each (`forkUnsafe`); or the last worker is gone, of those that
/// this process has forked (`noneLeft`).
#[napi(discriminant = "kind", discriminant_case = "camelCase", object_from_js = false)]
pub enum NativeBreakCause {
  Deaths {},
  BootFailed { report: NativeReport },
  StartTimeout {},
  ServerTimeout { module: Option<String> },
  ServerEnded { module: Option<String> },
  ForkUnsafe { reasons: String },
  NoneLeft {},
}

/// Something that happened in a pool: a worker was started (`workerStart`), has ended (`workerExit`), or was started in
/// the place of one that left (`workerReplace`); a call has failed, and its number is free again, unless the worker of
/// a call that `timedOut` lives on (`callFailed`); a chunk has ended in the middle, after `done` items, whose outcomes
/// are in `journal`, and the item behind has failed, unless there is no `failure` (`chunkInterrupted`); the pool is
/// unusable, and every call that it had has failed with that (`broken`).
///
/// What the pool survives: a worker died idle, or the memory it shared is damaged (`workerLost`); a worker did not come
/// to its calls any more and was ended (`workerSilent`); a worker did not boot, and another is started or not
/// (`startFailed`); the system forbids signals to a worker, which ends by its lifeline (`signalRefused`); no worker
/// could be started (`spawnFailed`); the fork server cannot be forked, for these reasons, a line each, and workers are
/// spawned from now on (`forkUnsafe`); a worker reports an error that belongs to no call (`stray`).
///
/// The queue has room again after it was full (`room`). The pool is closed and its last worker is reaped (`stopped`).
#[napi(discriminant = "kind", discriminant_case = "camelCase", object_from_js = false)]
pub enum NativeEvent {
  WorkerStart {
    pid: u32,
    worker_id: u32,
  },
  WorkerExit {
    worker_id: u32,
    death: NativeDeath,
    reason: NativeExitReason,
  },
  WorkerReplace {
    old_pid: u32,
    new_pid: u32,
    reason: NativeExitReason,
  },
  CallFailed {
    call: u32,
    failure: NativeCallFailure,
  },
  ChunkInterrupted {
    call: u32,
    pid: u32,
    failure: Option<NativeCallFailure>,
    is_unbegun: bool,
    done: u32,
    journal: Uint8Array,
  },
  Broken {
    cause: NativeBreakCause,
    deaths: Vec<NativeDeath>,
  },
  WorkerLost {
    death: NativeDeath,
  },
  WorkerSilent {
    death: NativeDeath,
    silent_ms: f64,
    last_task: Option<u32>,
  },
  SignalRefused {
    pid: u32,
  },
  StartFailed {
    cause: NativeBreakCause,
    death: NativeDeath,
    again: bool,
  },
  SpawnFailed {
    syscall: String,
    errno: Option<i32>,
  },
  ForkUnsafe {
    reasons: String,
  },
  Stray {
    pid: u32,
    report: NativeReport,
  },
  Room {},
  Stopped {},
}

/// The state of a worker.
#[napi(string_enum = "camelCase", object_from_js = false)]
pub enum NativeWorkerState {
  Starting,
  Idle,
  Busy,
  Leaving,
}

/// What one worker does.
#[napi(object, object_from_js = false)]
pub struct NativeWorkerStats {
  /// Its process id.
  pub pid: u32,
  /// Its number in the pool.
  pub worker_id: u32,
  /// Its state.
  pub state: NativeWorkerState,
  /// The call that it runs.
  pub running: Option<u32>,
  /// Calls that it has finished.
  pub tasks_done: f64,
  /// Milliseconds since its start.
  pub age: f64,
  /// Resident bytes.
  pub rss: Option<f64>,
}

impl NativeDeath {
  pub(crate) fn new(pid: u32, exit: Exit) -> Self {
    let (exit_code, signal) = match exit {
      Exit::Code(code) => (Some(code), None),
      Exit::Signal(signal) => (None, Some(signal)),
      Exit::Unknown => (None, None),
    };
    Self { pid, exit_code, signal, ..Self::default() }
  }
}

impl From<Death> for NativeDeath {
  fn from(Death { pid, exit, call, corrupt, out_of_memory, outgrown }: Death) -> Self {
    Self {
      call,
      corrupt: corrupt.map(str::to_owned),
      out_of_memory,
      memory_limit: outgrown.map(|outgrown| outgrown.limit as f64),
      rss: outgrown.and_then(|outgrown| outgrown.rss).map(|bytes| bytes as f64),
      ..Self::new(pid, exit)
    }
  }
}

impl From<Report> for NativeReport {
  fn from(Report { codec, bytes }: Report) -> Self {
    Self { codec: u32::from(codec), bytes: bytes.into() }
  }
}

impl From<ExitReason> for NativeExitReason {
  fn from(reason: ExitReason) -> Self {
    match reason {
      ExitReason::Shutdown => Self::Shutdown,
      ExitReason::Recycled => Self::Recycled,
      ExitReason::Idle => Self::Idle,
      ExitReason::Killed => Self::Killed,
      ExitReason::Died => Self::Died,
      ExitReason::FailedStart => Self::FailedStart,
    }
  }
}

impl From<CallFailure> for NativeCallFailure {
  fn from(failure: CallFailure) -> Self {
    match failure {
      CallFailure::WorkerDied { pid, exit, corrupt, out_of_memory, outgrown } => {
        Self::WorkerDied { death: Death { pid, exit, call: None, corrupt, out_of_memory, outgrown }.into() }
      }
      CallFailure::TimedOut { pid } => Self::TimedOut { pid },
      CallFailure::Terminated { pid } => Self::Terminated { pid },
      CallFailure::Cancelled => Self::Cancelled {},
      CallFailure::Spawn { syscall, errno } => Self::Spawn { syscall: syscall.to_owned(), errno },
      CallFailure::NoMemory { errno } => Self::NoMemory { errno },
    }
  }
}

impl From<BreakCause> for NativeBreakCause {
  fn from(cause: BreakCause) -> Self {
    match cause {
      BreakCause::Deaths => Self::Deaths {},
      BreakCause::BootFailed(report) => Self::BootFailed { report: report.into() },
      BreakCause::StartTimeout => Self::StartTimeout {},
      BreakCause::ServerFailed(ServerFailure { timed_out, loading }) => {
        let module = Some(loading).filter(|url| !url.is_empty());
        if timed_out { Self::ServerTimeout { module } } else { Self::ServerEnded { module } }
      }
      BreakCause::ForkUnsafe(reasons) => Self::ForkUnsafe { reasons },
      BreakCause::NoneLeft => Self::NoneLeft {},
    }
  }
}

impl From<Event> for NativeEvent {
  fn from(event: Event) -> Self {
    match event {
      Event::WorkerStart { pid, worker_id } => Self::WorkerStart { pid, worker_id },
      Event::WorkerExit { pid, worker_id, exit, reason } => {
        Self::WorkerExit { worker_id, death: NativeDeath::new(pid, exit), reason: reason.into() }
      }
      Event::WorkerReplace { old_pid, new_pid, reason } => {
        Self::WorkerReplace { old_pid, new_pid, reason: reason.into() }
      }
      Event::ChunkInterrupted { id, pid, failure, is_unbegun, done, journal } => Self::ChunkInterrupted {
        call: id,
        pid,
        failure: failure.map(Into::into),
        is_unbegun,
        done,
        journal: journal.into(),
      },
      Event::CallFailed { id, failure } => Self::CallFailed { call: id, failure: failure.into() },
      Event::Broken { cause, deaths } => {
        Self::Broken { cause: cause.into(), deaths: deaths.into_iter().map(NativeDeath::from).collect() }
      }
      Event::WorkerLost(death) => Self::WorkerLost { death: death.into() },
      Event::WorkerSilent { death, silent_for, last_task } => {
        Self::WorkerSilent { death: death.into(), silent_ms: silent_for.as_millis() as f64, last_task }
      }
      Event::SignalRefused { pid } => Self::SignalRefused { pid },
      Event::StartFailed { cause, death, again } => {
        Self::StartFailed { cause: cause.into(), death: death.into(), again }
      }
      Event::SpawnFailed { syscall, errno } => Self::SpawnFailed { syscall: syscall.to_owned(), errno },
      Event::ForkUnsafe(reasons) => Self::ForkUnsafe { reasons },
      Event::Stray { pid, report } => Self::Stray { pid, report: report.into() },
      Event::Room => Self::Room {},
      Event::Stopped => Self::Stopped {},
    }
  }
}

impl From<WorkerState> for NativeWorkerState {
  fn from(state: WorkerState) -> Self {
    match state {
      WorkerState::Starting => Self::Starting,
      WorkerState::Idle => Self::Idle,
      WorkerState::Busy => Self::Busy,
      WorkerState::Leaving => Self::Leaving,
    }
  }
}

impl From<WorkerStats> for NativeWorkerStats {
  fn from(stats: WorkerStats) -> Self {
    Self {
      pid: stats.pid,
      worker_id: stats.worker_id,
      state: stats.state.into(),
      running: stats.running,
      tasks_done: stats.tasks_done as f64,
      age: stats.age_ms as f64,
      rss: stats.rss.map(|bytes| bytes as f64),
    }
  }
}
