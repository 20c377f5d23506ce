//! The result of a call as the pool's owner gets it.

use millrace_ring::ResultRecord;

/// A call's number, unique among the unfinished calls of its pool and used again afterwards.
pub type CallId = u32;

/// The statuses that the manager itself must understand; every other status is the owner's.
pub mod status {
  /// The boot call succeeded, or a task returned.
  pub const OK: u8 = 0;
  /// The boot call, or a task, threw.
  pub const ERROR: u8 = 1;
  /// The task asked its process to exit; the worker leaves.
  pub const EXIT: u8 = 2;
  /// A notice: an error that belongs to no call, after which the worker leaves.
  pub const STRAY_RETIRING: u8 = 4;
}

/// The flag of a call that is a chunk: items that its worker runs one after the other. Other flags are the owner's.
pub const CHUNK: u16 = 1;

/// A result that is ready to be read.
#[derive(Clone, Copy, Debug)]
pub struct Completion {
  /// The call.
  pub id: CallId,
  /// How the call ended; the meaning is the owner's, but for [`status`].
  pub status: u8,
  /// The encoding of the payload.
  pub codec: u8,
  /// The owner's bits.
  pub flags: u16,
  /// Bytes of the payload.
  pub len: usize,
  /// Bytes of the payload in front of the content that [`Manager::borrow`](crate::Manager::borrow) gives.
  pub inline_len: usize,
  /// Whether [`Manager::borrow`](crate::Manager::borrow) gives that content.
  pub lent: bool,
  /// The worker's process id.
  pub pid: u32,
  /// How long the call ran, as the worker says, in nanoseconds, saturated.
  pub ran_ns: u32,
  lane: usize,
  record: ResultRecord,
  is_taken_out: bool,
}

impl Completion {
  /// A result that lies in the lane with the index `lane`.
  pub(crate) fn in_lane(lane: usize, pid: u32, id: CallId, record: ResultRecord) -> Self {
    Self {
      id,
      status: record.status,
      codec: record.codec,
      flags: record.flags,
      len: record.payload_len(),
      inline_len: record.inline_len(),
      lent: record.is_lent(),
      pid,
      ran_ns: record.ran_ns,
      lane,
      record,
      is_taken_out: false,
    }
  }

  /// The same result, copied out of its lane.
  pub(crate) fn taken_out(self) -> Self {
    Self { is_taken_out: true, lent: false, ..self }
  }

  /// Whether the result was copied out of its lane, which may be another worker's by now.
  pub(crate) fn is_taken_out(&self) -> bool {
    self.is_taken_out
  }

  /// The index of the lane that the result lies in, or lay in.
  pub(crate) fn lane(&self) -> usize {
    self.lane
  }

  /// The entry of that lane's result ring.
  pub(crate) fn record(&self) -> &ResultRecord {
    &self.record
  }
}
