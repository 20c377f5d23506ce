//! The worker's side: a lane on the event loop of a worker process.

use std::cell::RefCell;
use std::os::fd::AsRawFd;
use std::rc::{Rc, Weak};

use millrace_pool::worker::{LaneArgument, Worker};
use millrace_pool::{CallKind, CallRecord, CommitError, ResultHeader, Taken, WorkerPhase};
use napi::bindgen_prelude::{Env, Function, Uint8Array};
use napi_derive::napi;

use crate::callback::{Callback, event_loop, uv_error};
use crate::cleanup::Cleanup;
use crate::staging::{ELSEWHERE, STAGED_MAX, Staging, halves, write_words};
use crate::uv::Poll;

/// What `take` returns.
mod taken {
  pub const NOTHING: u32 = 0;
  pub const TASK: u32 = 1;
  pub const DEFINE: u32 = 2;
  pub const BOOT: u32 = 3;
  pub const STOP: u32 = 4;
}

/// What `commit` returns.
mod committed {
  pub const DONE: u32 = 0;
  pub const NO_ROOM: u32 = 1;
  pub const TOO_LARGE: u32 = 2;
  pub const NO_MEMORY: u32 = 3;
}

/// Words of the call record at the start of the inbox: task, codec, flags, payload length (low, high), payload offset
/// in the inbox or [`ELSEWHERE`], task id (low, high). The payload follows.
const RECORD_WORDS: usize = 8;

struct Shared {
  worker: RefCell<Worker>,
  callback: Callback,
}

/// A worker's end of its lane, for the TypeScript layer only.
#[napi]
pub struct NativeWorker {
  shared: Rc<Shared>,
  argument: LaneArgument,
  inbox: Staging,
  outbox: Staging,
  current: Option<CallRecord>,
  claimed_ns: u64,
  poll: Rc<RefCell<Option<Poll>>>,
  cleanup: Rc<Cleanup>,
}

#[napi]
impl NativeWorker {
  /// Takes over the lane that this process was started with; `argument` is the last of its command line. `onBell` is
  /// called, from the event loop, when the host rang.
  #[napi(constructor)]
  pub fn new(
    env: Env,
    argument: String,
    inbox: Uint8Array,
    outbox: Uint8Array,
    on_bell: Function<'_, (), ()>,
  ) -> napi::Result<Self> {
    let to_js = |error: millrace_pool::worker::WorkerError| napi::Error::from_reason(error.to_string());
    let argument: LaneArgument = argument.parse().map_err(to_js)?;
    // SAFETY: a process with this argument was started by a pool with these descriptors, and the worker's entry, which
    // is the first thing that runs in it, calls this once.
    let worker = unsafe { Worker::attach(&argument) }.map_err(to_js)?;
    let fd = worker.bell().as_raw_fd();
    let callback = Callback::new(&env, &on_bell)?;
    let shared = Rc::new(Shared { worker: RefCell::new(worker), callback });
    let weak: Weak<Shared> = Rc::downgrade(&shared);
    let on_event: Rc<dyn Fn()> = Rc::new(move || {
      if let Some(shared) = weak.upgrade() {
        // Before JavaScript looks for work: what comes after this rings again.
        shared.worker.borrow().clear_bell();
        shared.callback.call();
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
    Ok(Self {
      shared,
      argument,
      inbox: Staging::new(inbox),
      outbox: Staging::new(outbox),
      current: None,
      claimed_ns: 0,
      poll,
      cleanup,
    })
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

  /// Claims the next call and puts its record, and its payload if it fits, into the inbox.
  #[napi]
  pub fn take(&mut self) -> u32 {
    let mut worker = self.shared.worker.borrow_mut();
    let call = match worker.take() {
      Taken::Empty => return taken::NOTHING,
      Taken::Stop => return taken::STOP,
      Taken::Call(call) => call,
      // The memory that this process lives by is damaged: nothing that it could still answer would be right.
      Taken::Corrupt(_) => std::process::abort(),
    };
    self.claimed_ns = millrace_sys::monotonic_ns();
    let len = call.payload_len();
    let offset = RECORD_WORDS * 4;
    let inbox = self.inbox.bytes_mut();
    let staged = len <= STAGED_MAX.min(inbox.len() - offset);
    if staged {
      worker.copy_payload(&call, 0, &mut inbox[offset..offset + len]);
    }
    let [low, high] = halves(call.len);
    let [id_low, id_high] = halves(call.sequence);
    let at = if staged { offset as u32 } else { ELSEWHERE };
    let record = [call.task, u32::from(call.codec), u32::from(call.flags), low, high, at, id_low, id_high];
    write_words(inbox, 0, &record);
    let kind = match call.kind {
      CallKind::Task => taken::TASK,
      CallKind::Define => taken::DEFINE,
      CallKind::Boot => taken::BOOT,
    };
    self.current = Some(call);
    kind
  }

  /// Copies the payload that did not fit the inbox into `target`, which has its length.
  #[napi]
  pub fn fetch(&self, mut target: Uint8Array) {
    let Some(call) = &self.current else { return };
    // SAFETY: JavaScript, on this thread, waits for this call; nothing else refers to the array's bytes meanwhile.
    let bytes = unsafe { target.as_mut() };
    let len = bytes.len().min(call.payload_len());
    self.shared.worker.borrow().copy_payload(call, 0, &mut bytes[..len]);
  }

  /// Lets go of the task definition that `take` returned.
  #[napi]
  pub fn release_define(&mut self) {
    if let Some(call) = self.current.take() {
      self.shared.worker.borrow_mut().release_define(&call);
    }
  }

  /// Commits the result of the call that was taken: the first `length` bytes of the outbox.
  #[napi]
  pub fn commit(&mut self, status: u32, codec: u32, flags: u32, length: u32) -> u32 {
    self.commit_bytes(status, codec, flags, length, &[])
  }

  /// As `commit`, with `tail` after the outbox's bytes.
  #[napi]
  pub fn commit_with(&mut self, status: u32, codec: u32, flags: u32, length: u32, tail: &[u8]) -> u32 {
    self.commit_bytes(status, codec, flags, length, tail)
  }

  fn commit_bytes(&mut self, status: u32, codec: u32, flags: u32, length: u32, tail: &[u8]) -> u32 {
    let Some(call) = &self.current else { return committed::DONE };
    let ran = millrace_sys::monotonic_ns().saturating_sub(self.claimed_ns);
    let header = ResultHeader {
      status: status as u8,
      codec: codec as u8,
      flags: flags as u16,
      ran_ns: u32::try_from(ran).unwrap_or(u32::MAX),
    };
    let head = self.outbox.bytes(length);
    match self.shared.worker.borrow_mut().commit(&header, call, head, tail) {
      Ok(()) => {
        self.current = None;
        committed::DONE
      }
      Err(CommitError::NoRoom) => committed::NO_ROOM,
      Err(CommitError::TooLarge { .. }) => committed::TOO_LARGE,
      Err(CommitError::NoMemory { .. }) => committed::NO_MEMORY,
    }
  }

  /// Reports something that answers no call; false when there is no room for it.
  #[napi]
  pub fn notice(&mut self, status: u32, codec: u32, length: u32, tail: Option<&[u8]>) -> bool {
    let head = self.outbox.bytes(length);
    self.shared.worker.borrow_mut().notice(status as u8, codec as u8, head, tail.unwrap_or_default())
  }

  /// Says that this worker is about to wait for the bell; true if there is something to do after all.
  #[napi]
  pub fn arm(&self) -> bool {
    self.shared.worker.borrow().arm()
  }

  /// Whether the host wants the call that was taken to stop.
  #[napi]
  pub fn abort_requested(&self) -> bool {
    self.current.as_ref().is_some_and(|call| self.shared.worker.borrow().abort_requested(call.position))
  }

  /// Tells the host that this worker is ready (1), leaves after its call (2), or is about to exit (3).
  #[napi]
  pub fn set_phase(&self, phase: u32) {
    self.shared.worker.borrow_mut().set_phase(match phase {
      1 => WorkerPhase::Ready,
      2 => WorkerPhase::Retiring,
      _ => WorkerPhase::Leaving,
    });
  }

  /// Gives the memory of consumed results back.
  #[napi]
  pub fn trim(&self) {
    self.shared.worker.borrow_mut().trim();
  }
}

impl Drop for NativeWorker {
  fn drop(&mut self) {
    drop(self.poll.take());
    self.cleanup.end();
  }
}
