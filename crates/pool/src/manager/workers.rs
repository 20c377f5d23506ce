//! Workers that come: when a worker is started, and how it becomes one of the pool.

use std::time::Instant;

use super::Manager;
use super::starts::Replacement;
use crate::config::KILL_AFTER;
use crate::error::SpawnFailure;
use crate::event::{CallFailure, Event};
use crate::lane::{Lane, PreparedLane};
use crate::start::{ForkError, launch};

impl Manager {
  /// Starts a worker in a free place, instead of the first one owed if there is any. False: the fork server is
  /// not ready, or was asked for the worker now. A round follows when it has something to say.
  pub(super) fn start_worker(&mut self, now: Instant) -> Result<bool, SpawnFailure> {
    if !self.can_start(now)? {
      return Ok(false);
    }
    let prepared = self.prepare_lane()?;
    if let Some(server) = self.starter.server_mut() {
      match launch::ask(&prepared, server, now) {
        Ok(()) => self.starter.await_fork(prepared),
        Err(ForkError::Failed(failure)) => return Err(failure),
        Err(ForkError::Gone) => self.wake_again(),
      }
      return Ok(false);
    }
    let child = launch::spawn(&prepared, &self.config.command, self.capabilities)?;
    self.add_lane(Lane::new(prepared, child, &self.config, now)).map(|()| true)
  }

  /// The lane of the next worker.
  pub(super) fn prepare_lane(&self) -> Result<PreparedLane, SpawnFailure> {
    PreparedLane::new(&self.config, self.capabilities, self.starts.next_worker_id(), self.definitions.boot())
  }

  /// Takes a worker in that was just started.
  pub(super) fn add_lane(&mut self, lane: Lane) -> Result<(), SpawnFailure> {
    let index = self.lanes.vacancy();
    if let Err(error) = self.watch.add_lane(index, &lane) {
      lane.discard();
      return Err(error.into());
    }
    let (pid, worker_id) = (lane.pid(), lane.worker_id());
    if self.lanes.live() == 0 {
      self.oom_victims.forget_others();
    }
    self.lanes.insert(index, lane);
    self.events.push_back(Event::WorkerStart { pid, worker_id });
    if let Some(Replacement { old_pid, reason }) = self.starts.started() {
      self.events.push_back(Event::WorkerReplace { old_pid, new_pid: pid, reason });
    }
    Ok(())
  }

  /// Whether the pool may have one more worker.
  pub(super) fn has_vacancy(&self) -> bool {
    self.lanes.live() < self.config.max_workers as usize
  }

  /// Starts as many workers as the pool may have, or none: if a start fails, the workers before it are killed. A fork
  /// server is started, and forks the workers when it is ready: nobody waits for that. A pool whose process forks the
  /// workers itself starts none here ([`Manager::fork_next`]).
  ///
  /// # Errors
  /// Why a worker could not be started. The pool can only be dropped then.
  pub fn start_all(&mut self) -> Result<(), SpawnFailure> {
    let now = Instant::now();
    while self.replaces() && self.has_vacancy() && self.lifecycle.is_running() {
      match self.start_worker(now) {
        Ok(true) => {}
        Ok(false) => break,
        Err(failure) => {
          self.kill_now(KILL_AFTER);
          self.drop_server();
          return Err(failure);
        }
      }
    }
    // The owner has to hear of the start, though nothing else may happen for long.
    self.wake_again();
    Ok(())
  }

  /// Starts a worker if one more waiting call justifies it: no worker is idle, the pool is not at its full size, and
  /// fewer workers are starting than calls would wait.
  pub(super) fn start_for_one_more(&mut self, now: Instant) -> Result<(), SpawnFailure> {
    if !self.has_vacancy() || !self.replaces() || self.lanes.booting() > self.waiting() {
      return Ok(());
    }
    // Whoever submits hears at once whether a worker can be started now.
    let is_alone = self.lanes.live() == 0;
    if self.starts.is_paused(now) && !(is_alone && self.starts.has_failed()) {
      // The owner has to come back when the pause is over: with no worker alive nobody else would remind it.
      self.wake_again();
      return Ok(());
    }
    match self.start_worker(now) {
      Err(failure) if is_alone => return Err(failure),
      Err(failure) => self.note_spawn_failure(failure, now),
      Ok(_) => {}
    }
    // The owner has to hear of the start, though nothing else may happen for long.
    self.wake_again();
    Ok(())
  }

  /// Starts the workers that the pool owes for others, or that waiting calls need because too few are left.
  pub(super) fn start_owed(&mut self, now: Instant) {
    if self.lifecycle.is_broken() {
      return;
    }
    if self.lifecycle.is_closing() && self.pending.is_empty() {
      self.starts.forgive();
    }
    self.starts.forget_pause(now);
    while self.has_vacancy() {
      // A call that is queued behind another one goes to the idle worker.
      let waiting = if self.lanes.has_idle() { self.pending.len() } else { self.waiting() };
      let wanted = self.starts.owed().max(waiting.saturating_sub(self.lanes.booting()));
      if (wanted == 0 && !self.fills_up()) || self.starts.not_before().is_some() {
        return;
      }
      match self.start_worker(now) {
        Ok(true) => {}
        Ok(false) => return,
        Err(failure) => return self.note_spawn_failure(failure, now),
      }
    }
  }

  /// Whether a free place is filled though nothing needs the worker.
  pub(super) fn fills_up(&self) -> bool {
    self.config.keep_full && self.lifecycle.is_running() && !self.starts.is_dismissed()
  }

  /// A worker could not be started. With others alive the pool goes on with fewer. With none, the pending calls fail;
  /// for want of something that the owner may get back they wait for one more attempt, after a pause.
  pub(super) fn note_spawn_failure(&mut self, failure: SpawnFailure, now: Instant) {
    let SpawnFailure { syscall, errno } = failure;
    let shortage = [libc::EMFILE, libc::ENFILE, libc::EAGAIN, libc::ENOMEM, libc::ENOSPC];
    // This process makes all of its own forks at once, or never.
    let is_first = self.replaces() && !self.starts.has_failed() && errno.is_some_and(|errno| shortage.contains(&errno));
    self.starts.note_failure(now);
    if is_first || self.lanes.live() > 0 {
      self.events.push_back(Event::SpawnFailed { syscall, errno });
      return;
    }
    self.starts.forgive();
    for id in self.pending.take_all(&self.calls) {
      self.calls.fail(id);
      self.events.push_back(Event::CallFailed { id, failure: CallFailure::Spawn { syscall, errno } });
    }
  }
}
