//! The first steps of a process that was just forked to be a worker.

use std::cell::Cell;

use millrace_pool::ForkedWorker;
use millrace_sys::{close_input, exit_now};
use napi_derive::napi;

use crate::uv::{UvLoop, fork_loop};

thread_local! {
  /// The worker that this process was forked to be, until `NativeWorker` takes it over.
  static FORKED: Cell<Option<ForkedWorker>> = const { Cell::new(None) };
}

/// The exit code of a process that was forked and could get no further.
const NO_WORKER: i32 = 70;

/// The worker that this process was forked to be, if nobody has taken it over.
pub(crate) fn take_forked() -> Option<ForkedWorker> {
  FORKED.take()
}

/// What a process that has just been forked has to know of itself.
#[napi(object)]
pub struct NativeForked {
  /// The argument for its `NativeWorker`.
  pub argument: String,
  /// Its process id.
  pub pid: u32,
}

/// Gives this process an event loop of its own, and an empty standard input. Handles in the loop that were the parent's
/// may be dropped after that, and not before. On failure the process ends here: it must not run the parent's code.
///
/// # Safety
/// As [`fork_loop`], right after the fork.
pub(crate) unsafe fn own_loop(uv_loop: *mut UvLoop) {
  // SAFETY: passed on by the caller.
  let forked = unsafe { fork_loop(uv_loop) };
  if forked.is_err() || close_input().is_err() {
    exit_now(NO_WORKER);
  }
}

/// As [`own_loop`], in a process that has to be a worker, which is noted for [`take_forked`].
///
/// # Safety
/// As [`own_loop`].
pub(crate) unsafe fn become_forked(worker: ForkedWorker, uv_loop: *mut UvLoop) -> NativeForked {
  // SAFETY: passed on by the caller.
  unsafe { own_loop(uv_loop) };
  let forked = NativeForked { argument: worker.argument.to_string(), pid: std::process::id() };
  FORKED.set(Some(worker));
  forked
}
