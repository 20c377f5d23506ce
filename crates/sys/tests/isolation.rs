//! Which descriptors and signals a child has, as `/proc` shows them.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

mod support;

use std::fs;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

use millrace_sys::{Child, SentinelKind, SpawnSpec, spawn};
use rustix::process::{Pid, getpgid, getsid};
use support::children::{kill, pipe, spec, status};
use support::eventually;

fn sleeper() -> SpawnSpec<'static> {
  spec("/bin/sleep", &["1000"])
}

fn link(path: String) -> PathBuf {
  fs::read_link(path).unwrap_or_default()
}

fn own(fd: &OwnedFd) -> PathBuf {
  link(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

fn of(child: &Child, fd: RawFd) -> PathBuf {
  link(format!("/proc/{}/fd/{fd}", child.pid()))
}

fn open_in(child: &Child) -> Vec<RawFd> {
  let entries = fs::read_dir(format!("/proc/{}/fd", child.pid())).unwrap();
  let mut open: Vec<RawFd> =
    entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
  open.sort_unstable();
  open
}

#[test]
fn exactly_the_given_descriptors_are_open() {
  let leaked = rustix::pipe::pipe().unwrap();
  let leaked_high = rustix::io::fcntl_dupfd_cloexec(&leaked.0, 200).unwrap();
  rustix::io::fcntl_setfd(&leaked_high, rustix::io::FdFlags::empty()).unwrap();
  let (read, write) = pipe();
  let fds = vec![(read.as_fd(), 5), (write.as_fd(), 9), (read.as_fd(), 3)];
  let child = spawn(&SpawnSpec { fds, ..sleeper() }, SentinelKind::PidFd).unwrap();
  // The dynamic linker of the child opens files of its own for a moment.
  eventually("no other descriptor is open", || open_in(&child) == [0, 1, 2, 3, 5, 9]);
  assert_eq!((of(&child, 5), of(&child, 3), of(&child, 9)), (own(&read), own(&read), own(&write)));
  for fd in 0..3 {
    assert_eq!(of(&child, fd), Path::new("/dev/null"));
  }
  kill(child);
}

#[test]
fn targets_may_be_the_numbers_of_other_sources() {
  let (a, b) = pipe();
  let (c, d) = pipe();
  let number = |fd: &OwnedFd| fd.as_raw_fd();
  // Two swapped, one onto itself, and one onto a descriptor that is not passed.
  let targets = [(&a, number(&b)), (&b, number(&a)), (&c, number(&c))];
  let fds = targets.iter().map(|(fd, target)| (fd.as_fd(), *target)).collect();
  let child = spawn(&SpawnSpec { fds, ..sleeper() }, SentinelKind::PidFd).unwrap();
  let mut expected = vec![0, 1, 2, number(&a), number(&b), number(&c)];
  expected.sort_unstable();
  eventually("no other descriptor is open", || open_in(&child) == expected);
  for (source, target) in targets {
    assert_eq!(of(&child, target), own(source));
  }
  assert_eq!(of(&child, number(&d)), PathBuf::new());
  kill(child);
}

#[test]
fn output_is_inherited_when_asked_for_and_input_never() {
  let child = spawn(&SpawnSpec { inherit_stdio: true, ..sleeper() }, SentinelKind::PidFd).unwrap();
  assert_eq!(of(&child, 0), Path::new("/dev/null"));
  for fd in [1, 2] {
    assert_eq!(of(&child, fd), link(format!("/proc/self/fd/{fd}")));
  }
  kill(child);
}

#[test]
fn the_child_leads_a_session_and_a_process_group_of_its_own() {
  let child = spawn(&sleeper(), SentinelKind::PidFd).unwrap();
  let pid = Pid::from_raw(child.pid().try_into().unwrap());
  assert_eq!(getpgid(pid).unwrap(), pid.unwrap());
  assert_eq!(getsid(pid).unwrap(), pid.unwrap());
  kill(child);
}

#[test]
fn no_signal_is_blocked_or_ignored_in_the_child() {
  // SAFETY: ignoring a signal installs no code; nothing here sends this one.
  unsafe { libc::signal(libc::SIGUSR2, libc::SIG_IGN) };
  let child = std::thread::spawn(|| {
    let mut set = std::mem::MaybeUninit::uninit();
    // SAFETY: initialises the set.
    unsafe { libc::sigfillset(set.as_mut_ptr()) };
    // SAFETY: an initialised set; the mask is that of this thread, which ends with this test.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, set.as_ptr(), std::ptr::null_mut()) };
    spawn(&sleeper(), SentinelKind::PidFd).unwrap()
  });
  let child = child.join().unwrap();
  // 32 to 34 are for the C libraries' own use; they do with them as they like.
  let of_libc: u64 = 0b111 << 31;
  for mask in ["SigBlk", "SigIgn", "SigCgt"] {
    let signals = u64::from_str_radix(&status(&child, mask), 16).unwrap();
    assert_eq!(signals & !of_libc, 0, "{mask}");
  }
  kill(child);
}

#[test]
fn spawning_leaves_no_descriptor_open_in_the_host() {
  // Other tests of this process open descriptors at the same time, so look at those of one pipe only.
  let (read, write) = pipe();
  let copies = || {
    let open = fs::read_dir("/proc/self/fd").unwrap();
    let links = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    links.filter(|link| *link == own(&read)).count()
  };
  let before = copies();
  let fds = vec![(read.as_fd(), 3), (write.as_fd(), 4)];
  let child = spawn(&SpawnSpec { fds, ..sleeper() }, SentinelKind::PidFd).unwrap();
  assert_eq!(copies(), before);
  kill(child);
  let missing = SpawnSpec { fds: vec![(read.as_fd(), 3)], ..spec("/no/such/program", &[]) };
  assert!(spawn(&missing, SentinelKind::PidFd).is_err());
  assert_eq!(copies(), before);
}
