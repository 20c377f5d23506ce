//! Children to start, and ways to end them.

use std::os::fd::OwnedFd;

use millrace_sys::{Child, Exit, SpawnSpec};

use super::WATCHDOG;

pub fn spec(program: &str, args: &[&str]) -> SpawnSpec<'static> {
  SpawnSpec { program: program.into(), args: args.iter().map(Into::into).collect(), ..SpawnSpec::default() }
}

pub fn shell(script: &str) -> SpawnSpec<'static> {
  spec("/bin/sh", &["-c", script])
}

pub fn end(mut child: Child) -> Exit {
  child.wait_timeout(WATCHDOG).unwrap().expect("the child ends")
}

pub fn kill(child: Child) {
  child.signal_group(libc::SIGKILL).unwrap();
  end(child);
}

pub fn pipe() -> (OwnedFd, OwnedFd) {
  let (read, write) = std::io::pipe().unwrap();
  (read.into(), write.into())
}

/// The value of a line of `/proc/<pid>/status`.
pub fn status(child: &Child, name: &str) -> String {
  let status = std::fs::read_to_string(format!("/proc/{}/status", child.pid())).unwrap();
  let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
  line.unwrap().trim().to_owned()
}
