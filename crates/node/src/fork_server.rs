//! The binding of a fork server: a process that forks workers from itself.

use std::cell::{Cell, RefCell};
use std::io::{PipeWriter, Write};
use std::rc::Rc;
use std::time::Duration;

use millrace_pool::{Exit, ForkRequest, ForkService, ForkedWorker, Pollables, Trial};
use napi::bindgen_prelude::{Env, Function, Uint8Array};
use napi_derive::napi;

use crate::callback::{Callback, event_loop, uv_error};
use crate::cleanup::Cleanup;
use crate::event::NativeDeath;
use crate::forked::{NativeForked, become_forked, own_loop};
use crate::options::milliseconds;
use crate::platform::sys_error;
use crate::uv::{Poll, UvLoop};
use crate::wire::fork_request;

/// A fork server's end of the connection to its host, and the forks. For the TypeScript layer only.
#[napi]
pub struct NativeForkServer {
  service: RefCell<Option<ForkService>>,
  /// The worker that the host has asked for.
  wanted: Cell<Option<ForkedWorker>>,
  poll: Rc<RefCell<Option<Poll>>>,
  cleanup: Rc<Cleanup>,
  uv_loop: *mut UvLoop,
  /// In a trial fork: where its report goes.
  report: RefCell<Option<PipeWriter>>,
}

/// The end of a trial fork, without exit code and signal when it did not end in time.
#[napi(object, object_from_js = false)]
pub struct NativeTrial {
  /// Its exit code.
  pub exit_code: Option<i32>,
  /// The signal that ended it.
  pub signal: Option<i32>,
  /// How long the server has waited for that, in milliseconds.
  pub waited_ms: f64,
  /// What it has reported.
  pub report: Uint8Array,
}

#[napi]
impl NativeForkServer {
  /// Takes over the connection that this process was started with. `onRequest` is called, from the event loop, when the
  /// host has sent something.
  #[napi(constructor)]
  pub fn new(env: Env, on_request: Function<'_, (), ()>) -> napi::Result<Self> {
    // SAFETY: TypeScript does this in the server's entry alone, which a pool has started with these descriptors, and
    // once.
    let service = unsafe { ForkService::attach() }.map_err(|error| sys_error(&error))?;
    let Pollables::One(fd) = service.pollables() else {
      return Err(napi::Error::from_reason("a fork server needs epoll"));
    };
    let callback = Callback::new(&env, &on_request)?;
    let poll = Rc::new(RefCell::new(None));
    let teardown_poll = Rc::clone(&poll);
    let cleanup = Cleanup::register(&env, Box::new(move || drop(teardown_poll.take())))?;
    let uv_loop = event_loop(&env)?;
    let closed = cleanup.handle_opened();
    // SAFETY: the loop is this environment's, on whose thread we are.
    let handle = unsafe { Poll::start(uv_loop, fd, Rc::new(move || callback.call()), closed) }
      .map_err(|status| uv_error("uv_poll", status))?;
    handle.set_ref(true);
    poll.replace(Some(handle));
    Ok(Self {
      service: RefCell::new(Some(service)),
      wanted: Cell::new(None),
      poll,
      cleanup,
      uv_loop,
      report: RefCell::new(None),
    })
  }

  /// The descriptors of the connection. Forked processes close theirs.
  #[napi]
  pub fn descriptors(&self) -> Vec<i32> {
    self.service.borrow().as_ref().map(ForkService::descriptors).unwrap_or_default()
  }

  /// Tells the host which module is loaded next.
  #[napi]
  pub fn loading(&self, module: String) {
    if let Some(service) = &mut *self.service.borrow_mut() {
      service.loading(&module);
    }
  }

  /// Tells the host that workers can be forked, and whether some module did not load.
  #[napi]
  pub fn ready(&self, is_incomplete: bool) {
    if let Some(service) = &mut *self.service.borrow_mut() {
      service.ready(is_incomplete);
    }
  }

  /// Tells the host that workers cannot be forked, and why, a line for each reason.
  #[napi]
  pub fn refuse(&self, reasons: String) {
    if let Some(service) = &mut *self.service.borrow_mut() {
      service.refuse(&reasons);
    }
  }

  /// Forks a process that tries whether forks work here, and waits for its end, at most for `timeout` milliseconds.
  /// Returns its end; `null` in the forked process, in which this object is of no more use but for `report()`.
  ///
  /// May be called where `fork` may be.
  #[napi]
  pub fn try_fork(&self, timeout: f64) -> napi::Result<Option<NativeTrial>> {
    let service = self.service.take();
    let Some(server) = &service else { return Ok(Some(over(None, Duration::ZERO, Vec::new()))) };
    // SAFETY: as for `fork`.
    let trial = unsafe { server.try_fork(milliseconds(timeout)) };
    if let Ok(Trial::Child(writer)) = trial {
      self.report.replace(Some(writer));
      // SAFETY: the loop of this thread, right after the fork, and not in the middle of its look for input and output:
      // see above.
      unsafe { own_loop(self.uv_loop) };
      drop(self.poll.take());
      return Ok(None);
    }
    self.service.replace(service);
    match trial.map_err(|error| sys_error(&error))? {
      Trial::Over { exit, waited, report } => Ok(Some(over(exit, waited, report))),
      Trial::Child(_) => Ok(None),
    }
  }

  /// In a trial fork: gives the server a report of at most 4096 bytes.
  #[napi]
  pub fn report(&self, bytes: &[u8]) -> napi::Result<()> {
    let writer = self.report.take();
    let written = writer.map_or(Ok(()), |mut writer| writer.write_all(bytes));
    written.map_err(|error| napi::Error::from_reason(error.to_string()))
  }

  /// The host's next request, one of `forkRequest` (see `wireNumbers`). `fork()` forks the worker that was asked for.
  #[napi]
  pub fn next_request(&self) -> i32 {
    match self.service.borrow_mut().as_mut().map(ForkService::next_request) {
      Some(ForkRequest::Nothing) => fork_request::NOTHING,
      Some(ForkRequest::Fork(worker)) => {
        self.wanted.set(Some(worker));
        fork_request::FORK
      }
      Some(ForkRequest::Closed) | None => fork_request::CLOSED,
    }
  }

  /// Forks the worker that `nextRequest()` has announced. Returns `null` in the server. In the worker it returns what
  /// the worker has to know, and this object is of no more use.
  ///
  /// Must not be called from a callback for input or output: libuv is in the middle of its loop then, and would go on
  /// with the parent's.
  #[napi]
  pub fn fork(&self) -> Option<NativeForked> {
    let (Some(worker), Some(mut service)) = (self.wanted.take(), self.service.take()) else { return None };
    // SAFETY: the server was started so that V8 has no thread that does anything, and has seen that there are no
    // others.
    let forked = unsafe { service.fork(worker) };
    let Some(worker) = forked else {
      self.service.replace(Some(service));
      return None;
    };
    // SAFETY: the loop of this thread, right after the fork, and not in the middle of its look for input and output:
    // see above.
    let forked = unsafe { become_forked(worker, self.uv_loop) };
    drop(self.poll.take());
    // Closes this process's copy of the connection, by whose end the host sees the end of the server.
    drop(service);
    Some(forked)
  }
}

fn over(exit: Option<Exit>, waited: Duration, report: Vec<u8>) -> NativeTrial {
  let NativeDeath { exit_code, signal, .. } = exit.map_or_else(NativeDeath::default, |exit| NativeDeath::new(0, exit));
  NativeTrial { exit_code, signal, waited_ms: waited.as_secs_f64() * 1000.0, report: report.into() }
}

impl Drop for NativeForkServer {
  fn drop(&mut self) {
    drop(self.poll.take());
    self.cleanup.end();
  }
}

/// Ends this process at once, without waiting for threads that a forked process does not have.
#[napi]
pub fn exit_now(code: i32) {
  millrace_sys::exit_now(code)
}
