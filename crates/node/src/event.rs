//! The manager's events as JavaScript objects.

use millrace_pool::{BreakCause, CallFailure, Death, Event, Exit, ExitReason, Report, ServerFailure, WorkerStats};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

/// How a worker process ended: `exitCode` or `signal` (a number), or neither when somebody else reaped it.
#[napi(object)]
#[derive(Clone, Default)]
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
}

/// Something that happened in a pool; which fields are set depends on `kind`.
#[napi(object)]
#[derive(Default)]
pub struct NativeEvent {
  /// `workerStart`, `workerExit`, `workerReplace`, `callFailed`, `broken`, `workerLost`, `startFailed`, `spawnFailed`,
  /// `forkUnsafe`, `stray`, `room`, `stopped`.
  pub kind: String,
  /// `workerStart`, `workerExit`, `stray`: the worker. `workerReplace`: the new one.
  pub pid: Option<u32>,
  /// `workerReplace`: the one that left.
  pub old_pid: Option<u32>,
  /// `workerStart`, `workerExit`: the worker's number.
  pub worker_id: Option<u32>,
  /// `workerExit`, `workerReplace`: why it left. `callFailed`: `workerDied`, `timedOut`, `terminated`, `cancelled`,
  /// `spawn`, `noMemory`. `broken`, `startFailed`: `deaths`, `bootFailed`, `startTimeout`, `forkUnsafe`,
  /// `noneLeft`, `serverTimeout`, `serverEnded`.
  pub reason: Option<String>,
  /// `callFailed`: the call.
  pub call: Option<u32>,
  /// `workerExit`, `callFailed` (`workerDied`), `workerLost`, `startFailed`: one. `broken`: all.
  pub deaths: Option<Vec<NativeDeath>>,
  /// `callFailed` (`spawn`), `spawnFailed`: the system call.
  pub syscall: Option<String>,
  /// `callFailed` (`spawn`, `noMemory`), `spawnFailed`: its error.
  pub errno: Option<i32>,
  /// With the reasons `serverTimeout` and `serverEnded`: what the fork server was loading.
  pub module: Option<String>,
  /// `startFailed`: whether another worker is started.
  pub again: Option<bool>,
  /// `forkUnsafe`, and with the reason `forkUnsafe`: why the fork server, or this process, cannot be forked, a line each.
  pub reasons: Option<String>,
  /// `stray`, and with the reason `bootFailed`: the encoding of `bytes`.
  pub codec: Option<u32>,
  /// `stray`, and with the reason `bootFailed`: the encoded error.
  pub bytes: Option<Uint8Array>,
}

/// What one worker does.
#[napi(object)]
pub struct NativeWorkerStats {
  /// Its process id.
  pub pid: u32,
  /// Its number in the pool.
  pub worker_id: u32,
  /// `starting`, `idle`, `busy` or `leaving`.
  pub state: String,
  /// The call that it runs.
  pub running: Option<u32>,
  /// Calls that it has finished.
  pub tasks_done: f64,
  /// Milliseconds since its start.
  pub age: f64,
  /// Resident bytes.
  pub rss: Option<f64>,
}

impl From<WorkerStats> for NativeWorkerStats {
  fn from(stats: WorkerStats) -> Self {
    Self {
      pid: stats.pid,
      worker_id: stats.worker_id,
      state: stats.state.name().to_owned(),
      running: stats.running,
      tasks_done: stats.tasks_done as f64,
      age: stats.age_ms as f64,
      rss: stats.rss.map(|bytes| bytes as f64),
    }
  }
}

pub(crate) fn death(pid: u32, exit: Exit) -> NativeDeath {
  let (exit_code, signal) = match exit {
    Exit::Code(code) => (Some(code), None),
    Exit::Signal(signal) => (None, Some(signal)),
    Exit::Unknown => (None, None),
  };
  NativeDeath { pid, exit_code, signal, ..NativeDeath::default() }
}

impl From<Death> for NativeDeath {
  fn from(value: Death) -> Self {
    let Death { pid, exit, call, corrupt, out_of_memory } = value;
    Self { call, corrupt: corrupt.map(str::to_owned), out_of_memory, ..death(pid, exit) }
  }
}

fn reason_name(reason: ExitReason) -> Option<String> {
  let name = match reason {
    ExitReason::Shutdown => "shutdown",
    ExitReason::Recycled => "recycled",
    ExitReason::Idle => "idle",
    ExitReason::Killed => "killed",
    ExitReason::Died => "died",
    ExitReason::FailedStart => "failed-start",
  };
  Some(name.to_owned())
}

impl NativeEvent {
  fn of(kind: &str) -> Self {
    Self { kind: kind.to_owned(), ..Self::default() }
  }

  fn with_cause(self, cause: BreakCause) -> Self {
    match cause {
      BreakCause::Deaths => Self { reason: Some("deaths".to_owned()), ..self },
      BreakCause::StartTimeout => Self { reason: Some("startTimeout".to_owned()), ..self },
      BreakCause::ServerFailed(ServerFailure { timed_out, loading }) => {
        let reason = if timed_out { "serverTimeout" } else { "serverEnded" };
        Self { reason: Some(reason.to_owned()), module: Some(loading).filter(|url| !url.is_empty()), ..self }
      }
      BreakCause::NoneLeft => Self { reason: Some("noneLeft".to_owned()), ..self },
      BreakCause::ForkUnsafe(reasons) => Self { reason: Some("forkUnsafe".to_owned()), reasons: Some(reasons), ..self },
      BreakCause::BootFailed(report) => Self { reason: Some("bootFailed".to_owned()), ..self }.with_report(report),
    }
  }

  fn with_report(self, report: Report) -> Self {
    Self { codec: Some(u32::from(report.codec)), bytes: Some(report.bytes.into()), ..self }
  }

  fn with_failure(self, failure: CallFailure) -> Self {
    let named = |reason: &str| Some(reason.to_owned());
    match failure {
      CallFailure::WorkerDied { pid, exit, corrupt, out_of_memory } => {
        let death = Death { pid, exit, call: None, corrupt, out_of_memory };
        Self { reason: named("workerDied"), deaths: Some(vec![death.into()]), ..self }
      }
      CallFailure::TimedOut { pid } => Self { reason: named("timedOut"), pid: Some(pid), ..self },
      CallFailure::Terminated { pid } => Self { reason: named("terminated"), pid: Some(pid), ..self },
      CallFailure::Cancelled => Self { reason: named("cancelled"), ..self },
      CallFailure::Spawn { syscall, errno } => {
        Self { reason: named("spawn"), syscall: Some(syscall.to_owned()), errno, ..self }
      }
      CallFailure::NoMemory { errno } => Self { reason: named("noMemory"), errno: Some(errno), ..self },
    }
  }
}

impl From<Event> for NativeEvent {
  fn from(event: Event) -> Self {
    match event {
      Event::WorkerStart { pid, worker_id } => {
        Self { pid: Some(pid), worker_id: Some(worker_id), ..Self::of("workerStart") }
      }
      Event::WorkerExit { pid, worker_id, exit, reason } => Self {
        pid: Some(pid),
        worker_id: Some(worker_id),
        reason: reason_name(reason),
        deaths: Some(vec![death(pid, exit)]),
        ..Self::of("workerExit")
      },
      Event::WorkerReplace { old_pid, new_pid, reason } => {
        Self { pid: Some(new_pid), old_pid: Some(old_pid), reason: reason_name(reason), ..Self::of("workerReplace") }
      }
      Event::CallFailed { id, failure } => Self { call: Some(id), ..Self::of("callFailed") }.with_failure(failure),
      Event::Broken { cause, deaths } => {
        let deaths = deaths.into_iter().map(NativeDeath::from).collect();
        Self { deaths: Some(deaths), ..Self::of("broken") }.with_cause(cause)
      }
      Event::WorkerLost(death) => Self { deaths: Some(vec![death.into()]), ..Self::of("workerLost") },
      Event::StartFailed { cause, death, again } => {
        Self { deaths: Some(vec![death.into()]), again: Some(again), ..Self::of("startFailed") }.with_cause(cause)
      }
      Event::SpawnFailed { syscall, errno } => {
        Self { syscall: Some(syscall.to_owned()), errno, ..Self::of("spawnFailed") }
      }
      Event::ForkUnsafe(reasons) => Self { reasons: Some(reasons), ..Self::of("forkUnsafe") },
      Event::Stray { pid, report } => Self { pid: Some(pid), ..Self::of("stray") }.with_report(report),
      Event::Room => Self::of("room"),
      Event::Stopped => Self::of("stopped"),
    }
  }
}
