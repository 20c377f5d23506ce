//! A process of its own for a test: others have pools at the same time, or the test needs another environment.

use std::process::Command;

const ALONE: &str = "MILLRACE_TEST_ALONE";

/// Runs the test of this name in another process, with these variables besides. True in that process.
pub fn is_alone(name: &str, env: &[(&str, &str)]) -> bool {
  if std::env::var_os(ALONE).is_some() {
    return true;
  }
  let mut alone = Command::new(std::env::current_exe().unwrap());
  alone.args([name, "--exact", "--nocapture"]).env(ALONE, "1").envs(env.iter().copied());
  let output = alone.output().unwrap();
  let said = String::from_utf8_lossy(&output.stdout);
  assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
  assert!(said.contains("1 passed"), "{said}");
  false
}
