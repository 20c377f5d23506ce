//! One worker as its host sees it: the process, its half of the shared memory, and what it has been given.

mod argument;
mod life;
mod loan;
mod prepared;
mod segment;

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use millrace_ring::{CallHeader, CallKind, HostLane, INLINE_CAPACITY, Position, PushError, WorkerPhase};
use millrace_sys::{Child, Exit, Listener, Ringer};

pub use self::argument::{BELL_FD, ForkedWorker, LANE_FD, LIFELINE_FD, LaneArgument, LaneDescriptors, RESULT_BELL_FD};
pub(crate) use self::life::Life;
pub use self::loan::Loan;
pub(crate) use self::prepared::PreparedLane;
pub use self::segment::LaneSegment;
use crate::calls::TaskDefinition;
use crate::completion::CallId;
use crate::config::{KILL_AFTER, PoolConfig};
use crate::event::BreakCause;
use crate::fault::{self, NO_CODEC, Point, hits};

/// The work that a lane should hold in reserve: long enough to bridge the host's wake-up, short enough that a call
/// seldom waits behind another while a worker is idle.
pub(crate) const READ_AHEAD_NS: u32 = 300_000;

/// Pages of large arguments are given back when the lane has not had any for so long.
const TRIM_AFTER: Duration = Duration::from_secs(1);

/// It is tried so often: the garbage collector of a worker that keeps arguments comes by when it likes.
const TRIMS: u32 = 4;

/// Queued payload bytes in one lane beyond its first call. Large payloads wait in the pending queue instead, so that
/// shared memory stays bounded by the number of workers and not by the number of calls.
const READ_AHEAD_BYTES: usize = 16 << 20;

/// Calls of this size, of which most take no longer than this, go into a lane that has no more than so many bytes.
const AT_ONCE_FROM: usize = 16 << 10;
const AT_ONCE_NS: u32 = 1_000_000;
const AT_ONCE_BYTES: usize = 8 << 20;

/// A call that this lane holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
  pub(crate) position: Position,
  pub(crate) call: CallId,
  pub(crate) bytes: usize,
}

/// The second part of a payload.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tail<'a> {
  Bytes(&'a [u8]),
  /// In the memory of a lane: copied only if that is another one.
  Loan(&'a Loan),
}

impl Tail<'_> {
  fn len(self) -> usize {
    match self {
      Self::Bytes(bytes) => bytes.len(),
      Self::Loan(loan) => loan.len(),
    }
  }
}

/// One worker.
#[derive(Debug)]
pub(crate) struct Lane {
  pub(crate) worker_id: u32,
  pub(crate) child: Child,
  pub(crate) ring: HostLane<LaneSegment>,
  bell: Ringer,
  result_bell: Listener,
  /// The worker ends itself when this closes; its hang-up tells of the worker's end where there is no pidfd.
  lifeline: OwnedFd,
  pub(crate) life: Life,
  /// Calls without a result, oldest first. Only the first can be claimed, since a worker runs one at a time, in order.
  pub(crate) held: VecDeque<Held>,
  held_bytes: usize,
  /// The boot call, until it is answered.
  boot: Option<Position>,
  /// The version of each task's definition that this worker has been sent.
  known_tasks: Vec<u32>,
  /// Calls that may still be given to it.
  pub(crate) budget: Option<u32>,
  /// Smoothed time of one call, as the worker reports it.
  service_ns: Option<u32>,
  /// When the call in front came to the front, or the lane fell idle.
  pub(crate) front_since: Instant,
  pub(crate) tasks_done: u64,
  pub(crate) started_at: Instant,
  /// Its end, once known; the lane goes when its results have been drained.
  pub(crate) exit: Option<Exit>,
  /// A waitpid sentinel saw the lifeline hang up: ask for the status again at this time.
  pub(crate) reap_at: Option<Instant>,
  /// What was found wrong in its memory.
  pub(crate) corrupt: Option<&'static str>,
  /// Why it did not boot, when it said so.
  pub(crate) boot_failure: Option<BreakCause>,
  /// Give the pages of large arguments back at this time, if nothing needs them before.
  pub(crate) trim_at: Option<Instant>,
  /// How often that is tried again if the worker keeps some.
  trims: u32,
  /// It is in the manager's list of lanes whose workers do not ring.
  pub(crate) awake: bool,
  /// It is in the manager's list of idle lanes.
  pub(crate) listed_idle: bool,
  /// It does not come to its calls while others could: nothing is queued here.
  pub(crate) stalled: bool,
}

impl Lane {
  /// The lane of a worker that was just started.
  pub(crate) fn of(prepared: PreparedLane, child: Child, config: &PoolConfig, now: Instant) -> Self {
    let PreparedLane { worker_id, ring, boot, bell, result_bell, lifeline, .. } = prepared;
    Self {
      worker_id,
      child,
      ring,
      bell,
      result_bell,
      lifeline,
      life: Life::Starting { deadline: now + config.start_timeout },
      held: VecDeque::new(),
      held_bytes: 0,
      boot: Some(boot),
      known_tasks: Vec::new(),
      budget: config.max_tasks_per_child,
      service_ns: None,
      front_since: now,
      tasks_done: 0,
      started_at: now,
      exit: None,
      reap_at: None,
      corrupt: None,
      boot_failure: None,
      trim_at: None,
      trims: 0,
      awake: false,
      listed_idle: false,
      stalled: false,
    }
  }

  /// Readable when the worker rang.
  pub(crate) fn result_bell(&self) -> &Listener {
    &self.result_bell
  }

  /// Readable when the worker has ended.
  pub(crate) fn sentinel(&self) -> BorrowedFd<'_> {
    self.child.pidfd().unwrap_or(self.lifeline.as_fd())
  }

  /// Whether it may be given calls.
  pub(crate) fn accepts(&self) -> bool {
    self.life == Life::Ready
      && self.exit.is_none()
      && self.corrupt.is_none()
      && self.budget != Some(0)
      && !self.is_unresponsive()
  }

  /// Whether calls were taken back from it and it has not come to its loop since.
  fn is_unresponsive(&self) -> bool {
    self.stalled && self.held.is_empty() && !self.ring.worker_sleeps()
  }

  /// Whether it has nothing to do and may be given calls.
  pub(crate) fn is_idle(&self) -> bool {
    self.held.is_empty() && self.accepts()
  }

  /// Whether a call of `bytes` may be queued here, behind what it has.
  pub(crate) fn has_room_for(&self, bytes: usize, ahead_ns: u32) -> bool {
    self.accepts()
      && (self.held.is_empty()
        || (!self.stalled
          && (self.held.len() < self.depth_limit(ahead_ns) || self.takes_at_once(bytes))
          && self.held_bytes.saturating_add(bytes) <= READ_AHEAD_BYTES))
      // One for the definition of its task.
      && self.ring.has_slots(2)
  }

  /// Whether a call is so large, and others are over so soon, that it goes into the lane beyond the read-ahead: in the pending
  /// queue it would be copied once more, which takes longer than the little that it may have to be moved.
  fn takes_at_once(&self, bytes: usize) -> bool {
    bytes >= AT_ONCE_FROM
      && self.held_bytes.saturating_add(bytes) <= AT_ONCE_BYTES
      && self.service_ns.is_some_and(|ns| ns <= AT_ONCE_NS)
  }

  /// The calls that it may hold: one that runs, and as many more as fill the read-ahead time.
  fn depth_limit(&self, ahead_ns: u32) -> usize {
    match self.service_ns {
      None => 2,
      Some(ns) => 1 + (ahead_ns / ns.max(1)).max(1) as usize,
    }
  }

  /// Gives the worker a call, after the definition of its task if it has not had that.
  ///
  /// # Errors
  /// When the ring or the memory has no room: nothing has changed then (a definition may have been sent).
  pub(crate) fn push(
    &mut self,
    id: CallId,
    header: &CallHeader,
    definition: &TaskDefinition,
    head: &[u8],
    tail: Tail<'_>,
    now: Instant,
  ) -> Result<Position, PushError> {
    let task = header.task as usize;
    if self.known_tasks.get(task) != Some(&definition.version()) {
      let define = CallHeader { kind: CallKind::Define, codec: 0, flags: 0, task: header.task, sequence: 0 };
      self.ring.push(&define, definition.bytes(), &[])?;
      if self.known_tasks.len() <= task {
        self.known_tasks.resize(task + 1, 0);
      }
      self.known_tasks[task] = definition.version();
    }
    let mut header = *header;
    if hits(Point::CallFrame) {
      header.codec = NO_CODEC;
    }
    if hits(Point::CallSlot) {
      fault::corrupt_next_call(&mut self.ring);
    }
    let pushed = self.push_call(&header, head, tail);
    // Also if only the definition was sent: the call may have to wait for the room that it takes.
    self.wake();
    let position = pushed?;
    let bytes = head.len() + tail.len();
    if self.held.is_empty() {
      self.front_since = now;
      self.stalled = false;
    }
    self.held.push_back(Held { position, call: id, bytes });
    self.held_bytes += bytes;
    if let Some(budget) = &mut self.budget {
      *budget -= 1;
    }
    Ok(position)
  }

  fn push_call(&mut self, header: &CallHeader, head: &[u8], tail: Tail<'_>) -> Result<Position, PushError> {
    let loan = match tail {
      Tail::Bytes(bytes) => return self.ring.push(header, head, bytes),
      Tail::Loan(loan) => loan,
    };
    if loan.is_in(self.ring.memory().0.mapping())
      && let Some(position) = self.ring.push_borrowed(header, head, loan.borrowed())
    {
      loan.pass_on();
      return Ok(position);
    }
    // SAFETY: the owner of the loan hands it in, and waits meanwhile; it was here when it did.
    self.ring.push(header, head, unsafe { loan.content() })
  }

  /// A block of this lane's memory for the host to fill in place.
  pub(crate) fn allocate(&mut self, len: usize) -> Result<Loan, PushError> {
    let content = self.ring.allocate(len)?;
    Ok(Loan::new(content, self.ring.memory().0.mapping()))
  }

  /// The result of the call at `position` was consumed.
  pub(crate) fn finished(&mut self, position: Position, ran_ns: u32, now: Instant) -> Option<CallId> {
    let index = self.held.iter().position(|held| held.position == position)?;
    let held = self.held.remove(index)?;
    self.held_bytes -= held.bytes;
    if held.bytes > INLINE_CAPACITY {
      self.trim_at = Some(now + TRIM_AFTER);
      self.trims = TRIMS;
    }
    self.front_since = now;
    self.stalled = false;
    self.tasks_done += 1;
    let ran = ran_ns.max(1);
    // An eighth of the new value: one slow call among thousands of fast ones must not end the read-ahead, and a
    // change of load is followed within some ten calls. A first value is taken as it is.
    self.service_ns = Some(self.service_ns.map_or(ran, |old| old - old / 8 + ran / 8));
    Some(held.call)
  }

  /// Gives back what memory of large arguments is not needed now.
  pub(crate) fn trim(&mut self, now: Instant) {
    self.trims = self.trims.saturating_sub(1);
    let more_later = self.ring.trim() && self.trims > 0;
    self.trim_at = more_later.then_some(now + TRIM_AFTER);
  }

  /// Whether `position` is that of the boot call.
  pub(crate) fn is_boot(&self, position: Position) -> bool {
    self.boot == Some(position)
  }

  /// The boot call was answered.
  pub(crate) fn boot_answered(&mut self) {
    self.boot = None;
  }

  /// Takes back the call at `index` of `held` if the worker has not claimed it. What a damaged lane says of that cannot
  /// be believed.
  pub(crate) fn take_back(&mut self, index: usize) -> Option<Held> {
    let held = *self.held.get(index)?;
    if self.corrupt.is_some() || !self.ring.revoke(held.position) {
      return None;
    }
    self.drop_held(index);
    Some(held)
  }

  /// Removes an entry of `held` whose call has left the ring, or never will.
  pub(crate) fn drop_held(&mut self, index: usize) {
    if let Some(held) = self.held.remove(index) {
      self.held_bytes -= held.bytes;
      if let Some(budget) = &mut self.budget {
        *budget += 1;
      }
    }
  }

  /// The call that the worker runs now, if it has claimed one.
  pub(crate) fn running(&self) -> Option<Held> {
    let front = *self.held.front()?;
    self.ring.is_claimed(front.position).then_some(front)
  }

  /// Calls that the worker has not claimed. It claims in order, so they are behind the others.
  pub(crate) fn waiting(&self) -> usize {
    self.held.len() - self.held.partition_point(|held| self.ring.is_claimed(held.position))
  }

  /// When the running call was claimed. The worker writes that time, so it is held against what the host knows: not
  /// before the call came to the front, not after now.
  pub(crate) fn running_since(&self, now: Instant, now_ns: u64) -> Instant {
    let age = Duration::from_nanos(now_ns.saturating_sub(self.ring.claimed_at()));
    now.checked_sub(age).unwrap_or(self.front_since).clamp(self.front_since.min(now), now)
  }

  /// Wakes the worker if it sleeps and something is there for it.
  pub(crate) fn wake(&self) {
    if self.ring.needs_ring() {
      self.bell.ring();
    }
  }

  /// Wakes the worker to look at its control words.
  pub(crate) fn ring(&self) {
    self.bell.ring();
  }

  /// Whether it has booted.
  pub(crate) fn has_booted(&self) -> bool {
    !matches!(self.life, Life::Starting { .. })
  }

  /// Ends a worker that cannot be watched.
  pub(crate) fn discard(mut self) {
    let _ = self.child.signal_group(libc::SIGKILL);
    let _ = self.child.wait_timeout(KILL_AFTER);
  }

  /// Payload bytes of the calls that it holds.
  pub(crate) fn held_bytes(&self) -> usize {
    self.held_bytes
  }

  /// Bytes of its memory that are lent, or that the owner fills.
  pub(crate) fn lent_bytes(&self) -> u64 {
    self.ring.lent_bytes()
  }

  /// The smoothed time of one call.
  pub(crate) fn service_ns(&self) -> Option<u32> {
    self.service_ns
  }

  /// Whether it says itself that it is leaving.
  pub(crate) fn says_goodbye(&self) -> bool {
    matches!(self.ring.phase(), Some(WorkerPhase::Retiring | WorkerPhase::Leaving))
  }
}
