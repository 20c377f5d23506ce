//! The shared-memory protocol between a host process and one of its workers.
//!
//! A *lane* is one block of memory that two processes map: the host, which owns the pool, and one worker. It holds a
//! ring of calls (host to worker), a ring of results (worker to host), and for each direction an arena for payloads
//! that are too large for a slot.
//!
//! ```text
//!        HostLane                                                        WorkerLane
//!           │                    call slots (N)                               │
//!           ├── push ──────────► FREE ─► QUEUED ─► CLAIMED ──────── take ────►┤
//!           ├── revoke ────────────────► REVOKED ─► FREE ─────────  skip ────►┤
//!           │                    call arena: written by the host              │
//!           │                                                                 │
//!           │                    result slots (2N)                            │
//!           ├◄─ next_result ──── stamp: free ─► committed ◄─────── commit ────┤
//!           ├── consume ───────► consumed cursor ──────────────── (room) ────►┤
//!           │                    result arena: written by the worker          │
//! ```
//!
//! # Rules
//!
//! 1. **Every word has one writer at a time**, except a call slot's state while it is `QUEUED` (claim against revoke,
//!    decided by compare-and-swap) and the two words of the sleep handshake (`bell.rs`). There is no lock.
//! 2. **A record is written, then published by one release store.** A process that dies before that store leaves
//!    nothing behind, and after it everything.
//! 3. **Nothing that is needed to know what was lost is in shared memory.** The host keeps a private copy of every call
//!    slot's header; of the shared state it only asks whether a call is still `QUEUED`.
//! 4. **What is read from shared memory is untrusted**, in release builds too: copied to private memory first, and
//!    there checked against the host's own books and the capacities (`memory.rs` says what makes that enough). A value
//!    that cannot be is [`Corrupt`].
//!
//! # Who dies where
//!
//! | the worker dies | the host finds | and concludes |
//! |---|---|---|
//! | before its claim | the slot `QUEUED` | never started: [`HostLane::reclaim`] gives the same bytes back |
//! | between claim and commit | the slot not `QUEUED`, no result | started and lost |
//! | while it writes a result | the same: the stamp is not set | the same |
//! | after its commit, before it rings | a committed result, once it drains on the sentinel's readiness | delivered |
//!
//! A host that dies takes its workers with it (their watchdog sees to that), so no worker ever has to repair a lane.
//!
//! The cursor protocols (`call_*`, `result_*`, `bell`) take slices of slots, so that the same code runs over a shared
//! mapping, over the heap, and under loom's model checker. Only [`HostLane`] and [`WorkerLane`], which compose the
//! protocols and the arenas (`out_arena.rs`), know about [`Memory`].

#![cfg_attr(
  loom,
  allow(dead_code, unused_imports, reason = "only the protocols are built for the model checker, not their users")
)]

mod bell;
mod block;
mod call_consumer;
mod call_producer;
mod call_slot;
mod chunk;
mod error;
mod frame;
mod loan;
mod memory;
mod place;
mod record;
mod result_consumer;
mod result_producer;
mod result_slot;
mod sync;

#[cfg(not(loom))]
mod arena;
#[cfg(not(loom))]
mod geometry;
#[cfg(not(loom))]
mod heap_memory;
#[cfg(not(loom))]
mod host_lane;
#[cfg(not(loom))]
mod layout;
#[cfg(not(loom))]
mod out_arena;
#[cfg(not(loom))]
mod probe;
#[cfg(not(loom))]
mod view;
#[cfg(not(loom))]
mod worker_lane;

#[cfg(loom)]
#[cfg(test)]
mod models;
#[cfg(not(loom))]
#[cfg(test)]
mod tests;

pub use chunk::{CHUNK_ITEMS, Progress, Sealed};
pub use error::Corrupt;
pub use frame::INLINE_CAPACITY;
pub use loan::{LENT_FROM, RESULT_LENT_FROM};
pub use record::{
  Arrival, CallHeader, CallKind, CallRecord, Position, Reclaimed, ResultHeader, ResultRecord, Taken, WorkerPhase,
};

#[cfg(not(loom))]
pub use {
  error::{AttachError, CommitError, GeometryError, PushError},
  geometry::{Geometry, JOURNAL_BYTES},
  heap_memory::HeapMemory,
  host_lane::{HostLane, Identity, LaneSnapshot, SlotState, StateRun},
  layout::LAYOUT_VERSION,
  loan::Borrowed,
  memory::{Memory, NoMemory},
  probe::Step,
  worker_lane::WorkerLane,
};
