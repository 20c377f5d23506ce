//! Calls and results as the users of a lane see them.

use crate::error::Corrupt;
use crate::place::{Direction, Place};

/// A place in a ring: a free-running counter that wraps. Its slot is `position & mask`.
pub type Position = u32;

/// What a call slot asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CallKind {
  /// Run a task; answered by a result.
  Task = 1,
  /// Learn the definition of a task number; not answered.
  Define = 2,
  /// Get ready; answered by a result.
  Boot = 3,
}

impl CallKind {
  pub(crate) const fn from_u8(raw: u8) -> Option<Self> {
    match raw {
      1 => Some(Self::Task),
      2 => Some(Self::Define),
      3 => Some(Self::Boot),
      _ => None,
    }
  }
}

/// A call, apart from its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallHeader {
  /// What is asked for.
  pub kind: CallKind,
  /// How the payload is encoded.
  pub codec: u8,
  /// For the two ends to agree on.
  pub flags: u16,
  /// Number of the task.
  pub task: u32,
  /// The task's public id.
  pub sequence: u64,
}

/// A result, apart from its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResultHeader {
  /// How the call ended.
  pub status: u8,
  /// How the payload is encoded.
  pub codec: u8,
  /// For the two ends to agree on.
  pub flags: u16,
  /// How long the call ran, saturated.
  pub ran_ns: u32,
}

/// A call that the worker has claimed.
#[derive(Clone, Copy, Debug)]
pub struct CallRecord {
  /// Its place in the ring, which is its name in aborts and results.
  pub position: Position,
  /// What is asked for.
  pub kind: CallKind,
  /// How the payload is encoded.
  pub codec: u8,
  /// For the two ends to agree on.
  pub flags: u16,
  /// Number of the task.
  pub task: u32,
  /// The task's public id.
  pub sequence: u64,
  /// Length of the payload.
  pub len: u64,
  pub(crate) place: Place,
}

impl CallRecord {
  /// Length of the payload. Checked: that many bytes of this process's memory were mapped for it.
  pub const fn payload_len(&self) -> usize {
    self.len as usize
  }

  /// Length of the part of the payload that is in the slot; the rest is in a block.
  pub fn inline_len(&self) -> usize {
    self.place.inline_len(self.len)
  }

  /// Whether the rest can be borrowed.
  pub fn is_lent(&self) -> bool {
    self.place.loan().is_some()
  }
}

/// A call that was taken back out of the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reclaimed {
  /// The header that was pushed.
  pub header: CallHeader,
  /// Where to cut the payload for the next push, so that a first part which was in the slot goes into a slot again.
  pub cut: usize,
}

/// A result that the host has found in the ring.
#[derive(Clone, Copy, Debug)]
pub struct ResultRecord {
  /// Position of the call that it answers; 0 for a notice.
  pub position: Position,
  /// How the call ended.
  pub status: u8,
  /// How the payload is encoded.
  pub codec: u8,
  /// For the two ends to agree on.
  pub flags: u16,
  /// How long the call ran, saturated.
  pub ran_ns: u32,
  /// Length of the payload.
  pub len: u64,
  /// The result's own position in the result ring.
  pub(crate) entry: Position,
  pub(crate) is_notice: bool,
  pub(crate) place: Place,
  /// Which arena its block is in.
  pub(crate) arena: Direction,
}

impl ResultRecord {
  /// Length of the payload. Checked: that many bytes of this process's memory were mapped for it.
  pub const fn payload_len(&self) -> usize {
    self.len as usize
  }

  /// Whether the payload is in the slot and not in the arena.
  pub const fn is_inline(&self) -> bool {
    matches!(self.place, Place::Inline)
  }

  /// Length of the part of the payload that is in the slot; the rest is in a block.
  pub fn inline_len(&self) -> usize {
    self.place.inline_len(self.len)
  }

  /// Whether the rest can be borrowed.
  pub fn is_lent(&self) -> bool {
    self.place.loan().is_some()
  }
}

/// What the worker sent.
#[derive(Clone, Copy, Debug)]
pub enum Arrival {
  /// The result of a call.
  Result(ResultRecord),
  /// A report that answers no call.
  Notice(ResultRecord),
}

/// What the worker found.
#[derive(Clone, Copy, Debug)]
pub enum Taken {
  /// A call, now claimed.
  Call(CallRecord),
  /// Nothing to do.
  Empty,
  /// Nothing to do, and nothing will come: leave.
  Stop,
  /// A slot that no correct host writes: leave with an error. The slot is claimed.
  Corrupt(Corrupt),
}

/// How far a worker's life has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum WorkerPhase {
  /// It boots.
  Starting = 1,
  /// It takes calls.
  Ready = 2,
  /// It leaves after the call that it runs.
  Retiring = 3,
  /// It leaves.
  Leaving = 4,
  /// Its heap is full, and its process is about to abort.
  OutOfMemory = 5,
}

impl WorkerPhase {
  pub(crate) const fn from_u32(raw: u32) -> Option<Self> {
    match raw {
      1 => Some(Self::Starting),
      2 => Some(Self::Ready),
      3 => Some(Self::Retiring),
      4 => Some(Self::Leaving),
      5 => Some(Self::OutOfMemory),
      _ => None,
    }
  }
}
