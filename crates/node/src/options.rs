//! A pool's options as TypeScript, which has checked them, passes them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use millrace_pool::{DeathPolicy, Geometry, PoolConfig, StartMethod, WorkerCommand};
use napi_derive::napi;

/// A pool's options. Times are milliseconds, sizes bytes; a limit that is absent is no limit.
#[napi(object)]
pub struct NativePoolOptions {
  /// Worker processes, at most.
  pub max_workers: u32,
  /// Whether one worker's death fails the whole pool.
  pub break_on_death: bool,
  /// The executable of the workers.
  pub program: String,
  /// The arguments of the workers, without the last one, which describes the lane.
  pub args: Vec<String>,
  /// The arguments of the fork server; absent: workers are spawned.
  pub fork_server: Option<Vec<String>>,
  /// Whether this process forks the workers itself.
  pub own_forks: bool,
  /// Whether workers are spawned when the fork server cannot be forked.
  pub or_spawn: bool,
  /// The workers' environment as name, value, name, value; absent: this process's.
  pub env: Option<Vec<String>>,
  /// Variables that the workers have in any case, in the same form.
  pub set_env: Vec<String>,
  /// The workers' working directory; absent: this process's.
  pub cwd: Option<String>,
  /// Whether the workers write to this process's standard output and error.
  pub inherit_stdio: bool,
  /// How deep the workers' pools are nested, 1 at the first level.
  pub depth: u32,
  /// Slots of each call ring, a power of two.
  pub slots: u32,
  /// Address space of each payload arena; memory is used only as payloads need it.
  pub arena_bytes: f64,
  /// How long a worker may be idle before it leaves.
  pub idle_timeout: Option<f64>,
  /// How long a worker may take to boot.
  pub start_timeout: f64,
  /// Calls after which a worker is replaced.
  pub max_tasks_per_child: Option<u32>,
  /// Resident bytes of a worker, at most: one that has more is replaced between two calls.
  pub max_memory: Option<f64>,
  /// Resident bytes of a worker, at most: one that has more is replaced, in the middle of a call too.
  pub hard_memory_limit: Option<f64>,
  /// Calls that no worker has claimed, at most.
  pub max_queue: Option<f64>,
  /// Whether all places are filled with workers at all times.
  pub keep_full: bool,
}

impl NativePoolOptions {
  pub(crate) fn into_config(self) -> napi::Result<PoolConfig> {
    let geometry = Geometry::new(self.slots, self.arena_bytes as u64)
      .map_err(|error| napi::Error::from_reason(error.to_string()))?
      .within(millrace_sys::Segment::largest());
    let variables = |flat: Vec<String>| -> Vec<(OsString, OsString)> {
      flat.chunks_exact(2).map(|pair| (OsString::from(&pair[0]), OsString::from(&pair[1]))).collect()
    };
    Ok(PoolConfig {
      max_workers: self.max_workers,
      on_death: if self.break_on_death { DeathPolicy::Break } else { DeathPolicy::Isolate },
      command: WorkerCommand {
        program: PathBuf::from(self.program),
        args: self.args.into_iter().map(OsString::from).collect(),
        env: self.env.map(variables),
        set_env: variables(self.set_env),
        cwd: self.cwd.map(PathBuf::from),
        inherit_stdio: self.inherit_stdio,
        depth: self.depth,
      },
      start_method: match self.fork_server {
        None if self.own_forks => StartMethod::Fork,
        None => StartMethod::Spawn,
        Some(arguments) => StartMethod::ForkServer {
          arguments: arguments.into_iter().map(OsString::from).collect(),
          or_spawn: self.or_spawn,
        },
      },
      geometry,
      idle_timeout: self.idle_timeout.map(milliseconds),
      start_timeout: milliseconds(self.start_timeout),
      max_tasks_per_child: self.max_tasks_per_child,
      max_memory: self.max_memory.map(|bytes| bytes as u64),
      hard_memory_limit: self.hard_memory_limit.map(|bytes| bytes as u64),
      max_queue: self.max_queue.map(|calls| calls as usize),
      keep_full: self.keep_full,
    })
  }
}

/// A time in milliseconds. Longer than a year is a year, which keeps sums of times and instants in range.
pub(crate) fn milliseconds(value: f64) -> Duration {
  const YEAR_MS: f64 = 365.0 * 86_400_000.0;
  Duration::from_secs_f64(value.clamp(0.0, YEAR_MS) / 1000.0)
}
