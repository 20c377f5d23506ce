//! The header of a lane, and assertions that every part has the place and size of this layout version.
//!
//! Each line of 128 bytes (two cache lines, which processors prefetch in pairs) has one writer:
//!
//! | line | writer | when |
//! |---|---|---|
//! | [`Preamble`] | host | once, before the worker starts; the host never reads it back |
//! | [`Progress`] | host | at each consumed result |
//! | [`Control`] | host | to stop, abort or signal; apart from `Progress`, since an idle worker polls it |
//! | host's [`Bell`] | both | as `bell.rs` says |
//! | worker's [`Bell`] | both | as `bell.rs` says |
//! | [`Clock`] | worker | at each claim |
//! | [`Life`] | worker | when its phase changes; apart from `Clock`, since the host looks at it in each round |
//! | `lent_to_worker` | host and worker | as `loan.rs` says |
//! | `lent_to_host` | worker and host | as `loan.rs` says |

use crate::bell::Bell;
use crate::call_slot::{CallHead, CallSlot};
use crate::frame::INLINE_CAPACITY;
use crate::loan::{LOANS, LoanWord};
use crate::result_slot::{ResultHead, ResultSlot};
use crate::sync::{AtomicU32, AtomicU64};

/// Changes whenever anything in shared memory changes place, size or meaning: host and worker must agree on it.
pub const LAYOUT_VERSION: u32 = 8;

/// "millrace", the first bytes of a lane.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"millrace");

/// What a worker checks before it uses anything else.
#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct Preamble {
  pub(crate) magic: AtomicU64,
  pub(crate) version: AtomicU32,
  /// Stored last, with release: 1 once everything is formatted.
  pub(crate) ready: AtomicU32,
  pub(crate) arena_bytes: AtomicU64,
  pub(crate) slots: AtomicU32,
  /// Where both rings begin.
  pub(crate) start: AtomicU32,
  pub(crate) host_pid: AtomicU32,
  pub(crate) worker_id: AtomicU32,
}

#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct Progress {
  /// The host's cursor in the result ring.
  pub(crate) consumed: AtomicU32,
}

#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct Control {
  /// 1: leave when no call is queued.
  pub(crate) stop: AtomicU32,
  /// Counts requests to abort; which call is meant is in its slot.
  pub(crate) aborts: AtomicU32,
  /// 1: the worker may spin for a moment before it sleeps, since a processor is spare. Advice only.
  pub(crate) spin: AtomicU32,
  /// 1: the host signals the worker. The worker's handler heeds no signal of another process before.
  pub(crate) signals: AtomicU32,
}

#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct Clock {
  /// Monotonic nanoseconds of the last claim.
  pub(crate) claimed_at: AtomicU64,
}

#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct Life {
  /// A [`crate::WorkerPhase`].
  pub(crate) phase: AtomicU32,
}

/// The words of one direction's loans.
#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct Loans {
  pub(crate) words: [LoanWord; LOANS],
}

#[derive(Debug)]
#[repr(C)]
pub(crate) struct Header {
  pub(crate) preamble: Preamble,
  pub(crate) progress: Progress,
  pub(crate) control: Control,
  pub(crate) host_bell: Bell,
  pub(crate) worker_bell: Bell,
  pub(crate) clock: Clock,
  pub(crate) life: Life,
  /// Blocks of the call arena.
  pub(crate) lent_to_worker: Loans,
  /// Blocks of the result arena.
  pub(crate) lent_to_host: Loans,
}

const _: () = {
  assert!(size_of::<Header>() == 7 * 128 + 2 * 4 * LOANS);
  assert!(size_of::<CallHead>() == 32);
  assert!(size_of::<ResultHead>() == 32);
  assert!(size_of::<CallSlot>() == 512);
  assert!(size_of::<ResultSlot>() == 512);
  // No padding anywhere in a slot: word, word, header, inline payload.
  assert!(4 + 4 + 32 + INLINE_CAPACITY == 512);
  // Every type of the mapping may begin at a page.
  assert!(align_of::<Header>() <= 4096 && align_of::<CallSlot>() <= 512 && align_of::<ResultSlot>() <= 512);
};
