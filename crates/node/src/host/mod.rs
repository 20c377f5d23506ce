//! The host's side: a pool on the event loop of its environment.

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

/// A pool of worker processes, for the TypeScript layer only.
#[napi]
pub struct NativePool {
  core: Rc<Core>,
  calls: Rc<CallPath>,
}

#[napi]
impl NativePool {
  /// A pool without workers. `boot` is sent to each worker first; `registers` and `outbox` carry numbers and payloads from
  /// JavaScript, `inbox` what goes to it; `onEvent` is called, from the event loop, when there is something to `drain`.
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
    let on_teardown = on_loop(Core::close);
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

  /// `submit()`: takes the call whose task, codec, flags and payload length are the registers, and whose payload stands at the
  /// start of the outbox. Returns its number, or a negative reason.
  #[napi]
  pub fn bare_submit<'env>(&self, env: &'env Env) -> napi::Result<Function<'env, (), i32>> {
    bare_function(env, &self.calls, |calls| Ok(calls.submit()))
  }

  /// `turn()`: begins a round, and goes on as `drain()`.
  #[napi]
  pub fn bare_turn<'env>(&self, env: &'env Env) -> napi::Result<Function<'env, (), i32>> {
    bare_function(env, &self.calls, CallPath::turn)
  }

  /// `drain()`: fills the inbox with results and returns how many, plus 65,536 if there are events. Call it until there are no
  /// more results, which ends the round. If the last record's payload is elsewhere it must be fetched before the next call.
  #[napi]
  pub fn bare_drain<'env>(&self, env: &'env Env) -> napi::Result<Function<'env, (), i32>> {
    bare_function(env, &self.calls, |calls| Ok(calls.drain()))
  }

  /// Defines what task number `index` is.
  #[napi]
  pub fn define_task(&self, index: u32, bytes: &[u8]) {
    self.core.manager().define_task(index, bytes.into());
  }

  /// As `submit`, with `tail` after the outbox's bytes, limits in milliseconds if `timeout` is not negative, and so many
  /// repetitions.
  #[napi]
  pub fn submit_with(&self, tail: Option<&[u8]>, timeout: f64, grace: f64, retries: u32) -> i32 {
    let limits = (timeout >= 0.0).then(|| Limits { timeout: milliseconds(timeout), grace: milliseconds(grace) });
    self.calls.submit_with(Tail::Bytes(tail.unwrap_or_default()), limits, retries)
  }

  /// As `submitWith`, with the memory of an ArrayBuffer behind the outbox's bytes: if it lies in a lane it is not copied, where
  /// that can be. Whether or not, the call has what was in it, and the buffer is of no further use: detach it.
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
    // SAFETY: only JavaScript on this thread uses the content, and waits for this call. Once a call was made, the TypeScript layer,
    // which alone calls this, detaches the buffer before other code runs.
    let Some(moved) = loan.as_ref().and_then(|loan| unsafe { loan.hand_over() }) else {
      return Err(napi::Error::from_reason("the buffer does not lie in a lane"));
    };
    Ok(self.calls.submit_with(Tail::Moved(moved), limits, retries))
  }

  /// An ArrayBuffer of so many bytes (not 0) in the memory of a lane; `null` if there is no room, a negative reason as of `submit` if
  /// there is no worker.
  #[napi(ts_return_type = "ArrayBuffer | number | null")]
  pub fn allocate<'env>(&self, env: &'env Env, bytes: f64) -> napi::Result<Unknown<'env>> {
    match self.calls.allocate(bytes as usize) {
      Ok(Some(loan)) => array_buffer(env, loan),
      Ok(None) => Null.into_unknown(env),
      Err(reason) => reason.into_unknown(env),
    }
  }

  /// Starts as many workers as the pool may have, or none. False: one could not be started.
  #[napi]
  pub fn start_all(&self) -> bool {
    let started = self.core.manager().start_all();
    self.core.sync();
    self.calls.note_spawn(started)
  }

  /// Forks the workers from this process, all of them. Returns `null` here. In each worker it returns what that has to be, and no
  /// pool that was in its memory is of any use.
  ///
  /// To be called from the top of an event-loop turn, in a process that can be forked.
  #[napi]
  pub fn fork_workers(&self) -> Option<NativeForked> {
    own_forks::fork_workers(&self.core)
  }

  /// Breaks the pool instead, for these reasons, a line each.
  #[napi]
  pub fn refuse_forks(&self, reasons: String) {
    self.core.manager().refuse_forks(reasons);
    self.core.sync();
  }

  /// The system call that failed when `startAll` or `submit` said that no worker could be started.
  #[napi]
  pub fn spawn_failure_syscall(&self) -> Option<String> {
    self.calls.spawn_failure().map(|failure| failure.syscall.to_owned())
  }

  /// The error of that system call.
  #[napi]
  pub fn spawn_failure_errno(&self) -> Option<i32> {
    self.calls.spawn_failure().and_then(|failure| failure.errno)
  }

  /// Copies the content of the payload that did not fit the inbox into `target`, which has its length.
  #[napi]
  pub fn fetch(&self, mut target: Uint8Array) {
    // SAFETY: JavaScript, on this thread, waits for this call; nothing else refers to the array's bytes meanwhile.
    self.calls.fetch(unsafe { target.as_mut() });
  }

  /// The same content where it lies; `null` if it has to be fetched.
  #[napi(ts_return_type = "ArrayBuffer | null")]
  pub fn borrow<'env>(&self, env: &'env Env) -> napi::Result<Option<Unknown<'env>>> {
    self.calls.borrow().map(|loan| array_buffer(env, loan)).transpose()
  }

  /// Whether `takeEvents` would return any.
  #[napi(getter)]
  pub fn has_events(&self) -> bool {
    self.core.manager().has_events()
  }

  /// What else happened, in order.
  #[napi]
  pub fn take_events(&self) -> Vec<NativeEvent> {
    self.core.manager().take_events().into_iter().map(NativeEvent::from).collect()
  }

  /// Blocks this thread until there is something to drain, at most for so many milliseconds (negative: without bound).
  #[napi]
  pub fn wait(&self, timeout: f64) -> napi::Result<()> {
    let timeout = (timeout >= 0.0).then(|| milliseconds(timeout));
    self.core.manager().wait(timeout).map_err(|e| sys_error(&e))
  }

  /// Makes the event loop come back at once.
  #[napi]
  pub fn wake_again(&self) {
    self.core.manager().wake_again();
  }

  /// Whether a worker has claimed the call.
  #[napi]
  pub fn is_running(&self, call: u32) -> bool {
    self.core.manager().is_running(call)
  }

  /// Takes back a call that no worker has claimed; false if one has.
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

  /// Gives a call up and stops the worker that runs it after `grace` milliseconds; false if it is over already.
  #[napi]
  pub fn stop_call(&self, call: u32, grace: f64) -> bool {
    let stopped = self.core.manager().stop_call(call, milliseconds(grace));
    self.core.sync();
    stopped
  }

  /// Takes no more calls and lets the workers go when those that there are have been answered.
  #[napi]
  pub fn shut_down(&self) {
    self.core.manager().shut_down();
    self.core.sync();
  }

  /// Stops everything now, by SIGKILL (`hard`) or by SIGTERM with SIGKILL to follow.
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
    self.core.manager().await_room();
    self.core.sync();
  }

  /// Calls that no worker has claimed.
  #[napi(getter)]
  pub fn queued(&self) -> u32 {
    self.core.manager().queued() as u32
  }

  /// Whether `submit` would refuse a call because the queue is full.
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

  /// The public number of a call.
  #[napi]
  pub fn task_id(&self, call: u32) -> Option<f64> {
    self.core.manager().sequence(call).map(|sequence| sequence as f64)
  }

  /// Rings, states and process ids, for people.
  #[napi]
  pub fn dump(&self) -> String {
    self.core.manager().dump()
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
