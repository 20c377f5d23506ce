//! The watchdog: a worker must not outlive its host, whatever either is doing.
//!
//! The watchdog is a thread that sleeps in `poll` until the host is gone and then kills the process, so it works in the
//! middle of a busy loop or a blocking call of the main thread. It watches two things, as neither covers all:
//!
//! - the lifeline hangs up when the host closes it or dies, on every system; but a process forked off by other code in
//!   the host holds a copy of the host's end;
//! - a pidfd of the host (Linux) tells of the host's death alone.
//!
//! At a hang-up the kernel does the same, on Linux: before the worker has started its watchdog, and for a worker that
//! is stopped. See [`kill_at_hangup`](crate::kill_at_hangup()). `PR_SET_PDEATHSIG` is no substitute: it follows the
//! thread that spawned the worker, not the process.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use rustix::process::{Signal, getpgrp, getpid, getppid, kill_process, kill_process_group};

#[cfg(target_os = "linux")]
use crate::fd::out_of_the_way;
use crate::fd::set_cloexec;
use crate::lifeline::hand_over;
use crate::signals::SignalsBlocked;
use crate::{Error, Result};

/// The thread calls `poll` and `kill`. Most of its stack is the thread-local storage of the libraries in the process.
const STACK: usize = 128 << 10;

/// Whose child this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartedBy {
  /// The host's.
  Host,
  /// Another process's, on behalf of the host; its death is no reason to end.
  Another,
}

/// Starts the watchdog of this worker: once `lifeline`, the worker's end of [`lifeline`](crate::lifeline()), hangs up
/// or the process `host_pid` dies, this process and its whole process group are killed. At once, if the parent should
/// be `host_pid` and is not: the host died before this call.
pub fn start_watchdog(lifeline: OwnedFd, host_pid: u32, started_by: StartedBy) -> Result<()> {
  set_cloexec(&lifeline)?;
  let host = open_host(host_pid)?;
  // The order matters: as long as `host_pid` is our parent, that process is alive or at least unreaped, so the pidfd
  // opened before cannot be of a stranger that got the same number. (Where somebody else is our parent, the lifeline
  // has to tell.)
  if started_by == StartedBy::Host
    && getppid().is_none_or(|parent| parent.as_raw_nonzero().get().unsigned_abs() != host_pid)
  {
    end_process();
  }
  // Signals are for the threads of Node; the mask is inherited by the thread.
  let _blocked = SignalsBlocked::new();
  let watch = move || {
    hand_over(lifeline.as_fd(), getpgrp() == getpid());
    watch(&lifeline, host.as_ref());
  };
  let thread = thread::Builder::new().name("millrace-watchdog".into()).stack_size(STACK).spawn(watch);
  thread.map(drop).map_err(|error: io::Error| Error::new("pthread_create", error))
}

/// A pidfd of the host; `None` where there are none, or none for a process that is gone already.
#[cfg(target_os = "linux")]
fn open_host(host_pid: u32) -> Result<Option<OwnedFd>> {
  use rustix::process::{Pid, PidfdFlags, pidfd_open};

  let Some(pid) = i32::try_from(host_pid).ok().and_then(Pid::from_raw) else { return Ok(None) };
  match pidfd_open(pid, PidfdFlags::empty()) {
    Ok(pidfd) => Ok(Some(out_of_the_way(pidfd))),
    // A filter of system calls may answer EPERM for one that it does not know.
    Err(Errno::SRCH | Errno::NOSYS | Errno::PERM) => Ok(None),
    Err(errno) => Err(Error::at("pidfd_open")(errno)),
  }
}

#[cfg(not(target_os = "linux"))]
fn open_host(_host_pid: u32) -> Result<Option<OwnedFd>> {
  Ok(None)
}

fn watch(lifeline: &OwnedFd, host: Option<&OwnedFd>) {
  loop {
    // macOS reports hang-up only to those who ask to read.
    let mut watched: Vec<_> =
      [Some(lifeline), host].into_iter().flatten().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    match poll(&mut watched, None) {
      Err(Errno::INTR | Errno::AGAIN | Errno::NOMEM) => continue,
      Err(_) => end_process(),
      Ok(_) => {}
    }
    let host_died = watched.get(1).is_some_and(|host| !host.revents().is_empty());
    let lifeline_stirred = !watched[0].revents().is_empty();
    if host_died || (lifeline_stirred && hung_up(lifeline)) {
      end_process();
    }
  }
}

/// Nothing is ever said on the lifeline; bytes that come all the same are swallowed.
fn hung_up(lifeline: &OwnedFd) -> bool {
  match recv(lifeline, &mut [0_u8; 64], RecvFlags::DONTWAIT) {
    Ok((_, length)) => length == 0,
    Err(Errno::AGAIN | Errno::INTR) => false,
    Err(_) => true,
  }
}

/// Ends this process and, if it leads its group, all that it has started there. (Else the group is that of someone
/// else, perhaps the user's shell.)
fn end_process() -> ! {
  let own = getpid();
  let _ = if getpgrp() == own { kill_process_group(own, Signal::KILL) } else { kill_process(own, Signal::KILL) };
  // The first process of a PID namespace survives its own SIGKILL, but not this.
  // SAFETY: `_exit` runs no code of this process.
  unsafe { libc::_exit(128 + libc::SIGKILL) }
}
