//! What the tests share: a pool to drive, and the worker at its other end.

mod alarm;
mod alone;
mod journal;
mod pool;
mod processes;
mod random;
mod scratch;
pub mod worker;

pub use alone::is_alone;
pub use pool::{Outcome, Pool, config};
#[cfg(target_os = "linux")]
pub use processes::{children, descriptors, mappings, threads};
pub use processes::{exists, group_lives, is_stopped, is_zombie, send_signal};
pub use random::Random;

use std::time::{Duration, Instant};

/// Waits for a condition that needs no round of a pool.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
  let start = Instant::now();
  while !condition() {
    assert!(start.elapsed() < WATCHDOG, "{what}: not within {WATCHDOG:?}");
    std::thread::sleep(Duration::from_millis(1));
  }
}

/// Far more than anything here takes: only a hang gets there.
pub const WATCHDOG: Duration = Duration::from_secs(60);
