//! All tests once more with the mechanisms that every platform has.

use std::process::Command;

const FORCED: [(&str, &str); 4] = [
  ("MILLRACE_SEGMENT", "shm"),
  ("MILLRACE_WAKEUP", "pipe"),
  ("MILLRACE_POLLER", "poll"),
  ("MILLRACE_SENTINEL", "waitpid"),
];

/// The capabilities of a process are probed once: so these are tested in another.
#[test]
fn every_test_passes_with_the_portable_mechanisms() {
  if FORCED.iter().any(|(name, _)| std::env::var_os(name).is_some()) {
    return;
  }
  let mut again = Command::new(std::env::current_exe().unwrap());
  let output = again.args(["--test-threads", "4"]).envs(FORCED).output().unwrap();
  let text = String::from_utf8_lossy(&output.stdout);
  assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
}
