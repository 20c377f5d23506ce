//! Calls on their way into a lane, from the owner or from the pending queue.
//!
//! A call goes into the lane that [`Placement`](super::placement::Placement) chooses. Unless that worker was idle, one
//! more is started if the pool is not at its full size. A call without a lane waits in the pending queue, and an older
//! call goes first.

use std::time::Instant;

use millrace_ring::PushError;

use super::Manager;
use super::placement::Candidate;
use crate::calls::{Call, Limits, Outcome, Payload, Place, Retries};
use crate::completion::CallId;
use crate::error::SubmitError;
use crate::event::{CallFailure, Event};
use crate::lane::{Given, Tail};

/// A call to be made.
#[derive(Debug)]
pub struct CallSpec<'a> {
  /// The task, defined before by [`Manager::define_task`].
  pub task: u32,
  /// The encoding of the payload.
  pub codec: u8,
  /// The owner's bits.
  pub flags: u16,
  /// How long the call may run.
  pub limits: Option<Limits>,
  /// How often the call may be repeated after its worker died or was stopped because it ran for too long.
  pub retries: u32,
  /// Whether the call goes on with work that was accepted before: then there is always room.
  pub further: bool,
  /// For a call that its owner repeats: the public number of the call, or 0 at its first attempt, which gets a number.
  /// The owner hears of a time-out when the attempt is over.
  pub attempt_of: Option<u64>,
  /// The payload's first bytes.
  pub head: &'a [u8],
  /// The payload's other bytes.
  pub tail: Tail<'a>,
}

impl Manager {
  /// Takes a call.
  ///
  /// # Errors
  /// As [`SubmitError`] says; the call is not taken then.
  pub fn submit(&mut self, spec: CallSpec<'_>) -> Result<CallId, SubmitError> {
    if self.is_forsaken() {
      self.starts.call_comes();
      self.break_if_forsaken(None, Vec::new());
      self.wake_again();
    }
    if !self.lifecycle.is_running() {
      return Err(SubmitError::NotRunning(self.lifecycle.state()));
    }
    let len = spec.head.len() + spec.tail.len();
    let capacity = usize::try_from(self.config.geometry.arena_bytes).unwrap_or(usize::MAX);
    if len > capacity {
      return Err(SubmitError::TooLarge { len, capacity });
    }
    if !spec.further && self.is_full() {
      self.await_room();
      return Err(SubmitError::QueueFull);
    }
    self.starts.call_comes();
    let now = Instant::now();
    let lane = if self.pending.is_empty() {
      self.choose_lane(&spec.tail, Candidate { bytes: len, expected_ns: self.durations.of(spec.task), is_new: true })
    } else {
      None
    };
    if !lane.and_then(|index| self.lanes.get(index)).is_some_and(|lane| lane.is_empty()) {
      self.start_for_one_more(now).map_err(SubmitError::Spawn)?;
    }

    let sequence = self.calls.next_sequence();
    let number = spec.attempt_of.filter(|&number| number > 0).unwrap_or_else(|| self.calls.next_number());
    let id = self.calls.insert(Call {
      sequence,
      number,
      owner_repeats: spec.attempt_of.is_some(),
      task: spec.task,
      codec: spec.codec,
      flags: spec.flags,
      limits: spec.limits,
      place: Place::Pending,
      payload: Payload::default(),
      outcome: Outcome::Delivered,
      retries: Retries::new(spec.retries),
    });
    // A call that may be repeated goes into the lane as a copy, so that no worker can write to the arguments that are
    // kept.
    let kept = (spec.retries > 0).then(|| spec.tail.payload_behind(spec.head));
    let placed = lane.is_some_and(|index| {
      let placed = match kept.as_ref().map(Payload::parts) {
        None => self.place(index, id, spec.head, &spec.tail, now),
        Some((head, tail)) => self.place(index, id, head, &Tail::Bytes(tail), now),
      };
      if placed.is_err() {
        self.note_idle(index);
        // No worker will ring for a call that an idle lane did not take: a round looks after it.
        self.wake_again();
      }
      placed.is_ok()
    });
    match (placed, kept) {
      (true, None) => {}
      (true, Some(payload)) => self.keep(id, payload),
      (false, kept) => self.put_behind(id, kept.unwrap_or_else(|| spec.tail.payload_behind(spec.head))),
    }
    self.note_filled_up();
    Ok(id)
  }

  /// The lane for a new call: the one that its payload lies in, else the one that is chosen.
  fn choose_lane(&mut self, tail: &Tail<'_>, call: Candidate) -> Option<usize> {
    if let Tail::Moved(block) = tail
      && let Some(index) = self.placement.lane_of(&self.lanes, block)
    {
      return Some(index);
    }
    self.placement.choose(&mut self.lanes, call)
  }

  /// Puts a call into a lane. The call's place changes only if that succeeds.
  fn place(&mut self, index: usize, id: CallId, head: &[u8], tail: &Tail<'_>, now: Instant) -> Result<(), PushError> {
    if self.lanes.get(index).is_some_and(|lane| lane.is_empty()) {
      if self.has_outgrown_calls(index, now) {
        return Err(PushError::Full);
      }
      self.let_spin(index);
    }
    let (Some(lane), Some(call)) = (self.lanes.get_mut(index), self.calls.get_mut(id)) else {
      return Err(PushError::Full);
    };
    let given = Given { id, expected_ns: self.durations.of(call.task) };
    let position = lane.push(given, &call.header(), &self.definitions, head, tail, now)?;
    call.place = Place::Lane { lane: index, position };
    self.placement.note_call(index);
    self.look_later(now);
    self.look_at_memory_later(index, position, now);
    Ok(())
  }

  /// Gives pending calls to lanes for as long as there is room.
  pub(super) fn fill(&mut self, now: Instant) {
    while let Some((id, call)) = self.next_pending() {
      let Some(index) = self.placement.choose(&mut self.lanes, call) else { return };
      if !self.place_pending(index, id, now) {
        return;
      }
    }
  }

  /// Gives pending calls to one lane whose worker has just finished one.
  pub(super) fn refill(&mut self, index: usize, now: Instant) {
    while let Some((id, call)) = self.next_pending() {
      let has_room = self.lanes.get(index).is_some_and(|lane| self.placement.has_room(lane, call));
      if !has_room || !self.place_pending(index, id, now) {
        return;
      }
    }
  }

  /// The pending call that goes first.
  fn next_pending(&mut self) -> Option<(CallId, Candidate)> {
    let id = self.pending.peek(&self.calls)?;
    let call = self.calls.get(id)?;
    Some((id, Candidate { bytes: call.payload.len(), expected_ns: self.durations.of(call.task), is_new: false }))
  }

  /// Moves the first pending call into a lane; false when it has to wait.
  fn place_pending(&mut self, index: usize, id: CallId, now: Instant) -> bool {
    let Some(call) = self.calls.get_mut(id) else { return false };
    let payload = std::mem::take(&mut call.payload);
    let (head, tail) = payload.parts();
    match self.place(index, id, head, &Tail::Bytes(tail), now) {
      Ok(()) => {
        self.pending.pop();
        self.keep(id, payload);
        true
      }
      Err(PushError::NoMemory { errno }) if self.lanes.get(index).is_some_and(|lane| lane.is_empty()) => {
        // An empty lane cannot hold the call: waiting would not help.
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

  /// Lists a lane as idle if it is.
  pub(super) fn note_idle(&mut self, index: usize) {
    self.placement.note_idle(&mut self.lanes, index);
  }

  /// Puts a call behind all that are pending.
  pub(super) fn put_behind(&mut self, id: CallId, payload: Payload) {
    if let Some(sequence) = self.make_pending(id, payload) {
      self.pending.push_back(id, sequence);
    }
  }

  /// Puts a call in front of all that are pending.
  pub(super) fn put_in_front(&mut self, id: CallId, payload: Payload) {
    if let Some(sequence) = self.make_pending(id, payload) {
      self.pending.push_front(id, sequence);
    }
  }

  fn make_pending(&mut self, id: CallId, payload: Payload) -> Option<u64> {
    let call = self.calls.get_mut(id)?;
    call.place = Place::Pending;
    call.payload = payload;
    Some(call.sequence)
  }
}
