//! The tie between a manager and the event loop of its environment: descriptors, timer, and when the pool holds the
//! loop.

use std::cell::{Cell, RefCell};
use std::os::fd::RawFd;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use millrace_pool::{Manager, Pollables};

use super::relief::{Relief, lock};
use crate::callback::Callback;
use crate::cleanup::Cleanup;
use crate::uv::{Poll, Prepare, Timer, UvLoop, is_busy};

/// How long a loop that would sleep may go through rounds instead, before the rest of the program gets a turn.
const STAY_AWAKE: Duration = Duration::from_micros(500);

/// A pool's handles on the event loop.
pub(super) struct Hooks {
  uv_loop: *mut UvLoop,
  polls: Vec<Poll>,
  generation: Option<u64>,
  timer: Timer,
  _prepare: Prepare,
  on_event: Rc<dyn Fn()>,
  callback: Rc<Callback>,
  cleanup: Rc<Cleanup>,
  holds: bool,
}

/// A pool apart from its JavaScript object. Handles on the loop have weak references, so that none of them keeps a pool
/// alive.
pub(super) struct Core {
  manager: Arc<Mutex<Manager>>,
  relief: Relief,
  pub(super) hooks: RefCell<Option<Hooks>>,
  /// When the owner wants the loop held.
  pub(super) hold: Cell<Hold>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
  /// While calls are unfinished.
  Unfinished,
  /// Always: somebody waits for the pool to stop.
  Always,
  /// Never: the pool is unref'd.
  Never,
}

impl Core {
  pub(super) fn new(manager: Manager) -> Self {
    let manager = Arc::new(Mutex::new(manager));
    let relief = Relief::new(Arc::clone(&manager));
    Self { manager, relief, hooks: RefCell::new(None), hold: Cell::new(Hold::Unfinished) }
  }

  /// The manager, locked. This thread must not lock it again before the guard is dropped.
  pub(super) fn manager(&self) -> MutexGuard<'_, Manager> {
    lock(&self.manager)
  }

  /// Ties the manager to the loop, from now on.
  pub(super) fn start(&self, hooks: Hooks) {
    *self.hooks.borrow_mut() = Some(hooks);
    self.sync();
  }

  /// The loop is about to sleep: goes through rounds instead, for as long as there is work and the rest of the program
  /// does not wait too long.
  pub(super) fn on_prepare(&self) {
    let mut until = None;
    loop {
      let may_spin = self.hooks.borrow().as_ref().is_some_and(Hooks::would_sleep);
      if !self.manager().prepare_to_sleep(may_spin) {
        return;
      }
      self.on_event();
      let now = Instant::now();
      if now >= *until.get_or_insert(now + STAY_AWAKE) {
        break;
      }
    }
    // The workers do not ring yet: the loop must come back.
    self.manager().wake_again();
  }

  /// The loop fired: let JavaScript go through a round.
  pub(super) fn on_event(&self) {
    let callback = self.hooks.borrow().as_ref().map(|hooks| Rc::clone(&hooks.callback));
    if let Some(callback) = callback {
      callback.call();
    }
  }

  /// Brings the event loop up to date with the manager: what to watch, when to come back, whether to stay alive.
  pub(super) fn sync(&self) {
    let mut manager = self.manager();
    let mut hooks = self.hooks.borrow_mut();
    let Some(hooks) = hooks.as_mut() else { return };
    hooks.watch(&manager);
    let due = manager.next_deadline();
    manager.owner_comes_at(due);
    hooks.timer.arm(due);
    self.sync_hold(&manager, hooks);
  }

  /// The part of `sync` that follows each call.
  pub(super) fn sync_call(&self, manager: &Manager) {
    if let Some(hooks) = self.hooks.borrow_mut().as_mut() {
      if let Some(at) = manager.next_look()
        && hooks.timer.due().is_none_or(|due| due > at)
      {
        hooks.timer.arm(Some(at));
      }
      self.sync_hold(manager, hooks);
    }
  }

  fn sync_hold(&self, manager: &Manager, hooks: &mut Hooks) {
    if (manager.has_pending() || manager.next_memory_look().is_some()) && !manager.awaits_forks() {
      self.relief.watch(manager);
    }
    let holds = match self.hold.get() {
      Hold::Unfinished => manager.unfinished() > 0,
      Hold::Always => true,
      Hold::Never => false,
    };
    if holds != hooks.holds {
      hooks.holds = holds;
      for poll in &hooks.polls {
        poll.set_ref(holds);
      }
    }
  }

  /// The loop, unless the pool has left it.
  pub(super) fn uv_loop(&self) -> Option<*mut UvLoop> {
    self.hooks.borrow().as_ref().map(|hooks| hooks.uv_loop)
  }

  /// In a process that was forked from the pool's: leaves the event loop, and everything else to the parent.
  pub(super) fn leave_behind(&self) {
    let hooks = self.hooks.borrow_mut().take();
    if let Some(hooks) = hooks {
      let cleanup = Rc::clone(&hooks.cleanup);
      drop(hooks);
      cleanup.end();
    }
    self.manager().leave_behind();
  }

  /// Kills the workers that are still there, and leaves the event loop.
  pub(super) fn destroy(&self) {
    self.relief.end();
    self.manager().kill_now(Duration::from_secs(1));
    let hooks = self.hooks.borrow_mut().take();
    if let Some(hooks) = hooks {
      let cleanup = Rc::clone(&hooks.cleanup);
      drop(hooks);
      self.manager().disconnect();
      cleanup.end();
    }
  }
}

impl Hooks {
  pub(super) fn new(
    uv_loop: *mut UvLoop,
    timer: Timer,
    prepare: Prepare,
    on_event: Rc<dyn Fn()>,
    callback: Rc<Callback>,
    cleanup: Rc<Cleanup>,
  ) -> Self {
    Self {
      uv_loop,
      polls: Vec::new(),
      generation: None,
      timer,
      _prepare: prepare,
      on_event,
      callback,
      cleanup,
      holds: false,
    }
  }

  /// Whether nothing else keeps the loop from sleeping.
  fn would_sleep(&self) -> bool {
    // SAFETY: the loop is this environment's, on whose thread we are.
    unsafe { !is_busy(self.uv_loop) }
  }

  /// Watches the descriptors that the manager names. One that it does not name any more may be closed already: libuv
  /// needs only the number to forget it.
  fn watch(&mut self, manager: &Manager) {
    let generation = Some(manager.pollables_generation());
    if self.generation == generation {
      return;
    }
    self.generation = generation;
    let wanted: Vec<RawFd> = match manager.pollables() {
      Pollables::One(fd) => vec![fd],
      Pollables::Many(fds) => fds.to_vec(),
    };
    // All of them anew: a number that is still named may be another descriptor's by now. The old handles go first,
    // since libuv lets only one handle watch a number.
    self.polls.clear();
    for fd in wanted {
      let closed = self.cleanup.handle_opened();
      // SAFETY: the loop is this environment's, on whose thread we are.
      match unsafe { Poll::start(self.uv_loop, fd, Rc::clone(&self.on_event), closed) } {
        Ok(poll) => {
          poll.set_ref(self.holds);
          self.polls.push(poll);
        }
        Err(_) => self.generation = None,
      }
    }
  }
}
