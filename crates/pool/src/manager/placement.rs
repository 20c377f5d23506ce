//! The choice of the worker that gets the next call.
//!
//! In this order, if the worker has room for the call:
//!
//! 1. The lane of the last call, if its calls are tiny and the worker is awake: [`Placement::tiny_lane`].
//! 2. The warm lane with the least to do, if the calls are short: [`Placement::warm_lane`].
//! 3. The idle lane that worked last: its worker is the warmest, and the coldest one times out.
//! 4. The shortest of some busy lanes.
//!
//! The first two count only where not every worker has a processor. There, to wake another worker for a tiny call takes
//! longer than the call, and takes a processor from host and worker. And with more workers at work than processors,
//! short calls are done no sooner, and each worker that joins is cold: its first thousand calls cost as much as many
//! thousands in a warm one, since its code is compiled on the way. So a pool of 64 workers uses as many for short calls
//! as there are processors, and a warm worker that is held up is replaced by one other.
//!
//! Calls are short if the last calls of the lane were, or if the calls of their task are (`durations.rs`).
//!
//! A call that waits in a ring can always be taken back (`rebalance.rs`), so no choice is final.

use super::durations::UNKNOWN;
use super::lanes::Lanes;
use crate::lane::{Lane, Moved};
use crate::spin::processors;

/// Work in nanoseconds that a lane should hold in reserve: long enough to bridge the host's wake-up, short enough that
/// a call seldom waits behind another while a worker is idle.
const READ_AHEAD_NS: u32 = 300_000;

/// The reserve while the owner is busy: the relief thread comes by only each millisecond.
const RELIEF_AHEAD_NS: u32 = 4_000_000;

/// Longest service time of tiny calls. The host takes as long to hand out the next one.
const TINY_NS: u32 = 2_000;

/// Most tiny calls that wait for one worker while another one sleeps.
const TINY_BACKLOG: usize = 128;

/// Longest service time of short calls. They are over before another worker would be awake, and warm: its code
/// compiled, its caches filled.
const SHORT_NS: u32 = 100_000;

/// How many lanes are compared before one is chosen: enough to level the queues, few enough that a call costs the same
/// with 64 workers as with two.
const CANDIDATES: usize = 4;

/// Payloads up to this size find no room only where a larger one would not find any either.
const SMALL: usize = 4096;

/// A call that a lane is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
  /// Bytes of the payload.
  pub(super) bytes: usize,
  /// How long the call is expected to take.
  pub(super) expected_ns: u32,
  /// Whether the payload lies in the owner's memory, and is copied once more if the call has to wait.
  pub(super) is_new: bool,
}

/// The memory of earlier choices.
#[derive(Debug)]
pub(super) struct Placement {
  /// Lanes that fell idle, the last one on top. An entry is checked when it is taken.
  idle: Vec<usize>,
  /// No busy lane had room for a small call when one was last looked for, and none has got room since.
  is_saturated: bool,
  /// Where the search among busy lanes begins.
  next_lane: usize,
  /// The lane that was given the last call.
  last_lane: usize,
  /// The lanes that were given the last calls, each once: at most as many as there are processors.
  warm: Vec<usize>,
  ahead_ns: u32,
}

impl Placement {
  pub(super) fn new() -> Self {
    Self {
      idle: Vec::new(),
      is_saturated: false,
      next_lane: 0,
      last_lane: 0,
      warm: Vec::new(),
      ahead_ns: READ_AHEAD_NS,
    }
  }

  /// A lane that can take a call.
  pub(super) fn choose(&mut self, lanes: &mut Lanes, call: Candidate) -> Option<usize> {
    let warm = self.tiny_lane(lanes, call).or_else(|| self.warm_lane(lanes, call));
    warm.or_else(|| self.idle_lane(lanes, call)).or_else(|| self.busy_lane(lanes, call))
  }

  /// The lane that a block lies in, if its worker may be given the block now.
  pub(super) fn lane_of(&self, lanes: &Lanes, block: &Moved<'_>) -> Option<usize> {
    let (index, lane) = lanes.iter().find(|(_, lane)| block.is_in(lane.mapping()))?;
    self.has_room(lane, Candidate { bytes: 0, expected_ns: UNKNOWN, is_new: false }).then_some(index)
  }

  /// Whether a lane can take a call.
  pub(super) fn has_room(&self, lane: &Lane, call: Candidate) -> bool {
    lane.has_room_for(call.bytes, call.expected_ns, call.is_new, self.ahead_ns)
  }

  /// The lane of the last call, if its worker is awake and keeps up with the host.
  fn tiny_lane(&self, lanes: &Lanes, call: Candidate) -> Option<usize> {
    let lane = lanes.get(self.last_lane)?;
    let keeps_up = lane.is_as_short_as(TINY_NS) && lane.len() < TINY_BACKLOG;
    let is_awake = !lane.is_empty() && !lane.is_stalled();
    (is_awake && keeps_up && lanes.live() >= processors() && self.has_room(lane, call)).then_some(self.last_lane)
  }

  /// The warm lane with the least to do, if as many are warm as there are processors, and the calls of all are short. A
  /// lane that is stalled is not warm any more: one other takes its place.
  fn warm_lane(&mut self, lanes: &Lanes, call: Candidate) -> Option<usize> {
    if lanes.live() <= processors() {
      return None;
    }
    self.warm.retain(|&index| lanes.get(index).is_some_and(|lane| !lane.is_stalled()));
    if self.warm.len() < processors() {
      return None;
    }
    let mut best: Option<(usize, usize)> = None;
    for &index in self.warm.iter().take(CANDIDATES) {
      let lane = lanes.get(index).filter(|lane| lane.is_as_short_as(SHORT_NS))?;
      if self.has_room(lane, call) && best.is_none_or(|(_, least)| lane.len() < least) {
        best = Some((index, lane.len()));
      }
    }
    best.map(|(index, _)| index)
  }

  fn idle_lane(&mut self, lanes: &mut Lanes, call: Candidate) -> Option<usize> {
    while let Some(index) = self.idle.pop() {
      if let Some(lane) = lanes.get_mut(index) {
        lane.list_idle(false);
        if lane.is_idle() && self.has_room(lane, call) {
          return Some(index);
        }
      }
    }
    None
  }

  fn busy_lane(&mut self, lanes: &Lanes, call: Candidate) -> Option<usize> {
    if self.is_saturated {
      return None;
    }
    let count = lanes.places();
    let mut best: Option<(usize, usize)> = None;
    let mut seen = 0;
    for step in 0..count {
      let index = (self.next_lane + step) % count;
      let Some(lane) = lanes.get(index).filter(|lane| self.has_room(lane, call)) else { continue };
      if best.is_none_or(|(_, shortest)| lane.len() < shortest) {
        best = Some((index, lane.len()));
      }
      seen += 1;
      if seen == CANDIDATES {
        break;
      }
    }
    match best {
      Some((index, _)) => self.next_lane = index + 1,
      None => self.is_saturated = call.bytes <= SMALL,
    }
    best.map(|(index, _)| index)
  }

  /// A lane was given a call.
  pub(super) fn note_call(&mut self, index: usize) {
    self.last_lane = index;
    if self.warm.contains(&index) {
      return;
    }
    if self.warm.len() >= processors() {
      self.warm.remove(0);
    }
    self.warm.push(index);
  }

  /// Lists a lane as idle if it is.
  pub(super) fn note_idle(&mut self, lanes: &mut Lanes, index: usize) {
    if let Some(lane) = lanes.get_mut(index)
      && lane.is_idle()
      && !lane.list_idle(true)
    {
      self.idle.push(index);
    }
  }

  /// Some lane may have room now: a call has left it, or a worker has come or gone.
  pub(super) fn note_room(&mut self) {
    self.is_saturated = false;
  }

  /// Sets the reserve of each lane, for a round of the owner's or of the relief thread.
  pub(super) fn reserve_for_relief(&mut self, is_relief: bool) {
    self.ahead_ns = if is_relief { RELIEF_AHEAD_NS } else { READ_AHEAD_NS };
  }
}
