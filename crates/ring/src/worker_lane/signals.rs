//! The worker's signals: wake-ups in both directions, its phase, and the host's requests.

use crate::bell::{NEWS, ROOM, WORK};
use crate::memory::Memory;
use crate::record::{Position, WorkerPhase};
use crate::sync::{Ordering, SyncPoint};
use crate::worker_lane::WorkerLane;

impl<M: Memory> WorkerLane<M> {
  /// Whether the caller must ring the host's doorbell now, for what was published since this was last asked.
  #[inline]
  pub fn needs_ring(&self) -> bool {
    self.published.replace(false) && self.view.header().host_bell.must_ring(NEWS)
  }

  /// Says that the worker is about to sleep, until there is a call or a request, or, after
  /// [`crate::CommitError::NoRoom`], until the host has consumed results. True: there is already, do not sleep.
  pub fn arm(&self) -> bool {
    let header = self.view.header();
    header.worker_bell.arm(if self.refused_at.is_some() { ROOM } else { WORK });
    self.armed.set(true);
    // SYNC POINT AbortRequested: the abort words of the slots are visible.
    let aborts = header.control.aborts.load(SyncPoint::AbortRequested.acquire());
    let found = match self.refused_at {
      Some(refused_at) => header.progress.consumed.load(Ordering::Relaxed) != refused_at,
      None => self.calls.has_work(self.view.calls()) || header.control.stop.load(Ordering::Relaxed) == 1,
    };
    let found = self.aborts_seen.replace(aborts) != aborts || found;
    if found {
      self.armed.set(false);
      header.worker_bell.disarm();
    }
    found
  }

  /// The word that is 1 once the host has announced that it signals this process, for a signal handler. It is readable
  /// as long as the lane's memory is mapped.
  #[cfg(not(loom))]
  pub fn signals_word(&self) -> core::ptr::NonNull<u32> {
    core::ptr::NonNull::from(&self.view.header().control.signals).cast()
  }

  /// Whether the host lets this worker spin before it sleeps.
  pub fn may_spin(&self) -> bool {
    self.view.header().control.spin.load(Ordering::Relaxed) == 1
  }

  /// Whether [`WorkerLane::take`] would find something; for a worker that spins.
  #[inline]
  pub fn has_work(&self) -> bool {
    self.calls.has_work(self.view.calls()) || self.view.header().control.stop.load(Ordering::Relaxed) == 1
  }

  /// Tells the host this worker's phase.
  pub fn set_phase(&self, phase: WorkerPhase) {
    // SYNC POINT PhaseChanged: who sees the phase sees what was done before.
    self.view.header().life.phase.store(phase as u32, SyncPoint::PhaseChanged.release());
    self.published.set(true);
  }

  /// The word of this worker's phase, for code that must not use this value: V8 calls it in the middle of any other.
  /// The host looks at a phase that is stored there when the worker has ended.
  #[cfg(not(loom))]
  pub fn phase_word(&self) -> core::ptr::NonNull<u32> {
    core::ptr::NonNull::from(&self.view.header().life.phase).cast()
  }

  /// Whether the host wants the call at `p`, which this worker runs, to be aborted.
  pub fn abort_requested(&self, p: Position) -> bool {
    self.calls.slot(self.view.calls(), p).abort_requested(p)
  }
}
