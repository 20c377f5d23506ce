//! A pool of worker processes over shared memory: which call goes to which worker, and what happens when one dies.
//!
//! [`Manager`] is the host's side, [`worker::Worker`] the worker's. This crate knows calls as numbered byte strings:
//! what is in them, and what runs them, is its owner's business.

mod calls;
mod completion;
mod config;
mod error;
mod event;
mod fault;
mod lane;
mod manager;
mod oom;
mod spin;
mod start;
pub mod worker;

pub use calls::Limits;
pub use completion::{CallId, Completion, status};
pub use config::{DeathPolicy, KILL_AFTER, PoolConfig, StartMethod, WorkerCommand};
pub use error::{AllocateError, SpawnFailure, SubmitError};
pub use event::{BreakCause, CallFailure, Death, Event, ExitReason, PoolState, Report, ServerFailure};
pub use lane::{ForkedWorker, Loan, Moved, Tail};
pub use manager::Manager;
pub use manager::dispatch::CallSpec;
pub use manager::own_forks::OwnFork;
pub use manager::stats::{WorkerState, WorkerStats};
pub use millrace_ring::{CallKind, CallRecord, CommitError, Geometry, ResultHeader, Taken, WorkerPhase};
pub use millrace_sys::{Exit, Pollables};
pub use start::{ForkRequest, ForkService, Trial};
