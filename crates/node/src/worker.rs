//! The binding of a worker: its end of a lane, on the event loop of its process.

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
use crate::heap_limit::note_full_heap;
use crate::lending::{array_buffer, loan_of, permanent_array_buffer};
use crate::staging::{STAGED_MAX, Staging, read_words, write_words};
use crate::uv::Poll;
use crate::wire::{call_record, committed, inbox, phase, put_wide, register, taken};

/// Where the payload, or its head, begins in the inbox: behind the record.
const PAYLOAD: usize = call_record::WORDS * 4;

/// The lane, and the buffers through which calls and results pass. The functions that run once a call are bound to
/// this.
struct CallPath {
  worker: RefCell<Worker>,
  on_bell: Callback,
  /// The [`register`]s of the result to commit.
  registers: Staging,
  outbox: Staging,
  inbox: RefCell<Staging>,
  /// The call that was taken last, until it is answered.
  current: Cell<Option<CallRecord>>,
}

impl CallPath {
  /// Claims the next call and puts its record, and its payload if it fits, into the inbox. Arms the bell if there is no
  /// call.
  fn take(&self) -> i32 {
    loop {
      let taken = self.worker.borrow_mut().take();
      let taken = self.stage(taken);
      if taken != taken::NOTHING || !self.is_due_again() {
        return taken;
      }
    }
  }

  /// There is no call: looks for one for a moment, then arms the bell. True: there is one now.
  fn is_due_again(&self) -> bool {
    let mut worker = self.worker.borrow_mut();
    worker.spin() || worker.arm()
  }

  fn stage(&self, taken: Taken) -> i32 {
    let call = match taken {
      Taken::Empty => return taken::NOTHING,
      Taken::Stop => return taken::STOP,
      Taken::Call(call) => call,
      // The lane is damaged: no answer of this process would be right.
      Taken::Corrupt(_) => std::process::abort(),
    };
    let len = call.payload_len();
    let mut inbox = self.inbox.borrow_mut();
    let inbox = inbox.bytes_mut();
    let staged = len <= STAGED_MAX.min(inbox.len() - PAYLOAD) && !call.is_lent();
    let here = if staged { len } else { call.inline_len() };
    self.worker.borrow().copy_payload(&call, 0, &mut inbox[PAYLOAD..PAYLOAD + here]);
    let mut record = [0; call_record::WORDS];
    record[call_record::TASK] = call.task;
    record[call_record::CODEC] = u32::from(call.codec);
    record[call_record::FLAGS] = u32::from(call.flags);
    put_wide(&mut record, call_record::LENGTH, call.len);
    record[call_record::OFFSET] = if staged { PAYLOAD as u32 } else { inbox::ELSEWHERE };
    put_wide(&mut record, call_record::TASK_ID, call.sequence);
    record[call_record::HEAD_LENGTH] = here as u32;
    record[call_record::CHUNK] = self.worker.borrow().chunk_index(&call);
    write_words(inbox, 0, &record);
    self.current.set(Some(call));
    match call.kind {
      CallKind::Task => taken::TASK,
      CallKind::Define => taken::DEFINE,
      CallKind::Boot => taken::BOOT,
    }
  }

  /// The result that the registers describe, and the length of its payload in the outbox.
  fn result(&self, ran_ns: u32) -> (ResultHeader, u32) {
    let registers: [u32; register::COUNT] = read_words(self.registers.all());
    let (status, codec) = (registers[register::STATUS] as u8, registers[register::CODEC] as u8);
    (ResultHeader { status, codec, flags: registers[register::FLAGS] as u16, ran_ns }, registers[register::LENGTH])
  }

  /// Commits the result that the registers describe, with `tail` behind the outbox's bytes, for the call that was
  /// taken.
  fn commit(&self, tail: &[u8]) -> i32 {
    let Some(call) = self.current.get() else { return committed::DONE };
    let mut worker = self.worker.borrow_mut();
    let (header, length) = self.result(worker.ran_ns());
    self.committed(worker.commit(&header, &call, self.outbox.bytes(length), tail))
  }

  /// As [`CallPath::commit`], with bytes of the journal in place of those of the outbox.
  fn commit_chunk(&self, length: usize, tail: &[u8]) -> i32 {
    let Some(call) = self.current.get() else { return committed::DONE };
    let mut worker = self.worker.borrow_mut();
    let (header, _) = self.result(worker.ran_ns());
    let (address, len, offset) = worker.journal();
    let length = length.min(len - offset);
    // SAFETY: the journal's bytes begin inside of its memory.
    let bytes = unsafe { address.add(offset) };
    // SAFETY: mapped, and written by JavaScript on this thread only, which waits for this call. The host may write to
    // the memory, if it breaks all rules: then the bytes are arbitrary.
    let journal = unsafe { std::slice::from_raw_parts(bytes.as_ptr(), length) };
    self.committed(worker.commit(&header, &call, journal, tail))
  }

  fn committed(&self, outcome: Result<(), CommitError>) -> i32 {
    match outcome {
      Ok(()) => {
        self.current.set(None);
        committed::DONE
      }
      Err(CommitError::NoRoom) => committed::NO_ROOM,
      Err(CommitError::TooLarge { .. }) => committed::TOO_LARGE,
      Err(CommitError::NoMemory { .. }) => committed::NO_MEMORY,
    }
  }

  /// As [`CallPath::commit`], with a block of the lane in place of `tail`, which is not copied.
  fn commit_moved(&self, content: Moved<'_>) -> i32 {
    let Some(call) = self.current.get() else { return committed::DONE };
    let mut worker = self.worker.borrow_mut();
    let (header, length) = self.result(worker.ran_ns());
    if !worker.commit_moved(&header, &call, self.outbox.bytes(length), content) {
      return committed::NOT_MOVED;
    }
    self.current.set(None);
    committed::DONE
  }

  /// Commits, and takes the next call. Returns the negative of what `commit` returns, if that is not
  /// [`committed::DONE`].
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

/// A worker's end of its lane. For the TypeScript layer only.
#[napi]
pub struct NativeWorker {
  calls: Rc<CallPath>,
  argument: LaneArgument,
  poll: Rc<RefCell<Option<Poll>>>,
  cleanup: Rc<Cleanup>,
}

#[napi]
impl NativeWorker {
  /// Takes over the lane that this process was started with. `argument` is the last of its command line. `registers`
  /// and `outbox` carry numbers and payloads from JavaScript, `inbox` carries both to JavaScript. `onBell` is called,
  /// from the event loop, when the host has rung.
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
      // SAFETY: a process with this argument was started by a pool with these descriptors, and the worker's entry,
      // which is the first thing that runs in it, calls this once.
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
        // Before JavaScript looks for work: the host rings again for anything that comes later.
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

  /// Returns `take()`, which claims the next call and puts its record (`callRecord`), and its payload if it fits, into
  /// the inbox. It returns one of `taken`: if there is no call, the host rings for the next one. For the names of
  /// numbers see `wireNumbers`.
  #[napi]
  pub fn bare_take<'env>(&self, env: &'env Env) -> napi::Result<Function<'env, (), i32>> {
    bare_function(env, &self.calls, |calls| Ok(calls.take()))
  }

  /// Returns `commit()`, which commits the result that the registers (`register`) describe, with the payload at the
  /// start of the outbox. It returns one of `committed`.
  #[napi]
  pub fn bare_commit<'env>(&self, env: &'env Env) -> napi::Result<Function<'env, (), i32>> {
    bare_function(env, &self.calls, |calls| Ok(calls.commit(&[])))
  }

  /// Returns `commitAndTake()`, which commits and then takes. It returns what `take()` returns, or the negative of what
  /// `commit()` returns if that is not `done`.
  #[napi]
  pub fn bare_commit_and_take<'env>(&self, env: &'env Env) -> napi::Result<Function<'env, (), i32>> {
    bare_function(env, &self.calls, |calls| Ok(calls.commit_and_take()))
  }

  /// This worker's number in its pool.
  #[napi(getter)]
  pub fn worker_id(&self) -> u32 {
    self.argument.worker_id
  }

  /// How deep pools are nested in this process: 1 in a worker of an ordinary process.
  #[napi(getter)]
  pub fn depth(&self) -> u32 {
    self.argument.depth
  }

  /// Copies the content of the payload of the call that was taken, which is all but the head, into `target`, which has
  /// the length of the content.
  #[napi]
  pub fn fetch(&self, mut target: Uint8Array) {
    let Some(call) = self.calls.current.get() else { return };
    // SAFETY: TypeScript has just made the array, and waits for this call on this thread: nothing else refers to its
    // bytes.
    let bytes = unsafe { target.as_mut() };
    let head = call.inline_len();
    let len = bytes.len().min(call.payload_len() - head);
    self.calls.worker.borrow().copy_payload(&call, head, &mut bytes[..len]);
  }

  /// The content of the payload of the call that was taken, in the lane's own memory; `null` if the content has to be
  /// fetched.
  #[napi(ts_return_type = "ArrayBuffer | null")]
  pub fn borrow<'env>(&self, env: &'env Env) -> napi::Result<Option<Unknown<'env>>> {
    let loan = self.calls.current.get().and_then(|call| self.calls.worker.borrow_mut().borrow(&call));
    loan.map(|loan| array_buffer(env, loan)).transpose()
  }

  /// The journal's memory (see `journal` of `wireNumbers`), as long as this process lives.
  #[napi(ts_return_type = "ArrayBuffer")]
  pub fn journal<'env>(&self, env: &'env Env) -> napi::Result<Unknown<'env>> {
    let (address, len, _) = self.calls.worker.borrow().journal();
    // SAFETY: mapped and writable as long as this process lives; only JavaScript touches the bytes from now on.
    unsafe { permanent_array_buffer(env, address, len) }
  }

  /// Where the bytes of the journal begin in its memory.
  #[napi(getter)]
  pub fn journal_offset(&self) -> u32 {
    self.calls.worker.borrow().journal().2 as u32
  }

  /// Makes the pages of a range of the journal's bytes exist; false if there is no memory for them.
  #[napi]
  pub fn commit_journal(&self, from: u32, to: u32) -> bool {
    self.calls.worker.borrow().commit_journal(from as usize, to as usize)
  }

  /// Gives the pages of the journal's bytes back, from `from` on.
  #[napi]
  pub fn trim_journal(&self, from: u32) {
    self.calls.worker.borrow().trim_journal(from as usize);
  }

  /// Commits the first `length` bytes of the journal, and `tail` behind them, as the result of the chunk that was
  /// taken. It returns one of `committed`.
  #[napi]
  pub fn commit_chunk(&self, length: u32, tail: Option<&[u8]>) -> i32 {
    self.calls.commit_chunk(length as usize, tail.unwrap_or_default())
  }

  /// Frees the slot of the task definition that was taken.
  #[napi]
  pub fn release_define(&self) {
    if let Some(call) = self.calls.current.take() {
      self.calls.worker.borrow_mut().release_define(&call);
    }
  }

  /// As `commit()`, with `tail` after the outbox's bytes.
  #[napi]
  pub fn commit_with(&self, tail: &[u8]) -> i32 {
    self.calls.commit(tail)
  }

  /// As `commit()`, with the memory of an ArrayBuffer behind the outbox's bytes. The memory lies in the lane and is not
  /// copied: the buffer has to be detached afterwards. `notMoved`: nothing is committed, a copy has to be.
  #[napi]
  pub fn commit_moved(&self, #[napi(ts_arg_type = "ArrayBuffer")] buffer: Object<'_>) -> napi::Result<i32> {
    let loan = loan_of(&buffer)?;
    // SAFETY: only JavaScript on this thread uses the content, and waits for this call. Once the result is committed,
    // the TypeScript layer, which alone calls this, detaches the buffer before other code runs.
    let moved = loan.as_ref().and_then(|loan| unsafe { loan.hand_over() });
    Ok(moved.map_or(committed::NOT_MOVED, |moved| self.calls.commit_moved(moved)))
  }

  /// An ArrayBuffer of `bytes` bytes (not 0) in the memory of the lane; `null` if there is no room.
  #[napi(ts_return_type = "ArrayBuffer | null")]
  pub fn allocate<'env>(&self, env: &'env Env, bytes: f64) -> napi::Result<Option<Unknown<'env>>> {
    let allocated = self.calls.worker.borrow_mut().allocate(bytes as usize);
    allocated.ok().map(|loan| array_buffer(env, loan)).transpose()
  }

  /// Sends a report that answers no call. False: there is no room for the report, which is dropped.
  #[napi]
  pub fn notice(&self, status: u32, codec: u32, payload: &[u8]) -> bool {
    self.calls.worker.borrow_mut().notice(status as u8, codec as u8, payload, &[])
  }

  /// Tells the host that this worker is about to wait for the bell. True: there is something to do after all.
  #[napi]
  pub fn arm(&self) -> bool {
    self.calls.worker.borrow().arm()
  }

  /// Whether the host wants the call that was taken to stop.
  #[napi]
  pub fn abort_requested(&self) -> bool {
    self.calls.current.get().is_some_and(|call| self.calls.worker.borrow().abort_requested(call.position))
  }

  /// Tells the host how far this worker has come: one of `phase` (see `wireNumbers`).
  #[napi]
  pub fn set_phase(&self, phase: u32) {
    self.calls.worker.borrow_mut().set_phase(match phase {
      phase::READY => WorkerPhase::Ready,
      phase::RETIRING => WorkerPhase::Retiring,
      _ => WorkerPhase::Leaving,
    });
  }

  /// From now on SIGTERM and SIGHUP end this process only when its host has announced them, or this process sends them
  /// itself. To be called again when JavaScript has taken a last listener of one of them off.
  #[napi]
  pub fn heed_announced_signals(&self) {
    self.calls.worker.borrow().heed_announced_signals();
  }

  /// From now on the host hears when this process aborts because V8's heap is full.
  #[napi]
  pub fn note_full_heap(&self) {
    let phase = self.calls.worker.borrow().phase_word();
    // SAFETY: the word lies in the lane, whose memory is never unmapped. This is called by JavaScript, in its isolate.
    unsafe { note_full_heap(phase) };
  }

  /// Gives memory that nothing needs back to the system. True: the host keeps results, so there may be more to give
  /// back later.
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
