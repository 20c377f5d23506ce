//! One round: who rang, what came, what is due.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use millrace_ring::{Arrival, ResultRecord};

use super::{Manager, WAKEUP_TOKEN};
use crate::calls::Outcome;
use crate::completion::{Completion, status};
use crate::config::{KILL_AFTER, PoolConfig};
use crate::event::{BreakCause, Event, ExitReason, PoolState, Report};
use crate::fault::{Point, hits};
use crate::lane::Loan;
use crate::lane::{Lane, Life};
use crate::start::SERVER_TOKEN;

/// A waitpid sentinel hangs up a moment before the status is there.
const REAP_RETRY: Duration = Duration::from_millis(1);

/// Looks at lanes, in one go, that yield nothing for the owner. A worker that sends notices or changes its words without end
/// must not keep the host's thread.
const STEPS_PER_ROUND: u32 = 4096;

/// Results of one lane before it is another's turn.
const RESULTS_PER_TURN: u32 = 32;

const RING: u64 = 0;
const SENTINEL: u64 = 1;

/// Which lane a descriptor belongs to. The worker's number makes a token of a lane that has gone recognizable.
pub(crate) fn token(index: usize, worker_id: u32, sentinel: bool) -> u64 {
  u64::from(worker_id) << 32 | (index as u64) << 1 | if sentinel { SENTINEL } else { RING }
}

impl Manager {
  /// Waits up to `timeout` (`None`: without bound) until somebody rings, dies, or something is due, and notes it.
  ///
  /// # Errors
  /// When the wait itself fails, which it does not on a sound descriptor.
  pub fn wait(&mut self, timeout: Option<Duration>) -> millrace_sys::Result<()> {
    let due = self.next_deadline().map(|at| at.saturating_duration_since(Instant::now()));
    let timeout = match (timeout, due) {
      (Some(a), Some(b)) => Some(a.min(b)),
      (a, b) => a.or(b),
    };
    self.owner_turns += 1;
    let found = self.prepare_to_sleep(timeout != Some(Duration::ZERO));
    self.found_awake = false;
    self.collect(if found { Some(Duration::ZERO) } else { timeout })
  }

  /// Notes who rang and who died, without waiting.
  ///
  /// # Errors
  /// As [`Manager::wait`].
  pub fn turn(&mut self) -> millrace_sys::Result<()> {
    hits(Point::HostFirstTurn);
    self.owner_turns += 1;
    if std::mem::take(&mut self.found_awake) { Ok(()) } else { self.look() }
  }

  /// Who rang, without waiting.
  pub(crate) fn look(&mut self) -> millrace_sys::Result<()> {
    self.collect(Some(Duration::ZERO))
  }

  fn collect(&mut self, timeout: Option<Duration>) -> millrace_sys::Result<()> {
    if !self.hot.is_empty() {
      // The last round was broken off: under such a load what is due must not wait for a round that comes to its end.
      self.settle();
    }
    let mut tokens = std::mem::take(&mut self.tokens);
    tokens.clear();
    let waited = self.waits.wait(timeout, &mut tokens);
    let now = Instant::now();
    for &token in &tokens {
      if token == WAKEUP_TOKEN {
        if let Some((_, bell)) = &self.wakeup {
          bell.clear();
        }
        continue;
      }
      if token == SERVER_TOKEN {
        self.server_stirred(now);
        continue;
      }
      let index = ((token & 0xffff_ffff) >> 1) as usize;
      let worker_id = (token >> 32) as u32;
      let Some(lane) = self.lane_mut(index).filter(|lane| lane.worker_id == worker_id) else { continue };
      if token & 1 == SENTINEL {
        self.sentinel_fired(index, now);
      } else {
        // Cleared before the ring is looked at: a result that comes later rings again.
        lane.result_bell().clear();
        self.heat(index);
      }
    }
    self.tokens = tokens;
    // Here and not when the round ends: the last results of such a worker are drained before its end is dealt with.
    let is_due = |lane: &Lane| lane.reap_at.is_some_and(|at| at <= now);
    let due: Vec<usize> = self.living().filter(|(_, lane)| is_due(lane)).map(|(index, _)| index).collect();
    due.into_iter().for_each(|index| self.sentinel_fired(index, now));
    waited
  }

  /// Has a lane looked at in this round.
  pub(crate) fn heat(&mut self, index: usize) {
    if !self.hot.contains(&index) {
      self.hot.push(index);
    }
  }

  /// The worker's end was seen: learn how it ended. Its results are drained before anything is made of that.
  pub(crate) fn sentinel_fired(&mut self, index: usize, now: Instant) {
    let Some(lane) = self.lane_mut(index) else { return };
    if lane.exit.is_some() {
      return;
    }
    if !matches!(lane.life, Life::Leaving { .. }) && !lane.says_goodbye() {
      // What it started goes with it. Before it is reaped: until then its group's number cannot be anybody else's.
      let _ = lane.child.signal_group(libc::SIGKILL);
    }
    match lane.child.try_wait() {
      Ok(Some(exit)) => {
        lane.exit = Some(exit);
        lane.reap_at = None;
        self.heat(index);
      }
      _ => {
        if lane.child.pidfd().is_none() {
          self.unwatch_sentinel(index);
        }
        if let Some(lane) = self.lane_mut(index) {
          lane.reap_at = Some(now + REAP_RETRY);
        }
      }
    }
  }

  /// The next result of this round, or `None` when the round is over. Read it, then [`Manager::consume`] it.
  pub fn next_completion(&mut self) -> Option<Completion> {
    let next = self.backlog.front().or_else(|| self.next_in_lanes());
    self.lent = next.is_some_and(|completion| !completion.taken_out);
    next
  }

  /// The next result that is in a lane.
  pub(crate) fn next_in_lanes(&mut self) -> Option<Completion> {
    let mut steps = 0;
    while let Some(&index) = self.hot.last() {
      steps += 1;
      if steps > STEPS_PER_ROUND {
        // What is hot stays hot: the rest of the program gets a turn, then this goes on.
        self.wake_again();
        break;
      }
      let Some(lane) = self.lane_mut(index).filter(|lane| lane.corrupt.is_none()) else {
        self.hot.pop();
        continue;
      };
      match lane.ring.next_result() {
        Ok(Some(Arrival::Result(record))) => {
          if let Some(completion) = self.accept(index, record) {
            self.take_turns();
            return Some(completion);
          }
        }
        Ok(Some(Arrival::Notice(record))) => self.notice(index, &record),
        Ok(None) => {
          self.hot.pop();
          self.stay_awake(index);
          self.looked_through(index);
        }
        Err(corrupt) => {
          self.hot.pop();
          self.condemn(index, corrupt.what);
        }
      }
    }
    self.settle();
    None
  }

  /// After some results of one lane it is the next one's turn: a worker that answers as fast as it is read would keep the
  /// others from being refilled.
  fn take_turns(&mut self) {
    self.turn_length += 1;
    if self.turn_length == RESULTS_PER_TURN {
      self.turn_length = 0;
      self.hot.rotate_right(1);
    }
  }

  /// Sorts a result out: the owner's, or one that the manager takes care of itself.
  fn accept(&mut self, index: usize, record: ResultRecord) -> Option<Completion> {
    let lane = self.lanes[index].as_ref()?;
    if lane.is_boot(record.position) {
      self.booted(index, &record);
      return None;
    }
    let Some(held) = lane.held.iter().find(|held| held.position == record.position).copied() else {
      self.condemn(index, "a result for a call that it was not given");
      return None;
    };
    let completion = Completion {
      id: held.call,
      status: record.status,
      codec: record.codec,
      flags: record.flags,
      len: record.payload_len(),
      inline_len: record.inline_len(),
      lent: record.is_lent(),
      pid: lane.child.pid(),
      ran_ns: record.ran_ns,
      lane: index,
      record,
      taken_out: false,
    };
    if self.calls.get(held.call).is_none_or(|call| call.outcome != Outcome::Delivered) {
      self.consume(&completion);
      return None;
    }
    Some(completion)
  }

  /// Copies `dst.len()` bytes of a result's payload, from `at` on. The result must not have been consumed.
  pub fn copy_payload(&self, completion: &Completion, at: usize, dst: &mut [u8]) {
    if completion.taken_out {
      dst.copy_from_slice(&self.backlog.payload()[at..at + dst.len()]);
    } else if let Some(lane) = self.lanes.get(completion.lane).and_then(Option::as_ref) {
      lane.ring.copy_payload(&completion.record, at, dst);
    }
  }

  /// The content of a large result, to be used where it is; `None` if its worker does not lend it. The result must not have
  /// been consumed.
  pub fn borrow(&self, completion: &Completion) -> Option<Loan> {
    if completion.taken_out {
      return None;
    }
    let ring = &self.lanes.get(completion.lane)?.as_ref()?.ring;
    Some(Loan::new(ring.borrow(&completion.record)?, ring.memory().0.mapping()))
  }

  /// A result has been read: its call is over.
  pub fn consume(&mut self, completion: &Completion) {
    // One after another, large results can take it longer than a thread waits that would work in its place.
    self.owner_turns += 1;
    self.lent = false;
    if completion.taken_out {
      self.backlog.pop();
    } else {
      self.vacate(completion);
    }
    if self.retry_stopped(completion.id) {
      return;
    }
    if self.calls.get(completion.id).is_some_and(|call| call.outcome == Outcome::Delivered) {
      self.calls.remove(completion.id);
    } else {
      // Its owner may not have heard yet that it ran out of time.
      self.calls.fail(completion.id);
    }
  }

  /// A result is out of its lane: its room is given back, and its worker gets more to do.
  pub(crate) fn vacate(&mut self, completion: &Completion) {
    let now = Instant::now();
    let index = completion.lane;
    let Some(lane) = self.lanes.get_mut(index).and_then(Option::as_mut) else { return };
    lane.ring.consume(&completion.record);
    if !completion.record.is_inline() {
      // The worker may sleep until there is room for its next large result.
      lane.wake();
    }
    lane.finished(completion.record.position, completion.record.ran_ns, now);
    self.failed_starts = 0;
    self.start_after = None;
    self.saturated = false;
    lane.life = match lane.life {
      // It ended within its grace: the worker need not be stopped.
      Life::Aborting { position, leaving: None, .. } if position == completion.record.position => Life::Ready,
      Life::Aborting { position, leaving: Some(reason), .. } if position == completion.record.position => {
        Life::Leaving { reason, deadline: now + KILL_AFTER }
      }
      // Only now has it nothing left to do.
      Life::Leaving { reason, .. } => Life::Leaving { reason, deadline: now + KILL_AFTER },
      other => other,
    };
    if completion.status == status::EXIT {
      self.retire(index, now);
    } else {
      self.refill(index, now);
      self.note_idle(index);
    }
  }

  /// A lane's ring was found empty: its worker is between calls, or busy with the next.
  fn looked_through(&mut self, index: usize) {
    let now = Instant::now();
    let Some(lane) = self.lanes[index].as_ref() else { return };
    let PoolConfig { max_memory, .. } = self.config;
    if lane.exit.is_some() || lane.life != Life::Ready {
      return;
    }
    let used_up = lane.budget == Some(0) && lane.held.is_empty();
    let too_large = lane.tasks_done > 0
      && max_memory.is_some_and(|max| millrace_sys::resident_bytes(lane.child.pid()).is_some_and(|used| used > max));
    if used_up || too_large {
      self.retire(index, now);
    }
  }

  fn notice(&mut self, index: usize, record: &ResultRecord) {
    let now = Instant::now();
    let Some(lane) = self.lanes[index].as_mut() else { return };
    let report = read_report(lane, record);
    let pid = lane.child.pid();
    lane.ring.consume(record);
    self.events.push_back(Event::Stray { pid, report });
    if record.status == status::STRAY_RETIRING {
      self.retire(index, now);
    }
  }

  /// The boot call was answered.
  fn booted(&mut self, index: usize, record: &ResultRecord) {
    let now = Instant::now();
    let Some(lane) = self.lanes[index].as_mut() else { return };
    let report = (record.status != status::OK).then(|| read_report(lane, record));
    lane.ring.consume(record);
    lane.boot_answered();
    lane.front_since = now;
    if let Some(report) = report {
      // It leaves by itself; what its start's failure means is decided when it has.
      lane.boot_failure = Some(BreakCause::BootFailed(report));
      return;
    }
    // It may have been let go or stopped while it booted.
    if matches!(lane.life, Life::Starting { .. }) {
      lane.life = Life::Ready;
    }
    self.saturated = false;
    self.refill(index, now);
    self.note_idle(index);
  }

  /// What a worker wrote into its lane makes no sense: it loses its life, nobody else loses anything.
  pub(crate) fn condemn(&mut self, index: usize, what: &'static str) {
    let Some(lane) = self.lanes[index].as_mut() else { return };
    if lane.corrupt.is_none() {
      lane.corrupt = Some(what);
      let _ = lane.child.signal_group(libc::SIGKILL);
    }
  }

  /// The end of a round: all rings were found empty. Now ends are dealt with, and what is due is done.
  fn settle(&mut self) {
    let now = Instant::now();
    if self.living().any(|(_, lane)| lane.exit.is_some()) {
      self.bury(now);
    }
    for index in self.indices() {
      self.tend(index, now);
    }
    if !self.pending.is_empty() {
      self.saturated = false;
      for index in self.indices() {
        self.note_idle(index);
      }
      self.fill(now);
    }
    self.rebalance(now);
    self.tend_server(now);
    self.start_owed(now);
    self.close_if_done(now);
    if self.was_full && !self.is_full() {
      self.was_full = false;
      self.events.push_back(Event::Room);
    }
  }

  /// Asks an idle worker to leave.
  pub(crate) fn dismiss(&mut self, index: usize, reason: ExitReason, now: Instant) {
    let Some(lane) = self.lanes[index].as_mut() else { return };
    let deadline = match lane.life {
      Life::Starting { deadline } => deadline + KILL_AFTER,
      _ => now + KILL_AFTER,
    };
    lane.life = Life::Leaving { reason, deadline };
    lane.ring.request_stop();
    lane.ring();
  }

  /// A worker leaves after the call that it runs; what is queued behind that moves on.
  pub(crate) fn retire(&mut self, index: usize, now: Instant) {
    if self.lanes[index].as_ref().is_some_and(|lane| matches!(lane.life, Life::Ready | Life::Leaving { .. })) {
      self.recall(index);
      self.dismiss(index, ExitReason::Recycled, now);
      self.fill(now);
    }
  }

  /// Once a closing pool has answered every call, its workers go, and then it has stopped.
  pub(crate) fn close_if_done(&mut self, now: Instant) {
    if self.state == PoolState::Running || self.stopped {
      return;
    }
    if self.state == PoolState::Closing && self.calls.len() == 0 {
      self.owed.clear();
      for index in self.indices() {
        if self.lanes[index].as_ref().is_some_and(|lane| matches!(lane.life, Life::Ready | Life::Starting { .. })) {
          self.dismiss(index, ExitReason::Shutdown, now);
        }
      }
    }
    if self.live == 0 && self.calls.len() == 0 {
      self.stopped = true;
      self.drop_server();
      self.events.push_back(Event::Stopped);
    }
  }

  pub(crate) fn unwatch_sentinel(&mut self, index: usize) {
    let Some(lane) = self.lanes[index].as_ref() else { return };
    let _ = self.waits.remove(lane.sentinel(), token(index, lane.worker_id, true));
  }

  pub(crate) fn unwatch(&mut self, index: usize) {
    let Some(lane) = self.lanes[index].as_ref() else { return };
    let _ = self.waits.remove(lane.result_bell().as_fd(), token(index, lane.worker_id, false));
    self.unwatch_sentinel(index);
  }
}

fn read_report(lane: &Lane, record: &ResultRecord) -> Report {
  let mut bytes = vec![0; record.payload_len()];
  lane.ring.copy_payload(record, 0, &mut bytes);
  Report { codec: record.codec, bytes }
}
