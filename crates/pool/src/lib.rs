//! A pool of worker processes over shared memory: which call goes to which worker, and what happens when one dies.
//!
//! [`Manager`] is the host's side, [`worker::Worker`] the worker's. This crate knows calls as numbered byte strings:
//! what is in them, and what runs them, is its owner's business.

mod allocate;
mod calls;
mod completion;
mod config;
mod deadlines;
mod dispatch;
mod dump;
mod error;
mod event;
mod fault;
mod lane;
mod life;
mod manager;
mod oom;
mod own_forks;
mod rebalance;
mod relief;
mod retry;
mod round;
mod server;
mod sleep;
mod spin;
mod start;
mod stats;
mod stop;
pub mod worker;

pub use calls::Limits;
pub use completion::{CallId, Completion, status};
pub use config::{DeathPolicy, KILL_AFTER, MAX_FAILED_STARTS, PoolConfig, START_BACKOFF, StartMethod, WorkerCommand};
pub use dispatch::CallSpec;
pub use error::{AllocateError, SpawnFailure, SubmitError};
pub use event::{BreakCause, CallFailure, Death, Event, ExitReason, PoolState, Report, ServerFailure};
pub use lane::{ForkedWorker, LaneSegment, Loan};
pub use manager::Manager;
pub use millrace_ring::{CallKind, CallRecord, CommitError, Geometry, ResultHeader, Taken, WorkerPhase};
pub use millrace_sys::{Exit, Pollables};
pub use own_forks::OwnFork;
pub use start::{ForkRequest, ForkService, Trial};
pub use stats::{WorkerState, WorkerStats};
