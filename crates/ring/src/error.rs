//! The errors of this crate, one type for each operation.

use thiserror::Error;

/// The peer wrote something into the lane that no correct peer writes. The lane is of no further use: end the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the lane is corrupt: {what}")]
pub struct Corrupt {
  /// The part that made no sense.
  pub what: &'static str,
}

/// Why a lane cannot be laid out as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum GeometryError {
  /// The number of call slots is not one of the allowed ones.
  #[error("{0} call slots: must be a power of two from 2 to 4096")]
  Slots(u32),
  /// The size of an arena is not one of the allowed ones.
  #[error("an arena of {0} bytes: must be a multiple of 64 KiB, from 64 KiB to 128 GiB")]
  Arena(u64),
  /// The memory has not the length that the geometry needs.
  #[error("the memory has {actual} bytes, the lane needs {expected}")]
  Length {
    /// What the geometry needs.
    expected: usize,
    /// What there is.
    actual: usize,
  },
  /// The memory does not begin at a page.
  #[error("the memory does not begin at a page boundary")]
  Misaligned,
  /// The pages of header and rings could not be had.
  #[error("no memory for the lane's rings (errno {errno})")]
  NoMemory {
    /// As the operating system reported it.
    errno: i32,
  },
}

/// Why a call was not queued. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PushError {
  /// Every slot, or what is left of the arena, is taken by earlier calls: try again when some are consumed.
  #[error("the lane is full")]
  Full,
  /// The payload can never fit.
  #[error("a payload of {len} bytes, in a lane that takes {capacity}")]
  TooLarge {
    /// Length of the payload.
    len: u64,
    /// The most that the lane can take.
    capacity: u64,
  },
  /// The machine has no memory for the payload.
  #[error("no memory for the payload (errno {errno})")]
  NoMemory {
    /// As the operating system reported it.
    errno: i32,
  },
}

/// Why a result was not committed. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CommitError {
  /// Earlier results have not been consumed: sleep until the host has done so, then try again.
  #[error("no room until the host has consumed earlier results")]
  NoRoom,
  /// The payload can never fit.
  #[error("a payload of {len} bytes, in a lane that takes {capacity}")]
  TooLarge {
    /// Length of the payload.
    len: u64,
    /// The most that the lane can take.
    capacity: u64,
  },
  /// The machine has no memory for the payload.
  #[error("no memory for the payload (errno {errno})")]
  NoMemory {
    /// As the operating system reported it.
    errno: i32,
  },
}

/// Why a worker cannot use a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AttachError {
  /// It is too short to be a lane, or not at a page boundary.
  #[error("the segment is too short or misplaced to be a lane")]
  Unusable,
  /// It is not a lane, or its host has not finished it.
  #[error("the segment is not a finished lane")]
  NotReady,
  /// Host and worker are of different versions.
  #[error("the lane has layout version {found}, this worker has {expected}")]
  Version {
    /// The host's.
    found: u32,
    /// This worker's.
    expected: u32,
  },
  /// The geometry in its header is impossible, or does not match its length.
  #[error("the lane's header does not fit its segment: {0}")]
  Geometry(#[from] GeometryError),
}
