//! Which worker gets which call, and when.
//!
//! A call goes to an idle worker; else, if the pool is not at its full size, a worker is started; else it waits, in
//! the ring of a busy worker within that lane's read-ahead, or in the pending queue. A call that waits in a ring can
//! always be taken back, see `rebalance.rs`.
//!
//! Where not every worker has a processor there are two exceptions. Calls so short that one worker keeps up with the host go to
//! the one that is awake: to wake another would take longer than they do, and take a processor from those two. And other short
//! calls go to as many workers as there are processors, the last ones that had any, while these have room: with more at work
//! nothing would be done sooner, and each that starts to is cold.

use std::time::Instant;

use millrace_ring::{CallHeader, PushError};

use super::Manager;
use crate::calls::{Call, Limits, Outcome, Payload, Place, Retries};
use crate::completion::CallId;
use crate::error::{SpawnFailure, SubmitError};
use crate::event::{CallFailure, Event, PoolState};
use crate::lane::Loan;
use crate::lane::{Lane, Tail};
use crate::spin::processors;

/// A call that takes its worker no longer than it takes the host to hand it out.
const TINY_NS: u32 = 2_000;

/// Tiny calls that wait for one worker while another one sleeps.
const TINY_BACKLOG: usize = 128;

/// A call that is over before another worker would be awake, and warm: its code compiled, its caches filled.
const SHORT_NS: u32 = 100_000;

/// How many busy lanes are compared before one is chosen: enough to level the queues, few enough that a call costs
/// the same with 64 workers as with two.
const CANDIDATES: usize = 4;

/// A call to be made.
#[derive(Clone, Copy, Debug)]
pub struct CallSpec<'a> {
  /// The task, defined before by [`Manager::define_task`].
  pub task: u32,
  /// The encoding of the payload.
  pub codec: u8,
  /// The owner's bits.
  pub flags: u16,
  /// How long it may run.
  pub limits: Option<Limits>,
  /// How often it may be repeated after its worker died or was stopped because it ran for too long.
  pub retries: u32,
  /// The payload's first bytes.
  pub head: &'a [u8],
  /// The payload's other bytes.
  pub tail: &'a [u8],
  /// Where these bytes are, if in the memory of a lane: that lane's worker is given them without a copy, if it can be.
  pub moved: Option<&'a Loan>,
}

impl Manager {
  /// Takes a call.
  ///
  /// # Errors
  /// As [`SubmitError`] says; the call is not taken then.
  pub fn submit(&mut self, spec: &CallSpec<'_>) -> Result<CallId, SubmitError> {
    if self.is_forsaken() {
      self.dismissed = false;
      self.break_if_forsaken(None, Vec::new());
      self.wake_again();
    }
    if self.state != PoolState::Running {
      return Err(SubmitError::NotRunning(self.state));
    }
    let len = spec.head.len() + spec.tail.len();
    let capacity = usize::try_from(self.config.geometry.arena_bytes).unwrap_or(usize::MAX);
    if len > capacity {
      return Err(SubmitError::TooLarge { len, capacity });
    }
    if self.is_full() {
      self.await_room();
      return Err(SubmitError::QueueFull);
    }
    self.dismissed = false;
    let now = Instant::now();
    // An older call that waits goes first.
    let lane = if !self.pending.is_empty() {
      None
    } else if let Some(index) = spec.moved.and_then(|loan| self.lane_of(loan)) {
      Some(index)
    } else {
      self.choose_lane(len)
    };
    if !lane.is_some_and(|index| self.lanes[index].as_ref().is_some_and(|lane| lane.held.is_empty())) {
      self.start_for_one_more(now).map_err(SubmitError::Spawn)?;
    }

    let sequence = self.next_sequence;
    let id = self.calls.insert(Call {
      sequence,
      task: spec.task,
      codec: spec.codec,
      flags: spec.flags,
      limits: spec.limits,
      place: Place::Pending,
      payload: Payload::default(),
      outcome: Outcome::Delivered,
      retries: Retries::new(spec.retries),
    });
    self.next_sequence += 1;
    let placed = lane.is_some_and(|index| {
      let content = spec.moved.filter(|_| spec.retries == 0).map_or(Tail::Bytes(spec.tail), Tail::Loan);
      let placed = self.place(index, id, spec.head, content, now).is_ok();
      if !placed {
        self.note_idle(index);
        // No worker will ring for a call that an idle lane did not take: a round looks after it.
        self.wake_again();
      }
      placed
    });
    if !placed || spec.retries > 0 {
      let payload = Payload::of(spec.head, spec.tail);
      if placed {
        self.keep(id, payload);
      } else {
        self.wait_in_line(id, payload);
      }
    }
    if self.is_full() {
      self.await_room();
    }
    Ok(id)
  }

  /// Whether [`Manager::submit`] would refuse a call for want of room.
  pub fn is_full(&self) -> bool {
    match self.config.max_queue {
      None => false,
      // The calls in lanes are counted only when they could matter: each is a look at shared memory.
      Some(max) => self.calls.len() >= max && self.queued() >= max,
    }
  }

  /// Has [`Event::Room`] sent as soon as the queue is not full.
  pub fn await_room(&mut self) {
    if !self.was_full {
      self.was_full = true;
      // Workers do not tell when they claim a call: from its next round on the owner comes back to look.
      self.wake_again();
    }
  }

  /// Calls that no worker has claimed.
  pub fn queued(&self) -> usize {
    self.pending.len() + self.living().map(|(_, lane)| lane.waiting()).sum::<usize>()
  }

  /// Puts a call into a lane. The call's place changes only if that succeeds.
  fn place(&mut self, index: usize, id: CallId, head: &[u8], tail: Tail<'_>, now: Instant) -> Result<(), PushError> {
    if self.lanes[index].as_ref().is_some_and(|lane| lane.held.is_empty()) {
      self.let_spin(index);
    }
    let (Some(lane), Some(call)) = (self.lanes[index].as_mut(), self.calls.get_mut(id)) else {
      return Err(PushError::Full);
    };
    let Some(definition) = self.tasks.get(call.task) else { return Err(PushError::Full) };
    let header: CallHeader = call.header();
    let position = lane.push(id, &header, definition, head, tail, now)?;
    call.place = Place::Lane { lane: index, position };
    self.note_warm(index);
    Ok(())
  }

  /// Gives pending calls to lanes for as long as there is room.
  pub(crate) fn fill(&mut self, now: Instant) {
    while let Some(id) = self.pending.peek(&self.calls) {
      let len = self.calls.get(id).map_or(0, |call| call.payload.len());
      let Some(index) = self.choose_lane(len) else { return };
      if !self.place_pending(index, id, now) {
        return;
      }
    }
  }

  /// Gives pending calls to one lane whose worker has just finished one.
  pub(crate) fn refill(&mut self, index: usize, now: Instant) {
    while let Some(id) = self.pending.peek(&self.calls) {
      let len = self.calls.get(id).map_or(0, |call| call.payload.len());
      let has_room = self.lanes[index].as_ref().is_some_and(|lane| lane.has_room_for(len, self.read_ahead_ns));
      if !has_room || !self.place_pending(index, id, now) {
        return;
      }
    }
  }

  /// Moves the first pending call into a lane; false when it has to wait.
  fn place_pending(&mut self, index: usize, id: CallId, now: Instant) -> bool {
    let Some(call) = self.calls.get_mut(id) else { return false };
    let payload = std::mem::take(&mut call.payload);
    let (head, tail) = payload.parts();
    match self.place(index, id, head, Tail::Bytes(tail), now) {
      Ok(()) => {
        self.pending.pop();
        self.keep(id, payload);
        true
      }
      Err(PushError::NoMemory { errno }) if self.lanes[index].as_ref().is_some_and(|lane| lane.held.is_empty()) => {
        // An empty lane cannot hold it: waiting would not help.
        self.pending.pop();
        self.calls.fail(id);
        self.note_idle(index);
        self.events.push_back(Event::CallFailed { id, failure: CallFailure::NoMemory { errno } });
        true
      }
      Err(_) => {
        if let Some(call) = self.calls.get_mut(id) {
          call.payload = payload;
        }
        self.note_idle(index);
        false
      }
    }
  }

  /// The lane that a block is in, if its worker may be given it now.
  fn lane_of(&self, loan: &Loan) -> Option<usize> {
    let (index, lane) = self.living().find(|(_, lane)| loan.is_in(lane.ring.memory().0.mapping()))?;
    lane.has_room_for(0, self.read_ahead_ns).then_some(index)
  }

  /// The lane of the last call, if its worker is awake and keeps up with the host.
  fn tiny_lane(&self, len: usize) -> Option<usize> {
    let lane = self.lanes.get(self.last_lane)?.as_ref()?;
    let keeps_up = lane.service_ns().is_some_and(|ns| ns <= TINY_NS) && lane.held.len() < TINY_BACKLOG;
    let is_awake = !lane.held.is_empty() && !lane.stalled;
    (is_awake && keeps_up && self.live >= processors() && lane.has_room_for(len, self.read_ahead_ns))
      .then_some(self.last_lane)
  }

  /// Of the lanes that had the last calls, which are as many as there are processors, the one with the least to do; if all
  /// have room, and their calls are short.
  fn warm_lane(&self, len: usize) -> Option<usize> {
    if self.live <= processors() || self.warm.len() < processors() {
      return None;
    }
    let is_short = |lane: &Lane| lane.service_ns().is_some_and(|ns| ns <= SHORT_NS);
    let mut best: Option<(usize, usize)> = None;
    for &index in self.warm.iter().take(CANDIDATES) {
      let lane = self.lanes.get(index)?.as_ref().filter(|lane| is_short(lane) && !lane.stalled)?;
      if lane.has_room_for(len, self.read_ahead_ns) && best.is_none_or(|(_, least)| lane.held.len() < least) {
        best = Some((index, lane.held.len()));
      }
    }
    best.map(|(index, _)| index)
  }

  /// Notes that a lane was given a call.
  fn note_warm(&mut self, index: usize) {
    self.last_lane = index;
    if self.warm.contains(&index) {
      return;
    }
    if self.warm.len() >= processors() {
      self.warm.remove(0);
    }
    self.warm.push(index);
  }

  /// A lane that can take a call of `len` bytes: the idle one that worked last, else the shortest of some busy ones.
  fn choose_lane(&mut self, len: usize) -> Option<usize> {
    if let Some(index) = self.tiny_lane(len).or_else(|| self.warm_lane(len)) {
      return Some(index);
    }
    while let Some(index) = self.idle.pop() {
      if let Some(lane) = self.lanes[index].as_mut() {
        lane.listed_idle = false;
        if lane.is_idle() && lane.has_room_for(len, self.read_ahead_ns) {
          return Some(index);
        }
      }
    }
    if self.saturated {
      return None;
    }
    let count = self.lanes.len();
    let mut best: Option<(usize, usize)> = None;
    let mut seen = 0;
    for step in 0..count {
      let index = (self.next_lane + step) % count;
      let Some(lane) = self.lanes[index].as_ref().filter(|lane| lane.has_room_for(len, self.read_ahead_ns)) else {
        continue;
      };
      let length = lane.held.len();
      if best.is_none_or(|(_, shortest)| length < shortest) {
        best = Some((index, length));
      }
      seen += 1;
      if seen == CANDIDATES {
        break;
      }
    }
    match best {
      Some((index, _)) => {
        self.next_lane = index + 1;
        Some(index)
      }
      None => {
        // Only of a small call does it hold that nothing else would fit either.
        self.saturated = len <= 4096;
        None
      }
    }
  }

  /// Lists a lane as idle if it is.
  pub(crate) fn note_idle(&mut self, index: usize) {
    if let Some(lane) = self.lanes[index].as_mut()
      && lane.is_idle()
      && !lane.listed_idle
    {
      lane.listed_idle = true;
      self.idle.push(index);
    }
  }

  /// Starts a worker if one more waiting call justifies it: no worker is idle, the pool is not at its full size, and
  /// fewer workers are starting than calls would wait.
  fn start_for_one_more(&mut self, now: Instant) -> Result<(), SpawnFailure> {
    if self.live >= self.config.max_workers as usize || !self.replaces() {
      return Ok(());
    }
    let starting = self.living().filter(|(_, lane)| !lane.has_booted()).count();
    if starting > self.waiting() {
      return Ok(());
    }
    // Whoever submits hears at once whether a worker can be started now.
    let hears = self.live == 0 && self.spawn_failed;
    if self.start_after.is_some_and(|at| at > now) && !hears {
      // The owner has to come back when the pause is over: with no worker alive nobody else would remind it.
      self.wake_again();
      return Ok(());
    }
    match self.start_worker(now) {
      Err(failure) if self.live == 0 => return Err(failure),
      Err(failure) => self.note_spawn_failure(failure, now),
      Ok(_) => {}
    }
    // The owner has to hear of it, though nothing else may happen for long.
    self.wake_again();
    Ok(())
  }

  /// Calls that are pending, or queued in a lane behind another.
  pub(crate) fn waiting(&self) -> usize {
    self.pending.len() + self.living().map(|(_, lane)| lane.held.len().saturating_sub(1)).sum::<usize>()
  }
}
