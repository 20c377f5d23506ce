//! The calls of a lane: whether there is room for one, how calls come in, are taken back, and end.
//!
//! A lane holds the call that its worker runs and some more in reserve, so that the worker has something to do while
//! the host sleeps. The reserve is bounded by time (`ahead_ns`, by the service time that the worker reports) and by
//! bytes; of large calls by bytes alone, while calls are short. Every call that the worker has not claimed can be taken
//! back.

use std::time::{Duration, Instant};

use millrace_ring::{CallHeader, CallKind, INLINE_CAPACITY, LENT_FROM, Position, PushError, Reclaimed};

use super::{Given, Held, Lane, Life, Moved, Tail};
use crate::calls::{Definitions, Payload, TaskDefinition};
use crate::completion::CallId;
use crate::config::PoolConfig;
use crate::fault::{self, NO_CODEC, Point, hits};

/// Most payload bytes of the calls of one lane behind its first. Larger payloads wait in the pending queue instead, so
/// that shared memory is bounded by the number of workers and not by the number of calls.
const READ_AHEAD_BYTES: usize = 16 << 20;

/// Payloads of this size and more may go beyond the read-ahead of time: see [`Lane::takes_at_once`].
const AT_ONCE_FROM: usize = 16 << 10;

/// Longest service time of a lane that takes calls beyond its read-ahead.
const AT_ONCE_NS: u32 = 1_000_000;

/// Most payload bytes of a lane that takes calls beyond its read-ahead.
const AT_ONCE_BYTES: usize = 8 << 20;

/// The same for a call that comes from the owner: the bytes would lie in the host's heap, and be copied once more.
const AT_ONCE_BYTES_NEW: usize = 128 << 20;

/// The same for a call that is not known to be short: what the lane is given too much is soon taken back.
const AT_ONCE_BYTES_UNKNOWN: usize = 4 << 20;

/// Most payload bytes of a lane that takes new calls beyond its read-ahead, in a pool of these rules. Where the memory
/// of workers is limited, what a worker has been sent counts as the worker's.
pub(super) fn at_once_bytes(config: &PoolConfig) -> usize {
  let is_limited = config.max_memory.is_some() || config.hard_memory_limit.is_some();
  if is_limited { AT_ONCE_BYTES } else { AT_ONCE_BYTES_NEW }
}

impl Lane {
  /// Whether the lane may be given calls.
  pub(crate) fn accepts(&self) -> bool {
    self.life == Life::Ready
      && !self.has_ended()
      && !self.is_corrupt()
      && self.budget != Some(0)
      && !self.is_unresponsive()
  }

  /// Whether calls were taken back from the worker and it has not come to its loop since.
  fn is_unresponsive(&self) -> bool {
    self.is_stalled && self.held.is_empty() && !self.ring.worker_sleeps()
  }

  /// Whether the worker has nothing to do and may be given calls.
  pub(crate) fn is_idle(&self) -> bool {
    self.held.is_empty() && self.accepts()
  }

  /// Whether a call of `bytes` may be queued here, behind those that the lane holds.
  /// `expected_ns` is how long the call is expected to take; `is_new`: it comes from the owner, and has not waited.
  pub(crate) fn has_room_for(&self, bytes: usize, expected_ns: u32, is_new: bool, ahead_ns: u32) -> bool {
    self.accepts()
      && (self.held.is_empty()
        || (!self.is_stalled
          && (self.takes_at_once(bytes, expected_ns, is_new)
            || ((self.held.len() < self.depth_limit(ahead_ns) || self.is_soon_done(expected_ns, ahead_ns))
              && self.held_bytes.saturating_add(bytes) <= READ_AHEAD_BYTES))))
      // One for the definition of its task.
      && self.ring.has_slots(2)
  }

  /// Whether a call goes into the lane beyond the read-ahead: the call is large, and the calls of this lane are short,
  /// or may be. In the pending queue the payload would be copied once more, which costs more than the chance that the
  /// call has to move.
  fn takes_at_once(&self, bytes: usize, expected_ns: u32, is_new: bool) -> bool {
    let is_short = self.service_ns.is_some_and(|ns| ns <= AT_ONCE_NS) || expected_ns <= AT_ONCE_NS;
    let most = match (is_short, is_new) {
      (true, true) => self.at_once_bytes,
      (true, false) => AT_ONCE_BYTES,
      (false, true) => AT_ONCE_BYTES_UNKNOWN,
      (false, false) => 0,
    };
    bytes >= AT_ONCE_FROM && self.held_bytes.saturating_add(bytes) <= most
  }

  /// Whether all calls of the lane, and one more, are expected to end within the read-ahead time. The worker's last
  /// calls may have been others.
  fn is_soon_done(&self, expected_ns: u32, ahead_ns: u32) -> bool {
    self.expected_ns + u64::from(expected_ns) <= u64::from(ahead_ns)
  }

  /// Whether the calls that the lane holds are as short as this, as far as is known of the worker or of the calls.
  pub(crate) fn is_as_short_as(&self, ns: u32) -> bool {
    self.service_ns.is_some_and(|service| service <= ns) || self.expected_ns <= self.held.len() as u64 * u64::from(ns)
  }

  /// Most calls that the lane holds: one that runs, and as many more as fill the read-ahead time.
  fn depth_limit(&self, ahead_ns: u32) -> usize {
    match self.service_ns {
      None => 2,
      Some(ns) => 1 + (ahead_ns / ns.max(1)).max(1) as usize,
    }
  }

  /// Gives the worker a call, and before that the definition of its task unless the worker has it.
  ///
  /// # Errors
  /// When the ring or the memory has no room. Nothing has changed then, but a definition may have been sent.
  pub(crate) fn push(
    &mut self,
    given: Given,
    header: &CallHeader,
    definitions: &Definitions,
    head: &[u8],
    tail: &Tail<'_>,
    now: Instant,
  ) -> Result<Position, PushError> {
    let Some(definition) = definitions.task(header.task) else { return Err(PushError::Full) };
    if self.known_tasks.get(header.task as usize) != Some(&definition.version()) {
      self.forget_outdated(header.task, definitions);
      self.define(header.task, definition)?;
    }
    if self.unheard_since.is_some() && self.ring.worker_sleeps() {
      self.unheard_since = None;
    }
    let mut header = *header;
    if hits(Point::CallFrame) {
      header.codec = NO_CODEC;
    }
    if hits(Point::CallSlot) {
      fault::corrupt_next_call(&mut self.ring);
    }
    let pushed = self.push_call(&header, head, tail);
    // Also if only the definition was sent: the call may have to wait for the room that the definition takes.
    self.wake();
    let position = pushed?;
    let bytes = head.len() + tail.len();
    if self.held.is_empty() {
      self.front_since = now;
      self.is_stalled = false;
    }
    let Given { id, expected_ns } = given;
    self.held.push_back(Held { position, call: id, task: header.task, bytes, expected_ns });
    self.held_bytes += bytes;
    self.expected_ns += u64::from(expected_ns);
    if let Some(budget) = &mut self.budget {
      *budget -= 1;
    }
    Ok(position)
  }

  /// Tells the worker what a number means.
  fn define(&mut self, number: u32, definition: &TaskDefinition) -> Result<(), PushError> {
    self.ring.push(&define_header(number), definition.bytes(), &[])?;
    let task = number as usize;
    if self.known_tasks.len() <= task {
      self.known_tasks.resize(task + 1, 0);
    }
    self.known_tasks[task] = definition.version();
    Ok(())
  }

  /// Tells the worker to forget the definitions that no call needs any more, apart from that of `next`, which is about
  /// to be replaced. Without that, a worker would keep each function until its number came to this worker again.
  ///
  /// Calls in the lane do not need them either: a number loses its meaning only when no unfinished call refers to it.
  /// The worker reads these messages in order, so that a later definition of the same number stays.
  fn forget_outdated(&mut self, next: u32, definitions: &Definitions) {
    if self.known_until == definitions.outdated() {
      return;
    }
    for number in 0..self.known_tasks.len() as u32 {
      let known = self.known_tasks[number as usize];
      let is_outdated = known != 0 && definitions.task(number).is_none_or(|now| now.version() != known);
      if !is_outdated || number == next {
        continue;
      }
      // Two remain for the call and its definition. The rest is forgotten before another definition.
      if !self.ring.has_slots(3) || self.ring.push(&define_header(number), &[], &[]).is_err() {
        return;
      }
      self.known_tasks[number as usize] = 0;
    }
    self.known_until = definitions.outdated();
  }

  fn push_call(&mut self, header: &CallHeader, head: &[u8], tail: &Tail<'_>) -> Result<Position, PushError> {
    let moved = match tail {
      Tail::Bytes(bytes) => return self.ring.push(header, head, bytes),
      Tail::Moved(moved) => moved,
    };
    if moved.is_in(self.mapping())
      && let Some(position) = self.ring.push_borrowed(header, head, moved.content())
    {
      moved.pass_on();
      return Ok(position);
    }
    if let Some(position) = self.push_copy_in_place(header, head, moved) {
      return Ok(position);
    }
    let copy = tail.payload_behind(&[]);
    self.ring.push(header, head, copy.parts().1)
  }

  /// Pushes a copy of a block that is large enough to be lent to the worker: the copy goes straight into a block of
  /// this lane.
  fn push_copy_in_place(&mut self, header: &CallHeader, head: &[u8], moved: &Moved<'_>) -> Option<Position> {
    if moved.len() < LENT_FROM {
      return None;
    }
    let block = self.allocate(moved.len()).ok()?;
    moved.copy_to(&block);
    // SAFETY: nobody else has ever had this loan, and it is dropped here.
    let copy = unsafe { block.hand_over() }?;
    let position = self.ring.push_borrowed(header, head, copy.content())?;
    copy.pass_on();
    Some(position)
  }

  /// A call's result was read: removes the call from the lane, and notes how long it took.
  pub(super) fn finish(&mut self, position: Position, ran_ns: u32, now: Instant) {
    let Some(index) = self.held.iter().position(|held| held.position == position) else { return };
    let Some(held) = self.held.remove(index) else { return };
    self.held_bytes -= held.bytes;
    self.expected_ns -= u64::from(held.expected_ns);
    if held.bytes > INLINE_CAPACITY {
      self.trim_later(now);
    }
    self.front_since = now;
    self.is_stalled = false;
    self.unheard_since = None;
    self.last_task = Some(held.task);
    self.tasks_done += 1;
    let ran = ran_ns.max(1);
    self.memory_seen.call_ended(ran);
    // The new value counts an eighth: one slow call among thousands of fast ones must not end the read-ahead, and a
    // change of load is followed within some ten calls. A first value counts whole.
    self.service_ns = Some(self.service_ns.map_or(ran, |old| old - old / 8 + ran / 8));
  }

  /// Takes a call back for good, if the worker has not claimed it. True: the call never runs.
  pub(crate) fn cancel(&mut self, position: Position) -> bool {
    let Some(index) = self.held.iter().rposition(|held| held.position == position) else { return false };
    let revoked = self.revoke(index).is_some();
    if revoked {
      self.ring.abandon(position);
    }
    revoked
  }

  /// Takes the youngest call back, if it is not among the first `kept` and the worker has not claimed it. A call whose
  /// arguments cannot be read any more comes without a payload.
  pub(crate) fn take_back(&mut self, kept: usize) -> Option<(CallId, Option<Payload>)> {
    if self.held.len() <= kept {
      return None;
    }
    let held = self.revoke(self.held.len() - 1)?;
    Some((held.call, self.reclaim(held.position)))
  }

  /// Revokes the call at `index` of `held`, unless the worker has claimed it. The states in a damaged lane cannot be
  /// believed.
  fn revoke(&mut self, index: usize) -> Option<Held> {
    let held = *self.held.get(index)?;
    if self.is_corrupt() || !self.ring.revoke(held.position) {
      return None;
    }
    self.held.remove(index);
    self.held_bytes -= held.bytes;
    self.expected_ns -= u64::from(held.expected_ns);
    if let Some(budget) = &mut self.budget {
      *budget += 1;
    }
    if self.held.is_empty() {
      // The worker has been rung for this call, and is still to come by.
      self.unheard_since.get_or_insert(self.front_since);
    }
    Some(held)
  }

  fn reclaim(&mut self, position: Position) -> Option<Payload> {
    let mut bytes = Vec::new();
    let Reclaimed { cut, .. } = self.ring.reclaim(position, &mut bytes)?;
    Some(Payload::new(bytes, cut))
  }

  /// Empties the lane of a worker that has ended. Youngest first: each call, and its payload unless the call was
  /// claimed or the lane is damaged, where neither states nor arguments can be believed.
  pub(crate) fn empty(&mut self) -> Vec<(CallId, Option<Payload>)> {
    let mut calls = Vec::with_capacity(self.held.len());
    self.held_bytes = 0;
    self.expected_ns = 0;
    while let Some(held) = self.held.pop_back() {
      let is_lost = self.is_corrupt() || self.ring.is_claimed(held.position);
      calls.push((held.call, if is_lost { None } else { self.reclaim(held.position) }));
    }
    calls
  }

  /// How many calls the lane holds.
  pub(crate) fn len(&self) -> usize {
    self.held.len()
  }

  /// Whether the lane holds no call.
  pub(crate) fn is_empty(&self) -> bool {
    self.held.is_empty()
  }

  /// Payload bytes of the calls that the lane holds.
  pub(crate) fn held_bytes(&self) -> usize {
    self.held_bytes
  }

  /// The oldest call. Only this one can be claimed: a worker runs one call at a time, in order.
  pub(crate) fn front(&self) -> Option<CallId> {
    self.held.front().map(|held| held.call)
  }

  /// The call at `position`.
  pub(crate) fn call_at(&self, position: Position) -> Option<CallId> {
    self.held.iter().find(|held| held.position == position).map(|held| held.call)
  }

  /// Where a call is, if it is the youngest one and has no answer yet.
  pub(crate) fn unanswered_last(&self, id: CallId) -> Option<Position> {
    let last = self.held.back().filter(|last| last.call == id)?;
    (!self.ring.has_answer(last.position)).then_some(last.position)
  }

  /// All calls that the lane holds, oldest first, and whether they have an answer that can be believed.
  pub(crate) fn answers(&self) -> impl Iterator<Item = (CallId, bool)> + '_ {
    self.held.iter().map(|held| (held.call, !self.is_corrupt() && self.ring.has_answer(held.position)))
  }

  /// The call that the worker runs, if it has claimed one.
  pub(crate) fn running(&self) -> Option<CallId> {
    let front = self.held.front()?;
    self.ring.is_claimed(front.position).then_some(front.call)
  }

  /// How many calls the worker has not claimed. It claims in order, so they are behind the others.
  pub(crate) fn unclaimed(&self) -> usize {
    self.held.len() - self.held.partition_point(|held| self.ring.is_claimed(held.position))
  }

  /// Whether the lane's only call is one that its worker could have claimed.
  pub(crate) fn waits_for_its_claim(&self) -> bool {
    self.held.len() == 1 && self.life == Life::Ready && self.running().is_none()
  }

  /// When the running call was claimed. The worker writes that time, so it is held against what the host knows: not
  /// before the call came to the front, not after now.
  pub(crate) fn running_since(&self, now: Instant, now_ns: u64) -> Instant {
    let age = Duration::from_nanos(now_ns.saturating_sub(self.ring.claimed_at()));
    now.checked_sub(age).unwrap_or(self.front_since).clamp(self.front_since.min(now), now)
  }

  /// When the call in front came to the front, or the lane fell idle.
  pub(crate) fn front_since(&self) -> Instant {
    self.front_since
  }

  /// Smoothed time of one call, as the worker reports it.
  pub(crate) fn service_ns(&self) -> Option<u32> {
    self.service_ns
  }

  /// How many calls may still be given to the worker; `None`: any number.
  pub(crate) fn budget(&self) -> Option<u32> {
    self.budget
  }

  /// Whether the worker has had its last call.
  pub(crate) fn is_used_up(&self) -> bool {
    self.budget == Some(0) && self.held.is_empty()
  }

  /// How many calls the worker has finished.
  pub(crate) fn tasks_done(&self) -> u64 {
    self.tasks_done
  }

  /// Whether the worker does not come to its calls while others could: nothing is queued here.
  pub(crate) fn is_stalled(&self) -> bool {
    self.is_stalled
  }

  /// Since when the call in front holds up the calls behind it; or since they were last taken back, if some were left.
  pub(crate) fn stalled_since(&self) -> Instant {
    if self.is_stalled { self.front_since.max(self.stalled_at) } else { self.front_since }
  }

  /// Nothing more is queued here until a call of the worker ends, or its lane is empty and the worker comes to its
  /// loop.
  pub(crate) fn stall(&mut self, now: Instant) {
    self.is_stalled = true;
    self.stalled_at = now;
  }
}

/// The header of a message that tells what a number means. Without a payload it says: nothing.
fn define_header(number: u32) -> CallHeader {
  CallHeader { kind: CallKind::Define, codec: 0, flags: 0, task: number, sequence: 0 }
}
