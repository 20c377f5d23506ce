//! What the tests share: a pool to drive, and the worker at its other end.

mod alarm;
mod journal;
mod pool;
mod processes;
mod random;
mod scratch;
pub mod worker;

pub use pool::{Outcome, Pool, config};
pub use processes::{children, descriptors, exists, mappings, send_signal, threads};
pub use random::Random;

use std::time::Duration;

/// Far more than anything here takes: only a hang gets there.
pub const WATCHDOG: Duration = Duration::from_secs(60);
