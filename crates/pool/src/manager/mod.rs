//! The manager: all state of one pool, and what may be asked of it.
//!
//! The manager runs no code of its own accord. Its owner calls in: to submit or stop calls, and, whenever one of the
//! descriptors of [`Manager::pollables`] is readable or [`Manager::next_deadline`] has passed, to go through a round:
//!
//! ```text
//! turn()                       note who rang and who died
//! while let Some(completion) = next_completion()
//!     copy_payload(..)         read the result where it lies
//!     consume(completion)      give its room back, refill the lane
//! take_events()                everything else that happened, in order
//! ```
//!
//! Before its owner sleeps it calls [`Manager::prepare_to_sleep`], which sets the "host sleeps" word of each lane that was
//! looked at: its worker rings with its next result. A lane is looked at only after its worker rang or ended, or when
//! there was something in it just before the owner would have slept; so a round costs nothing for lanes that have nothing to say.
//!
//! Nothing here calls user code: the owner hands results and events on when the manager is no longer borrowed.

pub(crate) mod dispatch;
pub(crate) mod own_forks;
pub(crate) mod stats;

mod allocate;
mod backlog;
mod deadlines;
mod dump;
mod rebalance;
mod relief;
mod retry;
mod round;
mod server;
mod sleep;
mod stop;
mod workers;

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use millrace_sys::{Capabilities, Listener, Pollables, PollerKind, Ringer, WaitSet, doorbell};

use self::backlog::Backlog;
use crate::calls::{CallTable, PendingQueue, Place, TaskDefinitions};
use crate::completion::CallId;
use crate::config::{DeathPolicy, PoolConfig};
use crate::event::{Event, ExitReason, PoolState};
use crate::fault;
use crate::lane::{Lane, READ_AHEAD_NS};
use crate::oom::OomVictims;
use crate::spin::Spinner;
use crate::start::Starter;

/// A worker's start that the pool owes for one that left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Replacement {
  pub(crate) old_pid: u32,
  pub(crate) reason: ExitReason,
}

/// One pool.
#[derive(Debug)]
pub struct Manager {
  pub(crate) config: PoolConfig,
  pub(crate) capabilities: &'static Capabilities,
  pub(crate) waits: WaitSet,
  /// `None` once the manager is disconnected.
  pub(crate) wakeup: Option<(Ringer, Listener)>,
  pub(crate) starter: Starter,
  pub(crate) state: PoolState,
  pub(crate) lanes: Vec<Option<Lane>>,
  pub(crate) live: usize,
  /// Lanes to look at in this round.
  pub(crate) hot: Vec<usize>,
  /// Lanes that were looked through and whose worker does not ring for what it has to say, since nobody sleeps yet.
  pub(crate) awake: Vec<usize>,
  pub(crate) spinner: Spinner,
  /// `prepare_to_sleep` found something: the next turn need not ask the system who rang.
  pub(crate) found_awake: bool,
  /// Results that were taken out of their lanes while the owner was busy.
  pub(crate) backlog: Backlog,
  /// The owner has a result that lies in a lane, and has not consumed it.
  pub(crate) lent: bool,
  /// Counts the owner's rounds.
  pub(crate) owner_turns: u64,
  /// The work that lanes are given in reserve.
  pub(crate) read_ahead_ns: u32,
  /// Results taken from the last of them in a row.
  pub(crate) turn_length: u32,
  /// Lanes that fell idle, the last one on top: the warmest worker gets the next call and the coldest times out. An
  /// entry is checked when it is taken.
  pub(crate) idle: Vec<usize>,
  /// No busy lane had room for another call when one was last looked for; any result or new worker clears it.
  pub(crate) saturated: bool,
  pub(crate) next_lane: usize,
  /// The lane that was given the last call.
  pub(crate) last_lane: usize,
  /// The lanes that were given the last calls, each once: at most as many as there are processors.
  pub(crate) warm: Vec<usize>,
  pub(crate) calls: CallTable,
  pub(crate) pending: PendingQueue,
  pub(crate) tasks: TaskDefinitions,
  pub(crate) boot_codec: u8,
  pub(crate) boot: Box<[u8]>,
  pub(crate) next_worker_id: u32,
  pub(crate) next_sequence: u64,
  /// Workers in a row that ended without having finished, or claimed, a call.
  pub(crate) failed_starts: u32,
  /// When the last of them that was counted ended.
  pub(crate) last_vain_end: Option<Instant>,
  /// The last process could not be started.
  pub(crate) spawn_failed: bool,
  /// No worker is started before this time.
  pub(crate) start_after: Option<Instant>,
  pub(crate) owed: VecDeque<Replacement>,
  /// Idle workers were asked to leave since the last call: nobody is owed one.
  pub(crate) dismissed: bool,
  /// An end was seen, and all lanes were looked through since.
  pub(crate) looked_around: bool,
  pub(crate) oom_victims: OomVictims,
  /// Workers started in the place of others.
  pub(crate) restarts: u64,
  /// The queue was full; [`Event::Room`] is due when it no longer is.
  pub(crate) was_full: bool,
  pub(crate) stopped: bool,
  pub(crate) events: VecDeque<Event>,
  pub(crate) tokens: Vec<u64>,
}

/// Marks the manager's own bell among the tokens of the wait set.
pub(crate) const WAKEUP_TOKEN: u64 = u64::MAX;

impl Manager {
  /// A pool without workers. `boot` is what each worker is sent before its first call, encoded by the owner.
  ///
  /// # Errors
  /// When the platform lacks something, or there are no descriptors left.
  pub fn new(config: PoolConfig, boot_codec: u8, boot: Box<[u8]>) -> millrace_sys::Result<Self> {
    fault::check()?;
    let capabilities = Capabilities::get()?;
    let mut waits = WaitSet::new(capabilities.poller)?;
    let wakeup = doorbell(capabilities.wakeup)?;
    waits.add(wakeup.1.as_fd(), WAKEUP_TOKEN)?;
    Ok(Self {
      config,
      capabilities,
      waits,
      wakeup: Some(wakeup),
      starter: Starter::default(),
      state: PoolState::Running,
      lanes: Vec::new(),
      live: 0,
      hot: Vec::new(),
      awake: Vec::new(),
      spinner: Spinner::default(),
      found_awake: false,
      backlog: Backlog::default(),
      lent: false,
      owner_turns: 0,
      read_ahead_ns: READ_AHEAD_NS,
      turn_length: 0,
      idle: Vec::new(),
      saturated: false,
      next_lane: 0,
      last_lane: 0,
      warm: Vec::new(),
      calls: CallTable::default(),
      pending: PendingQueue::default(),
      tasks: TaskDefinitions::default(),
      boot_codec,
      boot,
      next_worker_id: 1,
      next_sequence: 1,
      failed_starts: 0,
      last_vain_end: None,
      spawn_failed: false,
      start_after: None,
      owed: VecDeque::new(),
      dismissed: false,
      looked_around: false,
      oom_victims: OomVictims::default(),
      restarts: 0,
      was_full: false,
      stopped: false,
      events: VecDeque::new(),
      tokens: Vec::new(),
    })
  }

  /// What an outer event loop has to watch for readability.
  pub fn pollables(&self) -> Pollables<'_> {
    self.waits.pollables()
  }

  /// Changes whenever [`Manager::pollables`] does.
  pub fn pollables_generation(&self) -> u64 {
    self.waits.generation()
  }

  /// Makes the outer event loop come back at once: there is more to do than one round should.
  pub fn wake_again(&self) {
    if let Some((ringer, _)) = &self.wakeup {
      ringer.ring();
    }
  }

  /// Closes what the manager waits with, when it has no workers any more and never will: whoever keeps it only to ask
  /// what it did keeps no descriptors. The outer event loop has stopped watching before.
  pub fn disconnect(&mut self) {
    if let Some((_, bell)) = self.wakeup.take() {
      let _ = self.waits.remove(bell.as_fd(), WAKEUP_TOKEN);
      // Of its kinds the one that holds no descriptor while it is empty, so that this cannot fail.
      if let Ok(empty) = WaitSet::new(PollerKind::Poll) {
        self.waits = empty;
      }
    }
  }

  /// How far the pool's life has come.
  pub fn state(&self) -> PoolState {
    self.state
  }

  /// Calls that have no outcome yet, those included whose outcome nobody waits for.
  pub fn unfinished(&self) -> usize {
    self.calls.len()
  }

  /// Worker processes that are not reaped yet.
  pub fn live_workers(&self) -> usize {
    self.live
  }

  /// Defines what task number `index` means to the workers. A worker learns it before its first call of that number;
  /// a number may be used again when no unfinished call refers to its old meaning.
  pub fn define_task(&mut self, index: u32, bytes: Box<[u8]>) {
    self.tasks.define(index, bytes);
  }

  /// Whether a worker has claimed the call.
  pub fn is_running(&self, id: CallId) -> bool {
    match self.calls.get(id).map(|call| call.place) {
      Some(Place::Lane { lane, position }) => {
        self.lanes[lane].as_ref().is_some_and(|lane| lane.ring.is_claimed(position))
      }
      _ => false,
    }
  }

  /// The public number of a call.
  pub fn sequence(&self, id: CallId) -> Option<u64> {
    self.calls.get(id).map(|call| call.sequence)
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

  pub(crate) fn breaks_on_death(&self) -> bool {
    self.config.on_death == DeathPolicy::Break
  }

  pub(crate) fn lane_mut(&mut self, index: usize) -> Option<&mut Lane> {
    self.lanes.get_mut(index)?.as_mut()
  }

  /// Lanes that are not reaped, with their indices.
  pub(crate) fn living(&self) -> impl Iterator<Item = (usize, &Lane)> {
    self.lanes.iter().enumerate().filter_map(|(index, lane)| Some((index, lane.as_ref()?)))
  }

  pub(crate) fn indices(&self) -> Vec<usize> {
    self.living().map(|(index, _)| index).collect()
  }
}

/// A pool that is dropped takes its workers with it.
impl Drop for Manager {
  fn drop(&mut self) {
    self.kill_now(Duration::from_secs(1));
  }
}
