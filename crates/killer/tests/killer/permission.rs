//! Whether this machine lets one process trace another.

use std::io::{self, Write};
use std::sync::OnceLock;

use crate::arch;
use crate::tracee::{Mark, Tracee};

/// Set to 1 where the tests are run in the knowledge that they can show nothing.
const ALLOW: &str = "MILLRACE_ALLOW_NO_PTRACE";

/// Whether victims can be stepped. Where they cannot (a seccomp filter, Yama, an emulator) that is said on the
/// terminal, and is a failure in continuous integration, where nobody reads it.
pub(crate) fn can_trace() -> bool {
  static REFUSAL: OnceLock<Option<String>> = OnceLock::new();
  let Some(refusal) = REFUSAL.get_or_init(|| trial().err()) else { return true };
  let is_ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
  let is_allowed = std::env::var(ALLOW).is_ok_and(|value| value == "1");
  assert!(!is_ci || is_allowed, "{refusal}; set {ALLOW}=1 to let the killer's tests pass without having run");
  let test = std::thread::current().name().unwrap_or_default().to_owned();
  // Not by a macro: what those print is captured, and shown only when a test fails.
  let _ = writeln!(io::stderr(), "{test}: SKIPPED: {refusal}");
  false
}

fn trial() -> Result<(), String> {
  if !arch::atomics_can_be_stepped() {
    return Err("the atomic operations of this processor cannot be single-stepped".into());
  }
  let refused = |error: io::Error| format!("ptrace is not permitted ({error})");
  Tracee::start(&Mark::new(), || {}).and_then(|mut tracee| tracee.step()).map_err(refused)
}
