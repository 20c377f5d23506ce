//! Signals of the calling process and thread.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

/// `signal(SIGINT, SIG_IGN)`: Ctrl-C reaches every process of the terminal's foreground group, but the host decides for
/// its workers.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/signal.2.html)
pub fn ignore_sigint() {
  // SAFETY: ignoring a signal installs no code. The call fails only for an invalid signal number.
  unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
}

/// A signal set without members.
pub(crate) fn no_signals() -> libc::sigset_t {
  let mut set = MaybeUninit::uninit();
  // SAFETY: `set` is writable memory for one set, which the call initialises; it cannot fail.
  unsafe { libc::sigemptyset(set.as_mut_ptr()) };
  // SAFETY: initialised above.
  unsafe { set.assume_init() }
}

/// A signal set of all signals that a program may handle (`SIGKILL` and `SIGSTOP` are not among them).
pub(crate) fn all_signals() -> libc::sigset_t {
  let mut set = MaybeUninit::uninit();
  // SAFETY: `set` is writable memory for one set, which the call initialises; it cannot fail.
  unsafe { libc::sigfillset(set.as_mut_ptr()) };
  // SAFETY: initialised above.
  let mut set = unsafe { set.assume_init() };
  for fixed in [libc::SIGKILL, libc::SIGSTOP] {
    // SAFETY: an initialised set and a valid signal number.
    unsafe { libc::sigdelset(&mut set, fixed) };
  }
  set
}

/// While this lives, the calling thread and the threads it starts receive no signals.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man3/pthread_sigmask.3.html)
pub struct SignalsBlocked {
  before: libc::sigset_t,
  /// The mask belongs to the thread, so this must be dropped where it was made.
  _of_this_thread: PhantomData<*const ()>,
}

impl Default for SignalsBlocked {
  fn default() -> Self {
    Self::new()
  }
}

impl SignalsBlocked {
  /// From now on.
  #[must_use]
  pub fn new() -> Self {
    let mut before = no_signals();
    // SAFETY: both sets are initialised and live through the call, which fails only for an invalid first argument.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &all_signals(), &mut before) };
    Self { before, _of_this_thread: PhantomData }
  }
}

impl Drop for SignalsBlocked {
  fn drop(&mut self) {
    // SAFETY: `before` is the mask that this thread had; the old mask is not asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, ptr::null_mut()) };
  }
}

#[cfg(test)]
mod tests {
  use super::*;

  fn is_blocked(signal: libc::c_int) -> bool {
    let mut mask = no_signals();
    // SAFETY: only asks for the mask; `mask` lives through the call.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, ptr::null(), &mut mask) };
    // SAFETY: an initialised set and a valid signal number.
    unsafe { libc::sigismember(&mask, signal) == 1 }
  }

  #[test]
  fn signals_are_blocked_for_a_scope_and_in_threads_started_there() {
    assert!(!is_blocked(libc::SIGUSR2));
    let blocked = SignalsBlocked::new();
    assert!(is_blocked(libc::SIGUSR2));
    assert!(std::thread::spawn(|| is_blocked(libc::SIGUSR2)).join().unwrap());
    drop(blocked);
    assert!(!is_blocked(libc::SIGUSR2));
  }
}
