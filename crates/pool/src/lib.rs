//! A pool of worker processes over shared memory: which call goes to which worker, and what happens when one dies.
//!
//! [`Manager`] is the host's side, [`worker::Worker`] the worker's. The owner of a manager knows what calls mean; to
//! this crate a call is a numbered byte string.
//!
//! The modules are layers, each of which imports only those above:
//!
//! | layer | holds |
//! |---|---|
//! | `error` `config` `event` `completion` `fault` `spin` `oom` | rules, results, events, errors; faults; spinning |
//! | `calls` | the calls that are owed an answer, as data |
//! | `lane` | one worker as its host sees it |
//! | `start` | where processes come from; the fork server |
//! | `worker` | the worker's end of a lane |
//! | `manager` | one pool |

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

pub use calls::{Limits, earlier};
pub use completion::{CHUNK, CallId, Completion, status};
pub use config::{DeathPolicy, KILL_AFTER, MAX_FAILED_STARTS, PoolConfig, StartMethod, WorkerCommand};
pub use error::{AllocateError, SpawnFailure, SubmitError};
pub use event::{BreakCause, CallFailure, Death, Event, ExitReason, Outgrown, PoolState, Report, ServerFailure};
pub use lane::{ForkedWorker, Loan, Moved, Tail};
pub use manager::Manager;
pub use manager::dispatch::CallSpec;
pub use manager::own_forks::OwnFork;
pub use manager::stats::{WorkerState, WorkerStats};
pub use millrace_ring::{
  CHUNK_ITEMS, CallKind, CallRecord, CommitError, Geometry, JOURNAL_BYTES, ResultHeader, Taken, WorkerPhase,
};
pub use millrace_sys::{Exit, Pollables};
pub use start::{ForkRequest, ForkService, Trial};
