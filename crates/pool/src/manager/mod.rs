//! The manager: all state of one pool, and what its owner may ask of the pool.
//!
//! Two kinds of modules are in this folder. The parts keep their own invariants and know no manager: `lanes`,
//! `placement`, `durations`, `starts`, `watch`, `drain`, `backlog`, `lifecycle`, `owner`, `reservations`. The others
//! are what a manager does with its parts, a concern each. `round.rs` tells what an owner has to do.
//!
//! No user code is called from here: the owner hands results and events on when the manager is no longer borrowed.

pub(crate) mod dispatch;
pub(crate) mod own_forks;
pub(crate) mod stats;

mod allocate;
mod backlog;
mod burial;
mod deadlines;
mod drain;
mod dump;
mod durations;
mod interruption;
mod lanes;
mod lifecycle;
mod memory;
mod owner;
mod placement;
mod rebalance;
mod recall;
mod relief;
mod reservations;
mod results;
mod retry;
mod room;
mod round;
mod server;
mod shutdown;
mod silence;
mod sleep;
mod starts;
mod stop;
mod transitions;
mod watch;
mod workers;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use millrace_sys::{Capabilities, Pollables};

use self::backlog::Backlog;
use self::drain::Drain;
use self::durations::Durations;
use self::lanes::Lanes;
use self::lifecycle::Lifecycle;
use self::owner::Owner;
use self::placement::Placement;
use self::reservations::Reservations;
use self::starts::Starts;
use self::watch::Watch;
use crate::calls::{BootCall, CallTable, Definitions, PendingQueue, Place};
use crate::completion::CallId;
use crate::config::{DeathPolicy, PoolConfig};
use crate::event::{Event, PoolState};
use crate::fault;
use crate::oom::OomVictims;
use crate::start::Starter;

/// One pool.
#[derive(Debug)]
pub struct Manager {
  config: PoolConfig,
  capabilities: &'static Capabilities,
  definitions: Definitions,
  lifecycle: Lifecycle,
  calls: CallTable,
  pending: PendingQueue,
  reservations: Reservations,
  lanes: Lanes,
  placement: Placement,
  durations: Durations,
  starter: Starter,
  starts: Starts,
  oom_victims: OomVictims,
  /// The lanes of living workers were drained since an end was seen: see `burial.rs`.
  looked_around: bool,
  /// [`Event::SignalRefused`] was told.
  told_refused_signal: bool,
  /// When the lanes are to be looked at for workers that do not come to their calls.
  next_look: Option<Instant>,
  /// When the memory of the workers that run something is to be looked at.
  next_memory_look: Option<Instant>,
  watch: Watch,
  drain: Drain,
  backlog: Backlog,
  owner: Owner,
  events: VecDeque<Event>,
}

impl Manager {
  /// A pool without workers. `boot` is what each worker is sent before its first call, encoded by the owner.
  ///
  /// # Errors
  /// When the platform lacks something, or there are no descriptors left.
  pub fn new(config: PoolConfig, boot_codec: u8, boot: Box<[u8]>) -> millrace_sys::Result<Self> {
    fault::check()?;
    let capabilities = Capabilities::get()?;
    Ok(Self {
      config,
      capabilities,
      definitions: Definitions::new(BootCall { codec: boot_codec, payload: boot }),
      lifecycle: Lifecycle::new(),
      calls: CallTable::default(),
      pending: PendingQueue::default(),
      reservations: Reservations::default(),
      lanes: Lanes::default(),
      placement: Placement::new(),
      durations: Durations::default(),
      starter: Starter::default(),
      starts: Starts::new(),
      oom_victims: OomVictims::default(),
      looked_around: false,
      told_refused_signal: false,
      next_look: None,
      next_memory_look: None,
      watch: Watch::new(capabilities)?,
      drain: Drain::default(),
      backlog: Backlog::default(),
      owner: Owner::default(),
      events: VecDeque::new(),
    })
  }

  /// The descriptors that an outer event loop has to watch for readability.
  pub fn pollables(&self) -> Pollables<'_> {
    self.watch.pollables()
  }

  /// Changes whenever [`Manager::pollables`] does.
  pub fn pollables_generation(&self) -> u64 {
    self.watch.generation()
  }

  /// Makes the outer event loop come back at once.
  pub fn wake_again(&self) {
    self.watch.wake();
  }

  /// Closes all descriptors of a manager that has no workers any more and never will. What it did can still be asked.
  /// The outer event loop must have stopped watching before.
  pub fn disconnect(&mut self) {
    self.watch.disconnect();
  }

  /// How far the pool's life has come.
  pub fn state(&self) -> PoolState {
    self.lifecycle.state()
  }

  /// How many calls have no outcome yet, those included whose outcome nobody waits for.
  pub fn unfinished(&self) -> usize {
    self.calls.len()
  }

  /// How many worker processes are not reaped yet.
  pub fn live_workers(&self) -> usize {
    self.lanes.live()
  }

  /// Defines what task number `index` means to the workers. A worker learns it before its first call of that number;
  /// a number may be used again when no unfinished call refers to its old meaning.
  pub fn define_task(&mut self, index: u32, bytes: Box<[u8]>) {
    self.definitions.define_task(index, bytes);
    self.durations.forget(index);
  }

  /// Frees the memory of a definition that no unfinished call refers to, here at once and in each worker before the
  /// next definition that it learns. The number may be defined again.
  pub fn forget_task(&mut self, index: u32) {
    self.definitions.forget_task(index);
  }

  /// Whether a worker has claimed the call and has not answered it yet. An answer that waits for the owner's round ends
  /// the running, as one that the owner has heard of does.
  pub fn is_running(&self, id: CallId) -> bool {
    match self.calls.get(id).map(|call| call.place) {
      Some(Place::Lane { lane, position }) => self.lanes.get(lane).is_some_and(|lane| lane.is_claimed(position)),
      Some(Place::Answered | Place::Pending) | None => false,
    }
  }

  /// The public number of a call.
  fn number(&self, id: CallId) -> Option<u64> {
    self.calls.get(id).map(|call| call.number)
  }

  /// Everything that happened since the last time, in order.
  pub fn take_events(&mut self) -> VecDeque<Event> {
    self.calls.recycle();
    std::mem::take(&mut self.events)
  }

  /// Whether [`Manager::take_events`] would return anything.
  pub fn has_events(&self) -> bool {
    !self.events.is_empty()
  }

  fn breaks_on_death(&self) -> bool {
    self.config.on_death == DeathPolicy::Break
  }
}

/// A pool that is dropped takes its workers with it.
impl Drop for Manager {
  fn drop(&mut self) {
    self.kill_now(Duration::from_secs(1));
  }
}
