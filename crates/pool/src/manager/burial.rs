//! Workers that have ended: the consequences for their calls and for the pool.
//!
//! A worker is buried at the end of a round, when its lane is drained: a call that has no result now never will.
//!
//! | the worker's call | becomes |
//! |---|---|
//! | claimed, without a result | lost |
//! | in a damaged lane | lost: neither states nor arguments in it can be believed |
//! | not claimed | the first of the pending calls |
//!
//! A lost call may have had an effect. So it fails, unless its owner allowed that it is repeated.
//!
//! An end may break the pool, and a committed result is delivered in any case. So before ends are dealt with, the lanes
//! of living workers are drained once more of results that these have committed and not told of.

use std::time::Instant;

use millrace_sys::Exit;

use super::Manager;
use super::starts::Replacement;
use crate::calls::Outcome;
use crate::completion::CallId;
use crate::event::{BreakCause, CallFailure, Death, Event, ExitReason, Outgrown};
use crate::lane::{FinishedPart, GivenUp, Lane};

/// The remains of a worker that has ended.
struct Remains {
  worker_id: u32,
  pid: u32,
  exit: Exit,
  reason: ExitReason,
  started_at: Instant,
  /// Calls that went with the worker, oldest first.
  lost: Vec<CallId>,
  /// The chunk among them, and what the worker had finished of it.
  finished: Option<(CallId, FinishedPart)>,
  /// The worker ended without having claimed a single call.
  unused: bool,
  corrupt: Option<&'static str>,
  out_of_memory: Option<bool>,
  outgrown: Option<Outgrown>,
  boot_failure: Option<BreakCause>,
  given_up: Option<GivenUp>,
  /// The task that the worker finished last, if its number still means the same.
  last_task: Option<u32>,
}

impl Remains {
  fn death(&self) -> Death {
    Death {
      pid: self.pid,
      exit: self.exit,
      call: self.lost.first().copied(),
      corrupt: self.corrupt,
      out_of_memory: self.out_of_memory,
      outgrown: self.outgrown,
    }
  }
}

/// The consequences of one end for the pool.
#[derive(Default)]
struct Verdict {
  /// Another worker is owed.
  replaced: bool,
  /// The pool breaks.
  fatal: bool,
  /// Why, if not because of the death itself.
  cause: Option<BreakCause>,
}

impl Manager {
  /// Has the lanes of living workers drained that have untold results, once after an end was seen. True: there are
  /// some.
  fn look_around(&mut self) -> bool {
    if std::mem::replace(&mut self.looked_around, true) {
      return false;
    }
    let untold = self.lanes.indices_where(|lane| !lane.is_corrupt() && lane.has_result());
    untold.iter().for_each(|&index| self.drain.add(index));
    if !untold.is_empty() {
      self.wake_again();
    }
    !untold.is_empty()
  }

  /// Deals with all workers that have ended.
  pub(super) fn bury(&mut self, now: Instant) {
    if self.look_around() {
      return;
    }
    self.looked_around = false;
    let (mut fatal, mut cause) = (Vec::new(), None);
    let (mut gone, mut boot_failure) = (Vec::new(), None);
    for index in self.lanes.indices_where(Lane::has_ended) {
      if self.drain.is_due(index) {
        continue;
      }
      let Some(mut remains) = self.take_remains(index) else { continue };
      let Remains { pid, worker_id, exit, reason, .. } = remains;
      self.events.push_back(Event::WorkerExit { pid, worker_id, exit, reason });
      if !self.replaces() {
        gone.push(Death { call: None, ..remains.death() });
        boot_failure = remains.boot_failure.clone();
      }
      if self.lifecycle.is_broken() {
        continue;
      }
      let verdict = self.judge(&mut remains, now);
      if verdict.fatal {
        fatal.push(remains.death());
        cause = verdict.cause.or(cause);
      }
      if verdict.replaced && self.replaces() && self.lifecycle.is_running() && !self.starts.is_dismissed() {
        self.starts.owe(Replacement { old_pid: pid, reason });
      }
    }
    if !fatal.is_empty() {
      self.break_pool(cause.unwrap_or(BreakCause::Deaths), fatal);
    }
    self.break_if_forsaken(boot_failure, gone);
    self.placement.note_room();
  }

  /// Draws the conclusions from one end.
  fn judge(&mut self, remains: &mut Remains, now: Instant) -> Verdict {
    match remains.reason {
      ExitReason::Died if self.breaks_on_death() => {
        if let Some((id, part)) = remains.finished.take() {
          self.tell_last_part(id, remains.pid, part);
        }
        Verdict { fatal: true, ..Verdict::default() }
      }
      ExitReason::FailedStart => {
        if let Some(server) = self.starter.server_mut() {
          server.note_failed_start();
        }
        let cause = self.failed_start(remains, now);
        Verdict { replaced: true, fatal: cause.is_some(), cause }
      }
      ExitReason::Died | ExitReason::Recycled if remains.unused => {
        if remains.reason == ExitReason::Died {
          self.events.push_back(Event::WorkerLost(remains.death()));
        }
        self.vain_end(remains, now)
      }
      ExitReason::Died => {
        if remains.lost.is_empty() {
          self.events.push_back(Event::WorkerLost(remains.death()));
        }
        self.release(remains);
        Verdict { replaced: true, ..Verdict::default() }
      }
      ExitReason::Killed if remains.unused && remains.given_up.is_some() => {
        self.tell_given_up(remains);
        self.vain_end(remains, now)
      }
      ExitReason::Recycled | ExitReason::Killed => {
        self.tell_given_up(remains);
        self.release(remains);
        Verdict { replaced: true, ..Verdict::default() }
      }
      ExitReason::Shutdown | ExitReason::Idle => {
        self.release(remains);
        Verdict::default()
      }
    }
  }

  /// A worker ended without having claimed a call.
  fn vain_end(&mut self, remains: &Remains, now: Instant) -> Verdict {
    let is_one_too_many = self.starts.note_vain_start(remains.started_at, now);
    Verdict {
      // A worker that comes up only to end again is started anew when a call needs it, and not for ever. Where all
      // places are kept filled it is started anew with pauses, as long as there is no call.
      replaced: self.config.keep_full,
      fatal: is_one_too_many && !self.pending.is_empty() && self.replaces(),
      cause: None,
    }
  }

  /// Tells of a worker that did not come to its calls.
  fn tell_given_up(&mut self, remains: &Remains) {
    if let Some(GivenUp { silent_for }) = remains.given_up {
      let (death, last_task) = (remains.death(), remains.last_task);
      self.events.push_back(Event::WorkerSilent { death, silent_for, last_task });
    }
  }

  /// Removes a lane, and puts what its worker had not claimed back among the pending calls.
  fn take_remains(&mut self, index: usize) -> Option<Remains> {
    let mut lane = self.lanes.take(index)?;
    self.watch.remove_lane(index, &lane);
    let running = lane.running().filter(|&id| self.is_chunk(id));
    let finished = running.and_then(|id| Some((id, lane.finished_part()?)));
    let mut lost = Vec::new();
    for (id, payload) in lane.empty() {
      match payload {
        Some(payload) => self.put_in_front(id, payload),
        None => lost.push(id),
      }
    }
    lost.reverse();
    let exit = lane.exit().unwrap_or(Exit::Unknown);
    let is_graceful = lost.is_empty() && !lane.is_corrupt();
    let reason = lane.life().exit_reason(is_graceful, lane.says_goodbye());
    let killed = exit == Exit::Signal(libc::SIGKILL) && matches!(reason, ExitReason::Died | ExitReason::FailedStart);
    let outgrown = self.outgrown(&lane, reason);
    let is_explained = lane.is_corrupt() || outgrown.is_some();
    let out_of_memory = if killed && !is_explained { self.oom_victims.claim_one() } else { None };
    Some(Remains {
      worker_id: lane.worker_id(),
      pid: lane.pid(),
      exit,
      reason,
      started_at: lane.started_at(),
      unused: lane.tasks_done() == 0 && lost.is_empty(),
      lost,
      finished,
      corrupt: lane.corrupt(),
      out_of_memory,
      outgrown,
      boot_failure: lane.take_boot_failure(),
      given_up: lane.given_up(),
      last_task: self.last_task(&lane),
    })
  }

  /// The number of the task that a worker finished last, unless the number means another task by now.
  fn last_task(&self, lane: &Lane) -> Option<u32> {
    let (task, version) = lane.last_task()?;
    self.definitions.task(task).is_some_and(|definition| definition.version() == version).then_some(task)
  }

  /// Ends the calls that a worker has taken with it.
  fn release(&mut self, remains: &mut Remains) {
    let mut finished = remains.finished.take();
    for &id in &remains.lost {
      if self.retry(id) {
        continue;
      }
      let Remains { pid, exit, corrupt, out_of_memory, outgrown, .. } = *remains;
      let failure = match self.calls.fail(id).map(|call| call.outcome) {
        Some(Outcome::Delivered) => CallFailure::WorkerDied { pid, exit, corrupt, out_of_memory, outgrown },
        Some(Outcome::Overdue) => CallFailure::TimedOut { pid },
        _ => continue,
      };
      match finished.take_if(|(chunk, _)| *chunk == id) {
        Some((_, part)) => self.tell_part(id, pid, part, failure),
        None => self.events.push_back(Event::CallFailed { id, failure }),
      }
    }
  }

  /// A worker ended before it had booted. The pool breaks after some attempts, or when the cause cannot go away and a
  /// death breaks the pool: returns why.
  fn failed_start(&mut self, remains: &Remains, now: Instant) -> Option<BreakCause> {
    let last = self.starts.note_vain_start(remains.started_at, now);
    let cause = remains.boot_failure.clone().unwrap_or(BreakCause::Deaths);
    let hopeless = self.breaks_on_death() && matches!(cause, BreakCause::BootFailed(_));
    if hopeless || (last && self.replaces()) {
      return Some(cause);
    }
    // If this was the last of the workers that this process has forked, the end of the pool tells of it.
    if !self.is_forsaken() {
      self.events.push_back(Event::StartFailed { cause, death: remains.death(), again: self.replaces() });
    }
    None
  }
}
