//! The thread that keeps workers fed while the environment's own thread computes.
//!
//! The thread is started when calls are pending for the first time, and sleeps while none wait. Else it looks each
//! millisecond whether the owner has gone through a round since; if not, the thread goes through one in its place (see
//! `Manager::relieve`). It touches the manager only, under the manager's lock, and never JavaScript.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::{Builder, JoinHandle, park, park_timeout};
use std::time::Duration;

use millrace_pool::Manager;
use millrace_sys::SignalsBlocked;

/// How long the owner may go without a round.
const PATIENCE: Duration = Duration::from_millis(1);

/// Enough to copy payloads and to start processes.
const STACK: usize = 256 << 10;

const IDLE: u8 = 0;
const WATCHING: u8 = 1;
const ENDING: u8 = 2;

/// Handing over between the owner and the thread.
pub(super) struct Relief {
  manager: Arc<Mutex<Manager>>,
  /// `WATCHING` is written by the owner and `IDLE` by the thread, both under the manager's lock: so the thread does not
  /// fall asleep over a call that became pending meanwhile. `ENDING` is written by the owner, last.
  state: Arc<AtomicU8>,
  thread: RefCell<Option<JoinHandle<()>>>,
}

impl Relief {
  pub(super) fn new(manager: Arc<Mutex<Manager>>) -> Self {
    Self { manager, state: Arc::new(AtomicU8::new(IDLE)), thread: RefCell::new(None) }
  }

  /// Calls are pending: wakes the thread. `_manager` shows that the owner has the lock.
  pub(super) fn watch(&self, _manager: &Manager) {
    if self.state.load(Ordering::Relaxed) != IDLE {
      return;
    }
    let mut thread = self.thread.borrow_mut();
    if thread.is_none() {
      *thread = self.start();
    }
    // Without a thread the workers wait for the owner, no more.
    if let Some(thread) = thread.as_ref() {
      self.state.store(WATCHING, Ordering::Relaxed);
      thread.thread().unpark();
    }
  }

  fn start(&self) -> Option<JoinHandle<()>> {
    // Signals are for the threads of Node; the mask is inherited by the thread.
    let _blocked = SignalsBlocked::new();
    let (manager, state) = (Arc::clone(&self.manager), Arc::clone(&self.state));
    let thread = Builder::new().name("millrace-relief".into()).stack_size(STACK);
    thread.spawn(move || stand_in(&manager, &state)).ok()
  }

  /// Ends the thread, and waits for its end. The owner must not have the manager's lock.
  pub(super) fn end(&self) {
    self.state.store(ENDING, Ordering::Relaxed);
    if let Some(thread) = self.thread.borrow_mut().take() {
      thread.thread().unpark();
      let _ = thread.join();
    }
  }
}

fn stand_in(manager: &Mutex<Manager>, state: &AtomicU8) {
  let mut turns = None;
  loop {
    match state.load(Ordering::Relaxed) {
      ENDING => return,
      IDLE => park(),
      _ => {
        park_timeout(PATIENCE);
        turns = look(manager, state, turns);
      }
    }
  }
}

/// One look: does the owner's work if the count of its turns is still `before`. Returns the count.
fn look(manager: &Mutex<Manager>, state: &AtomicU8, before: Option<u64>) -> Option<u64> {
  loop {
    // Whoever has the lock looks after the workers.
    let mut manager = try_lock(manager)?;
    if !manager.has_waiting() {
      let _ = state.compare_exchange(WATCHING, IDLE, Ordering::Relaxed, Ordering::Relaxed);
      return None;
    }
    let turns = Some(manager.owner_turns());
    if turns != before || !manager.relieve().unwrap_or(false) || state.load(Ordering::Relaxed) == ENDING {
      return turns;
    }
  }
}

fn try_lock(manager: &Mutex<Manager>) -> Option<MutexGuard<'_, Manager>> {
  match manager.try_lock() {
    Ok(manager) => Some(manager),
    Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
    Err(TryLockError::WouldBlock) => None,
  }
}

/// The manager, for the owner.
pub(super) fn lock(manager: &Mutex<Manager>) -> MutexGuard<'_, Manager> {
  manager.lock().unwrap_or_else(PoisonError::into_inner)
}
