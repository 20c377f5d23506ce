//! The server's side.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use millrace_sys::{
  Capabilities, Child, Exit, Forked, Packets, Received, StartedBy, adopt_fd, exit_now, fork_with_heap, ignore_sigint,
  pidfd_of, reap,
};

use super::protocol::{CONTROL_FD, MAX_MESSAGE, SERVER_LIFELINE_FD, number_in, reply, request, with_number};
use crate::config::KILL_AFTER;
use crate::fault::{Point, hits};
use crate::worker::{LaneArgument, LaneDescriptors, WorkerError};

/// What a server was asked for.
#[derive(Debug)]
pub enum ForkRequest {
  /// A worker.
  Fork(ForkedWorker),
  /// Nothing so far.
  Nothing,
  /// The host is gone, or says what makes no sense.
  Closed,
}

/// A worker to be, or that this process has become.
#[derive(Debug)]
pub struct ForkedWorker {
  /// Its lane.
  pub argument: LaneArgument,
  /// What it takes over.
  pub descriptors: LaneDescriptors,
  /// Whose child it is.
  pub started_by: StartedBy,
}

/// Where a fork has led that is no worker.
#[derive(Debug)]
pub enum Trial {
  /// This is the new process.
  Child,
  /// It has ended so, or had not ended in time and was killed.
  Over(Option<Exit>),
}

/// This process as a server.
#[derive(Debug)]
pub struct ForkService {
  control: Packets,
  _lifeline: OwnedFd,
}

impl ForkService {
  /// Takes over the descriptors that this process was started with.
  ///
  /// # Safety
  /// They must be those that a pool passes to a fork server, and nothing else in this process may own them.
  ///
  /// # Errors
  /// When they are not open.
  pub unsafe fn attach() -> millrace_sys::Result<Self> {
    // SAFETY: passed on by the caller.
    let control = unsafe { adopt_fd(CONTROL_FD) }?;
    // SAFETY: as above.
    let lifeline = unsafe { adopt_fd(SERVER_LIFELINE_FD) }?;
    ignore_sigint();
    Ok(Self { control: Packets::from_fd(control), _lifeline: lifeline })
  }

  /// Readable when there is a request.
  pub fn control(&self) -> BorrowedFd<'_> {
    self.control.as_fd()
  }

  /// Tells the host what this process is about to load.
  pub fn loading(&self, module: &str) {
    self.say(reply::LOADING, module);
  }

  /// Tells it that this process takes requests, and whether a module did not load.
  pub fn ready(&self, is_incomplete: bool) {
    self.reply(&[reply::READY, u8::from(is_incomplete)], &[]);
  }

  /// Tells it that this process never will, and why, a line for each reason.
  pub fn refuse(&self, reasons: &str) {
    self.say(reply::REFUSED, reasons);
  }

  /// The next request. What the host has seen the end of is reaped on the way.
  pub fn next_request(&self) -> ForkRequest {
    let mut bytes = [0; 256];
    loop {
      match self.control.receive(&mut bytes) {
        Ok(Received::Message(length, fds)) => match bytes[..length].split_first() {
          Some((&request::REAP, body)) => number_in(body).into_iter().for_each(reap),
          Some((&request::FORK, argument)) => {
            return worker_of(argument, fds).map_or(ForkRequest::Closed, ForkRequest::Fork);
          }
          _ => return ForkRequest::Closed,
        },
        Ok(Received::Nothing) => return ForkRequest::Nothing,
        Ok(Received::Closed) | Err(_) => return ForkRequest::Closed,
      }
    }
  }

  /// Forks. In the new process, that worker is returned, and this must be dropped; in the server nothing.
  ///
  /// # Safety
  /// As for [`fork_with_heap`].
  pub unsafe fn fork(&self, worker: ForkedWorker) -> Option<ForkedWorker> {
    // SAFETY: passed on by the caller.
    match unsafe { fork_with_heap() } {
      Ok(Forked::Child) => return Some(worker),
      Ok(Forked::Parent(pid)) => match pidfd_of(pid) {
        Ok(pidfd) => self.reply(&with_number(reply::FORKED, pid), &[pidfd.as_fd()]),
        // The worker sees that nobody holds its lifeline.
        Err(error) => self.failed(&error),
      },
      Err(error) => self.failed(&error),
    }
    None
  }

  /// Forks a process that is no worker, to see whether it can do anything, and waits for its end, at most for `timeout`.
  ///
  /// # Safety
  /// As for [`fork_with_heap`].
  ///
  /// # Errors
  /// When there can be no other process now.
  pub unsafe fn try_fork(&self, timeout: Duration) -> millrace_sys::Result<Trial> {
    let sentinel = Capabilities::get()?.sentinel;
    // SAFETY: passed on by the caller.
    match unsafe { fork_with_heap() }? {
      Forked::Child => {
        if hits(Point::ForkTrial) {
          exit_now(1);
        }
        Ok(Trial::Child)
      }
      Forked::Parent(pid) => {
        let mut child = Child::forked_here(pid, sentinel)?;
        let exit = child.wait_timeout(timeout)?;
        if exit.is_none() {
          child.signal_group(libc::SIGKILL)?;
          child.wait_timeout(KILL_AFTER)?;
        }
        Ok(Trial::Over(exit))
      }
    }
  }

  fn failed(&self, error: &millrace_sys::Error) {
    self.reply(&with_number(reply::FAILED, error.errno().unwrap_or(0).unsigned_abs()), &[]);
  }

  fn say(&self, kind: u8, text: &str) {
    let mut message = vec![kind];
    message.extend(text.bytes().take(MAX_MESSAGE - 1));
    self.reply(&message, &[]);
  }

  /// A host that is gone, or does not listen, needs no answer: the kernel ends this process with it.
  fn reply(&self, message: &[u8], fds: &[BorrowedFd<'_>]) {
    let _ = self.control.send(message, fds);
  }
}

fn worker_of(argument: &[u8], fds: Vec<OwnedFd>) -> Result<ForkedWorker, WorkerError> {
  let argument = std::str::from_utf8(argument).map_err(|_| WorkerError::Argument)?.parse()?;
  Ok(ForkedWorker { argument, descriptors: fds.try_into()?, started_by: StartedBy::Another })
}
