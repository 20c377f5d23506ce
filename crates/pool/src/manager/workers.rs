//! Workers come and go: starts, ends, and what an end means for the calls and for the pool.

use std::os::fd::AsFd;
use std::time::Instant;

use millrace_sys::Exit;

use millrace_ring::Reclaimed;

use super::round::token;
use super::{Manager, Replacement};
use crate::calls::{Outcome, Payload, Place};
use crate::completion::CallId;
use crate::config::{KILL_AFTER, MAX_FAILED_STARTS, START_BACKOFF};
use crate::error::SpawnFailure;
use crate::event::{BreakCause, CallFailure, Death, Event, ExitReason, PoolState};
use crate::lane::PreparedLane;
use crate::lane::{Lane, Life};
use crate::start::ForkError;
use crate::start::launch;

/// What is left of a worker that has ended.
struct Remains {
  worker_id: u32,
  pid: u32,
  exit: Exit,
  reason: ExitReason,
  started_at: Instant,
  /// Calls that it had claimed: they may have had an effect, so they are repeated only if their owner asked for it.
  lost: Vec<CallId>,
  /// It ended without having claimed a single call.
  unused: bool,
  corrupt: Option<&'static str>,
  out_of_memory: Option<bool>,
  boot_failure: Option<BreakCause>,
}

impl Remains {
  fn death(&self) -> Death {
    Death {
      pid: self.pid,
      exit: self.exit,
      call: self.lost.first().copied(),
      corrupt: self.corrupt,
      out_of_memory: self.out_of_memory,
    }
  }
}

impl Manager {
  /// Starts a worker in a free place. The first one owed for a worker that left, if there is any. False: it cannot be
  /// started before the server that forks it is there, and a round follows when it is.
  pub(crate) fn start_worker(&mut self, now: Instant) -> Result<bool, SpawnFailure> {
    if !self.can_start(now)? {
      return Ok(false);
    }
    let prepared = self.prepare_lane()?;
    let child = match self.starter.server_mut() {
      None => launch::spawn(&prepared, &self.config.command, self.capabilities)?,
      Some(server) => match launch::fork_by(&prepared, server) {
        Ok(child) => child,
        Err(ForkError::Failed(failure)) => return Err(failure),
        Err(ForkError::Gone) => {
          self.wake_again();
          return Ok(false);
        }
      },
    };
    self.starter.forked();
    self.add_lane(Lane::of(prepared, child, &self.config, now)).map(|()| true)
  }

  /// The lane of the next worker.
  pub(crate) fn prepare_lane(&self) -> Result<PreparedLane, SpawnFailure> {
    PreparedLane::new(&self.config, self.capabilities, self.next_worker_id, self.boot_codec, &self.boot)
  }

  /// Takes a worker in that was just started.
  pub(crate) fn add_lane(&mut self, lane: Lane) -> Result<(), SpawnFailure> {
    let index = self.lanes.iter().position(Option::is_none).unwrap_or(self.lanes.len());
    if let Err(error) = self.watch(&lane, index) {
      lane.discard();
      return Err(error.into());
    }
    let (pid, worker_id) = (lane.child.pid(), lane.worker_id);
    if index == self.lanes.len() {
      self.lanes.push(Some(lane));
    } else {
      self.lanes[index] = Some(lane);
    }
    self.next_worker_id += 1;
    self.spawn_failed = false;
    if self.live == 0 {
      self.oom_victims.forget_others();
    }
    self.live += 1;
    self.events.push_back(Event::WorkerStart { pid, worker_id });
    if let Some(Replacement { old_pid, reason }) = self.owed.pop_front() {
      self.restarts += 1;
      self.events.push_back(Event::WorkerReplace { old_pid, new_pid: pid, reason });
    }
    Ok(())
  }

  /// Starts as many workers as the pool may have, or none: those that were started are gone again when one cannot be. Those that
  /// this process is to fork itself are left to [`Manager::fork_next`].
  ///
  /// # Errors
  /// Why that one could not be started. The pool can only be dropped then.
  pub fn start_all(&mut self) -> Result<(), SpawnFailure> {
    let now = Instant::now();
    while self.replaces() && self.live < self.config.max_workers as usize && self.state == PoolState::Running {
      match self.start_worker(now) {
        Ok(true) => {}
        Ok(false) => self.await_server(),
        Err(failure) => {
          self.kill_now(KILL_AFTER);
          self.drop_server();
          return Err(failure);
        }
      }
    }
    // The owner has to hear of it, though nothing else may happen for long.
    self.wake_again();
    Ok(())
  }

  fn watch(&mut self, lane: &Lane, index: usize) -> millrace_sys::Result<()> {
    let bell = token(index, lane.worker_id, false);
    self.waits.add(lane.result_bell().as_fd(), bell)?;
    self.waits.add(lane.sentinel(), token(index, lane.worker_id, true)).inspect_err(|_| {
      let _ = self.waits.remove(lane.result_bell().as_fd(), bell);
    })
  }

  /// Starts the workers that the pool owes for others, or that waiting calls need because too few are left.
  pub(crate) fn start_owed(&mut self, now: Instant) {
    if self.state == PoolState::Broken {
      return;
    }
    if self.state == PoolState::Closing && self.pending.is_empty() {
      self.owed.clear();
    }
    // A pause that is over is no deadline any more.
    self.start_after = self.start_after.filter(|&at| at > now);
    while self.live < self.config.max_workers as usize {
      let starting = self.living().filter(|(_, lane)| !lane.has_booted()).count();
      // What is queued behind another call while a worker is idle goes to that one.
      let idle = self.living().any(|(_, lane)| lane.is_idle());
      let waiting = if idle { self.pending.len() } else { self.waiting() };
      let wanted = self.owed.len().max(waiting.saturating_sub(starting));
      if (wanted == 0 && !self.fills_up()) || self.start_after.is_some() {
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
  pub(crate) fn fills_up(&self) -> bool {
    self.config.keep_full && self.state == PoolState::Running && !self.dismissed
  }

  /// A worker could not be started. With others alive that is less capacity; with none it fails what waits.
  pub(crate) fn note_spawn_failure(&mut self, failure: SpawnFailure, now: Instant) {
    let SpawnFailure { syscall, errno } = failure;
    self.start_after = Some(now + START_BACKOFF);
    self.spawn_failed = true;
    if self.live > 0 {
      self.events.push_back(Event::SpawnFailed { syscall, errno });
      return;
    }
    self.owed.clear();
    for id in self.pending.take_all(&self.calls) {
      self.calls.fail(id);
      self.events.push_back(Event::CallFailed { id, failure: CallFailure::Spawn { syscall, errno } });
    }
  }

  /// Has the results read, once after an end was seen, that living workers have committed and not told of: the end may
  /// break the pool, and a committed result is delivered. True: there are some.
  fn look_around(&mut self) -> bool {
    if std::mem::replace(&mut self.looked_around, true) {
      return false;
    }
    let told = |lane: &Lane| lane.corrupt.is_some() || !lane.ring.has_result();
    let untold: Vec<usize> = self.living().filter(|(_, lane)| !told(lane)).map(|(index, _)| index).collect();
    untold.iter().for_each(|&index| self.heat(index));
    if !untold.is_empty() {
      self.wake_again();
    }
    !untold.is_empty()
  }

  /// Deals with all workers that have ended. Their rings are drained: what has no result now never will.
  pub(crate) fn bury(&mut self, now: Instant) {
    if self.look_around() {
      return;
    }
    self.looked_around = false;
    let mut fatal = Vec::new();
    let mut cause = None;
    let mut gone = Vec::new();
    let mut boot_failure = None;
    for index in self.indices() {
      let Some(lane) = self.lanes[index].as_ref() else { continue };
      if lane.exit.is_none() || self.hot.contains(&index) {
        continue;
      }
      let Some(remains) = self.take_remains(index) else { continue };
      self.events.push_back(Event::WorkerExit {
        pid: remains.pid,
        worker_id: remains.worker_id,
        exit: remains.exit,
        reason: remains.reason,
      });
      if !self.replaces() {
        gone.push(Death { call: None, ..remains.death() });
        boot_failure = remains.boot_failure.clone();
      }
      if self.state == PoolState::Broken {
        continue;
      }
      let mut replaced = false;
      match remains.reason {
        ExitReason::Died if self.breaks_on_death() => fatal.push(remains.death()),
        ExitReason::FailedStart => {
          replaced = true;
          if let Some(server) = self.starter.server_mut() {
            server.note_failed_start();
          }
          if let Some(why) = self.failed_start(&remains, now) {
            fatal.push(remains.death());
            cause = Some(why);
          }
        }
        ExitReason::Died | ExitReason::Recycled if remains.unused => {
          // One that comes up only to end again is started anew when a call needs it, and not for ever; where all places
          // are kept filled, with pauses for as long as there is no call.
          replaced = self.config.keep_full;
          if remains.reason == ExitReason::Died {
            self.events.push_back(Event::WorkerLost(remains.death()));
          }
          if self.count_vain_start(remains.started_at, now) && !self.pending.is_empty() && self.replaces() {
            fatal.push(remains.death());
          }
        }
        ExitReason::Died => {
          replaced = true;
          self.died(&remains);
        }
        ExitReason::Recycled | ExitReason::Killed => {
          replaced = true;
          self.release(&remains);
        }
        ExitReason::Shutdown | ExitReason::Idle => self.release(&remains),
      }
      if replaced && self.replaces() && self.state == PoolState::Running && !self.dismissed {
        self.owed.push_back(Replacement { old_pid: remains.pid, reason: remains.reason });
      }
    }
    if !fatal.is_empty() {
      self.break_pool(cause.unwrap_or(BreakCause::Deaths), fatal);
    }
    self.break_if_forsaken(boot_failure, gone);
    self.saturated = false;
  }

  /// Removes a lane, putting what its worker had not claimed back among the pending calls.
  fn take_remains(&mut self, index: usize) -> Option<Remains> {
    self.unwatch(index);
    let mut lane = self.lanes[index].take()?;
    self.live -= 1;
    let exit = lane.exit.unwrap_or(Exit::Unknown);
    let mut lost = Vec::new();
    for held in lane.held.drain(..).rev() {
      // Nothing in a damaged lane can be believed, neither the states nor the arguments.
      if lane.corrupt.is_some() || lane.ring.is_claimed(held.position) {
        lost.push(held.call);
        continue;
      }
      let mut payload = Vec::new();
      let Some(Reclaimed { cut, .. }) = lane.ring.reclaim(held.position, &mut payload) else {
        lost.push(held.call);
        continue;
      };
      if let Some(call) = self.calls.get_mut(held.call) {
        call.place = Place::Pending;
        call.payload = Payload::reclaimed(payload, cut);
        self.pending.push_front(held.call, call.sequence);
      }
    }
    lost.reverse();
    let graceful = lost.is_empty() && lane.corrupt.is_none();
    let reason = match lane.life {
      Life::Leaving { reason, .. } if graceful => reason,
      Life::Terminated { reason, .. } | Life::Killed { reason } => reason,
      // It was about to be stopped anyway, for the call that it ran.
      Life::Aborting { .. } => ExitReason::Killed,
      Life::Starting { .. } => ExitReason::FailedStart,
      _ if graceful && lane.says_goodbye() => ExitReason::Recycled,
      _ => ExitReason::Died,
    };
    let unused = lane.tasks_done == 0 && lost.is_empty();
    let killed = exit == Exit::Signal(libc::SIGKILL) && matches!(reason, ExitReason::Died | ExitReason::FailedStart);
    let out_of_memory = if killed && lane.corrupt.is_none() { self.oom_victims.claim_one() } else { None };
    Some(Remains {
      worker_id: lane.worker_id,
      pid: lane.child.pid(),
      exit,
      reason,
      started_at: lane.started_at,
      lost,
      unused,
      corrupt: lane.corrupt,
      out_of_memory,
      boot_failure: lane.boot_failure.take(),
    })
  }

  /// A worker died in a pool that goes on: the calls that it had claimed fail, and only those.
  fn died(&mut self, remains: &Remains) {
    if remains.lost.is_empty() {
      self.events.push_back(Event::WorkerLost(remains.death()));
    }
    self.release(remains);
  }

  /// Ends the calls that a worker has taken with it.
  fn release(&mut self, remains: &Remains) {
    for &id in &remains.lost {
      if self.retry(id) {
        continue;
      }
      if self.calls.fail(id).is_some_and(|call| call.outcome == Outcome::Delivered) {
        let failure = CallFailure::WorkerDied {
          pid: remains.pid,
          exit: remains.exit,
          corrupt: remains.corrupt,
          out_of_memory: remains.out_of_memory,
        };
        self.events.push_back(Event::CallFailed { id, failure });
      }
    }
  }

  /// A worker ended before it had booted. After some attempts, or when the cause cannot go away under `break`, the
  /// pool breaks: returns why.
  fn failed_start(&mut self, remains: &Remains, now: Instant) -> Option<BreakCause> {
    let last = self.count_vain_start(remains.started_at, now);
    let cause = remains.boot_failure.clone().unwrap_or(BreakCause::Deaths);
    let hopeless = self.breaks_on_death() && matches!(cause, BreakCause::BootFailed(_));
    if hopeless || (last && self.replaces()) {
      return Some(cause);
    }
    // Of the last one that this process has forked the end of the pool tells.
    if !self.is_forsaken() {
      self.events.push_back(Event::StartFailed { cause, death: remains.death(), again: self.replaces() });
    }
    None
  }

  /// Counts a worker that was started in vain, and puts the next start off. True: that was one too many in a row. Any
  /// finished call ends the row. Workers that were started side by side count once: in a row are those of which each was
  /// started when the one before it had ended.
  fn count_vain_start(&mut self, started_at: Instant, now: Instant) -> bool {
    if self.failed_starts == 0 || self.last_vain_end.is_none_or(|end| started_at >= end) {
      self.failed_starts += 1;
      self.last_vain_end = Some(now);
    }
    self.start_after = Some(now + START_BACKOFF * 2u32.pow((self.failed_starts - 1).min(MAX_FAILED_STARTS)));
    self.failed_starts >= MAX_FAILED_STARTS
  }

  /// Fails everything, and takes all workers down.
  pub(crate) fn break_pool(&mut self, cause: BreakCause, deaths: Vec<Death>) {
    self.state = PoolState::Broken;
    self.owed.clear();
    self.pending.take_all(&self.calls);
    self.calls.clear();
    for index in self.indices() {
      self.kill(index, ExitReason::Shutdown);
    }
    self.events.push_back(Event::Broken { cause, deaths });
  }
}
