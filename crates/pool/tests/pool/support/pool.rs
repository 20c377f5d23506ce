//! A pool under test: a manager, driven as its owner would, and the books of what it owes.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::time::{Duration, Instant};

use millrace_pool::{
  CallFailure, CallId, CallSpec, DeathPolicy, Event, ExitReason, Geometry, Limits, Manager, PoolConfig, StartMethod,
  SubmitError, Tail, WorkerCommand, status,
};

use super::WATCHDOG;
use super::alarm::Alarm;
use super::journal::{Journal, Started};
use super::processes::exists;
use super::scratch::Scratch;

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
  /// By a result of its worker's.
  Answer { status: u8, body: Vec<u8>, pid: u32 },
  /// By [`Event::CallFailed`].
  Failed(CallFailure),
  /// By [`Event::Broken`].
  Broken,
  /// By a cancel that returned true.
  Cancelled,
  /// By a stop that returned true.
  Stopped,
}

/// A pool of two workers that is isolated from deaths.
pub fn config() -> PoolConfig {
  let args = ["worker_entry", "--exact", "--nocapture", "--test-threads=1"].map(OsString::from).to_vec();
  let program = std::env::current_exe().unwrap();
  PoolConfig {
    max_workers: 2,
    on_death: DeathPolicy::Isolate,
    command: WorkerCommand { program, args, env: None, set_env: Vec::new(), cwd: None, inherit_stdio: false, depth: 1 },
    start_method: StartMethod::Spawn,
    geometry: Geometry::new(64, 64 << 20).unwrap(),
    idle_timeout: None,
    start_timeout: WATCHDOG,
    max_tasks_per_child: None,
    max_memory: None,
    hard_memory_limit: None,
    max_queue: None,
    keep_full: false,
  }
}

pub struct Pool {
  pub manager: Manager,
  /// Everything that was told, results apart, oldest first.
  pub events: Vec<Event>,
  /// How often the manager was asked whether there is anything.
  pub rounds: u64,
  max_workers: usize,
  ids: HashMap<CallId, u64>,
  outcomes: HashMap<u64, Outcome>,
  next_key: u64,
  scratch: Scratch,
  _alarm: Alarm,
}

impl Pool {
  pub fn new(config: PoolConfig) -> Self {
    Self::booting("ok", config)
  }

  /// A pool whose workers boot as `boot` says.
  pub fn booting(boot: &str, config: PoolConfig) -> Self {
    let scratch = Scratch::new();
    let boot = format!("{}\n{boot}", scratch.path().display());
    let max_workers = config.max_workers as usize;
    let mut manager = Manager::new(config, 0, boot.into_bytes().into()).unwrap();
    manager.define_task(0, (*b"task 0").into());
    Self {
      manager,
      events: Vec::new(),
      rounds: 0,
      max_workers,
      ids: HashMap::new(),
      outcomes: HashMap::new(),
      next_key: 0,
      scratch,
      _alarm: Alarm::set(),
    }
  }

  /// The payload of a call is two pieces here, and one there.
  pub fn try_submit(
    &mut self,
    order: &str,
    data: &[u8],
    task: u32,
    limits: Option<Limits>,
  ) -> Result<u64, SubmitError> {
    self.try_submit_tail(order, Tail::Bytes(data), task, limits, 0)
  }

  pub fn try_submit_tail(
    &mut self,
    order: &str,
    tail: Tail<'_>,
    task: u32,
    limits: Option<Limits>,
    retries: u32,
  ) -> Result<u64, SubmitError> {
    let key = self.next_key;
    let head = [&key.to_le_bytes()[..], order.as_bytes(), b"\n"].concat();
    let id = self.manager.submit(CallSpec {
      task,
      codec: 0,
      flags: 0,
      limits,
      retries,
      further: false,
      attempt_of: None,
      head: &head,
      tail,
    })?;
    self.next_key += 1;
    assert_eq!(self.ids.insert(id, key), None, "the number of an unfinished call was used again");
    Ok(key)
  }

  pub fn submit_with(&mut self, order: &str, data: &[u8]) -> u64 {
    self.try_submit(order, data, 0, None).unwrap()
  }

  pub fn submit(&mut self, order: &str) -> u64 {
    self.submit_with(order, &[])
  }

  pub fn submit_limited(&mut self, order: &str, timeout: u64, grace: u64) -> u64 {
    let limits = Limits { timeout: Duration::from_millis(timeout), grace: Duration::from_millis(grace) };
    self.try_submit(order, &[], 0, Some(limits)).unwrap()
  }

  /// The first attempt of a call whose further attempts the owner would make.
  pub fn submit_attempt(&mut self, order: &str, data: &[u8], timeout: u64, grace: u64) -> u64 {
    let key = self.next_key;
    let head = [&key.to_le_bytes()[..], order.as_bytes(), b"\n", data].concat();
    let (timeout, grace) = (Duration::from_millis(timeout), Duration::from_millis(grace));
    let id = self.manager.submit(CallSpec {
      task: 0,
      codec: 0,
      flags: 0,
      limits: Some(Limits { timeout, grace }),
      retries: 0,
      further: false,
      attempt_of: Some(0),
      head: &head,
      tail: Tail::Bytes(&[]),
    });
    self.next_key += 1;
    assert_eq!(self.ids.insert(id.unwrap(), key), None);
    key
  }

  pub fn submit_repeated(&mut self, order: &str, data: &[u8], timeout: Option<(u64, u64)>, retries: u32) -> u64 {
    let limits = timeout
      .map(|(timeout, grace)| Limits { timeout: Duration::from_millis(timeout), grace: Duration::from_millis(grace) });
    self.try_submit_tail(order, Tail::Bytes(data), 0, limits, retries).unwrap()
  }

  /// One round, after a wait of `timeout` at most.
  pub fn round(&mut self, timeout: Duration) {
    self.rounds += 1;
    self.manager.wait(Some(timeout)).unwrap();
    self.collect();
  }

  /// What is there now: results, then events.
  pub fn collect(&mut self) {
    while let Some(completion) = self.manager.next_completion() {
      let mut body = vec![0; completion.len];
      self.manager.copy_payload(&completion, 0, &mut body);
      self.manager.consume(&completion);
      let outcome = Outcome::Answer { status: completion.status, body, pid: completion.pid };
      self.finish(completion.id, outcome);
    }
    for event in self.manager.take_events() {
      match &event {
        Event::CallFailed { id, failure } => self.finish(*id, Outcome::Failed(failure.clone())),
        Event::Broken { .. } => {
          let broken = self.ids.drain().map(|(_, key)| (key, Outcome::Broken));
          self.outcomes.extend(broken);
        }
        _ => {}
      }
      self.events.push(event);
    }
    let live = self.manager.live_workers();
    assert!(live <= self.max_workers, "{live} workers, {} are allowed", self.max_workers);
    let (started, ended) = (self.started().len(), self.exits().len());
    assert_eq!(started - ended, live, "a worker came or went unheard");
  }

  /// The answer of a call, which a test has taken from the manager by itself.
  pub fn settle(&mut self, id: CallId, status: u8, body: Vec<u8>, pid: u32) {
    self.finish(id, Outcome::Answer { status, body, pid });
  }

  fn finish(&mut self, id: CallId, outcome: Outcome) {
    let Some(key) = self.ids.remove(&id) else {
      panic!("an outcome of call {id}, which is not owed one: {outcome:?}\n{}", self.manager.dump())
    };
    assert_eq!(self.outcomes.insert(key, outcome), None, "two outcomes of one call");
  }

  /// Goes through rounds until the condition holds. The manager itself has to know when there is something to do: this
  /// sleeps until it says so.
  pub fn until(&mut self, what: &str, condition: impl FnMut(&mut Self) -> bool) {
    self.until_asking(WATCHDOG, what, condition);
  }

  /// The same for a condition that the manager is not told of: asks again and again.
  pub fn poll_until(&mut self, what: &str, condition: impl FnMut(&mut Self) -> bool) {
    self.until_asking(Duration::from_millis(1), what, condition);
  }

  fn until_asking(&mut self, pause: Duration, what: &str, mut condition: impl FnMut(&mut Self) -> bool) {
    let start = Instant::now();
    while !condition(self) {
      let left = WATCHDOG.saturating_sub(start.elapsed());
      assert!(!left.is_zero(), "{what}: not within {WATCHDOG:?}\n{:#?}\n{}", self.events, self.manager.dump());
      self.round(left.min(pause));
    }
  }

  /// Goes through rounds for some time.
  pub fn go_on_for(&mut self, time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
      self.round(end.saturating_duration_since(Instant::now()));
    }
  }

  /// Waits for the call's end.
  pub fn outcome(&mut self, key: u64) -> Outcome {
    self.until(&format!("call {key} ends"), |pool| pool.outcomes.contains_key(&key));
    self.outcomes[&key].clone()
  }

  /// Waits for the call's result, which must not be an error.
  pub fn answer(&mut self, key: u64) -> Vec<u8> {
    match self.outcome(key) {
      Outcome::Answer { status: status::OK, body, .. } => body,
      other => panic!("call {key}: {other:?}\n{:#?}\n{}", self.events, self.manager.dump()),
    }
  }

  /// The same as text.
  pub fn text(&mut self, key: u64) -> String {
    String::from_utf8(self.answer(key)).unwrap()
  }

  /// The same as a number.
  pub fn number(&mut self, key: u64) -> u32 {
    self.text(key).parse().unwrap()
  }

  /// The call's outcome, if it has one by now.
  pub fn known(&self, key: u64) -> Option<&Outcome> {
    self.outcomes.get(&key)
  }

  /// Keys of calls without an outcome, oldest first.
  pub fn unfinished(&self) -> Vec<u64> {
    let mut keys: Vec<u64> = self.ids.values().copied().collect();
    keys.sort_unstable();
    keys
  }

  pub fn id(&self, key: u64) -> CallId {
    *self.ids.iter().find(|(_, of)| **of == key).expect("an unfinished call").0
  }

  pub fn is_running(&self, key: u64) -> bool {
    self.manager.is_running(self.id(key))
  }

  /// Whether the next result is in some lane, and the manager has not been asked for it.
  pub fn has_unread_result(&self) -> bool {
    self.manager.dump().contains(", a result waits")
  }

  /// Waits until a worker has claimed the call, and says so in the journal.
  pub fn until_running(&mut self, key: u64) {
    self.poll_until(&format!("call {key} runs"), |pool| pool.ran().iter().any(|started| started.key == key));
  }

  pub fn cancel(&mut self, key: u64) -> bool {
    let id = self.id(key);
    let cancelled = self.manager.cancel(id);
    if cancelled {
      self.finish(id, Outcome::Cancelled);
    }
    cancelled
  }

  /// Cancels all that waits, and returns the keys.
  pub fn cancel_waiting(&mut self) -> Vec<u64> {
    let ids = self.manager.cancel_waiting();
    let mut keys: Vec<u64> = ids.iter().map(|id| self.ids[id]).collect();
    ids.into_iter().for_each(|id| self.finish(id, Outcome::Cancelled));
    keys.sort_unstable();
    keys
  }

  pub fn stop_call(&mut self, key: u64, grace: Duration) -> bool {
    let id = self.id(key);
    let stopped = self.manager.stop_call(id, grace);
    if stopped {
      self.finish(id, Outcome::Stopped);
    }
    stopped
  }

  pub fn open(&self, gate: &str) {
    File::create(self.scratch.path().join(gate)).unwrap();
  }

  /// Every start of a call, as the workers noted them.
  pub fn ran(&self) -> Vec<Started> {
    Journal::read(self.scratch.path())
  }

  /// The calls that started, in that order.
  pub fn ran_keys(&self) -> Vec<u64> {
    self.ran().iter().map(|started| started.key).collect()
  }

  /// Process ids of all workers so far.
  pub fn started(&self) -> Vec<u32> {
    let starts = self.events.iter();
    starts.filter_map(|event| if let Event::WorkerStart { pid, .. } = event { Some(*pid) } else { None }).collect()
  }

  /// The workers that left, and why.
  pub fn exits(&self) -> Vec<(u32, ExitReason)> {
    let exits = self.events.iter();
    exits
      .filter_map(|event| if let Event::WorkerExit { pid, reason, .. } = event { Some((*pid, *reason)) } else { None })
      .collect()
  }

  /// Why each worker left that did.
  pub fn exit_reasons(&self) -> Vec<ExitReason> {
    self.exits().into_iter().map(|(_, reason)| reason).collect()
  }

  pub fn count(&self, which: impl Fn(&Event) -> bool) -> usize {
    self.events.iter().filter(|event| which(event)).count()
  }

  pub fn has_stopped(&self) -> bool {
    self.count(|event| matches!(event, Event::Stopped)) > 0
  }

  /// Waits until the last worker is gone.
  pub fn until_stopped(&mut self) {
    self.until("the pool stops", |pool| pool.has_stopped());
    self.collect();
    assert_eq!(self.count(|event| matches!(event, Event::Stopped)), 1);
    assert_eq!(self.unfinished(), [], "calls without an outcome");
    assert_eq!(self.manager.unfinished(), 0);
    assert_eq!(self.manager.live_workers(), 0);
    for pid in self.started() {
      assert!(!exists(pid), "worker {pid} is still there");
    }
  }

  /// Closes the pool and waits until the last worker is gone.
  pub fn close(mut self) -> Vec<Event> {
    self.manager.shut_down();
    self.until_stopped();
    self.events
  }
}
