//! The worker: does what its calls say.
//!
//! The boot payload is two lines: the pool's directory and how to boot. The payload of a call is its key, a line that
//! says what to do, and data:
//!
//! | line | the worker |
//! |---|---|
//! | `echo` | answers with the data |
//! | `pid` | answers with its process id |
//! | `definition` | answers with what it was told of the call's task |
//! | `fail` | answers with the data as an error |
//! | `large <bytes>` | answers with so many bytes, see [`pattern`] |
//! | `sleep <ms>` | sleeps |
//! | `gate <name>` | waits until the file of that name is in the pool's directory |
//! | `patient <ms>` | sleeps until it is asked to abort, and answers whether it was |
//! | `hoard <bytes>` | uses so much memory and keeps it |
//! | `hoard <bytes> <name>` | the same, and then waits as for `gate` |
//! | `family` | starts a child process that never ends, and answers with its process id |
//! | `deaf` | ignores SIGTERM from now on |
//! | `stray`, `stray-retiring` | reports the data as an error of no call; the latter leaves after the call |
//! | `stray-retiring-gate <name> <ms>` | the same, but waits as for `gate`, and after its call so much longer |
//! | `exit <code>` | answers that the task asked to exit, and leaves |
//! | `leave` | answers, and leaves without being asked |
//! | `quit <code>` | ends in the middle of the call |
//! | `die <signal>` | the same, by a signal |
//! | `quit <code> <name>`, `die <signal> <name>` | the same, once it has waited as for `gate` |
//! | `last-words <signal>` | answers with the data, and dies at once |
//! | `wedge spin`, `wedge sleep` | answers with its process id, and never comes to its loop again |
//! | `until <n> <order>` | does as the order says, but from its n-th start on as `echo` |
//! | `scribble <seed> <words>` | writes so many random words over its lane, and answers |

use std::collections::HashMap;
use std::fs::read;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::process::{Command, Stdio, exit};
use std::time::{Duration, Instant};

use millrace_pool::worker::{LANE_FD, LaneArgument, Worker};
use millrace_pool::{CallKind, CallRecord, CommitError, ResultHeader, Taken, WorkerPhase, status};
use millrace_sys::{PollerKind, Segment, WaitSet};

use super::journal::{Journal, Started};
use super::random::Random;

/// The status of a notice that asks nothing of the manager: the owner's, as all that the manager does not know.
const NOTICE: u8 = 3;

/// So many bytes, of which no two pages are alike.
pub fn pattern(len: usize) -> Vec<u8> {
  let mut page: Vec<u8> = (0..4096).map(|at| (at % 251) as u8).collect();
  let mut bytes = Vec::with_capacity(len + page.len());
  while bytes.len() < len {
    page[..8].copy_from_slice(&bytes.len().to_le_bytes());
    bytes.extend_from_slice(&page);
  }
  bytes.truncate(len);
  bytes
}

/// Is the worker until the pool lets it go.
pub fn serve(argument: LaneArgument) -> ! {
  // SAFETY: the pool passed this descriptor, and `attach` has not taken it over yet.
  let lane = unsafe { BorrowedFd::borrow_raw(LANE_FD) }.try_clone_to_owned().unwrap();
  // A mapping of the test's own, for scribbles.
  let segment = Segment::from_fd(lane, argument.segment_len).unwrap();
  // SAFETY: this process was started with this argument, and this is the first thing that it does.
  let worker = unsafe { Worker::attach(&argument) }.unwrap();
  worker.heed_announced_signals();
  let mut sleep = WaitSet::new(PollerKind::Poll).unwrap();
  // The descriptor keeps its number as long as the worker lives, which is as long as this process does.
  sleep.add(worker.bell(), 0).unwrap();
  let dir = PathBuf::new();
  Process { worker, sleep, argument, segment, dir, journal: None, definitions: HashMap::new(), hoard: Vec::new() }
    .serve()
}

/// What a call comes to.
struct Done {
  status: u8,
  body: Vec<u8>,
  /// The process leaves with this code.
  leave: Option<i32>,
  /// After it has slept for so long.
  linger: Duration,
  /// The process dies by this signal right after the result was committed.
  die: Option<i32>,
  /// The process never comes to its loop again.
  wedge: Option<Wedge>,
}

impl Done {
  fn ok(body: impl Into<Vec<u8>>) -> Self {
    Self { status: status::OK, body: body.into(), leave: None, linger: Duration::ZERO, die: None, wedge: None }
  }
}

/// How a worker does not come to its loop.
#[derive(Clone, Copy)]
enum Wedge {
  Spin,
  Sleep,
}

impl Wedge {
  fn go_on(self) -> ! {
    loop {
      match self {
        Self::Spin => std::hint::spin_loop(),
        Self::Sleep => std::thread::park(),
      }
    }
  }
}

struct Process {
  worker: Worker,
  sleep: WaitSet,
  argument: LaneArgument,
  segment: Segment,
  dir: PathBuf,
  journal: Option<Journal>,
  definitions: HashMap<u32, Vec<u8>>,
  hoard: Vec<Vec<u8>>,
}

impl Process {
  fn serve(mut self) -> ! {
    loop {
      match self.worker.take() {
        Taken::Call(call) => match call.kind {
          CallKind::Boot => self.boot(&call),
          CallKind::Define => {
            let definition = self.payload(&call);
            self.definitions.insert(call.task, definition);
            self.worker.release_define(&call);
          }
          CallKind::Task => self.run(&call),
        },
        Taken::Empty => self.wait(),
        Taken::Stop => self.leave(0),
        Taken::Corrupt(_) => std::process::abort(),
      }
    }
  }

  /// Sleeps until the host rings, unless there is something to do.
  fn wait(&mut self) {
    if !self.worker.arm() {
      self.sleep.wait(None, &mut Vec::new()).unwrap();
      self.worker.clear_bell();
    }
  }

  fn leave(&mut self, code: i32) -> ! {
    self.worker.set_phase(WorkerPhase::Leaving);
    exit(code)
  }

  fn payload(&self, call: &CallRecord) -> Vec<u8> {
    let mut payload = vec![0; call.payload_len()];
    self.worker.copy_payload(call, 0, &mut payload);
    payload
  }

  fn boot(&mut self, call: &CallRecord) {
    let payload = String::from_utf8(self.payload(call)).unwrap();
    let (dir, how) = payload.split_once('\n').unwrap();
    self.dir = PathBuf::from(dir);
    self.journal = Some(Journal::open(&self.dir));
    let mut words = how.split(' ');
    let what = words.next().unwrap();
    let number: u32 = words.next().map_or(0, |word| word.parse().unwrap_or(0));
    let first = self.argument.worker_id <= number;
    match what {
      "ok" => {}
      "slow" => std::thread::sleep(Duration::from_millis(number.into())),
      "gated" => self.pass("boot"),
      "die-gated-until" if first => kill_myself(libc::SIGKILL),
      "die-gated-until" => self.pass("boot"),
      "never" => loop {
        std::thread::park();
      },
      "fail" => self.fail_boot(call),
      "fail-until" if first => self.fail_boot(call),
      "die" => kill_myself(libc::SIGKILL),
      "die-until" if first => kill_myself(libc::SIGKILL),
      "fail-until" | "die-until" | "then-die" | "then-leave" | "then-wedge" => {}
      _ => panic!("boot {how}"),
    }
    self.worker.set_phase(WorkerPhase::Ready);
    self.commit(call, &Done::ok([]), Duration::ZERO);
    match what {
      "then-die" => kill_myself(libc::SIGKILL),
      "then-leave" => self.leave(0),
      "then-wedge" => Wedge::Sleep.go_on(),
      _ => {}
    }
  }

  fn fail_boot(&mut self, call: &CallRecord) -> ! {
    self.commit(call, &Done { status: status::ERROR, ..Done::ok("this is why") }, Duration::ZERO);
    self.leave(1)
  }

  fn run(&mut self, call: &CallRecord) {
    let start = Instant::now();
    let payload = self.payload(call);
    let key = u64::from_le_bytes(payload[..8].try_into().unwrap());
    let journal = self.journal.as_mut().unwrap();
    journal.note(Started { key, pid: std::process::id() });
    let end = 8 + payload[8..].iter().position(|&byte| byte == b'\n').unwrap();
    let order = String::from_utf8(payload[8..end].to_vec()).unwrap();
    let done = self.obey(call, self.order_now(key, &order), &payload[end + 1..]);
    let ran = start.elapsed();
    self.commit(call, &done, ran);
    if let Some(signal) = done.die {
      kill_myself(signal);
    }
    if let Some(wedge) = done.wedge {
      wedge.go_on();
    }
    if let Some(code) = done.leave {
      std::thread::sleep(done.linger);
      self.leave(code);
    }
  }

  /// The order of a call that may be started several times.
  fn order_now<'a>(&self, key: u64, order: &'a str) -> &'a str {
    let Some((count, first)) = order.strip_prefix("until ").and_then(|rest| rest.split_once(' ')) else { return order };
    let starts = Journal::read(&self.dir).iter().filter(|started| started.key == key).count();
    if starts < count.parse().unwrap() { first } else { "echo" }
  }

  fn obey(&mut self, call: &CallRecord, order: &str, data: &[u8]) -> Done {
    let mut words = order.split(' ');
    let what = words.next().unwrap();
    let word = words.next().unwrap_or_default();
    let number: u64 = word.parse().unwrap_or(0);
    match what {
      "echo" => Done::ok(data),
      "pid" => Done::ok(std::process::id().to_string()),
      "definition" => Done::ok(self.definitions[&call.task].clone()),
      "fail" => Done { status: status::ERROR, ..Done::ok(data) },
      "large" => Done::ok(pattern(number as usize)),
      "sleep" => {
        std::thread::sleep(Duration::from_millis(number));
        Done::ok([])
      }
      "gate" => {
        self.pass(word);
        Done::ok([])
      }
      "patient" => Done::ok(if self.sleeps_through(call, Duration::from_millis(number)) { "slept" } else { "aborted" }),
      "hoard" => {
        self.hoard.push(vec![1; number as usize]);
        if let Some(gate) = words.next() {
          self.pass(gate);
        }
        Done::ok([])
      }
      "family" => {
        let mut child = Command::new("/bin/sleep");
        let child = child.arg("1000").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        #[allow(clippy::zombie_processes, reason = "this process is about to be killed together with its child")]
        let child = child.spawn().unwrap();
        Done::ok(child.id().to_string())
      }
      "deaf" => {
        // SAFETY: changes what this process does at SIGTERM, nothing else.
        unsafe { libc::signal(libc::SIGTERM, libc::SIG_IGN) };
        Done::ok([])
      }
      "stray" => Done::ok(if self.worker.notice(NOTICE, 7, data, &[]) { "sent" } else { "dropped" }),
      "stray-retiring" | "stray-retiring-gate" => {
        self.worker.set_phase(WorkerPhase::Retiring);
        assert!(self.worker.notice(status::STRAY_RETIRING, 7, data, &[]));
        if !word.is_empty() {
          self.pass(word);
        }
        let linger = Duration::from_millis(words.next().map_or(0, |word| word.parse().unwrap()));
        Done { leave: Some(0), linger, ..Done::ok([]) }
      }
      "exit" => Done { status: status::EXIT, leave: Some(number as i32), ..Done::ok([]) },
      "leave" => Done { leave: Some(0), ..Done::ok([]) },
      "quit" | "die" => {
        if let Some(gate) = words.next() {
          self.pass(gate);
        }
        if what == "quit" { exit(number as i32) } else { kill_myself(number as i32) }
      }
      "last-words" => Done { die: Some(number as i32), ..Done::ok(data) },
      "wedge" => {
        let wedge = Some(if word == "spin" { Wedge::Spin } else { Wedge::Sleep });
        Done { wedge, ..Done::ok(std::process::id().to_string()) }
      }
      "scribble" => {
        self.scribble(number, words.next().unwrap().parse().unwrap());
        Done::ok([])
      }
      _ => panic!("{order}"),
    }
  }

  /// Sleeps for `time`, or less when the host asks the call to abort.
  fn sleeps_through(&self, call: &CallRecord, time: Duration) -> bool {
    let start = Instant::now();
    while start.elapsed() < time {
      if self.worker.abort_requested(call.position) {
        return false;
      }
      std::thread::sleep(Duration::from_millis(1));
    }
    true
  }

  /// Waits until the test opens the gate.
  fn pass(&self, gate: &str) {
    let gate = self.dir.join(gate);
    while read(&gate).is_err() {
      std::thread::sleep(Duration::from_millis(1));
    }
  }

  fn commit(&mut self, call: &CallRecord, done: &Done, ran: Duration) {
    let ran_ns = u32::try_from(ran.as_nanos()).unwrap_or(u32::MAX);
    let header = ResultHeader { status: done.status, codec: 1, flags: 2, ran_ns };
    loop {
      match self.worker.commit(&header, call, &done.body, &[]) {
        Ok(()) => return,
        Err(CommitError::NoRoom) => self.wait(),
        Err(error) => panic!("{error}"),
      }
    }
  }

  /// Writes `count` random words over header or slots, mostly of values that mean something there.
  fn scribble(&self, seed: u64, count: usize) {
    let mut random = Random::new(seed);
    // In words: the header, 64 call slots, 128 result slots, or some of them.
    let calls = 4096 / 4;
    let results = calls + 64 * 512 / 4;
    let (from, len) =
      random.pick(&[(0, 896 / 4), (calls, 64 * 512 / 4), (calls, 10), (results, 128 * 512 / 4), (results, 40 * 128)]);
    for _ in 0..count {
      let small = random.below(6) as u32;
      let anything = random.next() as u32;
      let word = random.pick(&[small, small, u32::MAX, anything, anything & 0x7f, 1 << (anything & 31)]);
      // SAFETY: the rings are longer than this, and the segment is mapped whole.
      let at = unsafe { self.segment.base().cast::<u32>().add(from + random.below(len)) };
      // SAFETY: mapped and aligned. That others use it at the same time is the point.
      unsafe { at.write_volatile(word) };
    }
  }
}

fn kill_myself(signal: i32) -> ! {
  // SAFETY: no memory is involved.
  unsafe { libc::kill(std::process::id() as i32, signal) };
  // A signal to oneself is delivered before `kill` returns, but maybe to another thread.
  loop {
    std::thread::park();
  }
}
