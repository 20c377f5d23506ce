//! Signals of the calling process and thread.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// `signal(SIGINT, SIG_IGN)`: Ctrl-C reaches every process of the terminal's foreground group, but the host decides for
/// its workers.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/signal.2.html)
pub fn ignore_sigint() {
  // SAFETY: ignoring a signal installs no code. The call fails only for an invalid signal number.
  unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
}

/// The signals by which service managers and terminals end a program: they send them to all its processes at once.
const ENDING: [libc::c_int; 2] = [libc::SIGTERM, libc::SIGHUP];

/// The word that says whether signals of other processes are heeded; null until [`heed_announced_signals`].
static ANNOUNCED: AtomicPtr<AtomicU32> = AtomicPtr::new(ptr::null_mut());

/// The process in which [`ANNOUNCED`] may be read. In a fork of that process the memory need not be there.
static OWNER: AtomicU32 = AtomicU32::new(0);

/// From now on SIGTERM and SIGHUP end this process only if the word `announced` is not 0, or if this process has sent
/// the signal itself: the host decides for its workers. May be called again, when other code has taken the handlers.
///
/// Processes that this one starts begin with the default actions again, as handlers do not survive `exec`.
///
/// # Safety
/// `announced` stays readable, as an atomic word, for as long as this process lives.
///
/// # References
///  - [Linux `sigaction`](https://man7.org/linux/man-pages/man2/sigaction.2.html)
pub unsafe fn heed_announced_signals(announced: NonNull<u32>) {
  OWNER.store(std::process::id(), Ordering::Relaxed);
  // Released with the owner, and acquired by the handler.
  ANNOUNCED.store(announced.as_ptr().cast(), Ordering::Release);
  let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = on_ending_signal;
  // System calls go on, and a handler on a thread with a small stack takes the alternate stack if there is one.
  let flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
  for signal in ENDING {
    set_action(signal, handler as usize, flags);
  }
}

/// Ignores SIGTERM and SIGHUP: the host ends this process by other means.
pub fn ignore_ending_signals() {
  for signal in ENDING {
    set_action(signal, libc::SIG_IGN, 0);
  }
}

/// `sigaction`, which is safe to call in a signal handler.
fn set_action(signal: libc::c_int, handler: libc::sighandler_t, flags: libc::c_int) {
  // SAFETY: a structure of integers, pointers and a set, for which zeros are a value.
  let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
  action.sa_sigaction = handler;
  action.sa_flags = flags;
  // SAFETY: the action lives through the call, and its handler, if it is one, has the type that the flags say. The call
  // fails only for an invalid signal number.
  unsafe { libc::sigaction(signal, &action, ptr::null_mut()) };
}

/// Does nothing, or gives the signal its default action and sends it again, to be delivered when this returns. Uses
/// only what a signal handler may use.
extern "C" fn on_ending_signal(signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
  // SAFETY: no arguments, no memory.
  let own = unsafe { libc::getpid() };
  let announced = ANNOUNCED.load(Ordering::Acquire);
  let is_owner = OWNER.load(Ordering::Relaxed) == own.unsigned_abs();
  // SAFETY: with SA_SIGINFO the kernel passes a structure that lives through the call.
  let info = unsafe { &*info };
  // SAFETY: a signal that a process has sent carries its sender. In one of the kernel's own the field is 0, or part of
  // something else, which is read as a number all the same.
  let sender = unsafe { info.si_pid() };
  // SAFETY: `heed_announced_signals` was promised that the word is readable in this process.
  let heeds = !is_owner || sender == own || unsafe { (*announced).load(Ordering::Relaxed) } != 0;
  if heeds {
    set_action(signal, libc::SIG_DFL, 0);
    // SAFETY: no memory is involved.
    unsafe { libc::raise(signal) };
  }
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
