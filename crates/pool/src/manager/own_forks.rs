//! Workers that this process forks from itself.
//!
//! By Python's rules: all of them at one moment, before the pool has a thread, and none ever after. A fork leaves
//! everything behind that it got of any pool: a worker that held another worker's lifeline would keep that worker
//! alive.

use std::time::Instant;

use millrace_sys::{Child, Forked, fork_with_heap};

use super::Manager;
use crate::config::StartMethod;
use crate::error::SpawnFailure;
use crate::event::{BreakCause, Death};
use crate::lane::{ForkedWorker, Lane};
use crate::start::{Starter, launch};

/// Where a fork of this process has led.
#[derive(Debug)]
pub enum OwnFork {
  /// One more worker is there.
  Worker,
  /// There will be no more.
  Last,
  /// This is the new process, which has to become that worker. Nothing of the pool is its own.
  Child(ForkedWorker),
}

impl Manager {
  /// Whether the workers are still to be forked from this process. Until then the pool must have no thread.
  pub fn awaits_forks(&self) -> bool {
    self.config.start_method == StartMethod::Fork && !self.starter.has_forked_all()
  }

  /// Forks the next worker from this process. To be called until it returns [`OwnFork::Last`].
  ///
  /// # Safety
  /// As for [`fork_with_heap`]. The child must do nothing with any pool but [`Manager::leave_behind`].
  pub unsafe fn fork_next(&mut self) -> OwnFork {
    let needs_workers = self.lifecycle.is_running() || (self.lifecycle.is_closing() && self.calls.len() > 0);
    if !self.awaits_forks() || !needs_workers || !self.has_vacancy() {
      return self.forked_all();
    }
    // SAFETY: passed on by the caller.
    match unsafe { self.fork_one() } {
      Ok(None) => OwnFork::Worker,
      Ok(Some(worker)) => OwnFork::Child(worker),
      Err(failure) => {
        self.note_spawn_failure(failure, Instant::now());
        let last = self.forked_all();
        self.break_if_forsaken(None, Vec::new());
        last
      }
    }
  }

  fn forked_all(&mut self) -> OwnFork {
    self.starter.note_forked_all();
    // The owner has to hear of the starts, though nothing else may happen for long.
    self.wake_again();
    OwnFork::Last
  }

  /// # Safety
  /// As for [`Manager::fork_next`].
  unsafe fn fork_one(&mut self) -> Result<Option<ForkedWorker>, SpawnFailure> {
    let prepared = self.prepare_lane()?;
    let worker = launch::for_own_fork(&prepared)?;
    // SAFETY: passed on by the caller.
    let Forked::Parent(pid) = (unsafe { fork_with_heap() })? else { return Ok(Some(worker)) };
    let child = prepared.watched_over(Child::forked_here(pid, self.capabilities.sentinel)?);
    self.add_lane(Lane::new(prepared, child, &self.config, Instant::now()))?;
    Ok(None)
  }

  /// In a process that was forked from this one's: closes all that the pool holds, and touches nothing that is shared.
  pub fn leave_behind(&mut self) {
    self.lanes.clear();
    self.starter = Starter::default();
    self.watch.leave_behind();
    self.forget_calls();
    self.events.clear();
    self.lifecycle.break_off();
    self.lifecycle.stop();
  }

  /// Whether the pool has no worker and will never have one.
  pub(super) fn is_forsaken(&self) -> bool {
    self.lanes.live() == 0 && self.starter.has_forked_all() && !self.lifecycle.is_broken()
  }

  /// Breaks a pool that needs a worker and can have none.
  pub(super) fn break_if_forsaken(&mut self, cause: Option<BreakCause>, deaths: Vec<Death>) {
    let is_needed = self.calls.len() > 0 || (self.lifecycle.is_running() && !self.starts.is_dismissed());
    if self.is_forsaken() && is_needed {
      self.break_pool(cause.unwrap_or(BreakCause::NoneLeft), deaths);
    }
  }

  /// Breaks a pool whose process cannot be forked, for these reasons, a line each.
  pub fn refuse_forks(&mut self, reasons: String) {
    if !self.lifecycle.is_broken() {
      self.starter.note_forked_all();
      self.break_pool(BreakCause::ForkUnsafe(reasons), Vec::new());
      self.wake_again();
    }
  }

  /// Whether a worker that leaves may have a successor.
  pub(super) fn replaces(&self) -> bool {
    self.config.start_method != StartMethod::Fork
  }
}
