//! The worker's end of a lane: takes calls, commits results, and rings the host.
//!
//! A worker's process is given descriptors and an argument ([`LaneArgument`]). [`Worker::attach`] takes the descriptors
//! over and starts the watchdog, which ends this process with its host.

mod faults;

use std::cell::Cell;
use std::os::fd::{AsFd, BorrowedFd};
use std::ptr::NonNull;
use std::sync::Arc;

use millrace_ring::{CallKind, CallRecord, CommitError, ResultHeader, Taken, WorkerLane, WorkerPhase};
use millrace_sys::{
  Listener, Ringer, Segment, StartedBy, adopt_fd, heed_announced_signals, ignore_sigint, monotonic_ns, out_of_the_way,
  reuse_heap_memory, start_watchdog, trim_heap,
};

pub use crate::error::WorkerError;
use crate::fault::{self, Point, hits};
use crate::lane::{BELL_FD, LIFELINE_FD, LaneDescriptors, RESULT_BELL_FD};
use crate::lane::{ForkedWorker, LaneSegment, Loan, Moved};
pub use crate::lane::{LANE_FD, LaneArgument};
use crate::spin::Spinner;

/// A worker's connection to its host.
#[derive(Debug)]
pub struct Worker {
  lane: WorkerLane<LaneSegment>,
  bell: Listener,
  result_bell: Ringer,
  booted: bool,
  /// When the last call was claimed, or its result committed.
  clock_ns: Cell<u64>,
  spinner: Spinner,
}

impl Worker {
  /// Takes over the descriptors that this process was started with, starts the watchdog, and ignores SIGINT: the host
  /// decides what an interrupt means.
  ///
  /// # Safety
  /// The descriptors 3 to 6 must be those that a pool passed, and nothing else in this process may own them: this is
  /// called once, at the start of a process that was given `argument`.
  ///
  /// # Errors
  /// When the descriptors are not a lane's, or a system call fails.
  pub unsafe fn attach(argument: &LaneArgument) -> Result<Self, WorkerError> {
    // Each descriptor is made close-on-exec first of all: a process that a task starts would inherit the lifeline and
    // keep it from hanging up. And each gets another number, at which tasks do not close it by mistake.
    // SAFETY: the caller promises that this number is an open descriptor that nobody else owns.
    let lane = unsafe { adopt_fd(LANE_FD) }?;
    // SAFETY: as above.
    let bell = unsafe { adopt_fd(BELL_FD) }?;
    // SAFETY: as above.
    let result_bell = unsafe { adopt_fd(RESULT_BELL_FD) }?;
    // SAFETY: as above.
    let lifeline = unsafe { adopt_fd(LIFELINE_FD) }?;
    Self::take_over(argument, LaneDescriptors { lane, bell, result_bell, lifeline }, StartedBy::Host)
  }

  /// [`Worker::attach`] for a process that was forked to be this worker.
  ///
  /// # Errors
  /// As [`Worker::attach`].
  pub fn attach_forked(worker: ForkedWorker) -> Result<Self, WorkerError> {
    let LaneDescriptors { lane, bell, result_bell, lifeline } = worker.descriptors;
    let [lane, bell, result_bell, lifeline] = [lane, bell, result_bell, lifeline].map(out_of_the_way);
    let descriptors = LaneDescriptors { lane, bell, result_bell, lifeline };
    Self::take_over(&worker.argument, descriptors, worker.started_by)
  }

  fn take_over(
    argument: &LaneArgument,
    descriptors: LaneDescriptors,
    started_by: StartedBy,
  ) -> Result<Self, WorkerError> {
    // The host has checked its own environment, and a worker's may be another.
    fault::check()?;
    let LaneDescriptors { lane, bell, result_bell, lifeline } = descriptors;
    start_watchdog(lifeline, argument.host_pid, started_by)?;
    ignore_sigint();
    reuse_heap_memory();
    let lane = WorkerLane::attach(LaneSegment::new(Segment::from_fd(lane, argument.segment_len)?))?;
    Ok(Self {
      lane,
      bell: Listener::from_fd(bell),
      result_bell: Ringer::from_fd(result_bell),
      booted: false,
      clock_ns: Cell::new(0),
      spinner: Spinner::default(),
    })
  }

  /// The journal: the address and the length of its memory, and where its bytes begin there. The memory stays as long
  /// as this process.
  pub fn journal(&self) -> (NonNull<u8>, usize, usize) {
    // JavaScript has views of the memory, whatever becomes of this value: so the mapping is never dropped.
    std::mem::forget(Arc::clone(self.lane.memory().mapping()));
    let (address, len) = self.lane.journal();
    (address, len, self.lane.journal_offset())
  }

  /// The index of a call's word among those of the chunks.
  pub fn chunk_index(&self, call: &CallRecord) -> u32 {
    self.lane.chunk_index(call.position)
  }

  /// Makes the pages of a range of the journal's bytes exist; false if there is no memory for them.
  pub fn commit_journal(&self, from: usize, to: usize) -> bool {
    self.lane.commit_journal(from, to).is_ok()
  }

  /// Gives the pages of the journal's bytes back, from `from` on.
  pub fn trim_journal(&self, from: usize) {
    self.lane.trim_journal(from);
  }

  /// From now on SIGTERM and SIGHUP end this process only when its host has announced them, or this process sends them
  /// itself. To be called again when other code has taken the handlers of these signals.
  pub fn heed_announced_signals(&self) {
    // The handler stays, whatever becomes of this value: so does the memory that it reads.
    std::mem::forget(Arc::clone(self.lane.memory().mapping()));
    // SAFETY: the word lies in the lane's memory, whose mapping is never dropped: its count was raised above for good.
    unsafe { heed_announced_signals(self.lane.signals_word()) };
  }

  /// The word of this worker's [phase](WorkerPhase), for code that runs in the middle of any other. The memory stays as
  /// long as this process.
  pub fn phase_word(&self) -> NonNull<u32> {
    std::mem::forget(Arc::clone(self.lane.memory().mapping()));
    self.lane.phase_word()
  }

  /// Readable when the host rang.
  pub fn bell(&self) -> BorrowedFd<'_> {
    self.bell.as_fd()
  }

  /// Swallows the rings so far. To be called before a look for work, never between a look and a sleep.
  pub fn clear_bell(&self) {
    self.bell.clear();
  }

  /// Claims the next call.
  pub fn take(&mut self) -> Taken {
    self.take_at(monotonic_ns)
  }

  /// [`Worker::take`] right after [`Worker::commit`]: the time of the commit is the time of the claim, since a second
  /// look at the clock would take as long as the claim.
  pub fn take_next(&mut self) -> Taken {
    let now = self.clock_ns.get();
    self.take_at(move || now)
  }

  fn take_at(&mut self, now_ns: impl FnOnce() -> u64) -> Taken {
    let clock = &self.clock_ns;
    let read = move || {
      let now = now_ns();
      clock.set(now);
      now
    };
    if cfg!(feature = "fault-injection") {
      return faults::take(&mut self.lane, self.booted, read);
    }
    self.lane.take(read)
  }

  /// The nanoseconds since the last claim, saturated. A following [`Worker::take_next`] claims at this time.
  pub fn ran_ns(&self) -> u32 {
    let now = monotonic_ns();
    u32::try_from(now.saturating_sub(self.clock_ns.replace(now))).unwrap_or(u32::MAX)
  }

  /// Copies `dst.len()` bytes of a call's payload, from `at` on.
  pub fn copy_payload(&self, call: &CallRecord, at: usize, dst: &mut [u8]) {
    // The head of a large payload is copied first, by itself.
    let is_last = at + dst.len() == call.payload_len();
    if cfg!(feature = "fault-injection") && call.kind == CallKind::Task && is_last {
      faults::copy_last_piece(&self.lane, call, at, dst);
      return;
    }
    self.lane.copy_payload(call, at, dst);
  }

  /// The content of a large payload where it lies; `None` if the host does not lend it.
  pub fn borrow(&mut self, call: &CallRecord) -> Option<Loan> {
    let content = self.lane.borrow(call)?;
    if cfg!(feature = "fault-injection") {
      hits(Point::BlockBorrowed);
      hits(Point::BeforeCall);
    }
    Some(Loan::new(content, self.lane.memory().mapping()))
  }

  /// Lets go of a task definition that has been read.
  pub fn release_define(&mut self, call: &CallRecord) {
    self.lane.release_define(call);
  }

  /// Commits the result of a call and wakes the host if it sleeps.
  ///
  /// # Errors
  /// [`CommitError::NoRoom`] when earlier results fill the arena: sleep until the host has consumed some, and try
  /// again.
  pub fn commit(
    &mut self,
    header: &ResultHeader,
    call: &CallRecord,
    head: &[u8],
    tail: &[u8],
  ) -> Result<(), CommitError> {
    let has_points = cfg!(feature = "fault-injection") && call.kind == CallKind::Task;
    if has_points {
      faults::commit(&mut self.lane, header, call, head, tail)?;
    } else {
      self.lane.commit(header, call, head, tail)?;
    }
    self.ring_host();
    if has_points {
      hits(Point::AfterRing);
    }
    Ok(())
  }

  /// As [`Worker::commit`], of a payload whose content lies in the lane: the block is the host's from then on. False:
  /// nothing is committed, and a copy has to be.
  pub fn commit_moved(&mut self, header: &ResultHeader, call: &CallRecord, head: &[u8], content: Moved<'_>) -> bool {
    let committed =
      content.is_in(self.lane.memory().mapping()) && self.lane.commit_borrowed(header, call, head, content.content());
    if committed {
      content.pass_on();
      if cfg!(feature = "fault-injection") {
        hits(Point::BeforeRing);
      }
      self.ring_host();
    }
    committed
  }

  /// A block of the lane's memory, for a task to fill in place.
  ///
  /// # Errors
  /// When there is no room for it.
  pub fn allocate(&mut self, len: usize) -> Result<Loan, CommitError> {
    let content = self.lane.allocate(len)?;
    Ok(Loan::new(content, self.lane.memory().mapping()))
  }

  /// Sends a report that answers no call; false when there is no room for it.
  pub fn notice(&mut self, status: u8, codec: u8, head: &[u8], tail: &[u8]) -> bool {
    let sent = self.lane.notice(status, codec, head, tail);
    self.ring_host();
    sent
  }

  /// Looks for work for a moment, if the host lets this worker (see `spin.rs`); true if there is some.
  pub fn spin(&mut self) -> bool {
    self.lane.may_spin() && self.spinner.spin(|| self.lane.has_work())
  }

  /// Says that this worker is about to sleep; true if there is work after all.
  pub fn arm(&self) -> bool {
    // The host may wait for the slots of cancelled calls that were passed by.
    self.ring_host();
    self.lane.arm()
  }

  /// Tells the host how far this worker's life has come.
  pub fn set_phase(&mut self, phase: WorkerPhase) {
    self.booted |= phase == WorkerPhase::Ready;
    if phase == WorkerPhase::Leaving {
      hits(Point::ExitHandshake);
    }
    self.lane.set_phase(phase);
    self.ring_host();
  }

  /// Whether the host wants the call at `position` to stop.
  pub fn abort_requested(&self, position: u32) -> bool {
    self.lane.abort_requested(position)
  }

  /// Gives back memory that nothing needs now: of results that have been consumed, and what tasks have freed. True: the
  /// host keeps results, so there may be more later.
  pub fn trim(&mut self) -> bool {
    trim_heap();
    self.lane.trim()
  }

  fn ring_host(&self) {
    // A host that cannot be woken would wait for ever. It sees the death of this process.
    if self.lane.needs_ring() && !self.result_bell.ring() {
      std::process::abort();
    }
  }
}
