//! The time of a call and its answer between two processes, without Node: a manager, and this program once more as a
//! worker that echoes.
//!
//! `cargo bench -p millrace-pool` measures; as a test it only runs a few calls of each kind.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and panics where it fails")]

use std::process::exit;
use std::time::{Duration, Instant};

use millrace_pool::worker::{LaneArgument, Worker};
use millrace_pool::{
  CallKind, CallSpec, DeathPolicy, Event, Geometry, Manager, PoolConfig, ResultHeader, StartMethod, Tail, Taken,
  WorkerCommand, WorkerPhase, status,
};
use millrace_sys::{PollerKind, WaitSet};

const IN_FLIGHT: usize = 256;
const START_TIMEOUT: Duration = Duration::from_secs(30);

fn main() {
  if let Some(argument) = std::env::args().next_back().and_then(|last| last.parse().ok()) {
    serve(argument);
  }
  let calls = if std::env::args().any(|arg| arg == "--bench") { 50_000 } else { 200 };
  println!("{:<52} {:>10} {:>10} {:>14}", "one worker", "p50", "p99", "calls/s");
  for (title, boot) in [("which sleeps when it has nothing to do", "sleeps"), ("which never sleeps", "spins")] {
    for len in [16, 1024, 65_536] {
      let mut pool = Pool::start(boot);
      let calls = if len > 10_000 { calls / 10 } else { calls };
      pool.one_at_a_time(calls / 10, len);
      let mut times = pool.one_at_a_time(calls, len);
      times.sort_unstable();
      let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
      let started = Instant::now();
      pool.many(calls, len);
      let rate = calls as f64 / started.elapsed().as_secs_f64();
      println!("{:<52} {p50:>10.1?} {p99:>10.1?} {rate:>14.0}", format!("{title}: {len} bytes"));
    }
  }
  println!("p50 and p99 of one call at a time, and the rate with {IN_FLIGHT} in flight.");
}

/// The host's side.
struct Pool {
  manager: Manager,
  payload: Vec<u8>,
}

impl Pool {
  fn start(boot: &str) -> Self {
    let program = std::env::current_exe().unwrap();
    let command = WorkerCommand {
      program,
      args: Vec::new(),
      env: None,
      set_env: Vec::new(),
      cwd: None,
      inherit_stdio: true,
      depth: 1,
    };
    let config = PoolConfig {
      max_workers: 1,
      on_death: DeathPolicy::Break,
      command,
      start_method: StartMethod::Spawn,
      geometry: Geometry::new(1024, 64 << 20).unwrap(),
      idle_timeout: None,
      start_timeout: START_TIMEOUT,
      max_tasks_per_child: None,
      max_memory: None,
      hard_memory_limit: None,
      max_queue: None,
      keep_full: false,
    };
    let mut manager = Manager::new(config, 0, boot.as_bytes().into()).unwrap();
    manager.define_task(0, (*b"echo").into());
    Self { manager, payload: Vec::new() }
  }

  fn submit(&mut self, len: usize) {
    self.payload.resize(len, 7);
    let tail = Tail::Bytes(&self.payload);
    self
      .manager
      .submit(CallSpec {
        task: 0,
        codec: 0,
        flags: 0,
        limits: None,
        retries: 0,
        further: false,
        attempt_of: None,
        head: &[],
        tail,
      })
      .unwrap();
  }

  /// The answers that there are, once there are any.
  fn answers(&mut self) -> usize {
    let mut count = 0;
    while count == 0 {
      self.manager.wait(Some(START_TIMEOUT)).unwrap();
      while let Some(completion) = self.manager.next_completion() {
        assert_eq!((completion.status, completion.len), (status::OK, self.payload.len()));
        self.manager.copy_payload(&completion, 0, &mut self.payload);
        self.manager.consume(&completion);
        count += 1;
      }
      for event in self.manager.take_events() {
        assert!(!matches!(event, Event::CallFailed { .. } | Event::Broken { .. }), "{event:?}");
      }
    }
    count
  }

  fn one_at_a_time(&mut self, calls: usize, len: usize) -> Vec<Duration> {
    let once = |_| {
      let started = Instant::now();
      self.submit(len);
      assert_eq!(self.answers(), 1);
      started.elapsed()
    };
    (0..calls).map(once).collect()
  }

  fn many(&mut self, calls: usize, len: usize) {
    let (mut made, mut answered) = (0, 0);
    while answered < calls {
      while made < calls && made - answered < IN_FLIGHT {
        self.submit(len);
        made += 1;
      }
      answered += self.answers();
    }
  }
}

impl Drop for Pool {
  fn drop(&mut self) {
    self.manager.shut_down();
    while self.manager.live_workers() > 0 && !std::thread::panicking() {
      self.manager.wait(Some(START_TIMEOUT)).unwrap();
      while self.manager.next_completion().is_some() {}
    }
  }
}

/// The worker's side.
fn serve(argument: LaneArgument) -> ! {
  // SAFETY: a pool has started this process with this argument, and this is the first thing that it does.
  let mut worker = unsafe { Worker::attach(&argument) }.unwrap();
  let mut sleep = WaitSet::new(PollerKind::Poll).unwrap();
  // The descriptor keeps its number as long as the worker lives, which is as long as this process does.
  sleep.add(worker.bell(), 0).unwrap();
  let mut spins = false;
  let mut payload = Vec::new();
  loop {
    match worker.take() {
      Taken::Call(call) if call.kind == CallKind::Define => worker.release_define(&call),
      Taken::Call(call) => {
        payload.resize(call.payload_len(), 0);
        worker.copy_payload(&call, 0, &mut payload);
        if call.kind == CallKind::Boot {
          spins = payload == b"spins";
          payload.clear();
          worker.set_phase(WorkerPhase::Ready);
        }
        let done = ResultHeader { status: status::OK, codec: 0, flags: 0, ran_ns: 0 };
        while worker.commit(&done, &call, &payload, &[]).is_err() {
          rest(&worker, &mut sleep);
        }
      }
      Taken::Empty if spins => std::hint::spin_loop(),
      Taken::Empty => rest(&worker, &mut sleep),
      Taken::Stop => {
        worker.set_phase(WorkerPhase::Leaving);
        exit(0)
      }
      Taken::Corrupt(corrupt) => panic!("{corrupt:?}"),
    }
  }
}

fn rest(worker: &Worker, sleep: &mut WaitSet) {
  if !worker.arm() {
    sleep.wait(None, &mut Vec::new()).unwrap();
    worker.clear_bell();
  }
}
