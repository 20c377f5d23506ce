//! The binding of a host: a pool on the event loop of its environment.

mod call_path;
mod event_loop;
mod own_forks;
mod relief;

use std::rc::{Rc, Weak};

use millrace_pool::{Limits, Manager, Tail};
use napi::bindgen_prelude::{Env, Function, Null, Object, ToNapiValue, Uint8Array, Unknown};
use napi_derive::napi;

use self::call_path::CallPath;
use self::event_loop::{Core, Hold, Hooks};
use crate::bare::bare_function;
use crate::callback::{Callback, event_loop, uv_error};
use crate::cleanup::Cleanup;
use crate::event::{NativeEvent, NativeWorkerStats};
use crate::forked::NativeForked;
use crate::lending::{array_buffer, loan_of};
use crate::options::{NativePoolOptions, milliseconds};
use crate::platform::sys_error;
use crate::staging::Staging;
use crate::uv::{Prepare, Timer};
use crate::wire::hold;

/// A pool of worker processes. For the TypeScript layer only.
#[napi]
pub struct NativePool {
  core: Rc<Core>,
  calls: Rc<CallPath>,
}

#[napi]
impl NativePool {
  /// A pool without workers. `boot` is sent to each worker first. `registers` and `outbox` carry numbers and payloads
  /// from JavaScript, `inbox` carries both to JavaScript. `onEvent` is called, from the event loop, when there is
  /// something to `drain()`.
  #[napi(constructor)]
  #[allow(clippy::too_many_arguments, reason = "an options object would be taken apart at once")]
  pub fn new(
    env: Env,
    options: NativePoolOptions,
    boot_codec: u32,
    boot: &[u8],
    registers: Uint8Array,
    outbox: Uint8Array,
    inbox: Uint8Array,
    on_event: Function<'_, (), ()>,
  ) -> napi::Result<Self> {
    let manager = Manager::new(options.into_config()?, boot_codec as u8, boot.into()).map_err(|e| sys_error(&e))?;
    let core = Rc::new(Core::new(manager));
    let uv_loop = event_loop(&env)?;
    let callback = Rc::new(Callback::new(&env, &on_event)?);
    let on_loop = |run: fn(&Core)| -> Rc<dyn Fn()> {
      let weak: Weak<Core> = Rc::downgrade(&core);
      Rc::new(move || {
        if let Some(core) = weak.upgrade() {
          run(&core);
        }
      })
    };
    let on_event = on_loop(Core::on_event);
    let on_teardown = on_loop(Core::destroy);
    let cleanup = Cleanup::register(&env, Box::new(move || on_teardown()))?;
    // SAFETY: the loop is this environment's, on whose thread we are.
    let timer = unsafe { Timer::new(uv_loop, Rc::clone(&on_event), cleanup.handle_opened()) };
    // SAFETY: as above.
    let prepare = unsafe { Prepare::start(uv_loop, on_loop(Core::on_prepare), cleanup.handle_opened()) };
    let (timer, prepare) = match (timer, prepare) {
      (Ok(timer), Ok(prepare)) => (timer, prepare),
      (Err(status), _) | (_, Err(status)) => {
        cleanup.end();
        return Err(uv_error("uv_timer_init or uv_prepare_init", status));
      }
    };
    core.start(Hooks::new(uv_loop, timer, prepare, on_event, callback, cleanup));
    own_forks::register(&core);
    let (registers, outbox, inbox) = (Staging::new(registers), Staging::new(outbox), Staging::new(inbox));
    let calls = Rc::new(CallPath::new(Rc::clone(&core), registers, outbox, inbox));
    Ok(Self { core, calls })
  }

  /// Returns `submit()`, which takes the call that the registers (`register`) describe, with the payload at the start
  /// of the outbox. It returns the call's number, or one of `refused`, which are negative. For the names of numbers see
  /// `wireNumbers`.
  #[napi]
  pub fn bare_submit<'env>(&self, env: &'env Env) -> napi::Result<Function<'env, (), i32>> {
    bare_function(env, &self.calls, |calls| Ok(calls.submit()))
  }

  /// Returns `turn()`, which begins a round, and goes on as `drain()`.
  #[napi]
  pub fn bare_turn<'env>(&self, env: &'env Env) -> napi::Result<Function<'env, (), i32>> {
    bare_function(env, &self.calls, CallPath::turn)
  }

  /// Returns `drain()`, which fills the inbox with results (`resultRecord`) and returns how many, plus `events` of
  /// `drained` if there are events. Call it until there are no more results, which ends the round. If the content of
  /// the last result is `elsewhere`, fetch or borrow it before the next call; else it is lost.
  #[napi]
  pub fn bare_drain<'env>(&self, env: &'env Env) -> napi::Result<Function<'env, (), i32>> {
    bare_function(env, &self.calls, |calls| Ok(calls.drain()))
  }

  /// Frees the memory of the definition of task number `index`, to which no unfinished call refers.
  #[napi]
  pub fn forget_task(&self, index: u32) {
    self.core.manager().forget_task(index);
  }

  /// Defines the task number `index`.
  #[napi]
  pub fn define_task(&self, index: u32, bytes: &[u8]) {
    self.core.manager().define_task(index, bytes.into());
  }

  /// As `submit()`, with `tail` after the outbox's bytes. `timeout` and `grace` are milliseconds; a negative `timeout`
  /// means no limit. The call is repeated up to `retries` times.
  #[napi]
  pub fn submit_with(&self, tail: Option<&[u8]>, timeout: f64, grace: f64, retries: u32) -> i32 {
    let limits = (timeout >= 0.0).then(|| Limits { timeout: milliseconds(timeout), grace: milliseconds(grace) });
    self.calls.submit_with(Tail::Bytes(tail.unwrap_or_default()), limits, retries, None)
  }

  /// As `submitWith`, for an attempt of a call that JavaScript repeats: of the call whose public number is `attemptOf`,
  /// or the first one of a new call for 0. The call fails for its time-out when its attempt is over.
  #[napi]
  pub fn submit_attempt(&self, tail: Option<&[u8]>, timeout: f64, grace: f64, attempt_of: f64) -> i32 {
    let limits = (timeout >= 0.0).then(|| Limits { timeout: milliseconds(timeout), grace: milliseconds(grace) });
    self.calls.submit_with(Tail::Bytes(tail.unwrap_or_default()), limits, 0, Some(attempt_of as u64))
  }

  /// As `submitWith`, with the memory of an ArrayBuffer that lies in a lane after the outbox's bytes. The memory is not
  /// copied if that lane's worker can be given the call. Copied or not: once the call is taken, detach the buffer.
  #[napi]
  pub fn submit_moved(
    &self,
    #[napi(ts_arg_type = "ArrayBuffer")] buffer: Object<'_>,
    timeout: f64,
    grace: f64,
    retries: u32,
  ) -> napi::Result<i32> {
    let limits = (timeout >= 0.0).then(|| Limits { timeout: milliseconds(timeout), grace: milliseconds(grace) });
    let loan = loan_of(&buffer)?;
    // SAFETY: only JavaScript on this thread uses the content, and waits for this call. Once a call was made, the
    // TypeScript layer, which alone calls this, detaches the buffer before other code runs.
    let Some(moved) = loan.as_ref().and_then(|loan| unsafe { loan.hand_over() }) else {
      return Err(napi::Error::from_reason("the buffer does not lie in a lane"));
    };
    Ok(self.calls.submit_with(Tail::Moved(moved), limits, retries, None))
  }

  /// An ArrayBuffer of `bytes` bytes (not 0) in the memory of a lane; `null` if there is no room; one of `refused` if
  /// there is no worker.
  #[napi(ts_return_type = "ArrayBuffer | number | null")]
  pub fn allocate<'env>(&self, env: &'env Env, bytes: f64) -> napi::Result<Unknown<'env>> {
    match self.calls.allocate(bytes as usize) {
      Ok(Some(loan)) => array_buffer(env, loan),
      Ok(None) => Null.into_unknown(env),
      Err(reason) => reason.into_unknown(env),
    }
  }

  /// Starts as many workers as the pool may have. False: one could not be started, and none is.
  #[napi]
  pub fn start_all(&self) -> bool {
    let started = self.core.manager().start_all();
    self.core.sync();
    self.calls.note_spawn(started)
  }

  /// Forks all workers from this process. Returns `null` in this process. In a worker it returns what the worker has to
  /// know, and none of the pools in its memory is of any use.
  ///
  /// To be called from the top of an event-loop turn, in a process that can be forked.
  #[napi]
  pub fn fork_workers(&self) -> Option<NativeForked> {
    own_forks::fork_workers(&self.core)
  }

  /// Breaks the pool because this process cannot be forked, for these reasons, a line each.
  #[napi]
  pub fn refuse_forks(&self, reasons: String) {
    self.core.manager().refuse_forks(reasons);
    self.core.sync();
  }

  /// The system call that failed when no worker could be started (`spawn` of `refused`, or false from `startAll`).
  #[napi]
  pub fn spawn_failure_syscall(&self) -> Option<String> {
    self.calls.spawn_failure().map(|failure| failure.syscall.to_owned())
  }

  /// The error of that system call.
  #[napi]
  pub fn spawn_failure_errno(&self) -> Option<i32> {
    self.calls.spawn_failure().and_then(|failure| failure.errno)
  }

  /// Copies the content of the last result, whose offset is `elsewhere`, into `target`, which has the length of the
  /// content.
  #[napi]
  pub fn fetch(&self, mut target: Uint8Array) {
    // SAFETY: TypeScript has just made the array, and waits for this call on this thread: nothing else refers to its
    // bytes.
    self.calls.fetch(unsafe { target.as_mut() });
  }

  /// The content of the last result in the lane's own memory; `null` if the content has to be fetched.
  #[napi(ts_return_type = "ArrayBuffer | null")]
  pub fn borrow<'env>(&self, env: &'env Env) -> napi::Result<Option<Unknown<'env>>> {
    self.calls.borrow().map(|loan| array_buffer(env, loan)).transpose()
  }

  /// Whether `takeEvents` would return any.
  #[napi(getter)]
  pub fn has_events(&self) -> bool {
    self.core.manager().has_events()
  }

  /// What happened besides results, in order.
  #[napi]
  pub fn take_events(&self) -> Vec<NativeEvent> {
    self.core.manager().take_events().into_iter().map(NativeEvent::from).collect()
  }

  /// Blocks this thread until there is something to drain, at most for `timeout` milliseconds; a negative `timeout`
  /// means no limit.
  #[napi]
  pub fn wait(&self, timeout: f64) -> napi::Result<()> {
    let timeout = (timeout >= 0.0).then(|| milliseconds(timeout));
    self.core.manager().wait(timeout).map_err(|e| sys_error(&e))
  }

  /// Makes the event loop call `onEvent` at once.
  #[napi]
  pub fn wake_again(&self) {
    self.core.manager().wake_again();
  }

  /// Whether a worker has claimed the call.
  #[napi]
  pub fn is_running(&self, call: u32) -> bool {
    self.core.manager().is_running(call)
  }

  /// Takes back a call that no worker has claimed. False: a worker has.
  #[napi]
  pub fn cancel(&self, call: u32) -> bool {
    let cancelled = self.core.manager().cancel(call);
    self.core.sync();
    cancelled
  }

  /// Takes back every call that no worker has claimed, and returns them.
  #[napi]
  pub fn cancel_waiting(&self) -> Vec<u32> {
    let cancelled = self.core.manager().cancel_waiting();
    self.core.sync();
    cancelled
  }

  /// Takes back the items of a running chunk that have not begun, and returns the number of those that stay. `null`:
  /// the chunk has not begun, or is over.
  #[napi]
  pub fn cut_chunk(&self, call: u32) -> Option<u32> {
    self.core.manager().cut_chunk(call)
  }

  /// Gives a call up, and stops the worker that runs it after `grace` milliseconds. False: the call is over already.
  #[napi]
  pub fn stop_call(&self, call: u32, grace: f64) -> bool {
    let stopped = self.core.manager().stop_call(call, milliseconds(grace));
    self.core.sync();
    stopped
  }

  /// Closes the pool: it takes no more calls, and its workers leave when all of its calls are answered. The event
  /// `stopped` tells when the last worker is reaped.
  #[napi]
  pub fn shut_down(&self) {
    self.core.manager().shut_down();
    self.core.sync();
  }

  /// Closes the pool and stops its workers now, by SIGKILL (`hard`) or by SIGTERM with SIGKILL to follow. The calls of
  /// the pool fail. The event `stopped` tells when the last worker is reaped.
  #[napi]
  pub fn terminate(&self, hard: bool) {
    self.core.manager().terminate_all(hard);
    self.core.sync();
  }

  /// Asks the idle workers to leave.
  #[napi]
  pub fn dismiss_idle(&self) {
    self.core.manager().dismiss_idle();
    self.core.sync();
  }

  /// When the pool holds the event loop: one of `hold` (see `wireNumbers`).
  #[napi]
  pub fn set_hold(&self, hold: u32) {
    self.core.hold.set(match hold {
      hold::ALWAYS => Hold::Always,
      hold::NEVER => Hold::Never,
      _ => Hold::Unfinished,
    });
    self.core.sync();
  }

  /// Asks for the event `room` once there is room that is not kept.
  #[napi]
  pub fn await_room(&self) {
    self.core.manager().await_room();
  }

  /// Keeps room for `kept` calls, and lets no other call have the room that `awaited` more wait for.
  #[napi]
  pub fn reserve(&self, kept: u32, awaited: u32) {
    self.core.manager().reserve(kept as usize, awaited as usize);
  }

  /// Whether there is room that is not kept.
  #[napi(getter)]
  pub fn has_room(&self) -> bool {
    self.core.manager().has_room()
  }

  /// Calls that no worker has claimed.
  #[napi(getter)]
  pub fn queued(&self) -> u32 {
    self.core.manager().queued() as u32
  }

  /// Whether `submit()` would refuse a call because the queue is full.
  #[napi(getter)]
  pub fn is_full(&self) -> bool {
    self.core.manager().is_full()
  }

  /// Worker processes that are not reaped.
  #[napi(getter)]
  pub fn live_workers(&self) -> u32 {
    self.core.manager().live_workers() as u32
  }

  /// Workers started in the place of others.
  #[napi(getter)]
  pub fn restarts(&self) -> f64 {
    self.core.manager().restarts() as f64
  }

  /// One entry a worker.
  #[napi]
  pub fn worker_stats(&self) -> Vec<NativeWorkerStats> {
    self.core.manager().worker_stats().into_iter().map(NativeWorkerStats::from).collect()
  }

  /// Rings, states and process ids, for people.
  #[napi]
  pub fn dump(&self) -> String {
    self.core.manager().dump()
  }

  /// Kills and reaps all workers at once, and leaves the event loop. No call is answered and no event comes any more;
  /// the pool is of no use afterwards. To let calls end, use `shutDown`.
  #[napi]
  pub fn destroy(&self) {
    self.core.destroy();
  }
}

impl Drop for NativePool {
  fn drop(&mut self) {
    self.core.destroy();
  }
}
