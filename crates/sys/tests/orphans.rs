//! Tests of orphans: processes that a child has left behind, in a process that becomes their parent.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use millrace_sys::{Child, Exit, SentinelKind, SpawnSpec, spawn};

fn shell(script: &str, sentinel: SentinelKind) -> Child {
  let args = vec!["-c".into(), script.into()];
  spawn(&SpawnSpec { program: "/bin/sh".into(), args, ..SpawnSpec::default() }, sentinel).unwrap()
}

/// State and process group of the children of this process.
fn children() -> Vec<(char, u32)> {
  let of = |stat: String| {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let is_ours = fields[1].parse() == Ok(std::process::id());
    is_ours.then(|| (fields[0].chars().next().unwrap(), fields[2].parse().unwrap()))
  };
  let stats = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path().join("stat"));
  stats.filter_map(|path| of(fs::read_to_string(path).ok()?)).collect()
}

fn in_group(group: u32) -> usize {
  children().into_iter().filter(|&(_, its)| its == group).count()
}

fn until(what: &str, holds: impl Fn() -> bool) {
  for _ in 0..6000 {
    if holds() {
      return;
    }
    sleep(Duration::from_millis(10));
  }
  panic!("{what}: {:?}", children());
}

// One test, since a subreaper is a whole process.
#[test]
fn a_process_that_gets_orphans_reaps_those_of_its_children_and_no_others() {
  // SAFETY: numbers only; from now on orphans become children of this process.
  assert_eq!(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) }, 0);

  // What the rest of the process starts keeps its status.
  let mut strangers: Vec<_> =
    (0..8).map(|code| Command::new("/bin/sh").args(["-c", &format!("exit {code}")]).spawn().unwrap()).collect();

  for sentinel in [SentinelKind::PidFd, SentinelKind::WaitPid] {
    // A group that is killed: children, their children, and one that has ended before.
    let mut child = shell("true & sleep 1000 & sh -c 'sleep 1000 & sleep 1000 & wait' & wait", sentinel);
    sleep(Duration::from_millis(300));
    child.signal_group(libc::SIGKILL).unwrap();
    assert_eq!(child.wait_timeout(Duration::from_secs(60)).unwrap(), Some(Exit::Signal(libc::SIGKILL)));
    until("the killed group is reaped", || in_group(child.pid()) == 0);

    // A child that leaves others to live on.
    let mut child = shell("sleep 1000 & sleep 2 & exit 3", sentinel);
    assert_eq!(child.wait_timeout(Duration::from_secs(60)).unwrap(), Some(Exit::Code(3)));
    until("both are orphans", || in_group(child.pid()) == 2);
    until("the one that ended is reaped", || in_group(child.pid()) == 1);
    // SAFETY: numbers only. An orphan that is alive, and waited for by nobody else, keeps the number of its group.
    assert_eq!(unsafe { libc::kill(-libc::pid_t::try_from(child.pid()).unwrap(), libc::SIGKILL) }, 0);
    until("the other one, too", || in_group(child.pid()) == 0);
  }

  let codes: Vec<_> = strangers.iter_mut().map(|stranger| stranger.wait().unwrap().code().unwrap()).collect();
  assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7]);
  until("the thread has ended", || {
    let names = fs::read_dir("/proc/self/task").unwrap().map(|entry| entry.unwrap().path().join("comm"));
    !names.filter_map(|path| fs::read_to_string(path).ok()).any(|name| name.contains("reaper"))
  });
}
