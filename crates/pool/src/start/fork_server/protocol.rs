//! The messages between host and fork server: a byte that says what it is, and what belongs to it.

use std::os::fd::RawFd;

/// The server's end of what connections come by.
pub(super) const ROOT_FD: RawFd = 3;
/// The kernel kills the server when the other end of this closes.
pub(super) const SERVER_LIFELINE_FD: RawFd = 4;

/// Longer reasons are cut.
pub(super) const MAX_MESSAGE: usize = 16 << 10;

/// From the host.
pub(super) mod request {
  /// The lane argument follows; with the descriptors of a lane.
  pub const FORK: u8 = 1;
  /// A process id follows.
  pub const REAP: u8 = 2;
  /// With the server's end of a connection, by which one pool says all else.
  pub const CONNECT: u8 = 3;
}

/// From the server.
pub(super) mod reply {
  /// It takes requests from now on. A byte follows: 1 if a module did not load, else 0.
  pub const READY: u8 = 1;
  /// It never will; the reasons follow, a line each.
  pub const REFUSED: u8 = 2;
  /// The process id of a new worker follows; with its pidfd.
  pub const FORKED: u8 = 3;
  /// The error number of a fork that failed follows.
  pub const FAILED: u8 = 4;
  /// It loads the module whose URL follows.
  pub const LOADING: u8 = 5;
}

pub(super) fn with_number(kind: u8, number: u32) -> [u8; 5] {
  let [a, b, c, d] = number.to_le_bytes();
  [kind, a, b, c, d]
}

pub(super) fn number_in(body: &[u8]) -> Option<u32> {
  Some(u32::from_le_bytes(body.get(..4)?.try_into().ok()?))
}
