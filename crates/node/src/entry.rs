//! What tells a process, in all its threads, that a pool has started it and that its entry has not run yet.

use std::sync::atomic::{AtomicBool, Ordering};

use napi_derive::napi;

/// Whether the entry of a worker or fork server has run in this process. Only ever set.
static ARRIVED: AtomicBool = AtomicBool::new(false);

/// The entry of a worker or fork server has run: what the process was started with means nothing from now on.
#[napi]
pub fn arrive_at_entry() {
  ARRIVED.store(true, Ordering::Relaxed);
}

/// The value of a variable, or an empty text, and the arguments with which this process was started; nothing after
/// `arriveAtEntry()`. A thread may have an environment and arguments of its own: these are the process's.
#[napi]
pub fn process_marks(variable: String) -> Vec<String> {
  if ARRIVED.load(Ordering::Relaxed) {
    return Vec::new();
  }
  let value = std::env::var_os(variable).unwrap_or_default();
  std::iter::once(value).chain(std::env::args_os()).map(|text| text.to_string_lossy().into_owned()).collect()
}
