//! The fault points of a worker: around a claim, while arguments are copied, inside of a commit.
//!
//! Only calls pass these points; the boot call and definitions of tasks do not. A build without the feature
//! `fault-injection` does not come here.

use millrace_ring::{CallKind, CallRecord, CommitError, ResultHeader, Step, Taken, WorkerLane};

use crate::fault::{self, NO_CODEC, Point, hits};
use crate::lane::LaneSegment;

/// [`WorkerLane::take`] with its points.
pub(super) fn take(lane: &mut WorkerLane<LaneSegment>, booted: bool, now_ns: impl FnOnce() -> u64) -> Taken {
  let taken = lane.take_probed(now_ns, |step| {
    if booted && step == Step::BeforeClaim {
      hits(Point::BeforeClaim);
    }
  });
  if matches!(&taken, Taken::Call(call) if call.kind == CallKind::Task) {
    hits(Point::AfterClaim);
  }
  taken
}

/// Copies the last piece of a call's payload in two halves, with a point between them.
pub(super) fn copy_last_piece(lane: &WorkerLane<LaneSegment>, call: &CallRecord, at: usize, dst: &mut [u8]) {
  let half = dst.len() / 2;
  let (first, second) = dst.split_at_mut(half);
  lane.copy_payload(call, at, first);
  hits(Point::MidArgs);
  lane.copy_payload(call, at + half, second);
  hits(Point::BeforeCall);
}

/// [`WorkerLane::commit`] with its points, and with the damage that a frame or a slot is to get.
pub(super) fn commit(
  lane: &mut WorkerLane<LaneSegment>,
  header: &ResultHeader,
  call: &CallRecord,
  head: &[u8],
  tail: &[u8],
) -> Result<(), CommitError> {
  let mut header = *header;
  if hits(Point::ResultFrame) {
    header.codec = NO_CODEC;
  }
  if hits(Point::ResultSlot) {
    fault::corrupt_next_result(lane);
  }
  lane.commit_probed(&header, call, head, tail, pass_step)?;
  hits(Point::BeforeRing);
  Ok(())
}

/// The steps of a commit as fault points.
fn pass_step(step: Step) {
  match step {
    Step::ResultReserved => hits(Point::ResultReserved),
    Step::MidResult => hits(Point::MidResult),
    Step::BeforeCommit => hits(Point::BeforeCommit),
    Step::BeforeClaim | Step::AfterClaim => false,
  };
}
