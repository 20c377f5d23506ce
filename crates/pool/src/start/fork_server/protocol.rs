//! The messages between host and fork server: a byte for the kind, then the kind's content.

use std::os::fd::RawFd;

/// The descriptor by which the server gets its connections.
pub(super) const ROOT_FD: RawFd = 3;
/// The server's end of a lifeline: the kernel kills the server when the host's end closes.
pub(super) const SERVER_LIFELINE_FD: RawFd = 4;
/// A shared file without content. By this a server that runs something else than its entry finds out what it is, as a
/// worker does by its lane.
pub(super) const MARK_FD: RawFd = 5;
/// The length of that file in bytes: the least that can be mapped everywhere.
pub(super) const MARK_LEN: usize = 1;

/// Most bytes of a message. Longer reasons are cut.
pub(super) const MAX_MESSAGE: usize = 16 << 10;

/// Kinds of messages from the host.
pub(super) mod request {
  /// Fork a worker. The lane argument follows, with the descriptors of a lane.
  pub const FORK: u8 = 1;
  /// Collect a child's exit status. The process id follows.
  pub const REAP: u8 = 2;
  /// Take a connection: its server's end comes with this. All else goes through connections.
  pub const CONNECT: u8 = 3;
}

/// Kinds of messages from the server.
pub(super) mod reply {
  /// The server takes requests from now on. A byte follows: 1 if a module did not load, else 0.
  pub const READY: u8 = 1;
  /// The server never will. The reasons follow, a line each.
  pub const REFUSED: u8 = 2;
  /// A worker was forked. Its process id follows, with its pidfd.
  pub const FORKED: u8 = 3;
  /// A fork failed. The error number follows.
  pub const FAILED: u8 = 4;
  /// The server loads the module whose URL follows.
  pub const LOADING: u8 = 5;
}

pub(super) fn with_number(kind: u8, number: u32) -> [u8; 5] {
  let [a, b, c, d] = number.to_le_bytes();
  [kind, a, b, c, d]
}

pub(super) fn number_in(body: &[u8]) -> Option<u32> {
  Some(u32::from_le_bytes(body.get(..4)?.try_into().ok()?))
}
