//! The watchdog, in real workers of a real host: this test binary starts itself in these roles.
//!
//! A host spawns one worker, prints the worker's pid and waits for a line on its stdin; the worker starts the watchdog
//! and, once it says that it has, does something from which it never returns.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]
#![allow(clippy::print_stdout, reason = "the host answers its test on stdout")]

mod support;

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{ChildStdin, Command, Stdio};
use std::{env, io, thread};

use millrace_sys::{SentinelKind, SpawnSpec, StartedBy, adopt_fd, lifeline, resident_bytes, spawn, start_watchdog};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use support::{WATCHDOG, eventually, is_ready_within};

const ROLE: &str = "MILLRACE_TEST_ROLE";

/// Not a test of its own: what this binary does when one of the tests starts it in a role.
#[test]
fn role() {
  match env::var(ROLE).as_deref() {
    Ok("host") => host(),
    Ok("worker") => worker(),
    _ => {}
  }
}

fn host() {
  let (host_end, worker_end) = lifeline().unwrap();
  let (ready, worker_ready) = io::pipe().unwrap();
  let env = env::vars_os().filter(|(name, _)| name != ROLE).chain([(ROLE.into(), "worker".into())]);
  let spec = SpawnSpec {
    program: env::current_exe().unwrap(),
    args: ["--exact", "role", "--nocapture"].map(Into::into).to_vec(),
    env: Some(env.collect()),
    set_env: Vec::new(),
    cwd: None,
    fds: vec![(worker_end.as_fd(), 3), (worker_ready.as_fd(), 4)],
    inherit_stdio: false,
  };
  let worker = spawn(&spec, SentinelKind::PidFd).unwrap();
  drop(spec);
  drop((worker_end, worker_ready));
  let mut grandchild = String::new();
  BufReader::new(ready).read_line(&mut grandchild).unwrap();
  println!("\nworker {} {grandchild}", worker.pid());
  // "close": hang up and live on. "leak": keep the lifeline up beyond the own death. End of file: live on.
  let mut order = String::new();
  while io::stdin().read_line(&mut order).unwrap() > 0 {
    match order.trim() {
      "close" => {
        drop(host_end);
        break;
      }
      "leak" => {
        let keeper = SpawnSpec {
          program: "/bin/sleep".into(),
          args: vec!["1000".into()],
          fds: vec![(host_end.as_fd(), 3)],
          ..SpawnSpec::default()
        };
        println!("keeper {}", spawn(&keeper, SentinelKind::PidFd).unwrap().pid());
      }
      _ => {}
    }
    order.clear();
  }
  loop {
    thread::park();
  }
}

#[expect(clippy::zombie_processes, reason = "the worker never returns, and never gets to wait")]
fn worker() {
  // SAFETY: the host passed this descriptor, and nothing else here knows of it.
  let lifeline = unsafe { adopt_fd(3) }.unwrap();
  // SAFETY: as above.
  let ready = unsafe { adopt_fd(4) }.unwrap();
  let host = match env::var("MILLRACE_TEST_HOST").as_deref() {
    Ok(pid) => pid.parse().unwrap(),
    _ => std::os::unix::process::parent_id(),
  };
  start_watchdog(lifeline, host, StartedBy::Host).unwrap();
  // A grandchild of the same process group.
  let grandchild = Command::new("/bin/sleep").arg("1000").stdin(Stdio::null()).spawn().unwrap();
  let mut ready = File::from(ready);
  writeln!(ready, "grandchild {}", grandchild.id()).unwrap();
  drop(ready);
  let mut spins = 0_u64;
  loop {
    spins = std::hint::black_box(spins.wrapping_add(1));
  }
}

/// A host, its worker and its grandchild; killed when dropped.
struct Family {
  host: std::process::Child,
  orders: ChildStdin,
  answers: BufReader<std::process::ChildStdout>,
  worker: u32,
  worker_pidfd: OwnedFd,
  grandchild_pidfd: OwnedFd,
}

fn pidfd(pid: u32) -> OwnedFd {
  pidfd_open(Pid::from_raw(pid.try_into().unwrap()).unwrap(), PidfdFlags::empty()).unwrap()
}

/// The numbers in the next line that starts with `start`.
fn numbers(answers: &mut impl BufRead, start: &str) -> Vec<u32> {
  let mut line = String::new();
  while !line.starts_with(start) {
    line.clear();
    assert!(answers.read_line(&mut line).unwrap() > 0, "the host ended before it said {start}");
  }
  line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

impl Family {
  fn start() -> Self {
    let mut host = Command::new(env::current_exe().unwrap())
      .args(["--exact", "role", "--nocapture"])
      .env(ROLE, "host")
      .stdin(Stdio::piped())
      .stdout(Stdio::piped())
      .spawn()
      .unwrap();
    let orders = host.stdin.take().unwrap();
    let mut answers = BufReader::new(host.stdout.take().unwrap());
    let pids = numbers(&mut answers, "worker ");
    let [worker, grandchild] = pids[..] else { panic!("{pids:?}") };
    Self { host, orders, answers, worker, worker_pidfd: pidfd(worker), grandchild_pidfd: pidfd(grandchild) }
  }

  fn assert_alive(&self) {
    assert!(!is_ready_within(&self.worker_pidfd, std::time::Duration::from_millis(50)));
    assert!(!support::is_ready(&self.grandchild_pidfd));
  }

  fn assert_ends(&self) {
    assert!(is_ready_within(&self.worker_pidfd, WATCHDOG), "the worker lives on");
    assert!(is_ready_within(&self.grandchild_pidfd, WATCHDOG), "the grandchild lives on");
  }
}

impl Drop for Family {
  fn drop(&mut self) {
    let _ = self.host.kill();
    let _ = self.host.wait();
    for fd in [&self.worker_pidfd, &self.grandchild_pidfd] {
      let _ = rustix::process::pidfd_send_signal(fd, rustix::process::Signal::KILL);
    }
  }
}

#[test]
fn a_busy_worker_and_its_children_end_when_the_host_is_killed() {
  let mut family = Family::start();
  family.assert_alive();
  family.host.kill().unwrap();
  family.assert_ends();
}

#[test]
fn a_worker_ends_when_the_host_hangs_up() {
  let mut family = Family::start();
  family.assert_alive();
  writeln!(family.orders, "close").unwrap();
  family.assert_ends();
  assert!(family.host.try_wait().unwrap().is_none(), "the host lives on");
}

#[test]
fn a_worker_ends_with_its_host_even_if_another_process_holds_the_lifeline() {
  let mut family = Family::start();
  writeln!(family.orders, "leak").unwrap();
  let keeper = pidfd(numbers(&mut family.answers, "keeper ")[0]);
  family.assert_alive();
  family.host.kill().unwrap();
  family.assert_ends();
  assert!(!support::is_ready(&keeper), "the lifeline was held until now");
  rustix::process::pidfd_send_signal(&keeper, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn what_is_said_on_the_lifeline_is_no_hang_up() {
  // In this process: the watchdog would end it.
  let (mut host_end, worker_end) = std::os::unix::net::UnixStream::pair().unwrap();
  start_watchdog(worker_end.into(), std::os::unix::process::parent_id(), StartedBy::Host).unwrap();
  host_end.write_all(b"never said").unwrap();
  eventually("the watchdog swallows it", || {
    let mut queued = 0;
    // SAFETY: the call writes one int.
    unsafe { libc::ioctl(std::os::fd::AsRawFd::as_raw_fd(&host_end), libc::TIOCOUTQ, &mut queued) };
    queued == 0
  });
  // Dropping it would end this process, and with it the other tests.
  std::mem::forget(host_end);
}

#[test]
fn a_worker_whose_host_is_not_its_parent_any_more_ends_at_once() {
  let (_host_end, worker_end) = lifeline().unwrap();
  let (ready, worker_ready) = io::pipe().unwrap();
  let mut env: Vec<_> = env::vars_os().collect();
  env.push((ROLE.into(), "worker".into()));
  // Process 1 is not the parent of the worker: this one is.
  env.push(("MILLRACE_TEST_HOST".into(), "1".into()));
  let spec = SpawnSpec {
    program: env::current_exe().unwrap(),
    args: ["--exact", "role", "--nocapture"].map(Into::into).to_vec(),
    env: Some(env),
    fds: vec![(worker_end.as_fd(), 3), (worker_ready.as_fd(), 4)],
    ..SpawnSpec::default()
  };
  let mut worker = spawn(&spec, SentinelKind::PidFd).unwrap();
  drop(spec);
  drop(worker_ready);
  assert_eq!(worker.wait_timeout(WATCHDOG).unwrap(), Some(millrace_sys::Exit::Signal(libc::SIGKILL)));
  let mut said = String::new();
  { ready }.read_to_string(&mut said).unwrap();
  assert_eq!(said, "", "it did not come past start_watchdog");
}

#[test]
fn the_memory_of_another_process_is_seen() {
  let family = Family::start();
  assert!(resident_bytes(family.worker).is_some_and(|bytes| bytes > 100_000));
}
