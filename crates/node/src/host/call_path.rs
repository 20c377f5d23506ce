//! Calls in and results out: what runs once a call or once a batch of results, as bare functions.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use millrace_pool::{AllocateError, CallSpec, Completion, Limits, Loan, PoolState, SpawnFailure, SubmitError, Tail};

use super::event_loop::Core;
use crate::platform::sys_error;
use crate::staging::{ELSEWHERE, STAGED_MAX, Staging, halves, read_words, write_words};

/// Why `submit` took no call, as negative numbers; call numbers are not negative.
mod refused {
  pub(super) const CLOSED: i32 = -1;
  pub(super) const BROKEN: i32 = -2;
  pub(super) const QUEUE_FULL: i32 = -3;
  pub(super) const SPAWN: i32 = -4;
  pub(super) const TOO_LARGE: i32 = -5;
}

/// Words of one result record in the inbox: call, status, codec, flags, payload length (low, high), payload offset in
/// the inbox or [`ELSEWHERE`], the worker's process id, the time that it ran in microseconds, and of a payload that is elsewhere
/// offset and length of its head, which is in the inbox all the same.
const RECORD_WORDS: usize = 11;

/// Results that one `drain` returns at most. The payloads follow the records in the inbox.
const RECORDS_MAX: usize = 256;

/// Added to the number of results: there are events as well.
const EVENTS: i32 = 1 << 16;

pub(super) struct CallPath {
  core: Rc<Core>,
  /// Words from JavaScript: task, codec, flags and payload length of the call to submit.
  registers: Staging,
  outbox: Staging,
  inbox: RefCell<Staging>,
  /// A result too large for the inbox, which JavaScript is about to fetch.
  held: Cell<Option<Completion>>,
  spawn_failure: Cell<Option<SpawnFailure>>,
}

impl CallPath {
  pub(super) fn new(core: Rc<Core>, registers: Staging, outbox: Staging, inbox: Staging) -> Self {
    Self { core, registers, outbox, inbox: RefCell::new(inbox), held: Cell::new(None), spawn_failure: Cell::new(None) }
  }

  /// Takes a call whose payload stands at the start of the outbox. Returns its number, or a negative reason.
  pub(super) fn submit(&self) -> i32 {
    self.submit_with(Tail::Bytes(&[]), None, 0)
  }

  /// The same, with `tail` behind the outbox's bytes.
  pub(super) fn submit_with(&self, tail: Tail<'_>, limits: Option<Limits>, retries: u32) -> i32 {
    let [task, codec, flags, length] = read_words(self.registers.all());
    let head = self.outbox.bytes(length);
    let spec = CallSpec { task, codec: codec as u8, flags: flags as u16, limits, retries, head, tail };
    let mut manager = self.core.manager();
    let outcome = manager.submit(spec);
    // A submit changes what the loop must know only when it started a worker, brought a deadline, or is the first; and a full
    // queue has the loop come by when a worker claims a call.
    if limits.is_some() || manager.has_events() || outcome == Err(SubmitError::QueueFull) {
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

  /// A block in some lane for JavaScript to fill, if there is room in one; or a negative reason.
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

  /// Keeps the reason if workers could not be started; returns whether they were.
  pub(super) fn note_spawn(&self, started: Result<(), SpawnFailure>) -> bool {
    self.spawn_failure.set(started.err());
    started.is_ok()
  }

  /// Why no worker could be started when `submit` said so.
  pub(super) fn spawn_failure(&self) -> Option<SpawnFailure> {
    self.spawn_failure.get()
  }

  /// Begins a round, and goes on as `drain`.
  pub(super) fn turn(&self) -> napi::Result<i32> {
    self.let_go();
    self.core.manager().turn().map_err(|e| sys_error(&e))?;
    Ok(self.drain())
  }

  /// Fills the inbox with results and returns how many, plus [`EVENTS`] if there are events. To be called until there are no
  /// more results, which ends the round. If the last record's payload is elsewhere it must be fetched before the next call.
  pub(super) fn drain(&self) -> i32 {
    self.let_go();
    let mut manager = self.core.manager();
    let mut inbox = self.inbox.borrow_mut();
    let inbox = inbox.bytes_mut();
    let mut count = 0;
    let mut offset = RECORDS_MAX * RECORD_WORDS * 4;
    while count < RECORDS_MAX && inbox.len() - offset >= STAGED_MAX {
      let Some(completion) = manager.next_completion() else { break };
      let staged = completion.len <= STAGED_MAX && !completion.lent;
      let [low, high] = halves(completion.len as u64);
      let at = if staged { offset as u32 } else { ELSEWHERE };
      let Completion { id, status, codec, flags, pid, ran_ns, inline_len, .. } = completion;
      let record = [
        id,
        u32::from(status),
        u32::from(codec),
        u32::from(flags),
        low,
        high,
        at,
        pid,
        ran_ns / 1000,
        offset as u32,
        inline_len as u32,
      ];
      write_words(inbox, count * RECORD_WORDS, &record);
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
    let events = if manager.has_events() { EVENTS } else { 0 };
    drop(manager);
    if count == 0 {
      self.core.sync();
    }
    count as i32 + events
  }

  /// A result that JavaScript did not want is passed over.
  fn let_go(&self) {
    if let Some(held) = self.held.take() {
      self.core.manager().consume(&held);
    }
  }

  /// Copies the content of the payload that did not fit the inbox, which is what follows its head, to `target`, which has its
  /// length.
  pub(super) fn fetch(&self, target: &mut [u8]) {
    let Some(held) = self.held.take() else { return };
    let mut manager = self.core.manager();
    let len = target.len().min(held.len - held.inline_len);
    manager.copy_payload(&held, held.inline_len, &mut target[..len]);
    manager.consume(&held);
  }

  /// The same content where it lies; `None` if it has to be fetched.
  pub(super) fn borrow(&self) -> Option<Loan> {
    let held = self.held.get()?;
    self.core.manager().borrow(&held)
  }
}
