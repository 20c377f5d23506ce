//! The rules of a pool, given at its construction.
//!
//! The owner has checked them: the manager takes each value as it is.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use millrace_ring::Geometry;

/// The meaning of a worker's death for its pool.
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
  /// The arguments in front of the lane argument (see [`crate::worker::LaneArgument`]).
  pub args: Vec<OsString>,
  /// The whole environment, or `None` for this process's own.
  pub env: Option<Vec<(OsString, OsString)>>,
  /// Variables that the worker has in any case, in place of those of the same names in `env`.
  pub set_env: Vec<(OsString, OsString)>,
  /// The working directory, or `None` for this process's own.
  pub cwd: Option<PathBuf>,
  /// Whether standard output and error are this process's own; else `/dev/null`.
  pub inherit_stdio: bool,
  /// How deep the pools are nested: 1 for a worker of an ordinary process.
  pub depth: u32,
}

/// How a pool gets its workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartMethod {
  /// The program is started anew for each worker.
  Spawn,
  /// The program is started once as a fork server, and forks the workers (see [`crate::ForkService`]).
  ForkServer {
    /// The server's arguments.
    arguments: Vec<OsString>,
    /// Whether workers are spawned when the server says that its process cannot be forked; else the pool breaks.
    or_spawn: bool,
  },
  /// This process forks all workers at one moment, when the owner says so (see [`crate::Manager::fork_next`]). None is
  /// started later.
  Fork,
}

/// The rules of one pool.
#[derive(Clone, Debug)]
pub struct PoolConfig {
  /// Most worker processes at a time, those that are leaving included.
  pub max_workers: u32,
  /// The meaning of a worker's death.
  pub on_death: DeathPolicy,
  /// How to start a worker.
  pub command: WorkerCommand,
  /// How the pool gets its workers.
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
  /// A worker whose resident memory exceeds this many bytes is replaced, in the middle of a call too; `None`: never.
  pub hard_memory_limit: Option<u64>,
  /// Unfinished calls beyond one for each worker that the pool has or may start, at most; `None`: no bound.
  pub max_queue: Option<usize>,
  /// Whether all places are filled as long as the pool takes calls, whether calls need the workers or not.
  pub keep_full: bool,
}

/// How long a worker has to leave after it was asked to, before SIGTERM; and after SIGTERM, before SIGKILL.
pub const KILL_AFTER: Duration = Duration::from_secs(5);

/// Starts in vain in a row after which a pool gives up.
pub const MAX_FAILED_STARTS: u32 = 3;

/// The pause after the first start in vain. It doubles with each further one.
pub(crate) const START_BACKOFF: Duration = Duration::from_millis(100);
