//! The worker's side: a lane on the event loop of a worker process.

use std::cell::{Cell, RefCell};
use std::os::fd::AsRawFd;
use std::rc::{Rc, Weak};

use millrace_pool::worker::{LaneArgument, Worker};
use millrace_pool::{CallKind, CallRecord, CommitError, Moved, ResultHeader, Taken, WorkerPhase};
use napi::bindgen_prelude::{Env, Function, Object, Uint8Array, Unknown};
use napi_derive::napi;

use crate::bare::bare_function;
use crate::callback::{Callback, event_loop, uv_error};
use crate::cleanup::Cleanup;
use crate::forked::take_forked;
use crate::lending::{array_buffer, loan_of};
use crate::staging::{ELSEWHERE, STAGED_MAX, Staging, halves, read_words, write_words};
use crate::uv::Poll;

/// What `take` returns.
mod taken {
  pub const NOTHING: i32 = 0;
  pub const TASK: i32 = 1;
  pub const DEFINE: i32 = 2;
  pub const BOOT: i32 = 3;
  pub const STOP: i32 = 4;
}

/// What `commit` returns.
mod committed {
  pub const DONE: i32 = 0;
  pub const NO_ROOM: i32 = 1;
  pub const TOO_LARGE: i32 = 2;
  pub const NO_MEMORY: i32 = 3;
}

/// `commitMoved` has committed nothing.
const NOT_MOVED: i32 = -1;

/// Words of the call record at the start of the inbox: task, codec, flags, payload length (low, high), payload offset
/// in the inbox or [`ELSEWHERE`], task id (low, high), and of a payload that is elsewhere the length of the head, which is here
/// all the same. Payload or head follow.
const RECORD_WORDS: usize = 9;

/// The lane, and what passes through it: what runs once a call is a bare function of this.
struct CallPath {
  worker: RefCell<Worker>,
  on_bell: Callback,
  /// Words from JavaScript: status, codec, flags and payload length of the result to commit.
  registers: Staging,
  outbox: Staging,
  inbox: RefCell<Staging>,
  /// The call that was taken and is not answered.
  current: Cell<Option<CallRecord>>,
}

impl CallPath {
  /// Claims the next call and puts its record, and its payload if it fits, into the inbox. If there is none the bell is
  /// armed.
  fn take(&self) -> i32 {
    loop {
      let taken = self.worker.borrow_mut().take();
      let taken = self.stage(taken);
      if taken != taken::NOTHING || !self.is_due_again() {
        return taken;
      }
    }
  }

  /// There is no call: looks for one for a moment, then arms the bell. True: there is something now.
  fn is_due_again(&self) -> bool {
    let mut worker = self.worker.borrow_mut();
    worker.spin() || worker.arm()
  }

  fn stage(&self, taken: Taken) -> i32 {
    let call = match taken {
      Taken::Empty => return taken::NOTHING,
      Taken::Stop => return taken::STOP,
      Taken::Call(call) => call,
      // The memory that this process lives by is damaged: nothing that it could still answer would be right.
      Taken::Corrupt(_) => std::process::abort(),
    };
    let len = call.payload_len();
    let offset = RECORD_WORDS * 4;
    let mut inbox = self.inbox.borrow_mut();
    let inbox = inbox.bytes_mut();
    let staged = len <= STAGED_MAX.min(inbox.len() - offset) && !call.is_lent();
    let here = if staged { len } else { call.inline_len() };
    self.worker.borrow().copy_payload(&call, 0, &mut inbox[offset..offset + here]);
    let [low, high] = halves(call.len);
    let [id_low, id_high] = halves(call.sequence);
    let at = if staged { offset as u32 } else { ELSEWHERE };
    let record = [call.task, u32::from(call.codec), u32::from(call.flags), low, high, at, id_low, id_high, here as u32];
    write_words(inbox, 0, &record);
    self.current.set(Some(call));
    match call.kind {
      CallKind::Task => taken::TASK,
      CallKind::Define => taken::DEFINE,
      CallKind::Boot => taken::BOOT,
    }
  }

  /// Commits what the registers say as the result of the call that was taken.
  fn commit(&self, tail: &[u8]) -> i32 {
    let Some(call) = self.current.get() else { return committed::DONE };
    let [status, codec, flags, length] = read_words(self.registers.all());
    let mut worker = self.worker.borrow_mut();
    let ran_ns = worker.ran_ns();
    let header = ResultHeader { status: status as u8, codec: codec as u8, flags: flags as u16, ran_ns };
    match worker.commit(&header, &call, self.outbox.bytes(length), tail) {
      Ok(()) => {
        self.current.set(None);
        committed::DONE
      }
      Err(CommitError::NoRoom) => committed::NO_ROOM,
      Err(CommitError::TooLarge { .. }) => committed::TOO_LARGE,
      Err(CommitError::NoMemory { .. }) => committed::NO_MEMORY,
    }
  }

  /// The same with a block of the lane as the payload's second part, without a copy.
  fn commit_moved(&self, content: Moved<'_>) -> i32 {
    let Some(call) = self.current.get() else { return committed::DONE };
    let [status, codec, flags, length] = read_words(self.registers.all());
    let mut worker = self.worker.borrow_mut();
    let ran_ns = worker.ran_ns();
    let header = ResultHeader { status: status as u8, codec: codec as u8, flags: flags as u16, ran_ns };
    if !worker.commit_moved(&header, &call, self.outbox.bytes(length), content) {
      return NOT_MOVED;
    }
    self.current.set(None);
    committed::DONE
  }

  /// Both, with what `commit` returns made negative if that is not [`committed::DONE`].
  fn commit_and_take(&self) -> i32 {
    let committed = self.commit(&[]);
    if committed != committed::DONE {
      return -committed;
    }
    let taken = self.worker.borrow_mut().take_next();
    match self.stage(taken) {
      taken::NOTHING => self.take(),
      taken => taken,
    }
  }
}

/// A worker's end of its lane, for the TypeScript layer only.
#[napi]
pub struct NativeWorker {
  calls: Rc<CallPath>,
  argument: LaneArgument,
  poll: Rc<RefCell<Option<Poll>>>,
  cleanup: Rc<Cleanup>,
}

#[napi]
impl NativeWorker {
  /// Takes over the lane that this process was started with; `argument` is the last of its command line. `registers` and
  /// `outbox` carry numbers and payloads from JavaScript, `inbox` what goes to it. `onBell` is called, from the event loop,
  /// when the host rang.
  #[napi(constructor)]
  pub fn new(
    env: Env,
    argument: String,
    registers: Uint8Array,
    outbox: Uint8Array,
    inbox: Uint8Array,
    on_bell: Function<'_, (), ()>,
  ) -> napi::Result<Self> {
    let to_js = |error: millrace_pool::worker::WorkerError| napi::Error::from_reason(error.to_string());
    let argument: LaneArgument = argument.parse().map_err(to_js)?;
    let worker = match take_forked() {
      Some(forked) => Worker::attach_forked(forked),
      // SAFETY: a process with this argument was started by a pool with these descriptors, and the worker's entry, which
      // is the first thing that runs in it, calls this once.
      None => unsafe { Worker::attach(&argument) },
    }
    .map_err(to_js)?;
    let fd = worker.bell().as_raw_fd();
    let calls = Rc::new(CallPath {
      worker: RefCell::new(worker),
      on_bell: Callback::new(&env, &on_bell)?,
      registers: Staging::new(registers),
      outbox: Staging::new(outbox),
      inbox: RefCell::new(Staging::new(inbox)),
      current: Cell::new(None),
    });
    let weak: Weak<CallPath> = Rc::downgrade(&calls);
    let on_event: Rc<dyn Fn()> = Rc::new(move || {
      if let Some(calls) = weak.upgrade() {
        // Before JavaScript looks for work: what comes after this rings again.
        calls.worker.borrow().clear_bell();
        calls.on_bell.call();
      }
    });
    let poll = Rc::new(RefCell::new(None));
    let teardown_poll = Rc::clone(&poll);
    let cleanup = Cleanup::register(&env, Box::new(move || drop(teardown_poll.take())))?;
    let uv_loop = event_loop(&env)?;
    let closed = cleanup.handle_opened();
    // SAFETY: the loop is this environment's, on whose thread we are.
    let handle = unsafe { Poll::start(uv_loop, fd, on_event, closed) }.map_err(|status| uv_error("uv_poll", status))?;
    handle.set_ref(true);
    poll.replace(Some(handle));
    Ok(Self { calls, argument, poll, cleanup })
  }

  /// `take()`: claims the next call and puts its record, and its payload if it fits, into the inbox. Returns what it is; 0 if
  /// there is none: the host rings for the next one.
  #[napi]
  pub fn bare_take<'env>(&self, env: &'env Env) -> napi::Result<Function<'env, (), i32>> {
    bare_function(env, &self.calls, |calls| Ok(calls.take()))
  }

  /// `commit()`: commits the result whose status, codec, flags and payload length are the registers, and whose payload stands
  /// at the start of the outbox. Returns 0, or why not.
  #[napi]
  pub fn bare_commit<'env>(&self, env: &'env Env) -> napi::Result<Function<'env, (), i32>> {
    bare_function(env, &self.calls, |calls| Ok(calls.commit(&[])))
  }

  /// `commitAndTake()`: what `take()` returns, or the negative of what `commit()` returns if that is not 0.
  #[napi]
  pub fn bare_commit_and_take<'env>(&self, env: &'env Env) -> napi::Result<Function<'env, (), i32>> {
    bare_function(env, &self.calls, |calls| Ok(calls.commit_and_take()))
  }

  /// This worker's number in its pool.
  #[napi(getter)]
  pub fn worker_id(&self) -> u32 {
    self.argument.worker_id
  }

  /// The process that owns the pool.
  #[napi(getter)]
  pub fn host_pid(&self) -> u32 {
    self.argument.host_pid
  }

  /// How deep the pools are nested here, 1 at the first level.
  #[napi(getter)]
  pub fn depth(&self) -> u32 {
    self.argument.depth
  }

  /// Copies the content of the payload, which is what follows its head, into `target`, which has its length.
  #[napi]
  pub fn fetch(&self, mut target: Uint8Array) {
    let Some(call) = self.calls.current.get() else { return };
    // SAFETY: JavaScript, on this thread, waits for this call; nothing else refers to the array's bytes meanwhile.
    let bytes = unsafe { target.as_mut() };
    let head = call.inline_len();
    let len = bytes.len().min(call.payload_len() - head);
    self.calls.worker.borrow().copy_payload(&call, head, &mut bytes[..len]);
  }

  /// The content of the payload where it lies; `null` if it has to be fetched.
  #[napi(ts_return_type = "ArrayBuffer | null")]
  pub fn borrow<'env>(&self, env: &'env Env) -> napi::Result<Option<Unknown<'env>>> {
    let loan = self.calls.current.get().and_then(|call| self.calls.worker.borrow_mut().borrow(&call));
    loan.map(|loan| array_buffer(env, loan)).transpose()
  }

  /// Lets go of the task definition that `take` returned.
  #[napi]
  pub fn release_define(&self) {
    if let Some(call) = self.calls.current.take() {
      self.calls.worker.borrow_mut().release_define(&call);
    }
  }

  /// As `commit`, with `tail` after the outbox's bytes.
  #[napi]
  pub fn commit_with(&self, tail: &[u8]) -> i32 {
    self.calls.commit(tail)
  }

  /// As `commit`, with the memory of an ArrayBuffer in the lane behind the outbox's bytes, which is not copied; the buffer is to
  /// be detached then. -1: a copy has to be committed.
  #[napi]
  pub fn commit_moved(&self, #[napi(ts_arg_type = "ArrayBuffer")] buffer: Object<'_>) -> napi::Result<i32> {
    let loan = loan_of(&buffer)?;
    // SAFETY: only JavaScript on this thread uses the content, and waits for this call. Once the result is committed, the TypeScript
    // layer, which alone calls this, detaches the buffer before other code runs.
    let moved = loan.as_ref().and_then(|loan| unsafe { loan.hand_over() });
    Ok(moved.map_or(NOT_MOVED, |moved| self.calls.commit_moved(moved)))
  }

  /// An ArrayBuffer of so many bytes (not 0) in the memory of the lane; `null` if there is no room.
  #[napi(ts_return_type = "ArrayBuffer | null")]
  pub fn allocate<'env>(&self, env: &'env Env, bytes: f64) -> napi::Result<Option<Unknown<'env>>> {
    let allocated = self.calls.worker.borrow_mut().allocate(bytes as usize);
    allocated.ok().map(|loan| array_buffer(env, loan)).transpose()
  }

  /// Reports something that answers no call; false when there is no room for it.
  #[napi]
  pub fn notice(&self, status: u32, codec: u32, payload: &[u8]) -> bool {
    self.calls.worker.borrow_mut().notice(status as u8, codec as u8, payload, &[])
  }

  /// Says that this worker is about to wait for the bell; true if there is something to do after all.
  #[napi]
  pub fn arm(&self) -> bool {
    self.calls.worker.borrow().arm()
  }

  /// Whether the host wants the call that was taken to stop.
  #[napi]
  pub fn abort_requested(&self) -> bool {
    self.calls.current.get().is_some_and(|call| self.calls.worker.borrow().abort_requested(call.position))
  }

  /// Tells the host that this worker is ready (1), leaves after its call (2), or is about to exit (3).
  #[napi]
  pub fn set_phase(&self, phase: u32) {
    self.calls.worker.borrow_mut().set_phase(match phase {
      1 => WorkerPhase::Ready,
      2 => WorkerPhase::Retiring,
      _ => WorkerPhase::Leaving,
    });
  }

  /// Gives back memory that nothing needs now. True: the host keeps results, so there may be more later.
  #[napi]
  pub fn trim(&self) -> bool {
    self.calls.worker.borrow_mut().trim()
  }
}

impl Drop for NativeWorker {
  fn drop(&mut self) {
    drop(self.poll.take());
    self.cleanup.end();
  }
}
