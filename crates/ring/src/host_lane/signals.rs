//! The host's signals: wake-ups in both directions, and requests to the worker.

use crate::bell::{CONTROL, NEWS};
use crate::host_lane::HostLane;
use crate::memory::Memory;
use crate::record::{Position, WorkerPhase};
use crate::sync::{Ordering, SyncPoint};

impl<M: Memory> HostLane<M> {
  /// Whether the caller must ring the worker's doorbell now, for what was published since this was last asked.
  #[inline]
  pub fn needs_ring(&self) -> bool {
    let published = self.published.replace(0);
    if published == 0 {
      return false;
    }
    let bell = &self.view.header().worker_bell;
    if published & CONTROL != 0 {
      // A worker that runs something has not armed its bell, and may still sit in its event loop.
      bell.silence();
      return true;
    }
    bell.must_ring(published)
  }

  /// Says that the host is about to sleep. True: there is something to look at after all (a result, a new phase of the
  /// worker, room where there was none), so do not sleep.
  pub fn arm(&self) -> bool {
    let header = self.view.header();
    header.host_bell.arm(NEWS);
    self.armed.set(true);
    let phase = header.life.phase.load(SyncPoint::PhaseChanged.acquire());
    let news = self.has_result()
      || self.phase_seen.replace(phase) != phase
      || (self.starved.get() && self.calls.oldest_was_released(self.view.calls()))
      || self.has_wanted_slots();
    if news {
      self.starved.set(false);
      self.wanted_slots.set(0);
      self.armed.set(false);
      header.host_bell.disarm();
    }
    news
  }

  fn has_wanted_slots(&self) -> bool {
    let wanted = self.wanted_slots.get();
    wanted > 0 && self.calls.vacancies(self.view.calls()) >= wanted
  }

  /// Asks the worker to leave when it finds no queued call. Push nothing after this.
  pub fn request_stop(&self) {
    // SYNC POINT StopRequested: a worker that sees this sees every call pushed before.
    self.view.header().control.stop.store(1, SyncPoint::StopRequested.release());
    self.published.set(self.published.get() | CONTROL);
  }

  /// Asks the worker to abort the call at `p`, if the worker runs it.
  pub fn request_abort(&self, p: Position) {
    if self.calls.request_abort(self.view.calls(), p) {
      let aborts = self.aborts.get().wrapping_add(1);
      self.aborts.set(aborts);
      // SYNC POINT AbortRequested: a worker that sees the count sees the slot's word.
      self.view.header().control.aborts.store(aborts, SyncPoint::AbortRequested.release());
      self.published.set(self.published.get() | CONTROL);
    }
  }

  /// Announces that the host is about to signal the worker's process.
  pub fn announce_signals(&self) {
    // No other store is published with the word, and the handler that loads the word runs because of a system call
    // that comes after this store.
    self.view.header().control.signals.store(1, Ordering::Relaxed);
  }

  /// Whether the worker says that it sleeps, until there is a call.
  pub fn worker_sleeps(&self) -> bool {
    self.view.header().worker_bell.awaited() != 0
  }

  /// Tells the worker whether it may spin before it sleeps. Only speed depends on when the worker sees this.
  pub fn let_spin(&self, may: bool) {
    if self.lets_spin.replace(may) != may {
      self.view.header().control.spin.store(u32::from(may), Ordering::Relaxed);
    }
  }

  /// The worker's phase, by its own account; `None` for a phase that does not exist.
  pub fn phase(&self) -> Option<WorkerPhase> {
    // SYNC POINT PhaseChanged: what the worker did before is visible.
    let phase = self.view.header().life.phase.load(SyncPoint::PhaseChanged.acquire());
    self.phase_seen.set(phase);
    WorkerPhase::from_u32(phase)
  }

  /// When the worker made its last claim, by its own account, in nanoseconds of the monotonic clock. To be compared
  /// with what the host knows.
  pub fn claimed_at(&self) -> u64 {
    self.view.header().clock.claimed_at.load(Ordering::Relaxed)
  }
}
