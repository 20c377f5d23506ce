//! One worker as its host sees it: its process, the host's half of the shared memory, the calls that it has been given.

mod argument;
mod chunk;
mod finished_part;
mod hearing;
mod life;
mod loan;
mod memory;
mod prepared;
mod process;
mod queue;
mod segment;
mod silence;
mod size;

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_ring::{Arrival, Corrupt, HostLane, LaneSnapshot, Position, PushError, ResultRecord, WorkerPhase};
use millrace_sys::{Child, Exit, Listener, Mapping, Ringer};

pub(crate) use self::argument::{BELL_FD, LIFELINE_FD, LaneDescriptors, RESULT_BELL_FD};
pub use self::argument::{ForkedWorker, LANE_FD, LaneArgument};
pub(crate) use self::finished_part::FinishedPart;
pub(crate) use self::life::Life;
pub use self::loan::{Loan, Moved, Tail};
use self::memory::MemorySeen;
pub(crate) use self::memory::Work;
pub(crate) use self::prepared::PreparedLane;
use self::process::Process;
pub(crate) use self::segment::LaneSegment;
use self::silence::Silence;
pub(crate) use self::silence::{GivenUp, Heard, LOOK, UNCLAIMED};
use crate::completion::{CallId, status};
use crate::config::{KILL_AFTER, PoolConfig};
use crate::event::{BreakCause, ExitReason, Report};

/// How long a lane that had large arguments keeps their pages after the last of them.
const TRIM_AFTER: Duration = Duration::from_secs(1);

/// How often pages are given back before the lane gives up: a worker that keeps arguments lets go of them when its
/// garbage collector runs.
const TRIMS: u32 = 4;

/// A call that a lane is given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given {
  pub(crate) id: CallId,
  /// How long the call is expected to take.
  pub(crate) expected_ns: u32,
}

/// A call that a lane holds.
#[derive(Clone, Copy, Debug)]
struct Held {
  position: Position,
  call: CallId,
  task: u32,
  bytes: usize,
  /// How long the call is expected to take.
  expected_ns: u32,
}

/// One worker.
#[derive(Debug)]
pub(crate) struct Lane {
  worker_id: u32,
  process: Process,
  ring: HostLane<LaneSegment>,
  bell: Ringer,
  result_bell: Listener,
  life: Life,
  /// The boot call, until it is answered.
  boot: Option<Position>,
  /// Why the worker did not boot, when that is known.
  boot_failure: Option<BreakCause>,
  /// The damage that was found in the lane's memory.
  corrupt: Option<&'static str>,
  /// Calls without a result, oldest first.
  held: VecDeque<Held>,
  held_bytes: usize,
  /// How long all of them are expected to take.
  expected_ns: u64,
  /// Most bytes of them, for a lane that takes large calls beyond its read-ahead.
  at_once_bytes: usize,
  /// The version of each task's definition that this worker has been sent.
  known_tasks: Vec<u32>,
  /// What [`Definitions::outdated`](crate::calls::Definitions::outdated) was when this worker was last told to forget.
  known_until: u64,
  budget: Option<u32>,
  service_ns: Option<u32>,
  front_since: Instant,
  tasks_done: u64,
  /// The number of the task that was finished last.
  last_task: Option<u32>,
  is_stalled: bool,
  /// When that was last found.
  stalled_at: Instant,
  /// Since when the worker has not been heard, if the lane has lost its last call unclaimed.
  unheard_since: Option<Instant>,
  /// See `silence.rs`.
  silence: Option<Silence>,
  given_up: Option<GivenUp>,
  /// The last look at the worker's memory.
  memory_seen: MemorySeen,
  /// The resident bytes for which the worker was killed.
  outgrown: Option<u64>,
  /// Give the pages of large arguments back at this time, if nothing needs them before.
  trim_at: Option<Instant>,
  /// How often pages are to be given back again if the worker keeps some.
  trims: u32,
  /// Whether the manager lists the lane among the unarmed ones.
  is_listed_unarmed: bool,
  /// Whether the manager lists the lane among the idle ones.
  is_listed_idle: bool,
}

impl Lane {
  /// The lane of a worker that was just started.
  pub(crate) fn new(prepared: PreparedLane, child: Child, config: &PoolConfig, now: Instant) -> Self {
    let PreparedLane { worker_id, ring, boot, bell, result_bell, lifeline, .. } = prepared;
    Self {
      worker_id,
      process: Process::new(child, lifeline, now),
      ring,
      bell,
      result_bell,
      life: Life::Starting { deadline: now + config.start_timeout },
      boot: Some(boot),
      boot_failure: None,
      corrupt: None,
      held: VecDeque::new(),
      held_bytes: 0,
      expected_ns: 0,
      at_once_bytes: queue::at_once_bytes(config),
      known_tasks: Vec::new(),
      known_until: 0,
      budget: config.max_tasks_per_child,
      service_ns: None,
      front_since: now,
      tasks_done: 0,
      last_task: None,
      is_stalled: false,
      stalled_at: now,
      unheard_since: None,
      silence: None,
      given_up: None,
      memory_seen: MemorySeen::default(),
      outgrown: None,
      trim_at: None,
      trims: 0,
      is_listed_unarmed: false,
      is_listed_idle: false,
    }
  }

  pub(crate) fn worker_id(&self) -> u32 {
    self.worker_id
  }

  pub(crate) fn pid(&self) -> u32 {
    self.process.pid()
  }

  pub(crate) fn started_at(&self) -> Instant {
    self.process.started_at()
  }

  pub(crate) fn life(&self) -> Life {
    self.life
  }

  /// Readable when the worker rang.
  pub(crate) fn result_bell(&self) -> &Listener {
    &self.result_bell
  }

  /// Readable when the worker has ended.
  pub(crate) fn sentinel(&self) -> BorrowedFd<'_> {
    self.process.sentinel()
  }

  /// Whether the sentinel stays readable until the lane is dropped.
  pub(crate) fn is_watched_by_hangup(&self) -> bool {
    self.process.is_watched_by_hangup()
  }

  /// The mapping of the lane's memory.
  pub(crate) fn mapping(&self) -> &Arc<Mapping> {
    self.ring.memory().mapping()
  }

  /// Notes whether the lane is in the manager's list of unarmed lanes; returns whether it was.
  pub(crate) fn list_unarmed(&mut self, is_listed: bool) -> bool {
    std::mem::replace(&mut self.is_listed_unarmed, is_listed)
  }

  /// Notes whether the lane is in the manager's list of idle lanes; returns whether it was.
  pub(crate) fn list_idle(&mut self, is_listed: bool) -> bool {
    std::mem::replace(&mut self.is_listed_idle, is_listed)
  }
}

/// The worker's life and its end.
impl Lane {
  /// Asks the worker to leave once it has nothing left to do.
  pub(crate) fn ask_to_leave(&mut self, reason: ExitReason, now: Instant) {
    self.life = self.life.leaving(reason, now);
    self.ring.request_stop();
    self.bell.ring();
  }

  /// Asks the worker to abort the call at `position`, by `deadline`.
  pub(crate) fn abort(&mut self, position: Position, deadline: Instant) {
    self.ring.request_abort(position);
    self.bell.ring();
    self.life = self.life.aborting(position, deadline);
  }

  /// SIGTERM to the worker and to all that it has started. SIGKILL follows after [`KILL_AFTER`].
  pub(crate) fn terminate(&mut self, reason: ExitReason, now: Instant) {
    if !self.has_ended() && !self.life.is_signalled() {
      self.life = Life::Terminated { reason, deadline: now + KILL_AFTER };
      // The worker heeds no signal that its host has not announced.
      self.ring.announce_signals();
      self.process.signal(libc::SIGTERM);
      // A worker that is stopped, by a debugger or a terminal, would not hear of SIGTERM before SIGKILL.
      self.process.signal(libc::SIGCONT);
    }
  }

  /// SIGKILL to the worker and to all that it has started.
  pub(crate) fn kill(&mut self, reason: ExitReason) {
    if !self.has_ended() {
      self.life = Life::Killed { reason };
      self.process.signal(libc::SIGKILL);
    }
  }

  /// Whether the system did not let the host signal the worker, which ends by its lifeline then.
  pub(crate) fn is_signal_refused(&self) -> bool {
    self.process.is_refused()
  }

  /// The worker has not booted in time.
  pub(crate) fn fail_start(&mut self) {
    self.boot_failure = Some(BreakCause::StartTimeout);
    self.kill(ExitReason::FailedStart);
  }

  /// Something in the lane's memory makes no sense: the worker is killed, and nothing in the lane is believed from now
  /// on. The state of its life stays, so that the end counts as a death unless the host wanted it.
  pub(crate) fn condemn(&mut self, what: &'static str) {
    if self.corrupt.is_none() {
      self.corrupt = Some(what);
      self.process.signal(libc::SIGKILL);
    }
  }

  /// The worker's end was seen: asks how it ended. False: the status is not there yet, and is to be asked for at
  /// [`Lane::reap_at`].
  pub(crate) fn reap(&mut self, now: Instant) -> bool {
    if !matches!(self.life, Life::Leaving { .. }) && !self.says_goodbye() {
      // What the worker started goes with it. Before it is reaped: until then its group's number cannot be anybody
      // else's.
      self.process.sweep();
    }
    self.process.reap(now)
  }

  /// When the status of a worker that has ended is to be asked for.
  pub(crate) fn reap_at(&self) -> Option<Instant> {
    self.process.reap_at()
  }

  /// How the worker ended, once that is known. The lane goes when its results have been drained.
  pub(crate) fn exit(&self) -> Option<Exit> {
    self.process.exit()
  }

  pub(crate) fn has_ended(&self) -> bool {
    self.process.exit().is_some()
  }

  /// Whether the worker has ended, noticed or not, or was killed because of its memory.
  pub(crate) fn has_left(&self) -> bool {
    self.is_corrupt() || self.process.has_left()
  }

  /// Waits until the worker is reaped, at most for `timeout`.
  pub(crate) fn wait(&mut self, timeout: Duration) {
    self.process.wait(timeout);
  }

  /// Ends a worker that cannot be watched.
  pub(crate) fn discard(mut self) {
    self.process.signal(libc::SIGKILL);
    self.process.wait(KILL_AFTER);
  }

  /// Whether the worker says itself that it is leaving.
  pub(crate) fn says_goodbye(&self) -> bool {
    matches!(self.ring.phase(), Some(WorkerPhase::Retiring | WorkerPhase::Leaving))
  }

  /// The damage that was found in the lane's memory.
  pub(crate) fn corrupt(&self) -> Option<&'static str> {
    self.corrupt
  }

  pub(crate) fn is_corrupt(&self) -> bool {
    self.corrupt.is_some()
  }

  /// Why the worker did not boot, when that is known.
  pub(crate) fn take_boot_failure(&mut self) -> Option<BreakCause> {
    self.boot_failure.take()
  }
}

/// The worker's results, bells and memory.
impl Lane {
  /// The next entry of the result ring.
  pub(crate) fn next_result(&mut self) -> Result<Option<Arrival>, Corrupt> {
    self.ring.next_result()
  }

  /// Whether there is a next entry.
  pub(crate) fn has_result(&self) -> bool {
    self.ring.has_result()
  }

  /// Copies `dst.len()` bytes of a result's payload, from `at` on.
  pub(crate) fn copy_payload(&self, record: &ResultRecord, at: usize, dst: &mut [u8]) {
    self.ring.copy_payload(record, at, dst);
  }

  /// The content of a large result where it lies, if the worker lends it.
  pub(crate) fn borrow(&self, record: &ResultRecord) -> Option<Loan> {
    Some(Loan::new(self.ring.borrow(record)?, self.mapping()))
  }

  /// A call's result was read: its room is given back, and the call is over.
  pub(crate) fn consume(&mut self, record: &ResultRecord, now: Instant) {
    self.ring.consume(record);
    if !record.is_inline() {
      // The worker may sleep until there is room for its next large result.
      self.wake();
    }
    self.finish(record.position, record.ran_ns, now);
    self.life = self.life.after_result(record.position, now);
  }

  /// Reads and consumes a result that carries an error for the manager itself.
  pub(crate) fn take_report(&mut self, record: &ResultRecord) -> Report {
    let mut bytes = vec![0; record.payload_len()];
    self.ring.copy_payload(record, 0, &mut bytes);
    self.ring.consume(record);
    Report { codec: record.codec, bytes }
  }

  /// Whether `position` is that of the boot call.
  pub(crate) fn is_boot(&self, position: Position) -> bool {
    self.boot == Some(position)
  }

  /// The boot call was answered. True: the worker has booted. Else the worker leaves by itself, and its end says what
  /// follows.
  pub(crate) fn boot_answered(&mut self, record: &ResultRecord, now: Instant) -> bool {
    self.boot = None;
    self.front_since = now;
    let has_booted = record.status == status::OK;
    if has_booted {
      self.ring.consume(record);
      self.life = self.life.booted();
    } else {
      self.boot_failure = Some(BreakCause::BootFailed(self.take_report(record)));
    }
    has_booted
  }

  /// From now on the worker rings for its next result. True: there is one already.
  pub(crate) fn arm(&mut self) -> bool {
    self.ring.arm()
  }

  /// Tells the worker whether it may look for its next call awake.
  pub(crate) fn let_spin(&self, may_spin: bool) {
    self.ring.let_spin(may_spin);
  }

  /// Wakes the worker if it sleeps and something is there for it.
  fn wake(&self) {
    if self.ring.needs_ring() {
      self.bell.ring();
    }
  }

  /// Whether a worker has claimed the call at `position`.
  pub(crate) fn is_claimed(&self, position: Position) -> bool {
    self.ring.is_claimed(position)
  }

  /// A block of this lane's memory for the host to fill in place.
  pub(crate) fn allocate(&mut self, len: usize) -> Result<Loan, PushError> {
    let content = self.ring.allocate(len)?;
    Ok(Loan::new(content, self.mapping()))
  }

  /// Bytes of the lane's memory that are lent, or that the owner fills.
  pub(crate) fn lent_bytes(&self) -> u64 {
    self.ring.lent_bytes()
  }

  /// Large arguments were in the lane: their pages are given back in a while.
  fn trim_later(&mut self, now: Instant) {
    self.trim_at = Some(now + TRIM_AFTER);
    self.trims = TRIMS;
  }

  /// When memory of large arguments is to be given back.
  pub(crate) fn trim_at(&self) -> Option<Instant> {
    self.trim_at
  }

  /// Gives memory of large arguments back if the time has come.
  pub(crate) fn trim_if_due(&mut self, now: Instant) {
    if self.trim_at.is_none_or(|at| at > now) {
      return;
    }
    self.trims = self.trims.saturating_sub(1);
    let more_later = self.ring.trim() && self.trims > 0;
    self.trim_at = more_later.then_some(now + TRIM_AFTER);
  }

  /// The state of rings and arena, for people.
  pub(crate) fn snapshot(&self) -> LaneSnapshot {
    self.ring.snapshot()
  }
}
