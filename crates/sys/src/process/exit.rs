//! How a process ended.

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
  /// By itself, with this exit code.
  Code(i32),
  /// By this signal.
  Signal(i32),
  /// Someone else collected the status, or the host ignores `SIGCHLD`: the process has ended, but nobody knows how.
  Unknown,
}
