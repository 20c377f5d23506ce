//! What a pool is told at its construction. Checked by the caller: the manager takes it as it is.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use millrace_ring::Geometry;

/// What the death of a worker does to the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeathPolicy {
  /// Every unfinished call fails and the pool is unusable: the rule of Python's `ProcessPoolExecutor`.
  Break,
  /// Only the call that the worker had claimed fails; queued calls move on and the worker is replaced.
  Isolate,
}

/// How to start a worker process; the manager adds the lane's arguments and descriptors.
#[derive(Clone, Debug)]
pub struct WorkerCommand {
  /// The executable.
  pub program: PathBuf,
  /// Its arguments, up to where the lane argument is appended (see [`crate::worker::LaneArgument`]).
  pub args: Vec<OsString>,
  /// The whole environment, or `None` for this process's own.
  pub env: Option<Vec<(OsString, OsString)>>,
  /// The working directory, or `None` for this process's own.
  pub cwd: Option<PathBuf>,
  /// Whether standard output and error are this process's own; else `/dev/null`.
  pub inherit_stdio: bool,
  /// How deep the pools are nested: 1 for a worker of an ordinary process.
  pub depth: u32,
}

/// How workers come to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartMethod {
  /// The program is started anew for each.
  Spawn,
  /// The program is started once as a fork server, and forks them (see [`crate::ForkService`]).
  ForkServer {
    /// The server's arguments.
    arguments: Vec<OsString>,
    /// Whether workers are spawned when the server says that its process cannot be forked; else that breaks the pool.
    or_spawn: bool,
  },
  /// This process forks them all at one moment, when its owner says so (see [`crate::Manager::fork_next`]). None is started later.
  Fork,
}

/// The rules of one pool.
#[derive(Clone, Debug)]
pub struct PoolConfig {
  /// Never more worker processes than this, those that are leaving included.
  pub max_workers: u32,
  /// What a death does.
  pub on_death: DeathPolicy,
  /// How to start a worker.
  pub command: WorkerCommand,
  /// How its workers come to be.
  pub start_method: StartMethod,
  /// Slots and arena of each lane.
  pub geometry: Geometry,
  /// A worker idle for so long is stopped; `None`: never.
  pub idle_timeout: Option<Duration>,
  /// A worker must have booted, initializer included, within this time.
  pub start_timeout: Duration,
  /// A worker is replaced after so many calls; `None`: never.
  pub max_tasks_per_child: Option<u32>,
  /// A worker whose resident memory exceeds this many bytes is replaced between calls; `None`: never.
  pub max_memory: Option<u64>,
  /// Calls that no worker has claimed, at most; `None`: no bound.
  pub max_queue: Option<usize>,
  /// As long as the pool takes calls, every worker that leaves is replaced, whether calls need it or not.
  pub keep_full: bool,
}

/// A worker that does not leave when asked politely is killed after this time.
pub const KILL_AFTER: Duration = Duration::from_secs(5);

/// Deaths in a row before a worker has booted, after which the pool gives up.
pub(crate) const MAX_FAILED_STARTS: u32 = 3;

/// The pause after the first failed start; it doubles with each further one.
pub(crate) const START_BACKOFF: Duration = Duration::from_millis(100);
