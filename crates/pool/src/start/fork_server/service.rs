//! A fork server as its own process sees it: connections, requests, children.

use std::io::{PipeWriter, Read, pipe};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use millrace_sys::{
  Capabilities, Child, Exit, Forked, Packets, Pollables, PollerKind, Received, StartedBy, WaitSet, activity, adopt_fd,
  exit_now, fork_with_heap, ignore_ending_signals, ignore_sigint, out_of_the_way, pidfd_of, reap,
};

use super::protocol::{MARK_FD, MAX_MESSAGE, ROOT_FD, SERVER_LIFELINE_FD, number_in, reply, request, with_number};
use crate::config::KILL_AFTER;
use crate::error::WorkerError;
use crate::fault::{Point, hits};
use crate::lane::ForkedWorker;

/// A request of a pool.
#[derive(Debug)]
pub enum ForkRequest {
  /// A worker.
  Fork(ForkedWorker),
  /// Nothing for now.
  Nothing,
  /// The host is gone, or sends what makes no sense.
  Closed,
}

/// Where a trial fork has led.
#[derive(Debug)]
pub enum Trial {
  /// This is the new process, which may write a report of at most [`MAX_REPORT`] bytes.
  Child(PipeWriter),
  /// The new process is over.
  Over {
    /// How it ended; `None`: not in time, and it was killed.
    exit: Option<Exit>,
    /// How long the server has waited for that.
    waited: Duration,
    /// What it has reported.
    report: Vec<u8>,
  },
}

/// Bytes of the report of a trial fork. A pipe has room for as many, so the new process need not wait for a reader.
pub const MAX_REPORT: usize = 4096;

/// How often the time limit of a trial fork begins anew while the machine does not let the fork run.
const MOST_STALLS: u32 = 6;

/// The processor time with which a trial fork would have come to its end.
const ENOUGH_CPU: Duration = Duration::from_secs(1);

/// The connection of one pool.
#[derive(Debug)]
struct Connection {
  packets: Packets,
  /// Children of which the pool has not said that they have ended.
  children: Vec<u32>,
}

/// This process as a server.
#[derive(Debug)]
pub struct ForkService {
  root: Packets,
  lifeline: OwnedFd,
  waits: WaitSet,
  /// By token. The place of a connection that has closed is free for the next.
  connections: Vec<Option<Connection>>,
  /// Children whose pools are gone.
  orphans: Vec<u32>,
  /// The last message to all, for those who connect later.
  said: Vec<u8>,
  /// The connection that asked for the worker that is to be forked.
  asking: usize,
}

const ROOT_TOKEN: u64 = u64::MAX;

/// How long a pool may leave a message unread, before it is taken for gone.
const PATIENCE: Duration = Duration::from_secs(5);

impl ForkService {
  /// Takes over the descriptors that this process was started with.
  ///
  /// # Safety
  /// The descriptors must be those that a pool passes to a fork server, and nothing else in this process may own them.
  ///
  /// # Errors
  /// When they are not open, or there are no descriptors left.
  pub unsafe fn attach() -> millrace_sys::Result<Self> {
    // SAFETY: passed on by the caller.
    let root = unsafe { adopt_fd(ROOT_FD) }?;
    // SAFETY: as above.
    let lifeline = unsafe { adopt_fd(SERVER_LIFELINE_FD) }?;
    // SAFETY: as above. The mark has told what it had to tell.
    drop(unsafe { adopt_fd(MARK_FD) }?);
    ignore_sigint();
    ignore_ending_signals();
    let root = Packets::from_fd(root);
    let mut waits = WaitSet::new(PollerKind::Epoll)?;
    waits.add(root.as_fd(), ROOT_TOKEN)?;
    let (connections, orphans, said) = (Vec::new(), Vec::new(), Vec::new());
    Ok(Self { root, lifeline, waits, connections, orphans, said, asking: 0 })
  }

  /// The descriptors to watch: readable when there is a request.
  pub fn pollables(&self) -> Pollables<'_> {
    self.waits.pollables()
  }

  /// The descriptors that connect this process, which no child keeps.
  pub fn descriptors(&self) -> Vec<RawFd> {
    let connections = self.connections.iter().flatten().map(|connection| connection.packets.as_fd());
    let own = [self.root.as_fd(), self.lifeline.as_fd()];
    own.into_iter().chain(connections).map(|fd| fd.as_raw_fd()).collect()
  }

  /// Tells the pools what this process is about to load. Also those that have connected meanwhile: a module may keep
  /// this process from its event loop.
  pub fn loading(&mut self, module: &str) {
    self.accept_all();
    self.say(reply::LOADING, module.as_bytes());
  }

  /// Tells the pools that this process takes requests, and whether a module did not load.
  pub fn ready(&mut self, is_incomplete: bool) {
    self.say(reply::READY, &[u8::from(is_incomplete)]);
  }

  /// Tells the pools that this process will never fork, and why, a line for each reason.
  pub fn refuse(&mut self, reasons: &str) {
    self.say(reply::REFUSED, reasons.as_bytes());
  }

  /// The next request. Children that have ended are reaped on the way.
  pub fn next_request(&mut self) -> ForkRequest {
    self.orphans.retain(|&pid| !reap(pid));
    let mut tokens = Vec::new();
    loop {
      if self.waits.wait(Some(Duration::ZERO), &mut tokens).is_err() {
        return ForkRequest::Closed;
      }
      let Some(&token) = tokens.first() else { return ForkRequest::Nothing };
      if token == ROOT_TOKEN {
        if !self.accept_all() {
          return ForkRequest::Closed;
        }
      } else if let Some(worker) = self.attend(token as usize) {
        return ForkRequest::Fork(worker);
      }
    }
  }

  /// Takes new connections. False: there will be no more.
  fn accept_all(&mut self) -> bool {
    let mut bytes = [0; 8];
    loop {
      let fd = match self.root.receive(&mut bytes) {
        Ok(Received::Message(1, fds)) if bytes[0] == request::CONNECT => fds.into_iter().next(),
        Ok(Received::Nothing) => return true,
        _ => return false,
      };
      let Some(fd) = fd else { return false };
      self.accept(Packets::from_fd(out_of_the_way(fd)));
    }
  }

  /// Takes a connection, and tells the pool how far this process has come.
  fn accept(&mut self, packets: Packets) {
    let index = self.connections.iter().position(Option::is_none).unwrap_or(self.connections.len());
    if self.waits.add(packets.as_fd(), index as u64).is_err() {
      // The pool sees that the connection has closed.
      return;
    }
    if !self.said.is_empty() {
      tell(&packets, &self.said);
    }
    let connection = Some(Connection { packets, children: Vec::new() });
    if index == self.connections.len() {
      self.connections.push(connection);
    } else {
      self.connections[index] = connection;
    }
  }

  /// Reads a message of a pool: the worker that the pool wants, if it wants one.
  fn attend(&mut self, index: usize) -> Option<ForkedWorker> {
    let mut bytes = [0; 256];
    let connection = self.connections.get_mut(index)?.as_mut()?;
    if let Ok(Received::Message(length, fds)) = connection.packets.receive(&mut bytes) {
      match bytes[..length].split_first() {
        Some((&request::REAP, body)) => {
          let pid = number_in(body)?;
          connection.children.retain(|&child| child != pid);
          reap(pid);
          return None;
        }
        Some((&request::FORK, argument)) => {
          if let Ok(worker) = worker_of(argument, fds) {
            self.asking = index;
            return Some(worker);
          }
        }
        _ => {}
      }
    }
    // The pool is gone, or sends what makes no sense.
    if let Some(Connection { packets, children }) = self.connections[index].take() {
      let _ = self.waits.remove(packets.as_fd(), index as u64);
      self.orphans.extend(children);
    }
    None
  }

  /// Forks. The new process gets the worker that it is, and must drop this value; the server gets nothing.
  ///
  /// # Safety
  /// As for [`fork_with_heap`].
  pub unsafe fn fork(&mut self, worker: ForkedWorker) -> Option<ForkedWorker> {
    // SAFETY: passed on by the caller.
    match unsafe { fork_with_heap() } {
      Ok(Forked::Child) => return Some(worker),
      Ok(Forked::Parent(pid)) => {
        match &mut self.connections[self.asking] {
          Some(connection) => connection.children.push(pid),
          None => self.orphans.push(pid),
        }
        match pidfd_of(pid) {
          Ok(pidfd) => self.reply(&with_number(reply::FORKED, pid), &[pidfd.as_fd()]),
          // The worker sees that nobody holds its lifeline.
          Err(error) => self.failed(&error),
        }
      }
      Err(error) => self.failed(&error),
    }
    None
  }

  /// A trial fork: shows whether a fork of this process can do anything. Waits for its end, at most for `timeout`, and
  /// for longer while the fork waits for a processor or a disk.
  ///
  /// # Safety
  /// As for [`fork_with_heap`].
  ///
  /// # Errors
  /// When there can be no other process now.
  pub unsafe fn try_fork(&self, timeout: Duration) -> millrace_sys::Result<Trial> {
    let sentinel = Capabilities::get()?.sentinel;
    let (reader, writer) = pipe().map_err(|error| millrace_sys::Error::new("pipe2", error))?;
    // SAFETY: passed on by the caller.
    match unsafe { fork_with_heap() }? {
      Forked::Child => {
        if hits(Point::ForkTrial) {
          exit_now(1);
        }
        Ok(Trial::Child(writer))
      }
      Forked::Parent(pid) => {
        let mut child = Child::forked_here(pid, sentinel)?;
        let start = Instant::now();
        let mut exit = child.wait_timeout(timeout)?;
        for _ in 0..MOST_STALLS {
          if exit.is_some() || !is_stalled(pid) {
            break;
          }
          exit = child.wait_timeout(timeout)?;
        }
        let waited = start.elapsed();
        if exit.is_none() {
          child.signal_group(libc::SIGKILL)?;
          child.wait_timeout(KILL_AFTER)?;
        }
        // Whoever has the other end has ended: what is in the pipe is all that there is.
        drop(writer);
        let mut report = Vec::new();
        if exit.is_some() {
          reader
            .take(MAX_REPORT as u64)
            .read_to_end(&mut report)
            .map_err(|error| millrace_sys::Error::new("read", error))?;
        }
        Ok(Trial::Over { exit, waited, report })
      }
    }
  }

  fn failed(&self, error: &millrace_sys::Error) {
    self.reply(&with_number(reply::FAILED, error.errno().unwrap_or(0).unsigned_abs()), &[]);
  }

  /// Tells all pools, those too that connect later. What is longer than a message is cut.
  fn say(&mut self, kind: u8, body: &[u8]) {
    self.said = vec![kind];
    self.said.extend(body.iter().take(MAX_MESSAGE - 1));
    for Connection { packets, .. } in self.connections.iter().flatten() {
      tell(packets, &self.said);
    }
  }

  /// Answers the pool that asked. A pool that is gone, or does not listen, needs no answer.
  fn reply(&self, message: &[u8], fds: &[BorrowedFd<'_>]) {
    if let Some(Connection { packets, .. }) = &self.connections[self.asking] {
      let _ = packets.send(message, fds);
    }
  }
}

/// Whether a trial fork could have gone on, and the machine did not let it. One that lacks something sleeps, or turns
/// round and round.
fn is_stalled(pid: u32) -> bool {
  activity(pid).is_some_and(|activity| activity.wants_to_run && activity.cpu < ENOUGH_CPU)
}

/// Sends a message that a pool waits for, and tries again for as long as the pool may be slow to read.
fn tell(packets: &Packets, message: &[u8]) {
  let until = Instant::now() + PATIENCE;
  while let Err(error) = packets.send(message, &[])
    && error.errno() == Some(libc::EAGAIN)
    && Instant::now() < until
  {
    std::thread::sleep(Duration::from_millis(1));
  }
}

fn worker_of(argument: &[u8], fds: Vec<OwnedFd>) -> Result<ForkedWorker, WorkerError> {
  let argument = std::str::from_utf8(argument).map_err(|_| WorkerError::Argument)?.parse()?;
  Ok(ForkedWorker { argument, descriptors: fds.try_into()?, started_by: StartedBy::Another })
}
