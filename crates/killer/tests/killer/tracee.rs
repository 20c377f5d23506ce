//! A victim: a forked process that executes as many instructions as it is told, and then is killed.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::{c_int, pid_t};

use crate::arch;
use crate::lanes::SharedMemory;

/// How far the victim is: the word that it shares with its tracer.
const BEFORE: u32 = 0;
const WITHIN: u32 = 1;
const AFTER: u32 = 2;

/// A victim that has come to a halt by itself is ended by this, and with it its test.
const WATCHDOG_SECONDS: u32 = 300;

/// Exit status of a victim whose operation has panicked.
const PANICKED: c_int = 101;

/// A mark in shared memory, by which a victim says when its operation begins and ends.
pub(crate) struct Mark(SharedMemory);

impl Mark {
  pub(crate) fn new() -> Self {
    Self(SharedMemory::create(size_of::<AtomicU32>()))
  }

  fn word(&self) -> &AtomicU32 {
    // SAFETY: mapped and aligned for as long as `self` lives, zero at first, and only used as an atomic.
    unsafe { self.0.start().cast::<AtomicU32>().as_ref() }
  }

  /// Whether the operation is still to begin.
  pub(crate) fn is_before(&self) -> bool {
    self.word().load(Ordering::SeqCst) == BEFORE
  }

  /// Whether the operation is over.
  pub(crate) fn is_after(&self) -> bool {
    self.word().load(Ordering::SeqCst) == AFTER
  }
}

/// A traced process, stopped between two calls of its methods. Dropping it kills it.
pub(crate) struct Tracee {
  pid: pid_t,
  gone: bool,
}

impl Tracee {
  /// Forks a process that will do `act`, and stops it shortly before.
  ///
  /// The child has the calling thread only, so `act` may do nothing that needs another; no allocator lock is held,
  /// since the C library takes them around its fork.
  pub(crate) fn start(mark: &Mark, act: impl FnOnce()) -> io::Result<Self> {
    mark.word().store(BEFORE, Ordering::SeqCst);
    // SAFETY: the child calls nothing that relies on the threads that it does not have, and never returns.
    let pid = unsafe { libc::fork() };
    match pid {
      -1 => return Err(io::Error::last_os_error()),
      0 => be_the_victim(mark, act),
      _ => {}
    }
    let mut tracee = Self { pid, gone: false };
    match tracee.wait() {
      Stop::Signal(libc::SIGSTOP) => {}
      Stop::Exit(errno) => return Err(io::Error::from_raw_os_error(errno)),
      Stop::Signal(signal) => panic!("the victim got signal {signal} before it began"),
    }
    // As wide as a pointer, which is what the C library takes out of its argument list.
    let kill_with_tracer = libc::PTRACE_O_EXITKILL as libc::c_long;
    // SAFETY: sets an option of a stopped process that this thread traces.
    unsafe { libc::ptrace(libc::PTRACE_SETOPTIONS, pid, ptr::null_mut::<u8>(), kill_with_tracer) };
    Ok(tracee)
  }

  /// Executes one instruction; a system call is one.
  pub(crate) fn step(&mut self) -> io::Result<()> {
    // SAFETY: continues a stopped process that this thread traces.
    if unsafe { libc::ptrace(libc::PTRACE_SINGLESTEP, self.pid, ptr::null_mut::<u8>(), ptr::null_mut::<u8>()) } != 0 {
      return Err(io::Error::last_os_error());
    }
    match self.wait() {
      Stop::Signal(libc::SIGTRAP) => Ok(()),
      other => panic!("the victim did not survive a step: {other:?}"),
    }
  }

  /// Executes everything until it has come to the instruction at `address` for the `visits`-th time, and not that
  /// instruction. False: it never came there.
  pub(crate) fn run_to(&mut self, address: usize, visits: usize) -> bool {
    let Some(breakpoint) = arch::Breakpoint::at(self.pid, address) else { return false };
    for visit in 1..=visits {
      if visit > 1 && self.step().is_err() {
        return false;
      }
      if !breakpoint.arm() {
        return false;
      }
      self.resume();
      if self.wait() != Stop::Signal(libc::SIGTRAP) || !breakpoint.disarm() {
        return false;
      }
    }
    true
  }

  /// Lets it run freely.
  pub(crate) fn resume(&mut self) {
    // SAFETY: continues a stopped process that this thread traces.
    unsafe { libc::ptrace(libc::PTRACE_CONT, self.pid, ptr::null_mut::<u8>(), ptr::null_mut::<u8>()) };
  }

  /// Address of the instruction that comes next.
  pub(crate) fn program_counter(&self) -> usize {
    arch::program_counter(self.pid)
  }

  /// Whether it sleeps in a system call, by what the system says of it.
  pub(crate) fn is_asleep(&self) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
    // The state is behind the name, which is in parentheses and may have some itself.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'))
  }

  /// Kills it, and waits until nothing is left of it.
  pub(crate) fn kill(mut self) {
    let signal = self.end();
    assert_eq!(signal, Some(libc::SIGKILL), "the victim did not die of its tracer");
  }

  /// The signal that ended it, if one did.
  fn end(&mut self) -> Option<c_int> {
    let mut signal = None;
    while !self.gone {
      // SAFETY: a child that has not been waited for, so the number is no other's.
      unsafe { libc::kill(self.pid, libc::SIGKILL) };
      signal = match self.wait() {
        Stop::Signal(signal) => Some(signal),
        Stop::Exit(_) => None,
      };
    }
    signal
  }

  fn wait(&mut self) -> Stop {
    let mut status = 0;
    // SAFETY: waits for an own child; `status` lives through the call.
    while unsafe { libc::waitpid(self.pid, &raw mut status, 0) } == -1 {
      let error = io::Error::last_os_error();
      assert_eq!(error.kind(), io::ErrorKind::Interrupted, "waitpid: {error}");
    }
    if libc::WIFSTOPPED(status) {
      return Stop::Signal(libc::WSTOPSIG(status));
    }
    self.gone = true;
    if libc::WIFEXITED(status) { Stop::Exit(libc::WEXITSTATUS(status)) } else { Stop::Signal(libc::WTERMSIG(status)) }
  }
}

impl Drop for Tracee {
  fn drop(&mut self) {
    self.end();
  }
}

/// Why a victim no longer runs.
#[derive(Debug, PartialEq, Eq)]
enum Stop {
  /// Stopped or ended by it.
  Signal(c_int),
  /// It has ended itself.
  Exit(c_int),
}

fn be_the_victim(mark: &Mark, act: impl FnOnce()) -> ! {
  // SAFETY: the default action of SIGALRM is to end the process.
  unsafe { libc::alarm(WATCHDOG_SECONDS) };
  // SAFETY: asks to be traced by the parent; takes no arguments.
  if unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, ptr::null_mut::<u8>(), ptr::null_mut::<u8>()) } != 0 {
    let errno = io::Error::last_os_error().raw_os_error().unwrap_or(libc::EPERM);
    // SAFETY: ends this process, without the handlers that belong to its parent.
    unsafe { libc::_exit(errno) };
  }
  // SAFETY: a traced process that raises a signal stops.
  unsafe { libc::raise(libc::SIGSTOP) };
  let outcome = catch_unwind(AssertUnwindSafe(|| {
    // Exchanges and not stores: nothing of the operation is moved across either, not even by a compiler that inlines
    // it.
    mark.word().swap(WITHIN, Ordering::SeqCst);
    act();
    mark.word().swap(AFTER, Ordering::SeqCst);
  }));
  let status = match outcome {
    Ok(()) => 0,
    Err(panic) => {
      let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
      // Not by a macro: what those print is captured here, and lost.
      let _ = writeln!(io::stderr(), "the victim panicked: {}", message.unwrap_or("no message"));
      PANICKED
    }
  };
  // SAFETY: as above.
  unsafe { libc::_exit(status) };
}
