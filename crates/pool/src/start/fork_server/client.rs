//! A pool's connection to its fork server.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_sys::{Capabilities, Child, Packets, Received};

use super::process::ServerProcess;
use super::protocol::{MAX_MESSAGE, number_in, reply, request, with_number};
use crate::config::WorkerCommand;
use crate::error::SpawnFailure;
use crate::event::ServerFailure;
use crate::lane::LaneArgument;

/// How long a fork may take. A server that takes longer does nothing any more.
const FORK_TIMEOUT: Duration = Duration::from_secs(5);

/// How far a server has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Readiness {
  /// The server loads its modules.
  Booting,
  /// The server forks.
  Ready,
  /// The server will never fork: its process is not fit for that, for these reasons, a line each.
  Refused(String),
  /// The server has ended, or sends what makes no sense.
  Gone,
}

/// Why a server has not forked.
#[derive(Debug)]
pub(crate) enum ForkError {
  /// The system refused.
  Failed(SpawnFailure),
  /// The server has ended, or does nothing any more. Another server may fork.
  Gone,
}

impl From<SpawnFailure> for ForkError {
  fn from(failure: SpawnFailure) -> Self {
    Self::Failed(failure)
  }
}

impl From<millrace_sys::Error> for ForkError {
  fn from(error: millrace_sys::Error) -> Self {
    Self::Failed(error.into())
  }
}

/// A connection to a running server, which ends when the last pool has dropped its connection.
#[derive(Debug)]
pub(crate) struct ForkServer {
  process: Arc<ServerProcess>,
  control: Arc<Packets>,
  readiness: Readiness,
  /// The server has to be ready by then.
  deadline: Instant,
  /// A fork was asked for, and has to be answered by then.
  asked: Option<Instant>,
  /// The answer that was read and not taken yet.
  answer: Option<Result<Child, ForkError>>,
  /// How far the server has come with its modules, and whether it took too long.
  boot: ServerFailure,
  /// A module did not load: the module does not load in any process either that this server forks.
  is_incomplete: bool,
  /// The server is incomplete, and a process that it has forked did not boot. The module is read again only in another
  /// server.
  is_spent: bool,
}

impl ForkServer {
  /// Starts a server, or uses one of another pool with the same options. The server is not ready before
  /// [`ForkServer::look`] says so. `arguments` are those of the program that `command` names.
  pub(crate) fn start(
    command: &WorkerCommand,
    arguments: &[OsString],
    capabilities: &Capabilities,
    deadline: Instant,
  ) -> Result<Self, SpawnFailure> {
    let (process, control) = ServerProcess::connect(command, arguments, capabilities)?;
    Ok(Self {
      process,
      control: Arc::new(control),
      readiness: Readiness::Booting,
      deadline,
      asked: None,
      answer: None,
      boot: ServerFailure { timed_out: false, loading: String::new() },
      is_incomplete: false,
      is_spent: false,
    })
  }

  /// Readable when the server has something to say, or has ended.
  pub(crate) fn control(&self) -> BorrowedFd<'_> {
    self.control.as_fd()
  }

  /// When the server has to be ready, or to have answered; `None` if nothing is waited for.
  pub(crate) fn deadline(&self) -> Option<Instant> {
    match self.readiness {
      Readiness::Booting => Some(self.deadline),
      _ => self.asked,
    }
  }

  /// How far the server had come at the last look.
  pub(crate) fn readiness(&self) -> &Readiness {
    &self.readiness
  }

  /// Reads what the server has said by now. How far it has come.
  pub(crate) fn look(&mut self, now: Instant) -> &Readiness {
    let mut bytes = vec![0; MAX_MESSAGE];
    match self.control.receive(&mut bytes) {
      Ok(Received::Nothing) if self.readiness == Readiness::Booting && self.deadline <= now => {
        self.boot.timed_out = true;
        self.readiness = Readiness::Gone;
      }
      Ok(Received::Nothing) if self.asked.is_some_and(|until| until <= now) => self.readiness = Readiness::Gone,
      Ok(Received::Nothing) => {}
      Ok(Received::Message(length, fds)) if self.asked.take().is_some() => match self.answered(&bytes[..length], fds) {
        Err(ForkError::Gone) => self.readiness = Readiness::Gone,
        answer => self.answer = Some(answer),
      },
      Ok(Received::Message(length, _)) => self.told(&bytes[..length]),
      Ok(Received::Closed) | Err(_) => self.readiness = Readiness::Gone,
    }
    &self.readiness
  }

  fn told(&mut self, message: &[u8]) {
    self.readiness = match (&self.readiness, message.split_first()) {
      (Readiness::Booting, Some((&reply::LOADING, module))) => {
        self.boot.loading = String::from_utf8_lossy(module).into();
        return;
      }
      (Readiness::Booting, Some((&reply::READY, body))) => {
        self.is_incomplete = body == [1];
        self.boot.loading.clear();
        Readiness::Ready
      }
      (Readiness::Booting, Some((&reply::REFUSED, why))) => Readiness::Refused(String::from_utf8_lossy(why).into()),
      _ => Readiness::Gone,
    };
  }

  /// Why a server is gone that never was ready; `None` if its modules are not to blame.
  pub(crate) fn boot_failure(&self) -> Option<ServerFailure> {
    (self.boot.timed_out || !self.boot.loading.is_empty()).then(|| self.boot.clone())
  }

  /// Whether no process that this server forks would boot.
  pub(crate) fn is_spent(&self) -> bool {
    self.is_spent
  }

  /// Whether forks of this server would have another user or other groups than this process.
  pub(crate) fn is_of_others(&self) -> bool {
    self.process.is_of_others()
  }

  /// A process that this server has forked did not boot.
  pub(crate) fn note_failed_start(&mut self) {
    self.is_spent |= self.is_incomplete;
  }

  /// Asks the server to fork a worker that takes the descriptors over. The answer comes within some milliseconds, and
  /// is read by [`ForkServer::look`].
  pub(crate) fn ask(&mut self, argument: &LaneArgument, fds: &[BorrowedFd<'_>], now: Instant) -> Result<(), ForkError> {
    let mut message = vec![request::FORK];
    message.extend(argument.to_string().bytes());
    if self.control.send(&message, fds).is_err() {
      self.readiness = Readiness::Gone;
      return Err(ForkError::Gone);
    }
    self.asked = Some(now + FORK_TIMEOUT);
    Ok(())
  }

  /// Whether a fork was asked for of which the answer has not been taken.
  pub(crate) fn is_forking(&self) -> bool {
    self.asked.is_some() || self.answer.is_some()
  }

  /// The answer to the last [`ForkServer::ask`], once it is there.
  pub(crate) fn take_answer(&mut self) -> Option<Result<Child, ForkError>> {
    self.answer.take()
  }

  fn answered(&self, message: &[u8], fds: Vec<OwnedFd>) -> Result<Child, ForkError> {
    let (kind, body) = message.split_first().ok_or(ForkError::Gone)?;
    let number = number_in(body).ok_or(ForkError::Gone)?;
    match (*kind, fds.into_iter().next()) {
      (reply::FORKED, Some(pidfd)) => {
        let control = Arc::clone(&self.control);
        // A server that is gone has left its children to init.
        let release = move || drop(control.send(&with_number(request::REAP, number), &[]));
        Child::forked(number, pidfd, self.process.pid(), Box::new(release)).map_err(|_| ForkError::Gone)
      }
      (reply::FAILED, _) => {
        Err(ForkError::Failed(SpawnFailure { syscall: "fork", errno: i32::try_from(number).ok().filter(|&n| n != 0) }))
      }
      _ => Err(ForkError::Gone),
    }
  }
}

impl Drop for ForkServer {
  fn drop(&mut self) {
    if self.readiness == Readiness::Gone || self.is_spent {
      self.process.give_up();
    }
  }
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
mod tests;
