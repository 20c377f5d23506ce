//! A process that was just forked to be a worker.

use std::cell::Cell;

use millrace_pool::ForkedWorker;
use millrace_sys::{close_input, exit_now};
use napi_derive::napi;

use crate::uv::{UvLoop, fork_loop};

thread_local! {
  /// What this process was forked to be, until its worker takes it over.
  static FORKED: Cell<Option<ForkedWorker>> = const { Cell::new(None) };
}

/// What a process ends with that has got no further than to be forked.
const NO_WORKER: i32 = 70;

/// The lane of this process, if it was forked and has not taken it over.
pub(crate) fn take_forked() -> Option<ForkedWorker> {
  FORKED.take()
}

/// What a process learns that has just been forked.
#[napi(object)]
pub struct NativeForked {
  /// Its lane's argument.
  pub argument: String,
  /// Its process id.
  pub pid: u32,
}

/// Gives this process an event loop of its own, and nothing to read. What watches something in the loop for the parent may be
/// dropped after that, and not before. If it fails it ends here: nothing behind the caller is meant for this process.
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

/// The same for a process that has to be a worker.
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
