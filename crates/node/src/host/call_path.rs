//! Calls in and results out: the functions that run once a call or once a batch of results.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use millrace_pool::{AllocateError, CallSpec, Completion, Limits, Loan, PoolState, SpawnFailure, SubmitError, Tail};

use super::event_loop::Core;
use crate::platform::sys_error;
use crate::staging::{STAGED_MAX, Staging, read_words, write_words};
use crate::wire::{drained, host_flag, inbox, put_wide, refused, register, result_record};

/// Results that one `drain` returns at most. The payloads follow the records in the inbox.
const RECORDS_MAX: usize = 256;

/// Where the payloads begin in the inbox.
const PAYLOADS: usize = RECORDS_MAX * result_record::WORDS * 4;

/// What passes between JavaScript and the manager.
pub(super) struct CallPath {
  core: Rc<Core>,
  /// The [`register`]s of the call to submit.
  registers: Staging,
  outbox: Staging,
  inbox: RefCell<Staging>,
  /// The result whose content does not pass through the inbox: JavaScript fetches or borrows the content, or passes it
  /// over.
  held: Cell<Option<Completion>>,
  spawn_failure: Cell<Option<SpawnFailure>>,
}

impl CallPath {
  pub(super) fn new(core: Rc<Core>, registers: Staging, outbox: Staging, inbox: Staging) -> Self {
    Self { core, registers, outbox, inbox: RefCell::new(inbox), held: Cell::new(None), spawn_failure: Cell::new(None) }
  }

  /// Takes the call that the registers describe, with the payload at the start of the outbox. Returns its number, or
  /// one of [`refused`].
  pub(super) fn submit(&self) -> i32 {
    self.submit_with(Tail::Bytes(&[]), None, 0, None)
  }

  /// As [`CallPath::submit`], with `tail` behind the outbox's bytes. For `attempt_of` see [`CallSpec`].
  pub(super) fn submit_with(
    &self,
    tail: Tail<'_>,
    limits: Option<Limits>,
    retries: u32,
    attempt_of: Option<u64>,
  ) -> i32 {
    let registers: [u32; register::COUNT] = read_words(self.registers.all());
    let (codec, flags) = (registers[register::CODEC] as u8, registers[register::FLAGS] as u16);
    let head = self.outbox.bytes(registers[register::LENGTH]);
    let further = registers[register::FLAGS] & host_flag::FURTHER != 0;
    let task = registers[register::TASK];
    let spec = CallSpec { task, codec, flags, limits, retries, further, attempt_of, head, tail };
    let mut manager = self.core.manager();
    let outcome = manager.submit(spec);
    // A submit changes what the loop must know only when it started a worker, brought a deadline, or is the first.
    if limits.is_some() || manager.has_events() {
      drop(manager);
      self.core.sync();
    } else {
      self.core.sync_call(&manager);
    }
    match outcome {
      Ok(id) => id as i32,
      Err(SubmitError::NotRunning(PoolState::Broken)) => refused::BROKEN,
      Err(SubmitError::NotRunning(_)) => refused::CLOSED,
      Err(SubmitError::QueueFull) => refused::QUEUE_FULL,
      Err(SubmitError::TooLarge { .. }) => refused::TOO_LARGE,
      Err(SubmitError::Spawn(failure)) => {
        self.spawn_failure.set(Some(failure));
        refused::SPAWN
      }
    }
  }

  /// A block in some lane for JavaScript to fill, if there is room in one; or one of [`refused`].
  pub(super) fn allocate(&self, len: usize) -> Result<Option<Loan>, i32> {
    let allocated = self.core.manager().allocate(len);
    self.core.sync();
    allocated.map_err(|error| match error {
      AllocateError::NotRunning(PoolState::Broken) => refused::BROKEN,
      AllocateError::NotRunning(_) => refused::CLOSED,
      AllocateError::Spawn(failure) => {
        self.spawn_failure.set(Some(failure));
        refused::SPAWN
      }
    })
  }

  /// Keeps the failure if workers could not be started, and returns whether they were.
  pub(super) fn note_spawn(&self, started: Result<(), SpawnFailure>) -> bool {
    self.spawn_failure.set(started.err());
    started.is_ok()
  }

  /// Why no worker could be started, the last time that none could.
  pub(super) fn spawn_failure(&self) -> Option<SpawnFailure> {
    self.spawn_failure.get()
  }

  /// Begins a round, and goes on as [`CallPath::drain`].
  pub(super) fn turn(&self) -> napi::Result<i32> {
    self.let_go();
    self.core.manager().turn().map_err(|e| sys_error(&e))?;
    Ok(self.drain())
  }

  /// Fills the inbox with results and returns how many, plus [`drained::EVENTS`] if there are events. To be called
  /// until there are no more results, which ends the round. A content that is elsewhere has to be fetched or borrowed
  /// before the next call.
  pub(super) fn drain(&self) -> i32 {
    self.let_go();
    let mut manager = self.core.manager();
    let mut inbox = self.inbox.borrow_mut();
    let inbox = inbox.bytes_mut();
    let mut count = 0;
    let mut offset = PAYLOADS;
    while count < RECORDS_MAX && inbox.len() - offset >= STAGED_MAX {
      let Some(completion) = manager.next_completion() else { break };
      let staged = completion.len <= STAGED_MAX && !completion.lent;
      let Completion { id, status, codec, flags, pid, ran_ns, len, inline_len, .. } = completion;
      let mut record = [0; result_record::WORDS];
      record[result_record::CALL] = id;
      record[result_record::STATUS] = u32::from(status);
      record[result_record::CODEC] = u32::from(codec);
      record[result_record::FLAGS] = u32::from(flags);
      put_wide(&mut record, result_record::LENGTH, len as u64);
      record[result_record::OFFSET] = if staged { offset as u32 } else { inbox::ELSEWHERE };
      record[result_record::PID] = pid;
      record[result_record::RAN_MICROSECONDS] = ran_ns / 1000;
      record[result_record::HEAD_OFFSET] = offset as u32;
      record[result_record::HEAD_LENGTH] = inline_len as u32;
      write_words(inbox, count * result_record::WORDS, &record);
      count += 1;
      if !staged {
        manager.copy_payload(&completion, 0, &mut inbox[offset..offset + inline_len]);
        self.held.set(Some(completion));
        break;
      }
      manager.copy_payload(&completion, 0, &mut inbox[offset..offset + completion.len]);
      manager.consume(&completion);
      offset += completion.len.next_multiple_of(8);
    }
    let events = if manager.has_events() { drained::EVENTS } else { 0 };
    drop(manager);
    if count == 0 {
      self.core.sync();
    }
    count as i32 + events
  }

  /// Passes the held result over: JavaScript has not wanted its content.
  fn let_go(&self) {
    if let Some(held) = self.held.take() {
      self.core.manager().consume(&held);
    }
  }

  /// Copies the content of the held result, which is all but its head, to `target`, which has the length of the
  /// content.
  pub(super) fn fetch(&self, target: &mut [u8]) {
    let Some(held) = self.held.take() else { return };
    let mut manager = self.core.manager();
    let len = target.len().min(held.len - held.inline_len);
    manager.copy_payload(&held, held.inline_len, &mut target[..len]);
    manager.consume(&held);
  }

  /// The content of the held result in the lane's own memory; `None` if the content has to be fetched.
  pub(super) fn borrow(&self) -> Option<Loan> {
    let held = self.held.get()?;
    self.core.manager().borrow(&held)
  }
}
