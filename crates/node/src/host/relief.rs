//! The thread that keeps workers fed while the environment's own thread computes.
//!
//! The thread is started when calls are pending for the first time, and sleeps while none wait. Else it looks each
//! millisecond whether the owner has gone through a round since; if not, the thread goes through one in its place (see
//! `Manager::relieve`). It touches the manager only, under the manager's lock, and never JavaScript.
//!
//! In a pool with a hard limit of memory the thread is also started for calls that run. While none wait, it comes by
//! when a look at the workers' memory is overdue.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread::{Builder, JoinHandle, park, park_timeout};
use std::time::{Duration, Instant};

use millrace_pool::Manager;
use millrace_sys::SignalsBlocked;

/// How long the owner may go without a round.
const PATIENCE: Duration = Duration::from_millis(1);

/// How long a look at the workers' memory may be overdue before the thread looks in the owner's place.
const MEMORY_PATIENCE: Duration = Duration::from_millis(5);

/// Enough to copy payloads and to start processes.
const STACK: usize = 256 << 10;

// In the order of what keeps the thread from sleeping.
const IDLE: u8 = 0;
/// Calls run in a pool with a hard limit of memory.
const GUARDING: u8 = 1;
/// Calls are pending.
const WATCHING: u8 = 2;
const ENDING: u8 = 3;

/// Handing over between the owner and the thread.
pub(super) struct Relief {
  manager: Arc<Mutex<Manager>>,
  /// The owner raises the state and the thread lowers it, both under the manager's lock: so the thread does not fall
  /// asleep over a call that became pending meanwhile. `ENDING` is written by the owner, last.
  state: Arc<AtomicU8>,
  thread: RefCell<Option<JoinHandle<()>>>,
}

impl Relief {
  pub(super) fn new(manager: Arc<Mutex<Manager>>) -> Self {
    Self { manager, state: Arc::new(AtomicU8::new(IDLE)), thread: RefCell::new(None) }
  }

  /// Calls are pending, or run and may grow their workers: wakes the thread. `manager` shows that the owner has the
  /// lock.
  pub(super) fn watch(&self, manager: &Manager) {
    let state = if manager.has_pending() { WATCHING } else { GUARDING };
    if self.state.load(Ordering::Relaxed) >= state {
      return;
    }
    let mut thread = self.thread.borrow_mut();
    if thread.is_none() {
      *thread = self.start();
    }
    // Without a thread the workers wait for the owner, no more.
    if let Some(thread) = thread.as_ref() {
      self.state.store(state, Ordering::Relaxed);
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
  let (mut turns, mut pause) = (None, PATIENCE);
  loop {
    let seen = state.load(Ordering::Relaxed);
    match seen {
      ENDING => return,
      IDLE => {
        park();
        continue;
      }
      GUARDING => park_timeout(pause),
      _ => park_timeout(PATIENCE),
    }
    (turns, pause) = look(manager, state, seen, turns);
  }
}

/// One look: at the workers' memory, and, if calls wait, whether the count of the owner's turns is still `before`. Then
/// the thread does the owner's work. Returns the count, and when to look again if no call waits.
fn look(manager: &Mutex<Manager>, state: &AtomicU8, seen: u8, before: Option<u64>) -> (Option<u64>, Duration) {
  loop {
    // Whoever has the lock looks after the workers.
    let Some(mut manager) = try_lock(manager) else { return (None, PATIENCE) };
    let pause = look_at_memory(&mut manager);
    if seen == GUARDING || !manager.has_waiting() {
      let lower = if pause.is_some() { GUARDING } else { IDLE };
      let _ = state.compare_exchange(seen, lower, Ordering::Relaxed, Ordering::Relaxed);
      return (None, pause.unwrap_or(PATIENCE));
    }
    let turns = Some(manager.owner_turns());
    if turns != before || !manager.relieve().unwrap_or(false) || state.load(Ordering::Relaxed) == ENDING {
      return (turns, PATIENCE);
    }
  }
}

/// Looks at the workers' memory if the owner has not, and returns when to look again, if some worker has a call.
fn look_at_memory(manager: &mut Manager) -> Option<Duration> {
  let now = Instant::now();
  if manager.next_memory_look()? + MEMORY_PATIENCE <= now {
    manager.look_at_memory(now);
  }
  let next = manager.next_memory_look()? + MEMORY_PATIENCE;
  Some(next.saturating_duration_since(now).max(PATIENCE))
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
