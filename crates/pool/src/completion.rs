//! The result of a call as the pool's owner gets it.

use millrace_ring::ResultRecord;

/// A call's number, unique among the unfinished calls of its pool and used again afterwards.
pub type CallId = u32;

/// The worker's answers that the manager itself must understand; every other status is the owner's.
pub mod status {
  /// The boot call succeeded, or a task returned.
  pub const OK: u8 = 0;
  /// The boot call, or a task, threw.
  pub const ERROR: u8 = 1;
  /// The task asked its process to exit; the worker leaves.
  pub const EXIT: u8 = 2;
  /// A notice: an error that belongs to no call.
  pub const STRAY: u8 = 3;
  /// A notice: an error that belongs to no call, after which the worker leaves.
  pub const STRAY_RETIRING: u8 = 4;
}

/// A result that lies in a lane, ready to be read.
#[derive(Clone, Copy, Debug)]
pub struct Completion {
  /// The call.
  pub id: CallId,
  /// What kind of outcome it is; the meaning is the owner's.
  pub status: u8,
  /// The encoding of its payload.
  pub codec: u8,
  /// The owner's bits.
  pub flags: u16,
  /// Bytes of its payload.
  pub len: usize,
  /// Bytes of the payload in front of the content that [`Manager::borrow`] gives.
  pub inline_len: usize,
  /// Whether [`Manager::borrow`] gives that content.
  pub lent: bool,
  /// The worker's process id.
  pub pid: u32,
  /// How long the worker says that the call ran, in nanoseconds, saturated.
  pub ran_ns: u32,
  pub(crate) lane: usize,
  pub(crate) record: ResultRecord,
  /// It is in the backlog, and in no lane any more.
  pub(crate) taken_out: bool,
}
