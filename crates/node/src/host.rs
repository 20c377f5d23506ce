//! The host's side: a pool on the event loop of its environment.

use std::cell::{Cell, RefCell};
use std::os::fd::RawFd;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use millrace_pool::{CallSpec, Completion, Limits, Manager, Pollables, PoolState, SpawnFailure, SubmitError};
use napi::bindgen_prelude::{Env, Function, Uint8Array};
use napi_derive::napi;

use crate::callback::{Callback, event_loop, uv_error};
use crate::cleanup::Cleanup;
use crate::event::{NativeEvent, NativeWorkerStats};
use crate::options::{NativePoolOptions, milliseconds};
use crate::platform::sys_error;
use crate::staging::{ELSEWHERE, STAGED_MAX, Staging, halves, write_words};
use crate::uv::{Poll, Timer, UvLoop};

/// Why `submit` took no call, as negative numbers; call numbers are not negative.
mod refused {
  pub const CLOSED: i32 = -1;
  pub const BROKEN: i32 = -2;
  pub const QUEUE_FULL: i32 = -3;
  pub const SPAWN: i32 = -4;
  pub const TOO_LARGE: i32 = -5;
}

/// Words of one result record in the inbox: call, status, codec, flags, payload length (low, high), payload offset in
/// the inbox or [`ELSEWHERE`], the worker's process id, the time that it ran in microseconds, and one spare.
const RECORD_WORDS: usize = 10;

/// Results that one `drain` returns at most. The payloads follow the records in the inbox.
const RECORDS_MAX: usize = 256;

/// What a pool has on the event loop.
struct Hooks {
  uv_loop: *mut UvLoop,
  polls: Vec<Poll>,
  generation: Option<u64>,
  timer: Timer,
  on_event: Rc<dyn Fn()>,
  callback: Rc<Callback>,
  cleanup: Rc<Cleanup>,
  holds: bool,
}

/// Everything but the JavaScript object. Handles on the loop reach it weakly, so that none of them keeps a pool alive.
struct Core {
  manager: RefCell<Manager>,
  hooks: RefCell<Option<Hooks>>,
  /// The owner wants the loop held, or not held, whatever is unfinished.
  hold: Cell<Hold>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
  /// While calls are unfinished.
  Unfinished,
  /// Also when none is: somebody waits for the pool to stop.
  Always,
  /// Never: the pool is unref'd.
  Never,
}

impl Core {
  /// The loop fired: let JavaScript go through a round.
  fn on_event(&self) {
    let callback = self.hooks.borrow().as_ref().map(|hooks| Rc::clone(&hooks.callback));
    if let Some(callback) = callback {
      callback.call();
    }
  }

  /// Brings the event loop up to date with the manager: what to watch, when to come back, whether to stay alive.
  fn sync(&self) {
    let manager = self.manager.borrow();
    let mut hooks = self.hooks.borrow_mut();
    let Some(hooks) = hooks.as_mut() else { return };
    hooks.watch(&manager);
    let due = manager.next_deadline().map(|at| {
      let left = at.saturating_duration_since(Instant::now());
      // Rounded up: a timer that fires too early would only be armed again.
      u64::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
    });
    hooks.timer.arm(due);
    self.sync_hold(&manager, hooks);
  }

  fn sync_hold(&self, manager: &Manager, hooks: &mut Hooks) {
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

  /// Leaves the event loop. Workers that are still there are killed.
  fn close(&self) {
    self.manager.borrow_mut().kill_now(Duration::from_secs(1));
    let hooks = self.hooks.borrow_mut().take();
    if let Some(hooks) = hooks {
      let cleanup = Rc::clone(&hooks.cleanup);
      drop(hooks);
      self.manager.borrow_mut().disconnect();
      cleanup.end();
    }
  }
}

impl Hooks {
  /// Watches what the manager says has to be watched. A descriptor that is gone may be closed already: libuv needs
  /// only its number to forget it.
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
    // All of them anew: a number that is wanted still may be another descriptor's by now. The old handles go first, since
    // libuv lets only one watch a number.
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

/// A pool of worker processes, for the TypeScript layer only.
#[napi]
pub struct NativePool {
  core: Rc<Core>,
  outbox: Staging,
  inbox: Staging,
  /// A result too large for the inbox, which JavaScript is about to fetch.
  held: Option<Completion>,
  spawn_failure: Option<SpawnFailure>,
}

#[napi]
impl NativePool {
  /// A pool without workers. `boot` is sent to each worker first; `outbox` carries payloads from JavaScript, `inbox` to
  /// it; `onEvent` is called, from the event loop, when there is something to `drain`.
  #[napi(constructor)]
  pub fn new(
    env: Env,
    options: NativePoolOptions,
    boot_codec: u32,
    boot: &[u8],
    outbox: Uint8Array,
    inbox: Uint8Array,
    on_event: Function<'_, (), ()>,
  ) -> napi::Result<Self> {
    let manager = Manager::new(options.into_config()?, boot_codec as u8, boot.into()).map_err(|e| sys_error(&e))?;
    let core =
      Rc::new(Core { manager: RefCell::new(manager), hooks: RefCell::new(None), hold: Cell::new(Hold::Unfinished) });
    let uv_loop = event_loop(&env)?;
    let callback = Rc::new(Callback::new(&env, &on_event)?);
    let weak: Weak<Core> = Rc::downgrade(&core);
    let on_event: Rc<dyn Fn()> = Rc::new(move || {
      if let Some(core) = weak.upgrade() {
        core.on_event();
      }
    });
    let weak = Rc::downgrade(&core);
    let on_teardown = Box::new(move || {
      if let Some(core) = weak.upgrade() {
        core.close();
      }
    });
    let cleanup = Cleanup::register(&env, on_teardown)?;
    let closed = cleanup.handle_opened();
    // SAFETY: the loop is this environment's, on whose thread we are.
    let timer = unsafe { Timer::new(uv_loop, Rc::clone(&on_event), closed) };
    let timer = timer.map_err(|status| {
      cleanup.end();
      uv_error("uv_timer_init", status)
    })?;
    let hooks =
      Hooks { uv_loop, polls: Vec::new(), generation: None, timer, on_event, callback, cleanup, holds: false };
    *core.hooks.borrow_mut() = Some(hooks);
    core.sync();
    Ok(Self { core, outbox: Staging::new(outbox), inbox: Staging::new(inbox), held: None, spawn_failure: None })
  }

  /// Defines what task number `index` is.
  #[napi]
  pub fn define_task(&self, index: u32, bytes: &[u8]) {
    self.core.manager.borrow_mut().define_task(index, bytes.into());
  }

  /// Takes a call whose payload is the first `length` bytes of the outbox. Returns its number, or a negative reason.
  #[napi]
  pub fn submit(&mut self, task: u32, codec: u32, flags: u32, length: u32) -> i32 {
    let head = self.outbox.bytes(length);
    let spec = CallSpec { task, codec: codec as u8, flags: flags as u16, limits: None, retries: 0, head, tail: &[] };
    let outcome = self.core.manager.borrow_mut().submit(&spec);
    self.submitted(outcome, false)
  }

  /// As `submit`, with `tail` after the outbox's bytes, limits in milliseconds if `timeout` is not negative, and so many
  /// repetitions.
  #[napi]
  #[allow(clippy::too_many_arguments, reason = "numbers are the cheapest thing to pass; an object would cost the call")]
  pub fn submit_with(
    &mut self,
    task: u32,
    codec: u32,
    flags: u32,
    length: u32,
    tail: Option<&[u8]>,
    timeout: f64,
    grace: f64,
    retries: u32,
  ) -> i32 {
    let limits = (timeout >= 0.0).then(|| Limits { timeout: milliseconds(timeout), grace: milliseconds(grace) });
    let head = self.outbox.bytes(length);
    let tail = tail.unwrap_or_default();
    let spec = CallSpec { task, codec: codec as u8, flags: flags as u16, limits, retries, head, tail };
    let outcome = self.core.manager.borrow_mut().submit(&spec);
    self.submitted(outcome, limits.is_some())
  }

  fn submitted(&mut self, outcome: Result<u32, SubmitError>, limited: bool) -> i32 {
    let manager = self.core.manager.borrow();
    // A submit changes what the loop must know only when it started a worker, brought a deadline, or is the first.
    if limited || manager.has_events() {
      drop(manager);
      self.core.sync();
    } else if let Some(hooks) = self.core.hooks.borrow_mut().as_mut() {
      self.core.sync_hold(&manager, hooks);
    }
    match outcome {
      Ok(id) => id as i32,
      Err(SubmitError::NotRunning(PoolState::Broken)) => refused::BROKEN,
      Err(SubmitError::NotRunning(_)) => refused::CLOSED,
      Err(SubmitError::QueueFull) => {
        // From now on the loop has to come by when a worker claims a call.
        self.core.sync();
        refused::QUEUE_FULL
      }
      Err(SubmitError::TooLarge { .. }) => refused::TOO_LARGE,
      Err(SubmitError::Spawn(failure)) => {
        self.spawn_failure = Some(failure);
        refused::SPAWN
      }
    }
  }

  /// The system call that failed when `submit` said that no worker could be started.
  #[napi]
  pub fn spawn_failure_syscall(&self) -> Option<String> {
    self.spawn_failure.map(|failure| failure.syscall.to_owned())
  }

  /// The error of that system call.
  #[napi]
  pub fn spawn_failure_errno(&self) -> Option<i32> {
    self.spawn_failure.and_then(|failure| failure.errno)
  }

  /// Fills the inbox with results and returns how many. `begin` starts a round; call until 0 comes, which ends it. If
  /// the last record's payload is elsewhere it must be fetched by `fetch` before the next call.
  #[napi]
  pub fn drain(&mut self, begin: bool) -> napi::Result<u32> {
    let mut manager = self.core.manager.borrow_mut();
    if let Some(held) = self.held.take() {
      manager.consume(&held);
    }
    if begin {
      manager.turn().map_err(|e| sys_error(&e))?;
    }
    let inbox = self.inbox.bytes_mut();
    let mut count = 0;
    let mut offset = RECORDS_MAX * RECORD_WORDS * 4;
    while count < RECORDS_MAX && inbox.len() - offset >= STAGED_MAX {
      let Some(completion) = manager.next_completion() else { break };
      let staged = completion.len <= STAGED_MAX;
      let [low, high] = halves(completion.len as u64);
      let at = if staged { offset as u32 } else { ELSEWHERE };
      let Completion { id, status, codec, flags, pid, ran_ns, .. } = completion;
      let record = [id, u32::from(status), u32::from(codec), u32::from(flags), low, high, at, pid, ran_ns / 1000, 0];
      write_words(inbox, count * RECORD_WORDS, &record);
      count += 1;
      if !staged {
        self.held = Some(completion);
        break;
      }
      manager.copy_payload(&completion, 0, &mut inbox[offset..offset + completion.len]);
      manager.consume(&completion);
      offset += completion.len.next_multiple_of(8);
    }
    drop(manager);
    if count == 0 {
      self.core.sync();
    }
    Ok(count as u32)
  }

  /// Copies the payload that did not fit the inbox into `target`, which has its length.
  #[napi]
  pub fn fetch(&mut self, mut target: Uint8Array) {
    let Some(held) = self.held.take() else { return };
    let mut manager = self.core.manager.borrow_mut();
    // SAFETY: JavaScript, on this thread, waits for this call; nothing else refers to the array's bytes meanwhile.
    let bytes = unsafe { target.as_mut() };
    let len = bytes.len().min(held.len);
    manager.copy_payload(&held, 0, &mut bytes[..len]);
    manager.consume(&held);
  }

  /// Whether `takeEvents` would return any.
  #[napi(getter)]
  pub fn has_events(&self) -> bool {
    self.core.manager.borrow().has_events()
  }

  /// What else happened, in order.
  #[napi]
  pub fn take_events(&self) -> Vec<NativeEvent> {
    self.core.manager.borrow_mut().take_events().into_iter().map(NativeEvent::from).collect()
  }

  /// Blocks this thread until there is something to drain, at most for so many milliseconds (negative: without bound).
  #[napi]
  pub fn wait(&self, timeout: f64) -> napi::Result<()> {
    let timeout = (timeout >= 0.0).then(|| milliseconds(timeout));
    self.core.manager.borrow_mut().wait(timeout).map_err(|e| sys_error(&e))
  }

  /// Makes the event loop come back at once.
  #[napi]
  pub fn wake_again(&self) {
    self.core.manager.borrow().wake_again();
  }

  /// Whether a worker has claimed the call.
  #[napi]
  pub fn is_running(&self, call: u32) -> bool {
    self.core.manager.borrow().is_running(call)
  }

  /// Takes back a call that no worker has claimed; false if one has.
  #[napi]
  pub fn cancel(&self, call: u32) -> bool {
    let cancelled = self.core.manager.borrow_mut().cancel(call);
    self.core.sync();
    cancelled
  }

  /// Takes back every call that no worker has claimed, and returns them.
  #[napi]
  pub fn cancel_waiting(&self) -> Vec<u32> {
    let cancelled = self.core.manager.borrow_mut().cancel_waiting();
    self.core.sync();
    cancelled
  }

  /// Gives a call up and stops the worker that runs it after `grace` milliseconds; false if it is over already.
  #[napi]
  pub fn stop_call(&self, call: u32, grace: f64) -> bool {
    let stopped = self.core.manager.borrow_mut().stop_call(call, milliseconds(grace));
    self.core.sync();
    stopped
  }

  /// Takes no more calls and lets the workers go when those that there are have been answered.
  #[napi]
  pub fn shut_down(&self) {
    self.core.manager.borrow_mut().close();
    self.core.sync();
  }

  /// Stops everything now, by SIGKILL (`hard`) or by SIGTERM with SIGKILL to follow.
  #[napi]
  pub fn terminate(&self, hard: bool) {
    self.core.manager.borrow_mut().terminate_all(hard);
    self.core.sync();
  }

  /// Asks the idle workers to leave.
  #[napi]
  pub fn dismiss_idle(&self) {
    self.core.manager.borrow_mut().dismiss_idle();
    self.core.sync();
  }

  /// Holds the event loop: 0 while calls are unfinished, 1 always, 2 never.
  #[napi]
  pub fn set_hold(&self, hold: u32) {
    self.core.hold.set(match hold {
      1 => Hold::Always,
      2 => Hold::Never,
      _ => Hold::Unfinished,
    });
    self.core.sync();
  }

  /// Has the event `room` sent once the queue is not full.
  #[napi]
  pub fn await_room(&self) {
    self.core.manager.borrow_mut().await_room();
    self.core.sync();
  }

  /// Calls that no worker has claimed.
  #[napi(getter)]
  pub fn queued(&self) -> u32 {
    self.core.manager.borrow().queued() as u32
  }

  /// Whether `submit` would refuse a call because the queue is full.
  #[napi(getter)]
  pub fn is_full(&self) -> bool {
    self.core.manager.borrow().is_full()
  }

  /// Worker processes that are not reaped.
  #[napi(getter)]
  pub fn live_workers(&self) -> u32 {
    self.core.manager.borrow().live_workers() as u32
  }

  /// Workers started in the place of others.
  #[napi(getter)]
  pub fn restarts(&self) -> f64 {
    self.core.manager.borrow().restarts() as f64
  }

  /// One entry a worker.
  #[napi]
  pub fn worker_stats(&self) -> Vec<NativeWorkerStats> {
    self.core.manager.borrow().worker_stats().into_iter().map(NativeWorkerStats::from).collect()
  }

  /// The public number of a call.
  #[napi]
  pub fn task_id(&self, call: u32) -> Option<f64> {
    self.core.manager.borrow().sequence(call).map(|sequence| sequence as f64)
  }

  /// Rings, states and process ids, for people.
  #[napi]
  pub fn dump(&self) -> String {
    self.core.manager.borrow().dump()
  }

  /// Kills and reaps the workers, and leaves the event loop. The pool is of no use afterwards.
  #[napi]
  pub fn close(&self) {
    self.core.close();
  }
}

impl Drop for NativePool {
  fn drop(&mut self) {
    self.core.close();
  }
}
