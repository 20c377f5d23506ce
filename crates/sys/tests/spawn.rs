//! What a child gets at its start, and the errors of a start that fails.

#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

mod support;

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::PathBuf;

use millrace_sys::{Error, Exit, SentinelKind, SpawnSpec, spawn};
use support::children::{end, kill, pipe, shell, spec};

/// What the program writes to descriptor 3 until it has ended.
fn output(spec: &SpawnSpec<'_>) -> String {
  let (read, write) = pipe();
  let mut spec = spec.clone();
  spec.fds.push((write.as_fd(), 3));
  let child = spawn(&spec, SentinelKind::WaitPid).unwrap();
  drop(spec);
  drop(write);
  let mut text = String::new();
  File::from(read).read_to_string(&mut text).unwrap();
  assert_eq!(end(child), Exit::Code(0));
  text
}

fn failure(spec: &SpawnSpec<'_>) -> (&'static str, Option<i32>) {
  let error: Error = spawn(spec, SentinelKind::WaitPid).map(kill).unwrap_err();
  (error.syscall, error.errno())
}

#[test]
#[cfg_attr(target_feature = "crt-static", ignore = "a static libc has no functions to look up")]
fn a_missing_program_is_an_error_of_posix_spawn() {
  assert_eq!(failure(&spec("/no/such/program", &[])), ("posix_spawn", Some(libc::ENOENT)));
  assert_eq!(failure(&spec("/etc/passwd", &[])), ("posix_spawn", Some(libc::EACCES)));
  let in_a_directory = SpawnSpec { cwd: Some("/".into()), ..spec("/no/such/program", &[]) };
  assert_eq!(failure(&in_a_directory), ("posix_spawn", Some(libc::ENOENT)));
}

#[test]
#[cfg_attr(target_feature = "crt-static", ignore = "a static libc has no functions to look up")]
fn a_missing_directory_is_an_error_of_chdir() {
  let missing = SpawnSpec { cwd: Some("/no/such/directory".into()), ..shell("exit 0") };
  assert_eq!(failure(&missing), ("chdir", Some(libc::ENOENT)));
  let file = SpawnSpec { cwd: Some("/etc/passwd".into()), ..shell("exit 0") };
  assert_eq!(failure(&file), ("chdir", Some(libc::ENOTDIR)));
}

#[test]
fn text_with_a_zero_byte_is_an_error() {
  assert_eq!(failure(&shell("exit \0")), ("posix_spawn", Some(libc::EINVAL)));
  let env = SpawnSpec { env: Some(vec![("A\0".into(), "b".into())]), ..shell("exit 0") };
  assert_eq!(failure(&env), ("posix_spawn", Some(libc::EINVAL)));
}

#[test]
fn standard_and_repeated_targets_are_errors() {
  let (read, write) = pipe();
  for targets in [[2, 3], [4, 4], [-1, 3]] {
    let fds = vec![(read.as_fd(), targets[0]), (write.as_fd(), targets[1])];
    let expected = ("posix_spawn_file_actions_adddup2", Some(libc::EINVAL));
    assert_eq!(failure(&SpawnSpec { fds, ..shell("exit 0") }), expected, "{targets:?}");
  }
}

#[test]
fn arguments_arrive_as_they_are() {
  let spec = spec("/bin/sh", &["-c", "printf '[%s]' \"$@\" >&3", "sh", "a b", "", "*", "ü"]);
  assert_eq!(output(&spec), "[a b][][*][ü]");
}

#[test]
#[cfg_attr(target_feature = "crt-static", ignore = "a static libc has no functions to look up")]
fn the_child_starts_in_the_given_directory() {
  let cwd: PathBuf = std::fs::canonicalize(std::env::temp_dir()).unwrap();
  let spec = SpawnSpec { cwd: Some(cwd.clone()), ..shell("pwd -P >&3") };
  assert_eq!(PathBuf::from(output(&spec).trim_end()), cwd);
}

#[test]
fn the_environment_is_replaced_or_inherited() {
  let script = "echo \"$GREETING,${HOME-nowhere}\" >&3";
  let replaced = SpawnSpec { env: Some(vec![("GREETING".into(), "a=b".into())]), ..shell(script) };
  assert_eq!(output(&replaced), "a=b,nowhere\n");
  let home = std::env::var("HOME").unwrap_or("nowhere".into());
  assert_eq!(output(&shell(script)), format!(",{home}\n"));
}

#[test]
fn variables_can_be_set_in_any_environment() {
  let script = "echo \"$GREETING,${HOME-nowhere},$(env | grep -c ^GREETING=)\" >&3";
  let set = SpawnSpec { set_env: vec![("GREETING".into(), "set".into())], ..shell(script) };
  let home = std::env::var("HOME").unwrap_or("nowhere".into());
  assert_eq!(output(&set), format!("set,{home},1\n"));
  let path = std::env::var_os("PATH").unwrap();
  let env = Some(vec![("GREETING".into(), "a=b".into()), ("PATH".into(), path)]);
  assert_eq!(output(&SpawnSpec { env, ..set }), "set,nowhere,1\n");
}
